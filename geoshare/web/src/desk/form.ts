/** The form of all fields of a feature: what is typed in it stays until it is saved or given up. */

import type { PropertySchema } from '../shared/api';
import { fill, h, icon, ICONS } from '../shared/dom';
import { coded, t, titled, type Word } from '../shared/i18n';
import { open } from './dialogs';
import { remarksOf } from './remarks';
import { say } from './say';
import type { Editable } from './talk';

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

/** The kind of call that each level is. */
const KINDS: Record<string, string> = { 3: 'elderly', 4: 'evacuate', 5: 'emergency' };

/** Level and kind of a call say the same: where one is chosen, the other follows. A lifted call keeps its level. */
function agree(form: HTMLFormElement): void {
  const level = form.querySelector<HTMLSelectElement>('#field-level');
  const kind = form.querySelector<HTMLSelectElement>('#field-kind');
  if (!level || !kind) return;
  level.addEventListener('change', () => { if (level.value) kind.value = KINDS[level.value] as string; });
  kind.addEventListener('change', () => {
    const [of] = Object.entries(KINDS).find(([, value]) => value === kind.value) ?? [];
    if (of) level.value = of;
  });
}

function read(name: string, property: PropertySchema, form: HTMLFormElement): unknown {
  const text = (form.querySelector(`#field-${name}`) as HTMLInputElement).value.trim();
  if (text === '') return null;
  const kind = Array.isArray(property.type) ? property.type.find((item) => item !== 'null') : property.type;
  if (property.format === 'date-time') return `${text}:00+09:00`;
  if (kind === 'boolean') return text === 'true';
  return kind === 'integer' || kind === 'number' || typeof property.enum?.[0] === 'number' ? Number(text) : text;
}

/** What changes by the hour stands first in the form of what is there already. */
const OFTEN = ['level', 'status', 'people_count', 'household_count', 'care_count', 'pet_count', 'litres_left', 'status_note', 'reason', 'valid_from', 'valid_to', 'notes'];
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

/** What a form is about, and what becomes of it. */
export interface FormUse {
  /** It is not there yet: what is needed stands first. */
  fresh?: boolean;
  photo?: Photo | null;
  /** What was typed before, when the form was left, or why an edit that waits was made. */
  typed?: Filled | undefined;
  /** Saves, and says whether the form may close. */
  done: (filled: Filled) => Promise<boolean>;
  /** The form is closed, and what was typed is not saved. */
  left?: (filled: Filled) => void;
}

/** A form of all fields of a feature. */
export function openForm(about: Editable, title: string, values: Values, { fresh = false, photo = null, typed, done, left }: FormUse): void {
  const all = Object.keys(about.properties).filter((name) => !LEFT_OUT.has(name));
  const often = (fresh ? about.required : OFTEN).filter((name) => all.includes(name));
  const names = [...often, ...all.filter((name) => !often.includes(name))];
  const error = h('p', { class: 'field-error', role: 'alert', id: 'form-error' });
  const reason = h('input', { id: 'form-reason', type: 'text', maxlength: '500', value: typed?.reason ?? '' });
  const source = h('input', { id: 'form-source', type: 'text', maxlength: '200', value: typed?.source ?? '' });
  const remarks = h('div', { class: 'remarks', role: 'status' });
  const save = h('button', { type: 'submit', class: 'button-main', id: 'form-save' }, t('deskSave'));
  let saved = false;
  const filled = (): Filled => ({ properties: differing(about, names, values, form), reason: reason.value, source: source.value });
  const form = h('form', { novalidate: true, onsubmit: (event: Event) => {
    event.preventDefault();
    save.disabled = true;
    error.textContent = '';
    done(filled()).then((ok) => {
      saved = ok;
      if (ok) dialog.close();
    }, (problem: unknown) => { error.textContent = say(problem); }).finally(() => { save.disabled = false; });
  } },
  ...names.flatMap((name) => {
    const property = about.properties[name] as PropertySchema;
    const needed = about.required.includes(name) ? ' *' : '';
    const value = typed && name in typed.properties ? typed.properties[name] : values[name];
    return [h('label', { for: `field-${name}` }, titled(property, name) + needed), field(name, property, value)];
  }),
  ...(photo ? photoField(photo, (problem) => { error.textContent = say(problem); }) : []),
  h('label', { for: 'form-reason' }, t('deskReason')), reason,
  h('label', { for: 'form-source' }, t('deskSource')), source,
  h('div', { class: 'dialog-actions' }, remarks, error, save)); // in sight however long the form is
  agree(form);
  const remark = () => {
    const now = Object.fromEntries(names.map((name) => [name, read(name, about.properties[name] as PropertySchema, form)]));
    fill(remarks, ...remarksOf(about.id, now).map((words) => h('p', { class: 'remark' }, icon(ICONS.warn, 18), words)));
  };
  form.addEventListener('input', remark);
  remark();
  const dialog = open(title, form);
  dialog.addEventListener('close', () => { if (!saved) left?.(filled()); });
}

/** The values of a form that are not those it was opened with. */
function differing(about: Editable, names: string[], values: Values, form: HTMLFormElement): Values {
  const found: Values = {};
  for (const name of names) {
    const property = about.properties[name] as PropertySchema;
    const value = read(name, property, form);
    const before = values[name] ?? null;
    const same = typeof value === 'string' && typeof before === 'string' && property.format === 'date-time'
      ? Math.floor(Date.parse(value) / 60_000) === Math.floor(Date.parse(before) / 60_000) : value === before;
    if (!same) found[name] = value;
  }
  return found;
}
