/** People and buildings in an area: where, of which hazard, and the answer as a table. */

import type { Map as LibreMap } from 'maplibre-gl';
import { Drawing, type Marked } from '../../desk/draw';
import { api } from '../../shared/api';
import { fill, h, icon, ICONS } from '../../shared/dom';
import { language, languageChanged, moment, named, number, t, titled } from '../../shared/i18n';
import { noticeError } from '../../shared/notice';
import { hazardName } from '../layers/disaster';
import { KINDS, kindAndScenario, scenarioName } from '../layers/hazards';
import type { State } from '../state';
import { municipalities } from './places';
import { areaSummary, saveAreaSummary, type AreaInputs, type Counts, type Figure, type Summary } from './talk';

type Where = Pick<AreaInputs, 'area' | 'codes' | 'evacuation_area'>;
interface Choice { value: string; label: string; where: Where }

export class AreaTool {
  readonly element = h('div', { class: 'area-tool' });
  readonly drawing: Drawing;
  private places: Choice[] = [];
  private drawn: Choice | null = null;
  private chosen = '';
  private hazard = '';
  private answer: { inputs: AreaInputs; found: Summary } | null = null;
  private running = false;
  private opened = false;

  constructor(private readonly state: State, map: () => LibreMap | null, redraw: () => void, private readonly away: (drawing: boolean) => void) {
    this.drawing = new Drawing(map, redraw);
    languageChanged.on(() => { if (this.opened) void this.open(); });
    state.catalogueChanged.on(() => {
      this.answer = null;
      if (this.opened) void this.open();
    });
  }

  /** Reads what one may choose among when somebody first wants it. */
  async open(): Promise<void> {
    this.opened = true;
    const cities = (await municipalities()).map(([code, label]): Choice => ({ value: `city-${code}`, label, where: { codes: [code] } }));
    const areas = this.state.entry('evacuation_areas') ? await api.items('evacuation_areas', { limit: '100' }).catch(() => null) : null;
    const evacuation = (areas?.features ?? []).map((feature): Choice => ({
      value: `evacuation-${String(feature.id)}`, label: named(feature.properties ?? {}) || t('areaWhere'), where: { evacuation_area: String(feature.id) },
    }));
    this.places = [...cities, ...evacuation];
    this.hazard ||= this.state.entry('hazard_zones')?.choice || 'flood';
    this.chosen ||= this.places[0]?.value ?? '';
    this.render();
  }

  /** What is being drawn, and afterwards the area that was. */
  overlay(): ReturnType<Drawing['overlay']> {
    const shape = this.drawn?.where.area;
    if (this.drawing.active || !shape) return this.drawing.overlay();
    const source = 'area-drawn';
    return {
      sources: { [source]: { type: 'geojson', data: shape } },
      layers: [{ height: 1990, spec: { id: 'area~drawn', type: 'line', source, paint: { 'line-color': '#7a1fa2', 'line-width': 3, 'line-dasharray': [2, 1] } } }],
    };
  }

  /** Has an area drawn for somebody else; null where it was given up. */
  mark(done: (area: GeoJSON.Geometry | null) => void): void {
    const about = { id: 'area', title: '', title_ja: '', geometry: ['Polygon'], required: [], properties: {}, area: null };
    this.drawing.begin(about, ['area'], (marked) => done(marked.geometry ?? null), () => done(null));
  }

  private markOwn(): void {
    this.away(true);
    const about = { id: 'area', title: '', title_ja: '', geometry: ['Polygon'], required: [], properties: {}, area: null };
    const ways = this.state.entry('admin_areas') ? ['blocks' as const, 'area' as const] : ['area' as const];
    this.drawing.begin(about, ways, (marked) => {
      this.drawn = choiceOf(marked);
      this.chosen = this.drawn.value;
      this.away(false);
      this.render();
      void this.run();
    }, () => this.away(false));
  }

  private async run(): Promise<void> {
    const where = [this.drawn, ...this.places].find((choice) => choice?.value === this.chosen)?.where;
    if (!where || this.running) return;
    const [kind, scenario] = kindAndScenario(this.hazard);
    const inputs: AreaInputs = { ...where, hazard_type: kind, ...(scenario ? { scenario } : {}) };
    this.running = true;
    this.render();
    try {
      this.answer = { inputs, found: await areaSummary(inputs) };
    } catch (error) {
      noticeError(error);
    } finally {
      this.running = false;
      this.render();
    }
  }

  private render(): void {
    const places = [...(this.drawn ? [this.drawn] : []), ...this.places];
    fill(this.element,
      h('p', { class: 'muted' }, t('areaLead')),
      h('div', { class: 'finder-form' },
        places.length > 0 && h('label', { class: 'choice' }, h('span', {}, t('areaWhere')),
          h('select', { id: 'area-where', onchange: (event: Event) => { this.chosen = (event.target as HTMLSelectElement).value; } },
            ...places.map(({ value, label }) => h('option', { value, selected: value === this.chosen }, label)))),
        h('button', { type: 'button', class: 'button-plain', id: 'area-draw', onclick: () => this.markOwn() }, icon(ICONS.map, 18), t('areaDraw')),
        h('label', { class: 'choice' }, h('span', {}, t('areaHazard')),
          h('select', { id: 'area-hazard', onchange: (event: Event) => { this.hazard = (event.target as HTMLSelectElement).value; } },
            ...this.hazards().map(([value, label]) => h('option', { value, selected: value === this.hazard }, label)))),
        h('button', { type: 'button', class: 'button-main', id: 'area-run', disabled: this.running || !this.chosen, onclick: () => void this.run() },
          this.running ? t('areaRunning') : t('areaRun'))),
      h('div', { 'aria-live': 'polite' }, this.answer && this.table(this.answer.inputs, this.answer.found)));
  }

  private hazards(): [string, string][] {
    const entry = this.state.entry('hazard_zones');
    const seen = [...(entry?.sample?.choices ?? []), entry?.choice ?? ''].filter((value) => value.includes('/'));
    const bracket = (text: string) => (language() === 'ja' ? `（${text}）` : ` (${text})`);
    return KINDS.flatMap((kind) => [
      [kind, `${hazardName(kind)}${bracket(t('areaAllScenarios'))}`] as [string, string],
      ...[...new Set(seen)].filter((value) => value.startsWith(`${kind}/`)).sort()
        .map((value): [string, string] => [value, `${hazardName(kind)}${bracket(scenarioName(kindAndScenario(value)[1] ?? ''))}`]),
    ]);
  }

  private table(inputs: AreaInputs, found: Summary): HTMLElement {
    const name = found.area.names.join('、') || t('areaDrawn');
    const share = found.figures[0]?.known_share ?? 0;
    const cells = (counts: Counts) => [
      figure(counts.people.population), figure(counts.people.population_65), figure(counts.people.households),
      figure(counts.buildings), counts.storeys ? number(counts.storeys['1']) : t('figureUnknown'),
    ].map((text) => h('td', {}, text));
    return h('section', { class: 'area-answer' },
      h('h3', {}, h('span', { class: 'tag' }, t('areaEstimate')), ' ', t('areaTitle', { name, km2: number(Math.round(found.area.km2 * 100) / 100) })),
      found.hazard.state === 'unknown' && h('p', { class: 'finder-note' }, t('areaNoZones')),
      h('div', { class: 'area-scroll', tabindex: '0', role: 'region', 'aria-label': t('tabArea') },
        h('table', {},
          h('thead', {}, h('tr', {}, ...(['areaClass', 'areaPeople', 'areaAged', 'areaHouseholds', 'areaBuildings', 'areaLow'] as const)
            .map((word) => h('th', { scope: 'col' }, t(word))))),
          h('tbody', {}, ...found.rows.map((row) => h('tr', { class: row.class === 'unknown' ? 'row-unknown' : '' }, h('th', { scope: 'row' }, titled(row)), ...cells(row)))),
          h('tfoot', {}, h('tr', {}, h('th', { scope: 'row' }, t('areaTotal')), ...cells(found.total))))),
      h('p', { class: 'muted' }, `${t('areaKnown', { share: number(Math.round(share * 100)) })}・${t('areaMade', { when: moment(found.made_at, 'short') })}`),
      h('button', { type: 'button', class: 'button-plain', id: 'area-save', onclick: () => void saveAreaSummary(inputs).catch((error: unknown) => noticeError(error)) },
        icon(ICONS.file, 18), t('areaSave')),
      h('details', { class: 'exposure' }, h('summary', {}, t('areaMethod')),
        h('ul', { class: 'bullets' }, ...found.method[language() === 'ja' ? 'ja' : 'en'].map((text) => h('li', {}, text)),
          ...found.sources.map((source) => h('li', {}, `${titled(source)}: ${language() === 'ja' ? source.detail_ja : source.detail || '—'}`)))));
  }
}

function choiceOf(marked: Marked): Choice {
  const codes = marked.properties.area_codes;
  if (Array.isArray(codes)) return { value: 'blocks', label: t('areaBlocks', { n: codes.length }), where: { codes: codes as string[] } };
  return { value: 'drawn', label: t('areaDrawn'), where: marked.geometry ? { area: marked.geometry } : {} };
}

function figure({ value, state }: Figure): string {
  if (state === 'below') return t('figureBelow');
  if (state === 'suppressed') return t('figureSuppressed');
  if (state === 'unknown' || value === null) return t('figureUnknown');
  return state === 'at_least' ? t('figureAtLeast', { n: number(value) }) : number(value);
}
