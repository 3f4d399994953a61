/** Where to flee: sites and shelters by what they are designated for, state, room and municipality. */

import { api, type Feature, type ItemsPage } from '../../shared/api';
import { fill, h, icon, ICONS } from '../../shared/dom';
import { coded, languageChanged, named, number, t, type Word } from '../../shared/i18n';
import { noticeError } from '../../shared/notice';
import { hazardName, HAZARDS } from '../layers/disaster';
import { fetchSchema, schemaOf } from '../schemas';
import type { State } from '../state';
import { filterOf, NOTHING, roomLeft, type Criteria, type Kind } from './criteria';
import { forgetMunicipalities, municipalities, municipalityName } from './places';

const KINDS: [Kind, Word][] = [['shelters', 'findShelters'], ['evacuation_sites', 'findSites']];
const STATES = ['open', 'preparing', 'full', 'not_open', 'closed'];
const PAGE = 500;
const MOST = 5000;
const LISTED = 30;

interface Found { features: Feature[]; matched: number; all: number }

export class Finder {
  readonly element = h('div', { class: 'finder' });
  private wanted: Criteria = { ...NOTHING };
  private found = new Map<Kind, Found>();
  private cities: [string, string][] = [];
  private listed: Record<Kind, number> = { shelters: LISTED, evacuation_sites: LISTED };
  private asking: AbortController | null = null;
  private opened = false;
  private waiting = 0;

  constructor(
    private readonly state: State, private readonly redraw: () => void, private readonly go: (kind: Kind, feature: Feature) => void,
  ) {
    languageChanged.on(() => { if (this.opened) void this.open(); });
    state.catalogueChanged.on(() => {
      forgetMunicipalities();
      if (this.opened) void this.open();
    });
  }

  /** Reads schemas and municipalities when somebody first wants them. */
  async open(): Promise<void> {
    this.opened = true;
    const [cities] = await Promise.all([municipalities(), ...this.kinds().map((kind) => fetchSchema(kind))]);
    this.cities = cities;
    this.render();
    await this.look();
  }

  /** Something has changed on the ground: what is listed is asked for again, many changes at once. */
  changed(collection: string): void {
    if (!this.opened || !this.kinds().some((kind) => kind === collection)) return;
    clearTimeout(this.waiting);
    this.waiting = window.setTimeout(() => void this.look(), 800);
  }

  private kinds(): Kind[] {
    return KINDS.map(([kind]) => kind).filter((kind) => this.state.entry(kind));
  }

  private columns(kind: Kind): ReadonlySet<string> {
    return new Set(Object.keys(schemaOf(kind)?.properties ?? {}));
  }

  private change(part: Partial<Criteria>): void {
    this.wanted = { ...this.wanted, ...part };
    this.listed = { shelters: LISTED, evacuation_sites: LISTED };
    void this.look();
  }

  private async look(): Promise<void> {
    this.asking?.abort();
    this.asking = new AbortController();
    const { signal } = this.asking;
    try {
      const found = await Promise.all(this.kinds().map(async (kind) => [kind, await this.ask(kind, signal)] as const));
      this.found = new Map(found);
    } catch (error) {
      if (!signal.aborted) noticeError(error, () => void this.look());
      return;
    }
    this.narrow();
    this.render();
  }

  /** All that match, page by page, and how many there are: counts come from the server alone. */
  private async ask(kind: Kind, signal: AbortSignal): Promise<Found> {
    const filter = filterOf(kind, this.wanted, this.columns(kind));
    const every = await api.items(kind, { limit: '1' }, signal);
    const all = every.numberMatched ?? 0;
    if (filter === null) return { features: [], matched: 0, all };
    const query: Record<string, string> = { limit: String(PAGE), ...(filter ? { filter } : {}) };
    let page: ItemsPage & { links?: { rel: string; href: string }[] } = await api.items(kind, query, signal);
    const features = [...page.features];
    for (let cursor = cursorOf(page); cursor && features.length < MOST; cursor = cursorOf(page)) {
      page = await api.items(kind, { ...query, cursor }, signal);
      features.push(...page.features);
    }
    return { features, matched: page.numberMatched ?? features.length, all };
  }

  /** The map shows what the list shows. */
  private narrow(): void {
    const any = Object.values(this.wanted).some(Boolean);
    for (const kind of this.kinds()) {
      const found = this.found.get(kind);
      if (any && found) this.state.only.set(kind, found.features.map(({ id }) => String(id)));
      else this.state.only.delete(kind);
    }
    this.redraw();
  }

  private render(): void {
    const { wanted } = this;
    const shelters = this.columns('shelters');
    const any = Object.values(wanted).some(Boolean);
    fill(this.element,
      h('div', { class: 'finder-form' },
        this.select('find-hazard', 'findHazard', 'findAnyHazard', wanted.hazard, HAZARDS.map((name) => [name, hazardName(name)]), (hazard) => this.change({ hazard })),
        shelters.has('status') && this.select('find-state', 'findState', 'findAnyState', wanted.state,
          [...STATES.map((name): [string, string] => [name, coded(schemaOf('shelters')?.properties.status, name)]), ['unknown', t('findStateUnknown')]],
          (state) => this.change({ state })),
        shelters.has('people_count') && this.select('find-room', 'findRoom', 'findAnyRoom', wanted.room,
          [['yes', t('roomYes')], ['no', t('roomNo')], ['unknown', t('roomUnknown')]], (room) => this.change({ room })),
        this.cities.length > 1 && this.select('find-city', 'findCity', 'findAnyCity', wanted.city, this.cities, (city) => this.change({ city })),
        shelters.has('wide_area_status') && h('label', { class: 'check' },
          h('input', { type: 'checkbox', id: 'find-wide', checked: wanted.wide, onchange: (event: Event) => this.change({ wide: (event.target as HTMLInputElement).checked }) }),
          t('findWide')),
        any && h('button', { type: 'button', class: 'button-plain', id: 'find-clear', onclick: () => { this.wanted = { ...NOTHING }; this.render(); void this.look(); } },
          icon(ICONS.close, 18), t('findClear'))),
      wanted.hazard && !shelters.has(`hazard_${wanted.hazard}`) && h('p', { class: 'finder-note' }, t('findNoHazard')),
      (wanted.state || wanted.room) && !wanted.hazard && h('p', { class: 'finder-note' }, t('findNoState')),
      h('div', { role: 'status', 'aria-live': 'polite' }, ...this.kinds().map((kind) => this.section(kind))));
  }

  private select(id: string, label: Word, any: Word, value: string, options: [string, string][], chosen: (value: string) => void): HTMLElement {
    return h('label', { class: 'choice' }, h('span', {}, t(label)),
      h('select', { id, onchange: (event: Event) => chosen((event.target as HTMLSelectElement).value) },
        h('option', { value: '' }, t(any)),
        ...options.map(([name, text]) => h('option', { value: name, selected: name === value }, text))));
  }

  private section(kind: Kind): HTMLElement {
    const word = KINDS.find(([name]) => name === kind)?.[1] as Word;
    const found = this.found.get(kind);
    const shown = found?.features.slice(0, this.listed[kind]) ?? [];
    const left = (found?.matched ?? 0) - shown.length;
    return h('section', { class: 'finder-kind' },
      h('h3', {}, h('span', {}, t(word)), h('span', { class: 'count', id: `count-found-${kind}` },
        found ? t('findCount', { n: number(found.matched), all: number(found.all) }) : '…')),
      found && found.matched > found.features.length && h('p', { class: 'finder-note' }, t('findPartly', { n: number(found.features.length) })),
      h('ul', {}, ...shown.map((feature) => h('li', {}, this.item(kind, feature)))),
      left > 0 && shown.length < (found?.features.length ?? 0) && h('button', {
        type: 'button', class: 'button-link', id: `more-${kind}`,
        onclick: () => { this.listed[kind] += 100; this.render(); },
      }, t('findMore', { n: number(left) })));
  }

  private item(kind: Kind, feature: Feature): HTMLElement {
    const properties = feature.properties ?? {};
    const columns = this.columns(kind);
    const schema = schemaOf(kind);
    const status = properties.status;
    const room = roomLeft(properties);
    const capacity = properties.max_capacity;
    const wide = properties.wide_area_status;
    const wideRoom = properties.wide_area_capacity;
    return h('button', { type: 'button', class: 'found', onclick: () => this.go(kind, feature) },
      h('span', { class: 'found-name' }, named(properties)),
      h('span', { class: 'found-city' }, municipalityName(properties.local_government_code)),
      h('span', { class: 'found-facts' },
        columns.has('status') && h('span', { class: `tag tag-${String(status ?? 'unknown')}` },
          typeof status === 'string' ? coded(schema?.properties.status, status) : t('findStateUnknown')),
        columns.has('people_count') && h('span', {}, room === null ? t('roomUnknownLong') : room > 0 ? t('roomLeft', { n: number(room) }) : t('roomFull')),
        typeof capacity === 'number' && h('span', {}, t('capacity', { n: number(capacity) })),
        typeof wide === 'string' && h('span', { class: `wide-${wide}` }, t('wideRoom', {
          state: coded(schema?.properties.wide_area_status, wide), n: typeof wideRoom === 'number' ? t('wideFor', { n: number(wideRoom) }) : '',
        }))));
  }
}

function cursorOf(page: { links?: { rel: string; href: string }[] }): string | null {
  const next = page.links?.find(({ rel }) => rel === 'next');
  return next ? new URL(next.href).searchParams.get('cursor') : null;
}
