/** What is drawn, one by one: its state, how many people there are and how many find room, and since when. */

import { fill, h, type Child } from '../../shared/dom';
import { coded, drillMark, languageChanged, moment, named, number, t, titled, type Word } from '../../shared/i18n';
import { asNow, isOver } from '../../shared/standing';
import type { Feature } from '../../shared/api';
import { levelName, shelterWord, warningTitle } from '../../map/layers/disaster';
import { ADVISORY, ALERT, LEVEL_UNKNOWN, SHELTER, shelterState } from '../../map/layers/palettes';
import { plain } from './api';
import { about, features } from './data';

export const LISTED = ['evacuation_areas', 'shelters', 'events', 'warnings', 'water_points', 'evacuation_sites', 'damage_reports', 'places'];
const LONG = ['evacuation_sites', 'places'];
const MOST = 300;
type Values = Record<string, unknown>;
type Known = (typeof about.collections)[number];

export class List {
  readonly element = h('section', { class: 'single-list' });
  private readonly rows = h('div', {});
  private readonly known = about.collections.filter(({ id }) => LISTED.includes(id) && drawn(id).length)
    .sort((a, b) => LISTED.indexOf(a.id) - LISTED.indexOf(b.id));
  private open = '';
  private text = '';

  constructor(private readonly go: (collection: string, feature: Feature) => void) {
    languageChanged.on(() => this.render());
    this.render();
  }

  private render(): void {
    const choice = h('select', { id: 'single-collection', 'aria-label': t('singleList'), onchange: () => {
      this.open = choice.value;
      this.fill();
    } }, h('option', { value: '' }, t('singleEverything')),
    ...this.known.map((item) => h('option', { value: item.id, selected: item.id === this.open }, `${titled(item)} (${drawn(item.id).length})`)));
    const filter = h('input', { id: 'single-filter', type: 'search', value: this.text, placeholder: t('deskFilter'), 'aria-label': t('deskFilter'), oninput: () => {
      this.text = filter.value;
      this.fill();
    } });
    fill(this.element, h('h2', {}, t('singleList')), h('p', { class: 'muted' }, t('singleTime', { at: moment(about.created, 'short') })), h('div', { class: 'single-tools' }, choice, filter), this.rows);
    this.fill();
  }

  /** All that is drawn; of kinds of which there are many only where they are chosen or looked for. */
  private fill(): void {
    const wanted = plain(this.text);
    const chosen = this.known.filter(({ id }) => (this.open ? id === this.open : wanted || !LONG.includes(id)));
    const lists = chosen.map((item) => ({ item, shown: drawn(item.id).filter((feature) => matches(item, feature, wanted)) })).filter(({ shown }) => shown.length);
    fill(this.rows, ...lists.map(({ item, shown }) => h('section', { 'aria-label': titled(item) },
      !this.open && h('h3', {}, `${titled(item)} (${shown.length})`),
      h('ul', {}, ...shown.slice(0, MOST).map((feature) => this.row(item, feature)),
        shown.length > MOST && h('li', { class: 'muted' }, t('andMore', { n: shown.length - MOST }))))),
    !lists.length && h('p', { class: 'muted' }, t('searchEmpty')));
  }

  private row(item: Known, feature: Feature): HTMLElement {
    const said = asNow(item.id, feature.properties ?? {});
    return h('li', {}, h('button', { type: 'button', onclick: () => this.go(item.id, feature) },
      h('span', { class: 'single-head' }, chip(item, said), h('strong', {}, nameOf(item, said))),
      h('span', { class: 'muted' }, facts(item, said).join(' · '))));
  }
}

/** What the map draws of a collection: nothing that is over, the gravest first. */
function drawn(collection: string): Feature[] {
  const all = (features[collection] ?? []).filter(({ properties }) => !isOver(collection, properties ?? {}) && properties?.state !== 'lifted' && properties?.state !== 'cancelled');
  const grave = ({ properties }: Feature) => Number(!drillMark(properties ?? {})) * 10 + Number(properties?.level ?? 0);
  return ['evacuation_areas', 'warnings'].includes(collection) ? [...all].sort((a, b) => grave(b) - grave(a)) : all;
}

function matches({ label }: Known, { properties }: Feature, wanted: string): boolean {
  return [properties?.[label ?? ''], properties?.name, properties?.name_kana, properties?.name_en, properties?.address, properties?.area_name]
    .some((value) => plain(value).includes(wanted));
}

function nameOf(item: Known, said: Values): string {
  if (item.id === 'warnings') return drillMark(said) + warningTitle(said);
  return named(said, item.label) || drillMark(said) + titled(item);
}

const pill = (words: string, colour: string): HTMLElement =>
  h('span', { class: 'single-state', style: { background: colour, color: '#ffffff' } }, words);
/** Alert levels have colours on which letters are hard to read: they stand around them. */
const framed = (words: string, colour: string): HTMLElement =>
  h('span', { class: 'single-state', style: { border: `3px solid ${colour}` } }, words);

/** The state, in the colour in which the map draws it. */
function chip(item: Known, said: Values): Child {
  if (item.id === 'shelters') {
    const state = shelterState(said.status);
    return pill(t(shelterWord(state)), SHELTER[state]);
  }
  if (item.id === 'evacuation_areas' || item.id === 'warnings') {
    const level = Number(said.level ?? 0);
    const colour = drillMark(said) ? LEVEL_UNKNOWN : level === 2 ? ADVISORY : ALERT[level as 3 | 4 | 5] ?? LEVEL_UNKNOWN;
    return level ? framed(t('singleLevel', { level }), colour) : null;
  }
  const property = item.schema.properties.status;
  return typeof said.status === 'string' && property ? pill(coded(property, said.status), said.status === 'open' ? SHELTER.open : SHELTER.unknown) : null;
}

/** What is known of it, in words. */
function facts(item: Known, said: Values): string[] {
  const at = (name: string, word: Word): string => (typeof said[name] === 'string' ? t(word, { at: moment(said[name], 'short') }) : '');
  const people = (name: string, word: Word): string => (typeof said[name] === 'number' ? t(word, { n: number(said[name]) }) : '');
  const code = (name: string): string => {
    const property = item.schema.properties[name];
    return typeof said[name] === 'string' && property ? coded(property, said[name]) : '';
  };
  const text = (name: string): string => (typeof said[name] === 'string' ? said[name] : '');
  const told: Record<string, () => string[]> = {
    shelters: () => [people('people_count', 'singlePeople'), people('max_capacity', 'capacity'), at('status_updated_at', 'singleUpdated'), text('address')],
    evacuation_sites: () => [people('max_capacity', 'capacity'), text('address')],
    evacuation_areas: () => [levelName(Number(said.level ?? 0)), at('valid_from', 'singleSince'), at('valid_to', 'singleUntil'), text('notes')],
    events: () => [code('regulation_category') || code('kind'), text('reason'), at('valid_from', 'singleSince'), at('valid_to', 'singleUntil')],
    warnings: () => [text('area_name'), at('reported_at', 'singleIssued')],
    water_points: () => [code('supply'), text('hours'), at('status_updated_at', 'singleUpdated'), text('address')],
    damage_reports: () => [code('kind'), at('observed_at', 'singleUpdated')],
  };
  const found = (told[item.id]?.() ?? [text('address')]).filter(Boolean);
  return found;
}
