/** Dialogs of the desk: all fields, history, latest edits, and two people's words side by side. */

import type { PropertySchema } from '../shared/api';
import { h, icon, ICONS } from '../shared/dom';
import { coded, language, moment, t, titled, unit, type Word } from '../shared/i18n';
import { notice } from '../shared/notice';
import { say } from './say';
import { talk, type Change, type Edit, type Editable, type StaleFeature } from './talk';

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

/** Opens a dialog; resolves when it is closed. */
export function open(title: string, ...content: (Node | string | null | false)[]): HTMLDialogElement {
  const head = h('div', { class: 'dialog-head' }, h('h2', { id: 'desk-dialog' }, title),
    h('button', { type: 'button', class: 'button-icon', 'aria-label': t('close'), onclick: () => dialog.close() }, icon(ICONS.close)));
  const dialog = h('dialog', { class: 'dialog desk-dialog', 'aria-labelledby': 'desk-dialog', onclose: () => dialog.remove() }, head, ...content);
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
    const dialog = open(`${t('deskConflict')}: ${name}`,
      h('p', {}, t('deskConflictLead')),
      stale.set && h('p', { class: 'muted' }, `${moment(stale.set.at)} ${who(stale.set)} ${stale.set.reason ?? ''}`),
      h('table', { class: 'sides' }, h('thead', {}, h('tr', {}, h('th', {}), h('th', { scope: 'col' }, t('deskYours')), h('th', { scope: 'col' }, t('deskTheirs')))),
        h('tbody', {}, ...rows)),
      h('div', { class: 'dialog-actions' },
        h('button', { type: 'button', class: 'button-plain', id: 'keep-theirs', onclick: () => { choice = 'theirs'; dialog.close(); } }, t('deskKeepTheirs')),
        h('button', { type: 'button', class: 'button-main', id: 'keep-yours', onclick: () => { choice = 'yours'; dialog.close(); } }, t('deskKeepYours'))));
    dialog.addEventListener('close', () => resolve(choice));
  });
}

type Values = Record<string, unknown>;
export interface Filled { properties: Values; reason: string; source: string }

function field(name: string, property: PropertySchema, value: unknown): HTMLElement {
  const id = `field-${name}`;
  const members = (property.enum ?? []).filter((item) => item !== null);
  const kind = Array.isArray(property.type) ? property.type.find((item) => item !== 'null') : property.type;
  if (name === 'level') {
    return h('select', { id }, h('option', { value: '' }, '—'), ...([3, 4, 5] as const).map((level) =>
      h('option', { value: String(level), selected: value === level }, t(`level${level}` as Word))));
  }
  if (members.length || kind === 'boolean') {
    const options = members.length ? members.map((item) => [String(item), coded(property, item)]) : [['true', t('deskYes')], ['false', t('deskNo')]];
    return h('select', { id, value: value === null || value === undefined ? '' : String(value) }, h('option', { value: '' }, '—'),
      ...options.map(([key, title]) => h('option', { value: key, selected: String(value) === key }, title as string)));
  }
  const time = property.format === 'date-time';
  const text = value === null || value === undefined ? '' : time ? local(String(value)) : String(value);
  return h('input', {
    id, type: time ? 'datetime-local' : kind === 'integer' || kind === 'number' ? 'number' : 'text', value: text,
    inputmode: kind === 'integer' ? 'numeric' : undefined, min: kind === 'integer' ? '0' : undefined,
  });
}

/** A moment as a field of the browser has it, in Japanese time. */
function local(iso: string): string {
  const date = new Date(Date.parse(iso) + 9 * 3_600_000);
  return Number.isNaN(date.getTime()) ? '' : date.toISOString().slice(0, 16);
}

function read(name: string, property: PropertySchema): unknown {
  const text = (document.getElementById(`field-${name}`) as HTMLInputElement).value.trim();
  if (text === '') return null;
  const kind = Array.isArray(property.type) ? property.type.find((item) => item !== 'null') : property.type;
  if (property.format === 'date-time') return `${text}:00+09:00`;
  if (kind === 'boolean') return text === 'true';
  return kind === 'integer' || kind === 'number' || typeof property.enum?.[0] === 'number' ? Number(text) : text;
}

const LEFT_OUT = new Set(['photo', 'segment_ids', 'area_codes', 'target_areas', 'status_updated_at']); // set in other ways

/** Takes a photo in; `now` is the address of the one there is. */
export interface Photo { take: (file: File) => Promise<void>; now: Promise<string> | null }

function photoField(photo: Photo, failed: (problem: unknown) => void): HTMLElement[] {
  const picture = h('img', { class: 'form-picture', alt: t('deskPhotoNow'), hidden: true });
  const show = (address: string) => {
    picture.src = address;
    picture.hidden = false;
  };
  void photo.now?.then(show, () => undefined);
  const input = h('input', { id: 'form-photo', class: 'visually-hidden', type: 'file', accept: 'image/jpeg,image/png,image/webp', onchange: () => {
    const file = input.files?.[0];
    if (!file) return;
    photo.take(file).then(() => show(URL.createObjectURL(file)), failed);
  } });
  return [picture, input, h('label', { class: 'button-plain', for: 'form-photo' }, icon(ICONS.camera), t('deskPhoto'))];
}

/** A form of all fields; `done` saves and says whether the form may close. */
export function openForm(
  about: Editable, title: string, values: Values, photo: Photo | null,
  done: (filled: Filled) => Promise<boolean>,
): void {
  const names = Object.keys(about.properties).filter((name) => !LEFT_OUT.has(name));
  const error = h('p', { class: 'field-error', role: 'alert', id: 'form-error' });
  const reason = h('input', { id: 'form-reason', type: 'text', maxlength: '500' });
  const source = h('input', { id: 'form-source', type: 'text', maxlength: '200' });
  const save = h('button', { type: 'submit', class: 'button-main', id: 'form-save' }, t('deskSave'));
  const form = h('form', { novalidate: true, onsubmit: (event: Event) => {
    event.preventDefault();
    const properties: Values = {};
    for (const name of names) {
      const value = read(name, about.properties[name] as PropertySchema);
      const before = values[name] ?? null;
      const same = typeof value === 'string' && typeof before === 'string' && about.properties[name]?.format === 'date-time'
        ? Math.floor(Date.parse(value) / 60_000) === Math.floor(Date.parse(before) / 60_000) : value === before;
      if (!same) properties[name] = value;
    }
    save.disabled = true;
    error.textContent = '';
    done({ properties, reason: reason.value, source: source.value }).then((ok) => { if (ok) dialog.close(); }, (problem: unknown) => {
      error.textContent = say(problem);
    }).finally(() => { save.disabled = false; });
  } },
  ...names.flatMap((name) => {
    const property = about.properties[name] as PropertySchema;
    const needed = about.required.includes(name) ? ' *' : '';
    return [h('label', { for: `field-${name}` }, titled(property, name) + needed), field(name, property, values[name])];
  }),
  ...(photo ? photoField(photo, (problem) => { error.textContent = say(problem); }) : []),
  h('label', { for: 'form-reason' }, t('deskReason')), reason,
  h('label', { for: 'form-source' }, t('deskSource')), source,
  h('div', { class: 'dialog-actions' }, error, save)); // in sight however long the form is
  const dialog = open(title, form);
}
