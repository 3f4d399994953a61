/** The panel for taking data away: an area, data and a format, what it would be, and the file. */

import '../print/print.css';
import type { SourceSpecification } from 'maplibre-gl';
import { handOver } from '../../shared/api';
import { fill, h, icon, ICONS, type Child } from '../../shared/dom';
import { bytes, languageChanged, moment, number, t, titled } from '../../shared/i18n';
import { withBar, type Work } from '../../shared/job';
import { explain } from '../../shared/notice';
import { municipalities } from '../deciding/places';
import type { Drawn } from '../layers/types';
import type { State } from '../state';
import type { MapView } from '../view';
import { again, estimate, make, recent, type Earlier, type Estimate, type ExtractRequest } from './talk';

export interface Overlay { sources: Record<string, SourceSpecification>; layers: Drawn[] }
/** Lets somebody draw an area; it is told, or null where they gave up. */
export type Draw = (done: (area: GeoJSON.Geometry | null) => void) => void;

const FORMATS: [string, string][] = [
  ['gpkg', 'GeoPackage (QGIS)'], ['shp', 'Shapefile (cp932)'], ['xlsx', 'Excel (.xlsx)'], ['csv', 'CSV'], ['geojson', 'GeoJSON'],
  ['parquet', 'GeoParquet'], ['fgb', 'FlatGeobuf'], ['dxf', 'DXF (CAD)'], ['arrow', 'Arrow'], ['pmtiles', 'PMTiles'],
];
const ZONES = Array.from({ length: 19 }, (_, index) => index + 1);
const DEGREES_ONLY = ['geojson', 'pmtiles'];
const WAIT_MS = 350;
const FILE = 'geoshare-extract.zip';

export class ExtractPanel {
  private readonly element = h('section', { class: 'print-panel', 'aria-labelledby': 'extract-title' });
  private readonly status = h('div', { class: 'print-status', role: 'status', 'aria-live': 'polite' });
  private readonly chosen: Set<string>;
  private where = 'screen';
  private drawn: GeoJSON.Geometry | null = null;
  private codes = '';
  private format = 'gpkg';
  private crs = '';
  private mode: 'whole' | 'clip' = 'whole';
  private cities: [string, string][] = [];
  private before: Earlier[] = [];
  private found: Estimate | null = null;
  private problem = '';
  private busy: AbortController | null = null;
  private asked = 0;
  private timer = 0;
  private readonly forgetLanguage: () => void;

  constructor(private readonly state: State, private readonly view: MapView, host: HTMLElement, private readonly drawing: Draw, private readonly closed: () => void) {
    this.chosen = new Set(state.entries.filter(({ visible, definition }) => visible && !definition.base).map(({ id }) => id));
    view.map.on('moveend', this.cameraMoved);
    this.forgetLanguage = languageChanged.on(() => { this.draw(); this.sayEstimate(); });
    host.append(this.element);
    this.draw();
    this.element.querySelector<HTMLElement>('button')?.focus();
    this.lookAgain(0);
    void this.learn();
  }

  close(): void {
    this.busy?.abort();
    clearTimeout(this.timer);
    this.asked += 1;
    this.view.map.off('moveend', this.cameraMoved);
    this.forgetLanguage();
    this.element.remove();
    this.drawn = null;
    this.closed();
  }

  /** The area that was drawn, to be shown on the map. */
  overlay(): Overlay {
    if (!this.drawn || this.where !== 'drawn') return { sources: {}, layers: [] };
    const source = 'extract-drawn';
    return {
      sources: { [source]: { type: 'geojson', data: { type: 'Feature', properties: {}, geometry: this.drawn } } },
      layers: [{ height: 1991, spec: { id: 'extract~drawn', type: 'line', source, paint: { 'line-color': '#b3261e', 'line-width': 3 } } }],
    };
  }

  /** Reads what one may choose among; without it there is less to choose. */
  private async learn(): Promise<void> {
    const isKnown = this.state.me && !this.state.me.anonymous;
    const [cities, before] = await Promise.all([
      this.state.entry('admin_areas') ? municipalities() : [],
      isKnown ? recent().catch(() => []) : [],
    ]);
    [this.cities, this.before] = [cities, before];
    this.draw();
  }

  private readonly cameraMoved = (): void => {
    if (this.where === 'screen') this.lookAgain();
  };

  private request(): ExtractRequest {
    const bounds = this.view.map.getBounds();
    const said: ExtractRequest = { collections: [...this.chosen], format: this.format, mode: this.format === 'pmtiles' ? 'whole' : this.mode };
    if (this.where === 'drawn' && this.drawn) said.area = this.drawn;
    else if (this.where === 'mesh') said.mesh = this.meshes();
    else if (this.where.startsWith('city-')) said.area = this.where.slice('city-'.length);
    else said.bbox = [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()];
    if (this.crs && !DEGREES_ONLY.includes(this.format)) said.crs = this.crs;
    return said;
  }

  private meshes(): string[] {
    return this.codes.normalize('NFKC').split(/[\s,、-]+/).filter(Boolean);
  }

  private wrong(): string {
    if (!this.chosen.size) return t('extractNoLayers');
    return this.where === 'mesh' && !this.meshes().length ? t('extractNoMesh') : '';
  }

  /** Asks what it would be, once the last change is a moment ago. */
  private lookAgain(wait = WAIT_MS): void {
    if (this.busy) return;
    clearTimeout(this.timer);
    const turn = (this.asked += 1);
    this.timer = window.setTimeout(() => void this.look(turn), wait);
    fill(this.status, t('extractAsking'));
  }

  private async look(turn: number): Promise<void> {
    this.problem = this.wrong();
    let found: Estimate | null = null;
    if (!this.problem) found = await estimate(this.request()).catch((error: unknown) => { this.problem = explain(error); return null; });
    if (turn !== this.asked) return;
    this.found = found;
    this.sayEstimate();
  }

  private sayEstimate(): void {
    const { found } = this;
    if (this.problem || !found) {
      fill(this.status, h('p', { class: 'field-error' }, this.problem));
      return;
    }
    fill(this.status,
      h('p', {}, h('strong', {}, t('extractCount', { n: number(found.features), size: bytes(found.size_about) }))),
      h('p', { class: 'muted' }, t('extractCost', { n: number(found.cost) })),
      found.too_large ? h('p', { class: 'field-error' }, t('extractTooLarge')) : !found.at_once && h('p', { class: 'muted' }, t('extractLater')),
      h('button', { type: 'button', class: 'button-main', id: 'extract-make', disabled: found.too_large, onclick: () => void this.run((...how) => make(this.request(), ...how)) },
        icon(ICONS.download), t('extractMake')));
  }

  private async run(work: Work): Promise<void> {
    const busy = (this.busy = new AbortController());
    const shown = { title: t('extractTitle'), words: (percent: number) => t('extractMaking', { percent }), show: (...content: Child[]) => fill(this.status, ...content) };
    try {
      const file = await withBar(shown, work, busy);
      handOver(file, FILE);
      fill(this.status, h('p', {}, h('strong', {}, t('extractDone')), `　${bytes(file.size)}`),
        h('button', { type: 'button', class: 'button-plain', id: 'extract-save', onclick: () => handOver(file, FILE) }, t('extractSave')));
      void this.learn();
    } catch (error) {
      this.problem = busy.signal.aborted ? t('printCancelled') : explain(error);
      this.sayEstimate();
    } finally {
      this.busy = null;
    }
  }

  private mark(): void {
    this.element.hidden = true;
    this.drawing((area) => {
      this.element.hidden = false;
      if (area) [this.drawn, this.where] = [area, 'drawn'];
      this.draw();
      this.view.refresh();
      this.lookAgain(0);
    });
  }

  private draw(): void {
    const places: [string, string][] = [['screen', t('extractScreen')], ...(this.drawn ? [['drawn', t('extractDrawn')] as [string, string]] : []),
      ['mesh', t('extractMesh')], ...this.cities.map(([code, name]): [string, string] => [`city-${code}`, name])];
    const systems: [string, string][] = [['', t('extractDegrees')], ['EPSG:6668', t('extractJgd')],
      ...ZONES.map((zone): [string, string] => [`EPSG:${6668 + zone}`, t('extractPlane', { n: zone })])];
    if (this.format === 'dxf' && (!this.crs || this.crs === 'EPSG:6668')) this.crs = `EPSG:${6668 + zoneOf(this.view.map.getCenter())}`;
    fill(this.element,
      h('div', { class: 'print-head' }, h('h2', { id: 'extract-title' }, t('extractTitle')),
        h('button', { type: 'button', class: 'button-icon', id: 'extract-close', 'aria-label': t('close'), onclick: () => this.close() }, icon(ICONS.close))),
      h('div', { class: 'print-body' },
        h('p', { class: 'muted' }, t('extractLead')),
        this.select('extract-where', t('extractArea'), this.where, places, (value) => { this.where = value; this.view.refresh(); this.draw(); }),
        this.where === 'mesh' && h('label', {}, t('extractMeshCodes'), h('input', {
          id: 'extract-mesh', type: 'text', maxlength: '2000', value: this.codes, placeholder: '53393599 5339359912',
          oninput: (event: Event) => { this.codes = (event.target as HTMLInputElement).value; this.lookAgain(); },
        })),
        h('button', { type: 'button', class: 'button-plain', id: 'extract-draw', onclick: () => this.mark() }, icon(ICONS.map, 18), t('extractDraw')),
        this.select('extract-format', t('extractFormat'), this.format, FORMATS, (value) => { this.format = value; this.draw(); }),
        !DEGREES_ONLY.includes(this.format) && this.select('extract-crs', t('extractCrs'), this.crs, this.format === 'dxf' ? systems.slice(2) : systems, (value) => { this.crs = value; }),
        this.format !== 'pmtiles' && this.select('extract-mode', t('extractMode'), this.mode, [['whole', t('extractWhole')], ['clip', t('extractClip')]], (value) => { this.mode = value as 'whole' | 'clip'; }),
        this.layers(), this.earlier()),
      this.status);
  }

  private layers(): HTMLElement {
    return h('details', { class: 'print-layers', open: true }, h('summary', {}, t('extractLayers')),
      ...this.state.entries.map(({ id, collection }) => h('label', { class: 'check' }, h('input', {
        id: `extract-layer-${id}`, type: 'checkbox', checked: this.chosen.has(id), onchange: (event: Event) => {
          if ((event.target as HTMLInputElement).checked) this.chosen.add(id);
          else this.chosen.delete(id);
          this.lookAgain();
        },
      }), titled(collection, id))));
  }

  private earlier(): HTMLElement | false {
    return this.before.length > 0 && h('details', { class: 'print-layers' }, h('summary', {}, t('extractRecent')),
      ...this.before.map(({ id, request, created_us: made }) => h('div', { class: 'print-actions' },
        h('span', {}, `${moment(new Date(made / 1000).toISOString(), 'short')} ${request?.collections.slice(0, 3).join(', ') ?? ''} (${request?.format ?? ''})`),
        h('button', { type: 'button', class: 'button-plain', onclick: () => void this.run((...how) => again(id, ...how)) }, t('extractAgain')))));
  }

  private select(id: string, label: string, value: string, options: [string, string][], changed: (value: string) => void): HTMLElement {
    return h('label', {}, label, h('select', {
      id, onchange: (event: Event) => { changed((event.target as HTMLSelectElement).value); this.lookAgain(); },
    }, ...options.map(([key, text]) => h('option', { value: key, selected: key === value }, text))));
  }
}

/** About the plane zone of a place: the one whose middle meridian is nearest, of those its latitude has. */
function zoneOf({ lng, lat }: { lng: number; lat: number }): number {
  const middles: [number, number, number, number][] = [
    [1, 129.5, 31, 34.8], [2, 131, 30.5, 34], [3, 132 + 1 / 6, 33.5, 37], [4, 133.5, 32.5, 34.5], [5, 134 + 1 / 3, 34, 36], [6, 136, 33, 36],
    [7, 137 + 1 / 6, 34.5, 37.8], [8, 138.5, 34.5, 38.6], [9, 139 + 5 / 6, 32, 37.6], [10, 140 + 5 / 6, 37.6, 41.6],
    [11, 140.25, 41.3, 43.5], [12, 142.25, 41.6, 46], [13, 144.25, 42, 45], [15, 127.5, 24, 28], [16, 124, 23, 26],
  ];
  const near = middles.filter(([, , south, north]) => lat >= south && lat <= north);
  return (near.length ? near : middles).reduce((best, item) => (Math.abs(item[1] - lng) < Math.abs(best[1] - lng) ? item : best))[0];
}
