/** What there is, one by one: shelters with their states first, then all else that is shared. */

import { h } from '../shared/dom';
import { bilingual, drillMark, language, named } from '../shared/language';
import { hiragana, over } from '../shared/ruby';
import { isOver, statusNow } from '../shared/standing';
import { LEVEL_OTHER, SHELTER, SHELTER_STATES as STATES, shelterState, type ShelterState } from '../map/layers/palettes';
import { levelColour, ROAD_COLOURS, roadState } from './paint';
import type { Row, Share } from './state';
import { easy, moment, said, say, show, shown } from './words';

const HAZARDS = ['flood', 'landslide', 'storm_surge', 'earthquake', 'tsunami', 'great_fire', 'inland_flood', 'eruption'];

export interface Eyes {
  filter: string;
  here: [number, number] | null;
  chosen: string;
  find(row: Row): void;
  filterBy(state: string): void;
}

export const stateOf = (row: Row): ShelterState => shelterState(row.status);

/** A name as this reader reads it: with its reading above where Japanese is easy. */
export function nameOf(row: Row): Node {
  const name = named(row);
  const mark = drillMark(row);
  if (mark) return document.createTextNode(name || mark.trim());
  const kana = typeof row.name_kana === 'string' ? hiragana(row.name_kana) : '';
  return easy() && kana && kana !== name ? over(name, kana) : document.createTextNode(name);
}

/** Metres between two places in degrees, on a sphere. */
export function metres(a: [number, number], b: [number, number]): number {
  const [lat1, lat2] = [(a[1] * Math.PI) / 180, (b[1] * Math.PI) / 180];
  const [dLat, dLon] = [lat2 - lat1, ((b[0] - a[0]) * Math.PI) / 180];
  const part = Math.sin(dLat / 2) ** 2 + Math.cos(lat1) * Math.cos(lat2) * Math.sin(dLon / 2) ** 2;
  return 2 * 6_371_008.8 * Math.asin(Math.sqrt(part));
}

function away(row: Row, here: [number, number] | null): HTMLElement | null {
  if (!here || !row.at) return null;
  const far = metres(here, row.at);
  const text = far < 950 ? show('awayMetres', { n: Math.max(10, Math.round(far / 10) * 10) }) : show('away', { n: (far / 1000).toFixed(1) });
  return h('span', { class: 'away' }, text);
}

const chip = (text: Node, colour: string): HTMLElement => h('span', { class: 'state', style: { background: colour } }, text);

function line(row: Row, eyes: Eyes, head: (Node | null)[], facts: (Node | null | false | '')[]): HTMLElement {
  return h('li', { id: `row-${row.id}`, class: row.id === eyes.chosen ? 'row chosen' : 'row' },
    h('button', { type: 'button', class: 'row-main', title: say('showOnMap'), onclick: () => eyes.find(row) },
      h('span', { class: 'row-head' }, ...head),
      h('span', { class: 'facts' }, ...facts.filter((fact): fact is Node => !!fact).map((fact) => h('span', {}, fact)))),
    typeof row.phone === 'string' && h('a', { class: 'phone', href: `tel:${row.phone.replace(/[^\d+]/g, '')}`, 'aria-label': `${named(row)} ${row.phone}` }, row.phone));
}

const text = (value: unknown): Text | null => (typeof value === 'string' && value ? document.createTextNode(value) : null);
const count = (value: unknown): string | null => (typeof value === 'number' ? value.toLocaleString('en-US') : null);

function shelter(row: Row, eyes: Eyes): HTMLElement {
  const state = stateOf(row);
  const [people, room] = [count(row.people_count), count(row.max_capacity)];
  return line(row, eyes, [chip(shown('shelters', state), SHELTER[state]), h('strong', {}, nameOf(row)), away(row, eyes.here)], [
    text(row.address), people !== null && show('people', { n: people }), room !== null && show('capacity', { n: room }),
    row.pets_accepted === true && show('petsYes'), row.pets_accepted === false && show('petsNo'), row.is_welfare_shelter === true && show('welfare'),
    text(row.status_note), typeof row.status_updated_at === 'string' && show('updated', { at: moment(row.status_updated_at) }),
  ]);
}

function site(row: Row, eyes: Eyes): HTMLElement {
  const good = HAZARDS.filter((name) => row[`hazard_${name}`] === true);
  const list = h('span', {}, show('goodFor'), ': ', ...good.flatMap((name, index) => [index ? (language() === 'ja' ? '・' : ', ') : '', h('span', {}, shown('hazards', name))]));
  return line(row, eyes, [h('strong', {}, nameOf(row)), away(row, eyes.here)], [text(row.address), good.length > 0 && list]);
}

function water(row: Row, eyes: Eyes): HTMLElement {
  const state = statusNow('water_points', row) ?? 'unknown';
  const colour = state === 'open' ? SHELTER.open : SHELTER.unknown;
  return line(row, eyes, [chip(shown('water_points', state), colour), h('strong', {}, nameOf(row)), away(row, eyes.here)], [
    typeof row.supply === 'string' && shown('supply', row.supply), text(row.hours), text(row.address), text(row.notes),
    typeof row.status_updated_at === 'string' && show('updated', { at: moment(row.status_updated_at) }),
  ]);
}

function road(row: Row, eyes: Eyes): HTMLElement {
  const state = roadState(row);
  const category = String(row.regulation_category ?? '');
  return line(row, eyes, [chip(shown('roads', state), ROAD_COLOURS[state]), h('strong', {}, nameOf(row))], [
    category && category !== 'other' ? shown('regulation_category', category) : null, text(row.reason),
    typeof row.valid_from === 'string' && show('since', { at: moment(row.valid_from) }),
    typeof row.valid_to === 'string' && show('to', { at: moment(row.valid_to) }),
  ]);
}

const practice = (row: Row, name: string): 'drill' | 'test' | null =>
  (row[name] === 'drill' ? 'drill' : row[name] === 'test' ? 'test' : null);

/** When something was told, for the newest to come first. */
const begun = (row: Row): string => String(row.reported_at ?? row.valid_from ?? '');

/** The bars at the top: what people are told to do, and warnings; drills say so first of all. */
export function alerts(share: Share, eyes: Eyes): HTMLElement[] {
  const areas = (share.lists.evacuation_areas?.features ?? []).filter((row) => !isOver('evacuation_areas', row));
  const warnings = (share.lists.warnings?.features ?? []).filter((row) => row.state !== 'lifted' && row.state !== 'cancelled');
  const bars = [
    ...areas.map((row) => ({ row, level: Number(row.level ?? 0), unreal: practice(row, 'status'), what: areaWords(row) })),
    ...warnings.map((row) => ({ row, level: Number(row.level ?? 0), unreal: practice(row, 'state'), what: warningWords(row) })),
  ].sort((a, b) => Number(!!a.unreal) - Number(!!b.unreal) || b.level - a.level || begun(b.row).localeCompare(begun(a.row)));
  return [
    ...share.emergencies.map((item) => h('div', { class: 'alert', style: { borderColor: '#b3261e' } },
      h('strong', {}, language() === 'ja' ? item.title_ja : item.title), ' ', h('span', {}, language() === 'ja' ? item.reason_ja : item.reason), ' ',
      h('span', { class: 'quiet' }, show('to', { at: moment(item.until) })))),
    ...bars.map(({ row, level, unreal, what }) => h('button', {
      type: 'button', class: unreal ? 'alert unreal' : `alert level-${level}`, style: unreal ? {} : { borderColor: levelColour(level, LEVEL_OTHER) }, onclick: () => eyes.find(row),
    }, unreal && h('span', { class: 'state drill' }, show(unreal)), ...what)),
  ];
}

function areaWords(row: Row): Node[] {
  const level = Number(row.level ?? 0);
  const act = level >= 3 && level <= 5 ? show(`act${level as 3 | 4 | 5}`) : null;
  return [h('strong', {}, ...(level ? [show('level', { n: level }), ' '] : []), act ?? ''), h('span', { class: 'where' }, nameOf(row)), text(row.notes) ?? document.createTextNode(''),
    h('span', { class: 'quiet' }, typeof row.valid_from === 'string' ? show('since', { at: moment(row.valid_from) }) : '',
      typeof row.valid_to === 'string' ? ' ' : '', typeof row.valid_to === 'string' ? show('to', { at: moment(row.valid_to) }) : '')];
}

/** The weather service names its warnings in Japanese alone: others read of what and how grave. */
function warningName(row: Row): (Node | string)[] {
  const own = String(row.kind_name ?? row.name ?? '');
  if (!easy() && language() === 'ja') return [own];
  const [level, hazard] = [Number(row.level ?? 0), String(row.hazard ?? 'other')];
  if (hazard === 'other') return [own];
  return [...(level ? [show('level', { n: level }), ' '] : []), shown('hazards', hazard)];
}

function warningWords(row: Row): Node[] {
  const plain = easy() && Number(row.level ?? 0) >= 3 && row.state !== 'drill' && row.state !== 'test';
  return [h('strong', {}, ...warningName(row)), h('span', { class: 'where' }, String(row.area_name ?? '')), h('span', {}, plain ? show('dangerous') : ''),
    h('span', { class: 'quiet' }, typeof row.reported_at === 'string' ? show('since', { at: moment(row.reported_at) }) : '')];
}

/** Shelters by state, those that take people in first; nearest first where it is known where the reader is. */
export function shelterList(share: Share, eyes: Eyes): HTMLElement | null {
  const told = share.lists.shelters;
  if (!told) return null;
  const tally = new Map<string, number>();
  for (const row of told.features) tally.set(stateOf(row), (tally.get(stateOf(row)) ?? 0) + 1);
  const open = tally.get('open') ?? 0;
  const seen = sorted(told.features, eyes).filter((row) => !eyes.filter || stateOf(row) === eyes.filter);
  const chips: (ShelterState | '')[] = ['', ...STATES.filter((state) => tally.has(state))];
  return h('section', { class: 'list', id: 'list-shelters' },
    h('h2', {}, show('shelters')),
    h('p', { class: open ? 'tally good' : 'tally' }, open ? show('openCount', { n: open }) : show(told.features.length ? 'noneOpen' : 'noShelters')),
    h('div', { class: 'chips', role: 'group', 'aria-label': say('shelters') }, ...chips.map((state) => h('button', {
      type: 'button', id: `chip-${state || 'all'}`, class: 'chip', 'aria-pressed': String(eyes.filter === state), onclick: () => eyes.filterBy(state),
    }, state ? h('i', { style: { background: SHELTER[state] } }) : null, state ? shown('shelters', state) : show('all'), ` ${state ? tally.get(state) : told.features.length}`))),
    h('ul', {}, ...seen.map((row) => shelter(row, eyes)), !seen.length && h('li', { class: 'quiet' }, show('nothing'))),
    told.more && h('p', { class: 'quiet' }, show('more')));
}

function sorted(rows: Row[], eyes: Eyes): Row[] {
  const { here } = eyes;
  const rank = (row: Row) => STATES.indexOf(stateOf(row));
  const far = (row: Row) => (here && row.at ? metres(here, row.at) : 0);
  return [...rows].sort((a, b) => rank(a) - rank(b) || far(a) - far(b) || named(a).localeCompare(named(b), 'ja'));
}

const OTHERS = { events: road, water_points: water, evacuation_sites: site } as const;

/** All other lists, folded where they are long. */
export function otherLists(share: Share, eyes: Eyes, unfolded: Set<string>): HTMLElement[] {
  return (Object.keys(OTHERS) as (keyof typeof OTHERS)[]).flatMap((name) => {
    const told = share.lists[name];
    if (!told) return [];
    const near = (row: Row) => (eyes.here && row.at ? metres(eyes.here, row.at) : 0);
    // A closure that is over is none; a water point that has closed is told of.
    const rows = told.features.filter((row) => name !== 'events' || !isOver(name, row)).sort((a, b) => near(a) - near(b));
    const list = h('details', { class: 'list', id: `list-${name}`, open: unfolded.has(name) },
      h('summary', {}, h('h2', {}, show(name)), h('span', { class: 'number' }, String(rows.length))),
      h('ul', {}, ...rows.map((row) => OTHERS[name](row, eyes)), !rows.length && h('li', { class: 'quiet' }, show('nothing'))),
      told.more && h('p', { class: 'quiet' }, show('more')));
    list.addEventListener('toggle', () => { if (list.open) unfolded.add(name); else unfolded.delete(name); });
    return [list];
  });
}

/** Where it is all from, and under which terms. */
export function sources(share: Share): HTMLElement {
  return h('details', { class: 'list' }, h('summary', {}, h('h2', {}, show('sources'))),
    h('ul', { class: 'sources' }, ...share.sources.map((source) => h('li', {},
      h('p', {}, source.of.map((pair) => pair[language() === 'ja' ? 0 : 1]).join(language() === 'ja' ? '、' : ', ')),
      h('p', { class: 'quiet' }, [bilingual(share.by), ...source.licences.map((name) => (name === 'LicenseRef-agreement' ? '' : name)), ...source.said.map((pair) => pair[language() === 'ja' ? 0 : 1])].filter(Boolean).join(' · '))))));
}

export { said };
