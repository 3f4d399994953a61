/** Before people are told to leave their homes: what is about to be published is asked about once more. */

import { h } from '../shared/dom';
import { named, t, type Word } from '../shared/i18n';
import { statusNow } from '../shared/standing';
import { open } from './dialogs';
import type { Editable } from './talk';

type Values = Record<string, unknown>;

const ASKED = [4, 5];

/** The level that is published by a change, where it is one that is asked about; null where nothing is new. */
function newLevel(about: Editable, before: Values, said: Values): number | null {
  if (about.id !== 'evacuation_areas') return null;
  const after = { ...before, ...said };
  const current = (values: Values) => (values.level && values.kind !== 'lifted' && (statusNow(about.id, values) ?? 'active') === 'active' ? Number(values.level) : 0);
  const level = current(after);
  return ASKED.includes(level) && level !== current(before) ? level : null;
}

/** Asks where a change publishes a call of level 4 or 5; whether it is to be made. */
export function sure(about: Editable, before: Values, said: Values): Promise<boolean> {
  const level = newLevel(about, before, said);
  if (level === null) return Promise.resolve(true);
  return new Promise((resolve) => {
    let yes = false;
    const name = `${t(`level${level}` as Word)} ${named({ ...before, ...said })}`.trim();
    const dialog = open(t('sureTitle', { level }),
      h('p', { class: 'sure-what' }, h('span', { class: `level level-${level}` }, t('levelShort', { level })), h('strong', {}, name)),
      h('p', {}, t('sureLead', { name })),
      h('div', { class: 'dialog-actions' },
        h('button', { type: 'button', class: 'button-plain', id: 'sure-no', onclick: () => dialog.close() }, t('cancel')),
        h('button', { type: 'button', class: 'button-main', id: 'sure-yes', onclick: () => { yes = true; dialog.close(); } }, t('sureYes'))));
    dialog.addEventListener('close', () => resolve(yes));
  });
}
