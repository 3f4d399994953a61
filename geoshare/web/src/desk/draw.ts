/** Marking a place on the map by taps or keys: a point, a line, an area, roads, town blocks. */

import type { LngLat, Map as LibreMap, Point, SourceSpecification } from 'maplibre-gl';
import { api, type Feature } from '../shared/api';
import { fill, h, icon, ICONS } from '../shared/dom';
import { language, named, t, type Word } from '../shared/i18n';
import { notice, noticeError } from '../shared/notice';
import type { Drawn } from '../map/layers/types';
import { along, onRoad, type Along } from './street';
import type { Editable } from './talk';

export type Way = 'point' | 'street' | 'road' | 'line' | 'area' | 'blocks';
/** A place on the map, and where it is on the screen. */
export interface Tap { point: Point; lngLat: LngLat }
/** What was marked; `name` is what the place is called, where the map knows. */
export interface Marked { geometry?: GeoJSON.Geometry; properties: Record<string, unknown>; name?: string }

const WORDS: Record<Way, [Word, Word]> = {
  point: ['deskPoint', 'deskTapPoint'], street: ['deskStreet', 'deskTapStreet'], line: ['deskLine', 'deskTapLine'], road: ['deskRoad', 'deskTapRoad'],
  area: ['deskArea', 'deskTapArea'], blocks: ['deskBlocks', 'deskTapBlocks'],
};
const LEAST: Record<Way, number> = { point: 1, street: 2, line: 2, road: 1, area: 3, blocks: 1 };
const REACH_PX = 14;
const STREET_PX = 28; // a finger is wider than a street
const ROADS = "subtype = 'road' OR subtype IS NULL";
const MOST_ROADS = 1000;

export function waysOf(about: Editable, known: ReadonlySet<string>): Way[] {
  const ways: Way[] = [];
  // Damage is seen at a place; a closure begins with the street.
  if (about.id === 'damage_reports') ways.push('point');
  if (about.geometry.includes('LineString') && known.has('segments')) ways.push('street', 'road');
  if (about.geometry.includes('Point') && !ways.includes('point')) ways.push('point');
  if (about.geometry.includes('LineString')) ways.push('line');
  if (about.id === 'evacuation_areas' && known.has('admin_areas')) ways.push('blocks');
  if (about.geometry.includes('Polygon')) ways.push('area');
  return ways;
}

export class Drawing {
  readonly element = h('div', { class: 'drawing', hidden: true, role: 'group' });
  /** The middle of the map, which keys and a button mark. */
  readonly cross = h('div', { class: 'drawing-cross', 'aria-hidden': 'true', hidden: true });
  private about: Editable | null = null;
  private way: Way = 'point';
  private ways: Way[] = [];
  private points: [number, number][] = [];
  private chosen: Feature[] = [];
  private stretches: Along[] = [];
  /** Taps on streets wait for those before them to be answered. */
  private answered: Promise<void> = Promise.resolve();
  private done: ((marked: Marked) => void) | null = null;
  private left: (() => void) | null = null;
  /** Goes on with what was marked last. */
  private again: (() => void) | null = null;

  constructor(private readonly map: () => LibreMap | null, private readonly redraw: () => void) {}

  get active(): boolean {
    return this.about !== null;
  }

  begin(about: Editable, ways: Way[], done: (marked: Marked) => void, left: () => void): void {
    this.about = about;
    this.ways = ways;
    this.done = done;
    this.left = left;
    this.choose(ways[0] ?? 'point');
    this.listen();
  }

  /** Shows what was marked last once more, to be corrected. */
  resume(): void {
    this.again?.();
  }

  private listen(): void {
    const canvas = this.map()?.getCanvas();
    // Arrow keys move the map under the cross at once.
    canvas?.addEventListener('keydown', this.enter);
    canvas?.focus({ preventScroll: true });
  }

  private readonly enter = (event: KeyboardEvent): void => {
    if (event.key !== 'Enter' || event.repeat) return;
    event.preventDefault();
    this.here();
  };

  /** Marks what is under the cross in the middle of the map. */
  private here(): void {
    const map = this.map();
    if (!map) return;
    const lngLat = map.getCenter();
    this.tap({ lngLat, point: map.project(lngLat) });
  }

  render(): void {
    this.element.hidden = this.cross.hidden = !this.about;
    if (!this.about) return;
    const count = this.way === 'road' || this.way === 'blocks' ? this.chosen.length : this.points.length;
    fill(this.element,
      this.ways.length > 1 && h('div', { class: 'segments', role: 'group' }, ...this.ways.map((way) => h('button', {
        type: 'button', id: `way-${way}`, 'aria-pressed': String(way === this.way), onclick: () => this.choose(way),
      }, t(WORDS[way][0])))),
      h('p', { role: 'status' }, t(this.stretches.length ? 'deskTapStreetOn' : WORDS[this.way][1]), this.way !== 'street' && this.chosen.length > 0 && ` ${t('deskChosen', { n: this.chosen.length })}`,
        h('span', { class: 'drawing-keys' }, ` ${t('deskKeys')}`)),
      h('div', { class: 'drawing-tools' },
        h('button', { type: 'button', class: 'button-plain', id: 'draw-cancel', onclick: () => this.end(true) }, t('cancel')),
        count > 0 && h('button', { type: 'button', class: 'button-plain', id: 'draw-back', onclick: () => this.back() }, t('deskBack')),
        h('button', {
          type: 'button', class: 'button-plain', id: 'draw-here', 'aria-label': t('deskHere'), title: t('deskHere'), onclick: () => this.here(),
        }, icon(ICONS.target)),
        h('button', { type: 'button', class: 'button-main', id: 'draw-next', disabled: count < LEAST[this.way], onclick: () => this.finish() }, t('deskNext'))));
  }

  /** Takes a tap, where something is being marked. */
  tap(event: Tap): boolean {
    if (!this.about) return false;
    const at: [number, number] = [event.lngLat.lng, event.lngLat.lat];
    if (this.way === 'road' || this.way === 'blocks') {
      void this.pick(event).catch((error: unknown) => noticeError(error));
    } else if (this.way === 'street') {
      const { way } = this;
      this.answered = this.answered.then(() => (this.way === way ? this.follow(event) : undefined)).catch((error: unknown) => noticeError(error));
    } else {
      this.points = this.way === 'point' ? [at] : [...this.points, at];
      this.changed();
    }
    return true;
  }

  overlay(): { sources: Record<string, SourceSpecification>; layers: Drawn[] } {
    const shape = this.shape();
    const features = [
      ...(shape ? [{ type: 'Feature' as const, properties: {}, geometry: shape }] : []),
      ...this.points.map((at) => ({ type: 'Feature' as const, properties: {}, geometry: { type: 'Point' as const, coordinates: at } })),
    ];
    const source = 'drawing';
    const layer = (id: string, spec: object, height: number): Drawn => ({ height, spec: { id: `drawing~${id}`, source, ...spec } as never });
    return {
      sources: { [source]: { type: 'geojson', data: { type: 'FeatureCollection', features } } },
      layers: [
        layer('area', { type: 'fill', filter: ['in', ['geometry-type'], ['literal', ['Polygon', 'MultiPolygon']]], paint: { 'fill-color': '#7a1fa2', 'fill-opacity': 0.25 } }, 2000),
        layer('line', { type: 'line', layout: { 'line-cap': 'round' }, paint: { 'line-color': '#7a1fa2', 'line-width': 5 } }, 2001),
        layer('point', { type: 'circle', filter: ['==', ['geometry-type'], 'Point'], paint: { 'circle-radius': 8, 'circle-color': '#7a1fa2', 'circle-stroke-color': '#fff', 'circle-stroke-width': 2 } }, 2002),
      ],
    };
  }

  private choose(way: Way): void {
    this.way = way;
    this.forget();
    this.changed();
  }

  private forget(): void {
    this.points = [];
    this.chosen = [];
    this.stretches = [];
  }

  private changed(): void {
    this.render();
    this.redraw();
  }

  private back(): void {
    this.points = this.points.slice(0, -1);
    this.stretches = this.stretches.slice(0, -1);
    this.chosen = this.chosen.slice(0, -1);
    this.changed();
  }

  private end(gaveUp: boolean): void {
    const left = this.left;
    this.map()?.getCanvas().removeEventListener('keydown', this.enter);
    this.about = this.done = this.left = null;
    this.forget();
    this.changed();
    if (gaveUp) left?.();
  }

  private finish(): void {
    const geometry = this.shape();
    const ids = this.way === 'street' ? [...new Set(this.stretches.flatMap((stretch) => stretch.ids))] : this.chosen.map((item) => String(item.id));
    const passed = this.way === 'street' ? this.chosen.filter(({ id }) => ids.includes(String(id))) : this.chosen;
    const names = [...new Set(passed.map((item) => named(item.properties ?? {})).filter(Boolean))];
    const name = names.length > 3 ? t('deskAndMore', { name: names[0] as string, n: names.length - 1 }) : names.join(language() === 'ja' ? '・' : ', ');
    const codes = this.chosen.map((item) => String(item.properties?.code ?? ''));
    const roads = this.way === 'road' || this.way === 'street';
    const marked: Marked = this.way === 'blocks' ? { properties: { area_codes: codes }, name }
      : { ...(geometry ? { geometry } : {}), properties: roads ? { segment_ids: ids } : {}, name };
    const { about, ways, way, points, chosen, stretches, done, left } = this;
    this.again = () => {
      Object.assign(this, { about, ways, way, points, chosen, stretches, done, left });
      this.changed();
      this.listen();
    };
    this.end(false);
    done?.(marked);
  }

  private shape(): GeoJSON.Geometry | null {
    const [first] = this.points;
    if (this.way === 'point') return first ? { type: 'Point', coordinates: first } : null;
    if (this.way === 'street') {
      const line = this.stretches.flatMap((stretch, index) => stretch.line.slice(index ? 1 : 0));
      return line.length > 1 ? { type: 'LineString', coordinates: line } : null;
    }
    if (this.way === 'line') return this.points.length > 1 ? { type: 'LineString', coordinates: this.points } : null;
    if (this.way === 'area' && first) {
      return this.points.length > 2 ? { type: 'Polygon', coordinates: [[...this.points, first]] } : null;
    }
    if (this.way === 'road') {
      const lines = this.chosen.flatMap(({ geometry }) =>
        geometry?.type === 'LineString' ? [geometry.coordinates] : geometry?.type === 'MultiLineString' ? geometry.coordinates : []);
      return lines.length === 1 ? { type: 'LineString', coordinates: lines[0] as GeoJSON.Position[] }
        : lines.length ? { type: 'MultiLineString', coordinates: lines } : null;
    }
    const rings = this.chosen.flatMap(({ geometry }) =>
      geometry?.type === 'Polygon' ? [geometry.coordinates] : geometry?.type === 'MultiPolygon' ? geometry.coordinates : []);
    return rings.length ? { type: 'MultiPolygon', coordinates: rings } : null;
  }

  /** Goes on along the roads to a tap; the first one says where it begins. */
  private async follow(event: Tap): Promise<void> {
    const map = this.map();
    if (!map || !this.about) return;
    const to: [number, number] = [event.lngLat.lng, event.lngLat.lat];
    const from = this.points.at(-1);
    // Of a tap that was made before the last one was answered, the map may lie elsewhere by now.
    const at = map.project(event.lngLat);
    const reach = event.lngLat.distanceTo(map.unproject([at.x + STREET_PX, at.y]));
    const roads = await roadsAround(from ? [from, to] : [to], reach);
    if (!roads || !this.about || this.way !== 'street' || from !== this.points.at(-1)) return; // taken back meanwhile
    const snapped = onRoad(roads, to);
    const stretch = from && along(roads, from, to, reach);
    if (!snapped || snapped.away > reach) notice(t('deskNothingHere'), 'warn');
    else if (from && !stretch) notice(t('deskNoWay'), 'warn');
    else {
      this.points = [...this.points, snapped.place];
      if (stretch) {
        this.stretches = [...this.stretches, stretch];
        this.chosen = [...this.chosen, ...roads.filter((road) => stretch.ids.includes(String(road.id)))];
      }
      this.changed();
    }
  }

  /** Chooses the road or the town block under a tap, or takes it out again. */
  private async pick(event: Tap): Promise<void> {
    const map = this.map();
    if (!map) return;
    const road = this.way === 'road';
    const reach = road ? REACH_PX : 1;
    const a = map.unproject([event.point.x - reach, event.point.y + reach]);
    const b = map.unproject([event.point.x + reach, event.point.y - reach]);
    const query: Record<string, string> = { bbox: [a.lng, a.lat, b.lng, b.lat].map((side) => side.toFixed(7)).join(','), limit: '50' };
    query.filter = road ? ROADS : "level = 'district'";
    const { features } = await api.items(road ? 'segments' : 'admin_areas', query);
    const pixel = (at: GeoJSON.Position) => map.project([at[0] as number, at[1] as number]);
    const found = road ? nearest(features, (at) => { const p = pixel(at); return [p.x - event.point.x, p.y - event.point.y]; }) : features[0];
    if (!found) {
      notice(t('deskNothingHere'), 'warn');
      return;
    }
    const before = this.chosen.length;
    this.chosen = this.chosen.filter((item) => item.id !== found.id);
    if (this.chosen.length === before) this.chosen = [...this.chosen, found];
    this.changed();
  }
}

/** Roads around places, and further out the further these are from each other, `reach` in metres; null where these are too many, which is said. */
async function roadsAround(places: [number, number][], reach: number): Promise<Feature[] | null> {
  const [lon, lat] = [places.map(([x]) => x), places.map(([, y]) => y)];
  const [west, south, east, north] = [Math.min(...lon), Math.min(...lat), Math.max(...lon), Math.max(...lat)];
  const more = Math.max(reach / 100_000, 0.4 * Math.max(east - west, north - south));
  const bbox = [west - more, south - more, east + more, north + more].map((side) => side.toFixed(7)).join(',');
  const found = await api.items('segments', { bbox, limit: String(MOST_ROADS), filter: ROADS });
  if ((found.numberMatched ?? 0) > found.features.length) {
    notice(t('deskTooFar'), 'warn');
    return null;
  }
  return found.features;
}

/** The line that passes closest; `away` gives pixels from the tap. */
function nearest(features: Feature[], away: (at: GeoJSON.Position) => [number, number]): Feature | undefined {
  let best: Feature | undefined;
  let least = Infinity;
  for (const feature of features) {
    const { geometry } = feature;
    const lines = geometry?.type === 'LineString' ? [geometry.coordinates] : geometry?.type === 'MultiLineString' ? geometry.coordinates : [];
    for (const line of lines) {
      for (let index = 1; index < line.length; index += 1) {
        const distance = toSegment(away(line[index - 1] as GeoJSON.Position), away(line[index] as GeoJSON.Position));
        if (distance < least) [least, best] = [distance, feature];
      }
    }
  }
  return best;
}

function toSegment([ax, ay]: [number, number], [bx, by]: [number, number]): number {
  const [dx, dy] = [bx - ax, by - ay];
  const share = Math.max(0, Math.min(1, -(ax * dx + ay * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(ax + share * dx, ay + share * dy);
}
