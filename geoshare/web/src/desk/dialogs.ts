/** Dialogs of the desk: all fields, history, latest edits, and two people's words side by side. */

import type { PropertySchema } from '../shared/api';
import { h, icon, ICONS } from '../shared/dom';
import { coded, language, moment, t, titled, unit } from '../shared/i18n';
import { notice } from '../shared/notice';
import { say } from './say';
import { municipalityName } from '../map/deciding/places';
import { talk, type Change, type Edit, type Editable, type Item, type StaleFeature } from './talk';

/** A value as people read it. */
export function shown(value: unknown, property: PropertySchema | undefined): string {
  if (value === null || value === undefined || value === '') return '—';
  if (typeof value === 'boolean') return value ? t('deskYes') : t('deskNo');
  if (property?.format === 'date-time' && typeof value === 'string') return moment(value, 'short');
  if (Array.isArray(value)) return value.join(language() === 'ja' ? '、' : ', ');
  if (typeof value === 'object') return (value as { type?: string }).type ?? '…';
  const words = coded(property, value);
  return property?.['x-ogc-unit'] ? `${words} ${unit(property)}` : words;
}

/** What is known of a feature that others look after, to be read; `find` shows it on the map. */
export function openCard(about: Editable, { properties }: Item, name: string, find: () => void): void {
  const told = Object.entries(about.properties).filter(([key]) => ![null, undefined, ''].includes(properties[key] as null) && !['name', 'photo'].includes(key));
  const value = (key: string, property: PropertySchema) => (key === 'local_government_code' ? municipalityName(properties[key]) : shown(properties[key], property));
  const dialog = open(name, h('p', { class: 'muted' }, t('deskElsewhere')),
    h('dl', { class: 'facts' }, ...told.flatMap(([key, property]) => [h('dt', {}, titled(property, key)), h('dd', {}, value(key, property))])),
    h('div', { class: 'dialog-actions' }, h('button', { type: 'button', class: 'button-main', id: 'card-find', onclick: () => { dialog.close(); find(); } }, icon(ICONS.map), t('deskOnMap'))));
}

let opened = 0;

/** Opens a dialog; it is gone when it is closed. */
export function open(title: string, ...content: (Node | string | null | false)[]): HTMLDialogElement {
  const id = `desk-dialog-${opened += 1}`; // one may lie over another
  const head = h('div', { class: 'dialog-head' }, h('h2', { id }, title),
    h('button', { type: 'button', class: 'button-icon', 'aria-label': t('close'), onclick: () => dialog.close() }, icon(ICONS.close)));
  const dialog = h('dialog', { class: 'dialog desk-dialog', 'aria-labelledby': id, onclose: () => dialog.remove() }, head, ...content);
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

function changes(list: Change[], about: Editable | undefined): HTMLElement {
  return h('ul', { class: 'changes' }, ...list.map((item) => {
    const property = about?.properties[item.property];
    return h('li', {}, h('span', { class: 'muted' }, property ? titled(property, item.property) : t('deskPlace')), ' ',
      `${shown(item.before, property)} → ${shown(item.after, property)}`);
  }));
}

const who = (edit: Edit): string => [edit.department, edit.person, edit.source].filter(Boolean).join(' ');

export async function openHistory(about: Editable, id: string, name: string): Promise<void> {
  const found = await talk.history(about.id, id);
  open(`${t('deskHistory')}: ${name}`, h('ol', { class: 'history' }, ...found.map((edit) => h('li', {},
    h('p', {}, h('strong', {}, moment(edit.at)), ' ', who(edit), edit.reason ? ` ${edit.reason}` : ''),
    changes(edit.changes ?? [], about)))), !found.length && h('p', { class: 'muted' }, t('deskHistoryNone')));
}

export async function openEdits(collections: Editable[], undone: () => void): Promise<void> {
  const found = await talk.edits(30);
  const dialog = open(t('deskEdits'), h('ol', { class: 'history' }, ...found.map((edit) => h('li', {},
    h('div', { class: 'history-head' },
      h('p', {}, h('strong', {}, moment(edit.at)), ' ', who(edit), edit.reason ? ` ${edit.reason}` : ''),
      edit.undone ? h('span', { class: 'muted' }, t('deskUndoAlready')) : h('button', {
        type: 'button', class: 'button-plain', onclick: () => void talk.undo(edit.edit ?? '').then(() => {
          dialog.close();
          notice(t('deskUndone'));
          undone();
        }, (error: unknown) => notice(say(error), 'error')),
      }, t('deskUndo'))),
    ...(edit.features ?? []).slice(0, 5).map((feature) => {
      const about = collections.find((item) => item.id === feature.collection);
      const named = feature.changes.find((item) => item.property === 'name');
      return h('div', {}, h('p', { class: 'muted' }, about ? titled(about) : feature.collection, named || feature.name ? `: ${String(named?.after ?? named?.before ?? feature.name)}` : ''),
        changes(feature.changes.filter((item) => item.property !== 'name' && item.property !== 'status_updated_at'), about));
    })))), !found.length && h('p', { class: 'muted' }, t('deskHistoryNone')));
}

/** Shows both sides; resolves with whose values are to stay, or null where the dialog is left. */
export function openConflict(about: Editable, name: string, stale: StaleFeature): Promise<'yours' | 'theirs' | null> {
  return new Promise((resolve) => {
    let choice: 'yours' | 'theirs' | null = null;
    const rows = stale.differing.filter((item) => item.wanted || item.both).map((item) => {
      const property = about.properties[item.property];
      return h('tr', { class: item.both && item.wanted ? 'both' : '' },
        h('th', { scope: 'row' }, property ? titled(property, item.property) : t('deskPlace')),
        h('td', {}, item.wanted ? shown(item.yours, property) : '—'), h('td', {}, shown(item.theirs, property)));
    });
    // What somebody else has done stays unless one says otherwise.
    const keepTheirs = h('button', { type: 'button', class: 'button-main', id: 'keep-theirs', onclick: () => { choice = 'theirs'; dialog.close(); } }, t('deskKeepTheirs'));
    const dialog = open(`${t('deskConflict')}: ${name}`,
      h('p', {}, t('deskConflictLead')),
      h('p', { class: 'conflict-who' }, stale.removed && t('deskConflictGone'), stale.set
        ? t('deskConflictWho', { at: moment(stale.set.at), who: who(stale.set) || t('deskConflictKey') }) : t('deskConflictOther'),
      stale.set?.reason && ` (${stale.set.reason})`),
      h('table', { class: 'sides' }, h('thead', {}, h('tr', {}, h('th', {}), h('th', { scope: 'col' }, t('deskYours')), h('th', { scope: 'col' }, t('deskTheirs')))),
        h('tbody', {}, ...rows)),
      h('div', { class: 'dialog-actions' },
        h('button', { type: 'button', class: 'button-plain', id: 'keep-yours', onclick: () => { choice = 'yours'; dialog.close(); } }, t('deskKeepYours')),
        keepTheirs));
    keepTheirs.focus();
    dialog.addEventListener('close', () => resolve(choice));
  });
}
