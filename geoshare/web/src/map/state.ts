/** What is on the map: one entry per collection, and the address bar that says the same. */

import { api, type Collection, type Me, type Settings } from '../shared/api';
import { Signal } from '../shared/dom';
import { chosen, language, setLanguage } from '../shared/i18n';
import { isChoice } from '../shared/language';
import { definitionOf } from './layers';
import { quantileBreaks } from './layers/palettes';
import type { Context, Definition, Sample } from './layers/types';
import type { RasterInfo } from '../shared/api';

export interface Entry {
  id: string;
  collection: Collection;
  definition: Definition;
  visible: boolean;
  opacity: number;
  choice: string;
  times: string[];
  time: string | null;
  raster: RasterInfo | null;
  sample: Sample | null;
}

export interface Camera { zoom: number; lat: number; lon: number; bearing: number; pitch: number }

export interface Link {
  camera: Camera | null;
  layers: Map<string, number> | null;
  times: Map<string, string>;
  choices: Map<string, string>;
}

const MAX_STEPS = 24 * 31;
const HOUR_MS = 3_600_000;

export class State {
  me: Me | null = null;
  settings: Settings = { background: null };
  publicBackground = false;
  maxTileZoom = 16;
  entries: Entry[] = [];
  camera: Camera | null = null;
  /** Collections of which only some features are shown, and the ids of these. */
  only = new Map<string, readonly string[]>();

  /** Collections came or went. */
  readonly catalogueChanged = new Signal<void>();
  /** Something about one entry changed. */
  readonly entryChanged = new Signal<Entry>();

  entry(id: string): Entry | undefined {
    return this.entries.find((entry) => entry.id === id);
  }

  /** Asks the server what this caller may see. Entries already known keep their settings. */
  async load(): Promise<void> {
    const [me, collections] = await Promise.all([api.me(), api.collections()]);
    const rasters = new Map(
      await Promise.all(
        collections.filter((item) => item.kind !== 'vector')
          .map(async (item) => [item.id, await api.raster(item.id).catch(() => null)] as const),
      ),
    );
    const vectors = collections.filter((item) => item.kind === 'vector').map((item) => item.id);
    if (vectors.length) {
      // Asking for all at once also has the server prepare every view before the first tile.
      const info = await api.tileInfo(vectors.slice(0, 32)).catch(() => null);
      this.maxTileZoom = info?.maxzoom ?? 16;
    }
    const link = this.entries.length ? null : readLink();
    this.me = me;
    this.entries = collections
      .map((collection, index) => this.makeEntry(collection, index, rasters.get(collection.id) ?? null, link))
      .sort((a, b) => a.definition.order - b.definition.order);
    if (link?.camera) this.camera = link.camera;
    if (link?.layers?.has('background')) this.publicBackground = true;
    this.catalogueChanged.emit();
    for (const entry of this.entries) if (entry.visible) void this.prepare(entry);
  }

  private makeEntry(collection: Collection, index: number, raster: RasterInfo | null, link: Link | null): Entry {
    const before = this.entry(collection.id);
    const definition = definitionOf(collection, index);
    const times = raster?.times?.length ? raster.times : hoursOf(collection, definition);
    const linked = link?.times.get(collection.id);
    const wanted = linked ?? before?.time ?? null;
    const opacity = definition.opacity ?? 1;
    return {
      id: collection.id, collection, definition, raster, times,
      visible: link?.layers ? link.layers.has(collection.id) : (before?.visible ?? definition.visible),
      opacity: link?.layers?.get(collection.id) ?? before?.opacity ?? opacity,
      choice: link?.choices.get(collection.id) ?? before?.choice ?? '',
      time: wanted && times.includes(wanted) ? wanted : openingTime(times, collection.kind),
      sample: null,
    };
  }

  /** Shows what a link asks for; the place it asks for is left to the map. */
  follow(link: Link): Camera | null {
    this.entries = this.entries.map((entry) => {
      const time = link.times.get(entry.id) ?? entry.time;
      return {
        ...entry,
        visible: link.layers ? link.layers.has(entry.id) : entry.visible,
        opacity: link.layers?.get(entry.id) ?? entry.opacity,
        choice: link.choices.get(entry.id) ?? entry.choice,
        time: time && entry.times.includes(time) ? time : entry.time,
      };
    });
    this.catalogueChanged.emit();
    for (const entry of this.entries) {
      if (!entry.visible) continue;
      this.entryChanged.emit(entry);
      void this.prepare(entry);
    }
    return link.camera;
  }

  setVisible(entry: Entry, visible: boolean): void {
    entry.visible = visible;
    if (visible && entry.definition.alone) {
      for (const other of this.entries) {
        if (other === entry || !other.visible || !other.definition.alone) continue;
        other.visible = false;
        this.entryChanged.emit(other);
      }
    }
    this.entryChanged.emit(entry);
    if (visible) void this.prepare(entry);
  }

  change(entry: Entry, values: Partial<Pick<Entry, 'opacity' | 'choice' | 'time'>>): void {
    Object.assign(entry, values);
    this.entryChanged.emit(entry);
  }

  /** Looks at some rows once, to find classes for values and what one may choose among. */
  private async prepare(entry: Entry): Promise<void> {
    const { choice, classes } = entry.definition;
    if (entry.sample || entry.collection.kind !== 'vector' || (!classes && (!choice || choice.options))) return;
    entry.sample = { breaks: {}, choices: [], meshes: [] };
    const pages = await Promise.all(someQueries(entry).map((query) => api.items(entry.id, query).catch(() => null)));
    const features = pages.flatMap((page) => page?.features ?? []);
    if (!features.length) return;
    const groups = new Map<string, number[]>();
    for (const { properties } of features) {
      const value = choice ? properties?.[choice.property] : '';
      const group = groups.get(typeof value === 'string' ? value : '') ?? [];
      const measured = classes ? properties?.[classes] : null;
      if (typeof measured === 'number') group.push(measured);
      groups.set(typeof value === 'string' ? value : '', group);
    }
    // Codes of totals are the shortest: population before population_65.
    const choices = [...groups.keys()].filter(Boolean).sort((a, b) =>
      Number(b === 'population') - Number(a === 'population') || a.length - b.length || a.localeCompare(b));
    const sides = features.map(({ properties }) => properties?.mesh_size_m).filter((side) => typeof side === 'number');
    entry.sample = {
      choices, meshes: [...new Set(sides)].sort((a, b) => a - b),
      breaks: Object.fromEntries([...groups].map(([name, values]) => [name, quantileBreaks(values, 6)])),
    };
    if (choice && !choice.all && !choices.includes(entry.choice)) entry.choice = choices[0] ?? '';
    this.entryChanged.emit(entry);
  }

  context(entry: Entry, source: string): Context {
    const box = entry.collection.extent?.spatial?.bbox?.[0];
    const latitude = this.camera?.lat ?? (box ? ((box[1] as number) + (box[3] as number)) / 2 : 36);
    return {
      collection: entry.collection, source, language: language(), latitude: Math.round(latitude * 10) / 10,
      choice: entry.choice, time: entry.time, sample: entry.sample, raster: entry.raster,
      shown: new Set(this.entries.filter((other) => other.visible).map((other) => other.id)),
    };
  }

  /** The box of all visible data that is not the whole country, for a first look. */
  home(): [number, number, number, number] | null {
    const preferred = ['lanes', 'segments', 'evacuation_sites', 'shelters', 'admin_areas'];
    const withBox = (entry: Entry | undefined) => entry?.collection.extent?.spatial?.bbox?.[0];
    for (const id of preferred) {
      const box = withBox(this.entry(id));
      if (box?.length) return flat(box);
    }
    const any = this.entries.map(withBox).find((box) => box?.length);
    return any ? flat(any) : null;
  }

  /** Writes what is shown into the address bar, so that it can be sent to someone. */
  writeLink(): void {
    const parts: string[] = [];
    const c = this.camera;
    if (c) {
      const turn = c.bearing || c.pitch ? `/${c.bearing.toFixed(1)}/${c.pitch.toFixed(0)}` : '';
      parts.push(`map=${c.zoom.toFixed(2)}/${c.lat.toFixed(5)}/${c.lon.toFixed(5)}${turn}`);
    }
    const shown = this.entries.filter((entry) => entry.visible);
    const layers = shown.map((entry) =>
      entry.opacity === (entry.definition.opacity ?? 1) ? entry.id : `${entry.id}:${entry.opacity}`);
    if (this.publicBackground) layers.push('background');
    if (this.entries.length) parts.push(`layers=${layers.join(',')}`);
    const times = shown.filter((entry) => entry.time).map((entry) => `${entry.id}@${entry.time}`);
    if (times.length) parts.push(`time=${times.join(',')}`);
    const choices = shown.filter((entry) => entry.choice).map((entry) => `${entry.id}@${entry.choice}`);
    if (choices.length) parts.push(`show=${choices.join(',')}`);
    parts.push(`lang=${chosen()}`);
    history.replaceState(history.state, '', `#${parts.join('&')}`);
  }
}

function flat(box: number[]): [number, number, number, number] {
  const values = box.length === 6 ? [box[0], box[1], box[3], box[4]] : box;
  return values as [number, number, number, number];
}

/**
 * Scenes open at the newest. A forecast opens at the step nearest to the middle of its series: the times are
 * all that is known before anything is drawn, and rain seldom fills the first hour of a forecast.
 */
function openingTime(times: string[], kind: Collection['kind']): string | null {
  const first = times[0];
  const last = times.at(-1);
  if (first === undefined || last === undefined) return null;
  if (kind === 'raster') return last;
  const middle = (Date.parse(first) + Date.parse(last)) / 2;
  const away = (time: string) => Math.abs(Date.parse(time) - middle);
  return times.reduce((nearest, time) => (away(time) < away(nearest) ? time : nearest), first);
}

/** Rows enough to divide values into classes; of an hourly series some hours of the day. */
function someQueries(entry: Entry): Record<string, string>[] {
  if (!entry.definition.hour || entry.times.length < 4) return [{ limit: '2000' }];
  return [0.35, 0.5, 0.75].map((share) => {
    const start = entry.times[Math.floor(share * entry.times.length)] as string;
    const end = new Date(Date.parse(start) + HOUR_MS - 1000).toISOString().replace('.000Z', 'Z');
    return { limit: '1000', datetime: `${start}/${end}` };
  });
}

function hoursOf(collection: Collection, definition: Definition): string[] {
  const interval = collection.extent?.temporal?.interval?.[0];
  if (!definition.hour || !interval?.[0] || !interval[1]) return [];
  const start = Math.floor(Date.parse(interval[0]) / HOUR_MS) * HOUR_MS;
  const end = Date.parse(interval[1]);
  const steps = Math.min(MAX_STEPS, Math.ceil((end - start) / HOUR_MS));
  return Array.from({ length: Math.max(steps, 0) }, (_, index) =>
    new Date(start + index * HOUR_MS).toISOString().replace('.000Z', 'Z'));
}

/** What the address bar asks for. */
export function readLink(): Link {
  const values = new URLSearchParams(location.hash.slice(1));
  const pairs = (text: string | null) =>
    new Map((text ?? '').split(',').filter((part) => part.includes('@')).map((part) => {
      const at = part.indexOf('@');
      return [part.slice(0, at), part.slice(at + 1)] as const;
    }));
  const wanted = values.get('lang');
  if (isChoice(wanted)) setLanguage(wanted);
  const numbers = (values.get('map') ?? '').split('/').map(Number);
  const [zoom, lat, lon, bearing = 0, pitch = 0] = numbers;
  const valid = numbers.length >= 3 && numbers.every(Number.isFinite);
  const layers = values.get('layers');
  return {
    camera: valid ? { zoom: zoom as number, lat: lat as number, lon: lon as number, bearing, pitch } : null,
    layers: layers === null ? null : new Map(layers.split(',').filter(Boolean).map((part) => {
      const [name = '', opacity] = part.split(':');
      const value = Number(opacity);
      return [name, opacity !== undefined && value >= 0 && value <= 1 ? value : undefined] as [string, number];
    })),
    times: pairs(values.get('time')),
    choices: pairs(values.get('show')),
  };
}
