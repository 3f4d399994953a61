/** One row of the desk's list: what it is, its state as large buttons, how many people. */

import { h, icon, ICONS } from '../shared/dom';
import { coded, drillMark, moment, named, number, t, titled, type Word } from '../shared/i18n';
import { municipalityName } from '../map/deciding/places';
import { isExpired, isOver, statusNow } from '../shared/standing';
import { expiryOf, remarksOf } from './remarks';
import type { Editable, Item } from './talk';

/** What is said of an edit that is not sent yet. */
export const STANDS = {
  waiting: 'standWaiting', sending: 'standSending', conflict: 'standConflict', refused: 'standRefused',
} as const satisfies Record<NonNullable<Item['waiting']>, Word>;

/** States that an officer sets, most used first; others are set in the form of all fields. */
export const STATES: Record<string, string[]> = {
  shelters: ['not_open', 'open', 'full', 'closed'],
  evacuation_areas: ['active', 'lifted'],
  events: ['planned', 'active', 'ended'],
  water_points: ['planned', 'open', 'suspended', 'closed'],
  damage_reports: ['reported', 'confirmed', 'in_progress', 'resolved'],
};

export interface Acts {
  /** False where it is not saved. */
  set: (item: Item, properties: Record<string, unknown>) => Promise<boolean>;
  details: (item: Item) => void;
  history: (item: Item) => void;
  withdraw: (item: Item) => void;
  find: (item: Item) => void;
  /** Shows what is known of it, to be read. */
  look: (item: Item) => void;
}

export function nameOf(about: Editable, item: Item): string {
  const { properties } = item;
  const level = about.id === 'evacuation_areas' && properties.level ? `${t(`level${Number(properties.level)}` as Word)} ` : '';
  const kind = about.properties.kind && properties.kind ? coded(about.properties.kind, properties.kind) : '';
  return (level + (named(properties) || drillMark(properties) + (level ? '' : kind || item.id))).trim();
}

/** What a row says of a feature besides its name and state. */
function facts(about: Editable, { properties, editable }: Item): string[] {
  const said = (name: string) => (about.properties[name] && properties[name] ? coded(about.properties[name], properties[name]) : '');
  const at = (name: string) => (about.properties[name] && typeof properties[name] === 'string' ? moment(properties[name], 'short') : '');
  const [begins, ends] = [at('valid_from'), at('valid_to')];
  const { people_count: people, max_capacity: room } = properties;
  const elsewhere = editable === false; // those of the own area say these in a field of their own
  const { wide_area_capacity: taken, local_government_code: owner } = properties;
  return [
    elsewhere && municipalityName(owner),
    named(properties) && !properties.level && said('kind'), said('regulation_category'), said('hazard_type'),
    begins && t('deskFrom', { at: begins }), ends && t('deskTo', { at: ends }),
    about.id !== 'shelters' && said('reason') && t('deskBecause', { reason: said('reason') }),
    elsewhere && typeof people === 'number' && t('deskPeopleNow', { n: number(people) }),
    elsewhere && typeof room === 'number' && t('deskRoom', { n: number(room) }),
    elsewhere && said('wide_area_status') && `${titled(about.properties.wide_area_status ?? {})}: ${said('wide_area_status')}`,
    elsewhere && typeof taken === 'number' && t('deskTaken', { n: number(taken) }),
  ].filter((words): words is string => typeof words === 'string' && words !== '');
}

export function row(about: Editable, item: Item, acts: Acts, chosen: boolean): HTMLElement {
  const { properties } = item;
  const state = statusNow(about.id, properties);
  const name = nameOf(about, item);
  const told = facts(about, item);
  const over = isOver(about.id, properties);
  const remarks = remarksOf(about.id, properties);
  const when = properties.status_updated_at ?? (state || !STATES[about.id] ? item.set?.at : null); // a list says nothing of a state
  const states = STATES[about.id] ?? [];
  const mine = item.editable !== false;
  const usual = mine && state !== null && states.includes(state);
  return h('li', { class: `desk-row${chosen ? ' chosen' : ''}${over ? ' over' : ''}`, id: `row-${item.id}` },
    h('div', { class: 'desk-row-head' },
      h('button', { type: 'button', class: 'desk-name', id: `find-${item.id}`, 'aria-label': `${name}: ${t(mine ? 'deskOnMap' : 'deskCard')}`, onclick: () => (mine ? acts.find(item) : acts.look(item)) }, name),
      // A pressed button says the state already.
      !usual && h('span', { class: `chip state-${state ?? 'unknown'}` }, state ? coded(about.properties.status, state) : t('deskUnknown')),
      mine && tool('edit', 'details', 'deskDetails', () => acts.details(item), item, name),
      mine && item.version && tool('history', 'history', 'deskHistory', () => acts.history(item), item, name),
      mine && (!item.version || (Object.keys(item.own).length > 0 && about.id !== 'shelters')) && tool('trash', 'withdraw', 'deskWithdraw', () => acts.withdraw(item), item, name)),
    item.waiting && h('p', { class: `waits waits-${item.waiting}` }, icon(ICONS.clock, 16), t(STANDS[item.waiting])),
    h('div', { class: 'told muted' },
      told.length > 0 && h('p', {}, ...told.map((words) => h('span', {}, words))),
      typeof when === 'string' && h('p', {}, t('deskSetBy', { at: moment(when, 'short'), who: [item.set?.department, item.set?.source].filter(Boolean).join(' ') })),
      expiryOf(about.id, properties) && h('p', {}, icon(ICONS.clock, 16), expiryOf(about.id, properties)),
      !mine && h('p', {}, t('deskElsewhere'))),
    ...remarks.map((words) => h('p', { class: 'remark' }, icon(ICONS.warn, 18), words)),
    mine && h('div', { class: 'states', role: 'group', 'aria-label': name }, ...states.map((value) => h('button', {
      type: 'button', id: `set-${value}-${item.id}`, class: `state-${value}`, 'aria-pressed': String(value === state),
      onclick: () => { if (value !== state) void setWithDraft(item, goingOn(about, item, value), acts); },
    }, coded(about.properties.status, value)))),
    mine && about.properties.people_count && people(item, acts, name));
}

/** What is to be said for it to be in a state: what has passed its end, and is to go on, has that end no more. */
function goingOn(about: Editable, { properties }: Item, status: string): Record<string, unknown> {
  const lives = isExpired(about.id, properties) && !isOver(about.id, { status });
  return lives ? { status, valid_to: null } : { status };
}

function tool(path: keyof typeof ICONS, id: string, word: Word, act: () => void, item: Item, name: string): HTMLElement {
  return h('button', {
    type: 'button', class: `button-icon${id === 'withdraw' ? ' danger' : ''}`, id: `${id}-${item.id}`, title: t(word), 'aria-label': `${name}: ${t(word)}`, onclick: act,
  }, icon(ICONS[path]));
}

/** Numbers that were typed and not saved yet: what others change meanwhile must not take them away. */
const drafts = new Map<string, string>();

/** Saves what is set, and with it a number that was typed: a shelter is opened with its people by one press. */
async function setWithDraft(item: Item, properties: Record<string, unknown>, acts: Acts): Promise<void> {
  const text = drafts.get(item.id);
  const said = text === undefined ? properties : { ...properties, people_count: text === '' ? null : Number(text) };
  if (!Object.keys(said).length) return;
  drafts.delete(item.id);
  const saved = await acts.set(item, said);
  // What was refused can be corrected, unless something newer was typed meanwhile.
  if (!saved && text !== undefined && !drafts.has(item.id)) drafts.set(item.id, text);
}

function people(item: Item, acts: Acts, name: string): HTMLElement {
  const { people_count: count, max_capacity: most } = item.properties as { people_count: number | null; max_capacity: number | null };
  const before = count === null || count === undefined ? '' : String(count);
  const input = h('input', {
    id: `people-${item.id}`, type: 'number', min: '0', inputmode: 'numeric', value: drafts.get(item.id) ?? before,
    'aria-label': `${name}: ${t('deskPeople')}`, oninput: () => {
      save.hidden = input.value === before;
      if (save.hidden) drafts.delete(item.id);
      else drafts.set(item.id, input.value.trim());
    },
  });
  const save = h('button', { type: 'submit', class: 'button-main', id: `save-people-${item.id}`, hidden: input.value === before }, t('deskSave'));
  return h('form', { class: 'people', onsubmit: (event: Event) => {
    event.preventDefault();
    void setWithDraft(item, {}, acts);
  } },
  h('label', { for: `people-${item.id}` }, t('deskPeople')), input,
  h('span', { class: 'muted' }, most ? t('deskOf', { n: number(most) }) : ''),
  save);
}
