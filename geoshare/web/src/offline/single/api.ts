/** What the map asks, answered from the page itself: nothing here reaches for a network. */

import { addProtocol } from 'maplibre-gl';
import { api as network, ApiError, type Collection, type Feature, type Me, type Place } from '../../shared/api';
import { about, features, tile } from './data';

export * from '../../shared/api';

const SCHEME = 'carried';
const MOST = 10;
const nobody: Me = {
  organisation: null, tiers: [], role: null, anonymous: true, can_contribute: false, can_edit: false,
  collections: about.collections.map(({ id }) => id),
};

addProtocol(SCHEME, async ({ url }) => {
  const [z = 0, x = 0, y = 0] = url.slice(SCHEME.length + 3).split('/').map(Number);
  return { data: await tile(z, x, y) };
});

const missing = (): never => { throw new ApiError(404, 'Not in this file', ''); };
const found = (collection: string): Feature[] => features[collection] ?? [];

export const send = async (): Promise<never> => missing();
export const get = async (): Promise<never> => missing();
export const saveItem = async (): Promise<never> => missing();
export const transformRequest = (url: string): { url: string } => ({ url });

export const api: typeof network = {
  ...network,
  me: async () => nobody,
  emergencies: async () => [],
  settings: async () => ({ background: null }),
  collections: async () => about.collections.map(({ extent, ...item }): Collection => ({
    ...item, ...(extent ? { extent: { spatial: { bbox: [extent] } } } : {}),
  })),
  schema: async (collection) => about.collections.find(({ id }) => id === collection)?.schema ?? missing(),
  item: async (collection, id) => found(collection).find((feature) => String(feature.id) === id) ?? missing(),
  items: async (collection, query) => {
    const all = found(collection);
    return { type: 'FeatureCollection', features: all.slice(0, Number(query.limit ?? all.length)), numberMatched: all.length };
  },
  raster: async () => missing(),
  search: async (text) => search(text),
  tileInfo: async () => ({ minzoom: about.zooms[0], maxzoom: about.zooms[1] }),
  tileAddress: () => `${SCHEME}://{z}/{x}/{y}`,
};

/** Text as it is compared: one width, one case, one of the two kana. */
export function plain(text: unknown): string {
  return String(text ?? '').normalize('NFKC').toLowerCase().replace(/[\u30a1-\u30f6]/g, (kana) => String.fromCharCode(kana.charCodeAt(0) - 0x60));
}

/** Names that hold the text: whole ones first, then beginnings, then parts. */
function search(text: string): Place[] {
  const wanted = plain(text);
  const hits: [number, Place][] = [];
  for (const { id: collection, label = '' } of about.collections) {
    for (const feature of found(collection)) {
      const { properties } = feature;
      const names = [properties?.[label], properties?.name_kana, properties?.name_en].map(plain).filter(Boolean);
      const best = Math.min(...names.map((name) => (name === wanted ? 0 : name.startsWith(wanted) ? 1 : name.includes(wanted) ? 2 : 9)));
      const at = middle(feature.geometry);
      const unreal = [properties?.state, properties?.status].find((value): value is 'drill' | 'test' => value === 'drill' || value === 'test');
      const drill = unreal ? { drill: unreal } : {};
      if (best < 9 && at) {
        hits.push([best, {
          id: String(feature.id), collection, name: String(properties?.[label] ?? ''), name_en: properties?.name_en as string | null, lon_lat: at, bbox: null, ...drill,
        }]);
      }
    }
  }
  return hits.sort((a, b) => a[0] - b[0] || a[1].name.length - b[1].name.length).slice(0, MOST).map(([, place]) => place);
}

/** Longitude and latitude of the middle of a geometry's box. */
export function middle(geometry: GeoJSON.Geometry | null): [number, number] | null {
  if (!geometry || geometry.type === 'GeometryCollection') return null;
  const flat = (geometry.type === 'Point' ? geometry.coordinates : (geometry.coordinates as unknown[]).flat(3)) as number[];
  const points: [number, number][] = [];
  const size = geometry.type === 'Point' ? flat.length : sizeOf(geometry.coordinates);
  for (let index = 0; index + 1 < flat.length; index += size) points.push([flat[index] as number, flat[index + 1] as number]);
  if (!points.length) return null;
  const side = (place: 0 | 1) => points.reduce(([low, high], point) => [Math.min(low, point[place]), Math.max(high, point[place])], [Infinity, -Infinity]);
  const [[west, east], [south, north]] = [side(0), side(1)] as [[number, number], [number, number]];
  return [(west + east) / 2, (south + north) / 2];
}

/** How many numbers a position has: two, or three with a height. */
function sizeOf(coordinates: unknown): number {
  const [first] = coordinates as unknown[];
  return Array.isArray(first) ? sizeOf(first) : (coordinates as unknown[]).length;
}
