/** What a sender decides of a file: which findings refuse it, and whether it is all there is. */

import type { Refusing, UploadOptions } from '../shared/api';
import { h } from '../shared/dom';
import { t, type Word } from '../shared/i18n';

const REFUSING: [Refusing, Word][] = [
  ['none', 'refuseNone'], ['error', 'refuseError'], ['warning', 'refuseWarning'], ['info', 'refuseInfo'],
];

/** Fields for both; `usual` is what the provider has decided for all of its files. */
export function decisionFields(options: UploadOptions, usual: Refusing | null): HTMLElement[] {
  const word = REFUSING.find(([value]) => value === usual)?.[1];
  const most = h('div', { hidden: !options.complete }, box('option-remove-most', 'removeMost', Boolean(options.remove_most)));
  const complete = box('option-complete', 'complete', Boolean(options.complete), (checked) => {
    most.hidden = !checked;
  });
  return [
    h('label', { for: 'option-refuse' }, t('refuseOn')),
    h('select', { id: 'option-refuse', 'aria-describedby': 'refuse-help' },
      h('option', { value: '' }, word ? t('refuseUsual', { rule: t(word) }) : t('refuseAsDecided')),
      ...REFUSING.map(([value, name]) => h('option', { value, selected: value === options.refuse_on }, t(name)))),
    h('p', { id: 'refuse-help', class: 'muted' }, t('refuseHelp')),
    complete,
    h('p', { id: 'option-complete-help', class: 'muted' }, t('completeHelp')),
    most,
  ];
}

/** What stands in these fields. */
export function decided(element: HTMLElement): Pick<UploadOptions, 'refuse_on' | 'complete' | 'remove_most'> {
  const set = (id: string) => Boolean(element.querySelector<HTMLInputElement>(`#${id}`)?.checked);
  const complete = set('option-complete');
  return {
    refuse_on: (element.querySelector<HTMLSelectElement>('#option-refuse')?.value ?? '') as Refusing | '',
    complete: complete ? 'true' : '',
    remove_most: complete && set('option-remove-most') ? 'true' : '',
  };
}

function box(id: string, word: Word, checked: boolean, changed: (checked: boolean) => void = () => undefined): HTMLElement {
  const input = h('input', {
    id, type: 'checkbox', checked, 'aria-describedby': `${id}-help`, onchange: () => changed(input.checked),
  });
  return h('label', { class: 'tick', for: id }, input, h('span', {}, t(word)));
}
