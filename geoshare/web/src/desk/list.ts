/** One row of the desk's list: what it is, its state as large buttons, how many people. */

import { h } from '../shared/dom';
import { coded, moment, named, number, t, type Word } from '../shared/i18n';
import type { Editable, Item } from './talk';

/** States that an officer sets, most used first; others are set in the form of all fields. */
export const STATES: Record<string, string[]> = {
  shelters: ['not_open', 'open', 'full', 'closed'],
  evacuation_areas: ['active', 'lifted'],
  events: ['planned', 'active', 'ended'],
  water_points: ['open', 'suspended', 'closed'],
  damage_reports: ['reported', 'confirmed', 'in_progress', 'resolved'],
};

export interface Acts {
  set: (item: Item, properties: Record<string, unknown>) => void;
  details: (item: Item) => void;
  history: (item: Item) => void;
  withdraw: (item: Item) => void;
  find: (item: Item) => void;
}

export function nameOf(about: Editable, item: Item): string {
  const { properties } = item;
  const level = about.id === 'evacuation_areas' && properties.level ? `${t(`level${Number(properties.level)}` as Word)} ` : '';
  const kind = about.properties.kind && properties.kind ? coded(about.properties.kind, properties.kind) : '';
  return (level + (named(properties) || (level ? '' : kind || item.id))).trim();
}

export function row(about: Editable, item: Item, acts: Acts, chosen: boolean): HTMLElement {
  const { properties } = item;
  const state = properties.status as string | null;
  const name = nameOf(about, item);
  const kind = about.properties.kind && named(properties) && properties.kind ? coded(about.properties.kind, properties.kind) : '';
  const rule = about.properties.regulation_category && properties.regulation_category ? coded(about.properties.regulation_category, properties.regulation_category) : '';
  const when = properties.status_updated_at ?? (state || !STATES[about.id] ? item.set?.at : null); // a list says nothing of a state
  return h('li', { class: `desk-row${chosen ? ' chosen' : ''}`, id: `row-${item.id}` },
    h('div', { class: 'desk-row-head' },
      h('button', { type: 'button', class: 'desk-name', id: `find-${item.id}`, onclick: () => acts.find(item) }, name),
      h('span', { class: `chip state-${state ?? 'unknown'}` }, state ? coded(about.properties.status, state) : t('deskUnknown'))),
    (kind || rule || when) && h('p', { class: 'muted' }, [kind, rule].filter(Boolean).join(' · '), kind || rule ? ' ' : '',
      typeof when === 'string' && t('deskSetBy', { at: moment(when, 'short'), who: [item.set?.department, item.set?.source].filter(Boolean).join(' ') })),
    h('div', { class: 'states', role: 'group', 'aria-label': name }, ...(STATES[about.id] ?? []).map((value) => h('button', {
      type: 'button', id: `set-${value}-${item.id}`, class: `state-${value}`, 'aria-pressed': String(value === state),
      onclick: () => { if (value !== state) acts.set(item, { status: value }); },
    }, coded(about.properties.status, value)))),
    about.properties.people_count && people(item, acts, name),
    h('div', { class: 'desk-row-tools' },
      h('button', { type: 'button', class: 'button-link', id: `details-${item.id}`, onclick: () => acts.details(item) }, t('deskDetails')),
      h('button', { type: 'button', class: 'button-link', id: `history-${item.id}`, onclick: () => acts.history(item) }, t('deskHistory')),
      Object.keys(item.own).length > 0 && about.id !== 'shelters' && h('button', {
        type: 'button', class: 'button-link danger', id: `withdraw-${item.id}`, onclick: () => acts.withdraw(item),
      }, t('deskWithdraw'))));
}

function people(item: Item, acts: Acts, name: string): HTMLElement {
  const { people_count: count, max_capacity: most } = item.properties as { people_count: number | null; max_capacity: number | null };
  const input = h('input', {
    id: `people-${item.id}`, type: 'number', min: '0', inputmode: 'numeric', value: count === null || count === undefined ? '' : String(count),
    'aria-label': `${name}: ${t('deskPeople')}`,
  });
  return h('form', { class: 'people', onsubmit: (event: Event) => {
    event.preventDefault();
    const text = input.value.trim();
    acts.set(item, { people_count: text === '' ? null : Number(text) });
  } },
  h('label', { for: `people-${item.id}` }, t('deskPeople')), input,
  h('span', { class: 'muted' }, most ? t('deskOf', { n: number(most) }) : ''),
  h('button', { type: 'submit', class: 'button-plain', id: `save-people-${item.id}` }, t('deskSave')));
}
