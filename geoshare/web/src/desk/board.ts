/** The side of the desk that is looked at: what the open list holds, drawn as the map page draws it. */

import type { MapMouseEvent, SourceSpecification } from 'maplibre-gl';
import { h } from '../shared/dom';
import { t } from '../shared/i18n';
import { notice } from '../shared/notice';
import { asNow, isOver } from '../shared/standing';
import { definitionOf } from '../map/layers';
import { plain } from '../map/live';
import type { Drawn } from '../map/layers/types';
import { State } from '../map/state';
import { MapView } from '../map/view';
import type { Desk } from './desk';
import { Drawing } from './draw';

const ON_MAP = ['admin_areas', 'water', 'segments', 'places', 'buildings'];
const REACH_PX = 12;
export const NARROW = matchMedia('(max-width: 719px)');

export class Board {
  readonly state = new State();
  readonly drawing = new Drawing(() => this.view?.map ?? null, () => this.refresh());
  private readonly box = h('div', { class: 'map', id: 'map', tabindex: '-1' });
  readonly element = h('div', { class: 'stage' }, this.box, this.drawing.element, this.drawing.cross);
  private view: MapView | null = null;

  constructor(private readonly desk: Desk, private readonly picked: (id: string) => void) {
    desk.seen = () => this.seen();
    desk.changed.on(() => this.refresh());
    desk.opened.on(() => { this.drawing.render(); this.refresh(); });
  }

  refresh(): void {
    this.view?.refresh();
  }

  resize(): void {
    this.view?.map.resize();
  }

  private seen(): [number, number, number, number] | null {
    if (!this.view || !this.box.clientWidth) return null;
    const bounds = this.view.map.getBounds();
    return [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()];
  }

  /** Shows a place from close by. */
  find(geometry: GeoJSON.Geometry | null): void {
    const at = middle(geometry);
    if (at && this.view) this.view.map.easeTo({ center: at, zoom: Math.max(this.view.map.getZoom(), 15) });
  }

  /** Opens the map, or forgets what it shows to another person. */
  open(): void {
    if (this.view) {
      this.view.reload();
      return;
    }
    for (const entry of this.state.entries) entry.visible = ON_MAP.includes(entry.id);
    try {
      this.view = new MapView(this.state, this.box, NARROW.matches);
    } catch {
      notice(t('errorWebGL'), 'error');
      return;
    }
    this.view.overlay = () => this.overlay();
    const { map } = this.view;
    map.on('click', (event) => { if (!this.drawing.tap(event)) this.pick(event); });
    map.once('idle', () => document.body.setAttribute('data-map', 'ready'));
    this.view.refresh();
  }

  private pick({ point, target: map }: MapMouseEvent): void {
    const layers = map.getStyle().layers.map((layer) => layer.id).filter((id) => id.startsWith('desk~') && id !== 'desk~chosen');
    const [hit] = map.queryRenderedFeatures([[point.x - REACH_PX, point.y - REACH_PX], [point.x + REACH_PX, point.y + REACH_PX]], { layers });
    if (hit) this.picked(String(hit.properties.id));
  }

  private overlay(): { sources: Record<string, SourceSpecification>; layers: Drawn[] } {
    const made = this.drawing.overlay();
    const { about, pane, chosen } = this.desk;
    const entry = this.state.entry((about ?? pane)?.id ?? '');
    if (!entry) return made;
    const shown: { id?: string | number; geometry: GeoJSON.Geometry | null; properties: Record<string, unknown> | null }[] = pane ? pane.features() : this.desk.matching();
    const source = 'desk';
    const features = shown.filter((item) => item.geometry).map((item) => plain({ ...item, type: 'Feature', properties: { ...asNow(entry.id, item.properties ?? {}), over: isOver(entry.id, item.properties ?? {}) } }));
    made.sources[source] = { type: 'geojson', data: { type: 'FeatureCollection', features } };
    const layers = definitionOf(entry.collection, 0).layers(this.state.context(entry, source));
    for (const layer of layers) {
      const spec = { ...layer.spec, id: `desk~${layer.spec.id}` } as unknown as Record<string, unknown>;
      delete spec['source-layer'];
      made.layers.push({ height: layer.height + 1000, spec: spec as never });
    }
    made.layers.push(...overLayers(source));
    const at = middle(shown.find((item) => item.id === chosen)?.geometry ?? null);
    if (at) {
      made.sources.chosen = { type: 'geojson', data: { type: 'Point', coordinates: at } };
      made.layers.push({ height: 2500, spec: { id: 'desk~chosen', type: 'circle', source: 'chosen', paint: { 'circle-radius': 22, 'circle-color': 'transparent', 'circle-stroke-color': '#0a6aa1', 'circle-stroke-width': 4 } } });
    }
    return made;
  }
}

/** What is over is not on the public's map; who looks after it finds it in grey. */
function overLayers(source: string): Drawn[] {
  const grey = '#77818a';
  const layer = (id: string, height: number, types: string[], spec: object): Drawn => ({
    height, spec: { id: `desk~over-${id}`, source, filter: ['all', ['==', ['get', 'over'], true], ['in', ['geometry-type'], ['literal', types]]], ...spec } as never,
  });
  return [
    layer('area', 1300, ['Polygon', 'MultiPolygon'], { type: 'fill', paint: { 'fill-color': grey, 'fill-opacity': 0.15 } }),
    layer('line', 1301, ['LineString', 'MultiLineString', 'Polygon', 'MultiPolygon'], { type: 'line', paint: { 'line-color': grey, 'line-width': 3, 'line-dasharray': [2, 1.5] } }),
    layer('point', 1302, ['Point'], { type: 'circle', paint: { 'circle-radius': 7, 'circle-color': grey, 'circle-stroke-color': '#fff', 'circle-stroke-width': 2 } }),
  ];
}

/** Longitude and latitude of the middle of a geometry's box. */
function middle(geometry: GeoJSON.Geometry | null): [number, number] | null {
  if (!geometry || geometry.type === 'GeometryCollection') return null;
  const flat = (geometry.type === 'Point' ? geometry.coordinates : geometry.coordinates.flat(3)) as number[];
  let [west, south, east, north] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let index = 0; index + 1 < flat.length; index += 2) {
    const [x, y] = [flat[index] as number, flat[index + 1] as number];
    [west, south, east, north] = [Math.min(west, x), Math.min(south, y), Math.max(east, x), Math.max(north, y)];
  }
  return Number.isFinite(west) ? [(west + east) / 2, (south + north) / 2] : null;
}
