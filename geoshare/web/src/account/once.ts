/** A secret that is shown once, with a button that copies it. */

import { h } from '../shared/dom';
import { t } from '../shared/i18n';
import { notice } from '../shared/notice';

export function once(text: string, more = ''): HTMLElement {
  return h('div', { class: 'once', role: 'status' },
    h('strong', {}, t('shownOnce')), more ? h('span', {}, more) : null, h('code', {}, text),
    h('button', { type: 'button', class: 'button-plain', onclick: () => {
      void navigator.clipboard.writeText(text).then(() => notice(t('copied')), () => undefined);
    } }, t('copy')));
}
