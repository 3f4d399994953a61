/**
 * Keeps the map of the officer's area: asks for it once, so that the service worker has it.
 *
 * Lists, the names of places, schemas and vector tiles; as deep as a bounded number of tiles allows. The letters
 * of all names are loaded, too: the font comes in slices, and a slice that was never drawn would be missing.
 */

import { api, loginToken } from '../shared/api';
import { connection } from '../shared/connection';
import { Signal } from '../shared/dom';
import { LETTERING } from '../shared/fonts';
import { listAddress, talk, type Editable, type Item } from '../desk/talk';
import type { State } from '../map/state';
import { canKeep } from './app';
import { KEPT_AT, OPEN, sessionCache, SESSIONS } from './kept';
import { areaKept, forgetArea, noteArea } from './marks';
import { outbox } from './writes';

export const TILES = 900;
const SHALLOWEST = 9;
const AT_ONCE = 3;
const FRESH_MS = 6 * 3_600_000;
const NAMED = ['evacuation_sites', 'shelters', 'places', 'water_points', 'events', 'evacuation_areas'];

type Box = [number, number, number, number];
/** Collections, and zoom, column and row. */
type Tile = [string[], number, number, number];
export const keeping = { done: 0, all: 0, busy: false };
export const keepingChanged = new Signal<void>();

/** Keeps the area if that was not done within hours, or if somebody asks for it. */
export async function keepArea(state: State, collections: Editable[], asked: boolean): Promise<void> {
  const box = areaOf(state, collections);
  const wanted = box ? tiles(state, box) : [];
  const last = await keptAt(wanted);
  const fresh = last !== null && Date.now() - Date.parse(last) < FRESH_MS;
  const spare = (navigator as { connection?: { saveData?: boolean } }).connection?.saveData === true;
  // What a key opens is not kept: it is forgotten with the tab, and so is what it showed.
  if (!canKeep || keeping.busy || !outbox.owner.startsWith('person:') || !connection.live || (!asked && (fresh || spare))) return;
  await inCharge();
  await api.me();
  void navigator.storage?.persist?.();
  const jobs = [...lists(state, collections), ...wanted.map((tile) => () => api.tile(...tile))];
  Object.assign(keeping, { done: 0, all: jobs.length, busy: true });
  keepingChanged.emit();
  const queue = jobs[Symbol.iterator]();
  await Promise.all(Array.from({ length: AT_ONCE }, () => work(queue)));
  keeping.busy = false;
  if (keeping.done === keeping.all && await areThere(wanted)) noteArea(outbox.owner);
  keepingChanged.emit();
}

/** When the area was kept, if it still is: the browser gives room back without asking. */
async function keptAt(wanted: Tile[]): Promise<string | null> {
  const last = canKeep ? areaKept(outbox.owner) : null;
  if (last === null || await areThere(wanted)) return last;
  forgetArea();
  keepingChanged.emit();
  return null;
}

async function areThere(wanted: Tile[]): Promise<boolean> {
  const there = new Set<string>();
  for (const name of await caches.keys()) {
    if (name !== OPEN && !name.startsWith(SESSIONS)) continue;
    for (const { url } of await (await caches.open(name)).keys()) there.add(new URL(url).pathname);
  }
  return wanted.every((tile) => there.has(new URL(api.tilePath(...tile), location.href).pathname));
}

/** The service worker sees what this page asks: from the first visit on, a moment after it is there. */
async function inCharge(): Promise<void> {
  const { serviceWorker } = navigator;
  await serviceWorker.ready;
  if (serviceWorker.controller) return;
  await new Promise((resolve) => serviceWorker.addEventListener('controllerchange', resolve, { once: true }));
}

/** Does jobs one after the other, until there is no network. */
async function work(queue: Iterator<() => Promise<unknown>>): Promise<void> {
  for (let next = queue.next(); !next.done && connection.live; next = queue.next()) {
    const worked = await next.value().then(() => true, () => false);
    if (worked) keeping.done += 1; // what failed is missing: the area is not kept, and is asked for another time
    if (keeping.done % 20 === 0) keepingChanged.emit();
  }
}

/**
 * Keeps a list as the desk has it now: single features of it have been asked for, or edited, since it was asked
 * for as a whole.
 */
export async function keepList(collection: string, items: Item[]): Promise<void> {
  const token = loginToken();
  const name = canKeep && token && connection.live ? await sessionCache(token) : '';
  if (!name || !(await caches.has(name))) return;
  const body = JSON.stringify({ type: 'FeatureCollection', features: items, numberMatched: items.length });
  const headers = { 'Content-Type': 'application/geo+json', [KEPT_AT]: new Date().toISOString() };
  await (await caches.open(name)).put(listAddress(collection), new Response(body, { headers })).catch(() => undefined);
}

/** Where the officer edits; without a limit, where the municipality's shelters are. */
function areaOf(state: State, collections: Editable[]): Box | null {
  const limited = collections.map(({ area }) => area).find((area) => area !== null);
  return limited ?? state.home();
}

function lists(state: State, collections: Editable[]): (() => Promise<unknown>)[] {
  const known = (name: string) => state.entry(name) !== undefined;
  return [
    () => catalogue(), () => api.emergencies(), () => talk.rights(),
    ...collections.map(({ id }) => () => talk.items(id)),
    ...state.entries.map(({ id }) => () => api.schema(id)),
    ...state.entries.filter(({ collection }) => collection.kind !== 'vector').map(({ id }) => () => api.raster(id)),
    ...NAMED.filter(known).map((name) => () => names(name)),
  ];
}

/** What there is, as a page asks for it when it opens. */
async function catalogue(): Promise<void> {
  const vectors = (await api.collections()).filter(({ kind }) => kind === 'vector').map(({ id }) => id);
  if (vectors.length) await api.tileInfo(vectors.slice(0, 32));
}

/** The named features of a collection, as search without a network reads them, and the letters of their names. */
async function names(collection: string): Promise<void> {
  const { features } = await api.items(collection, { limit: '1000' });
  const letters = new Set(features.flatMap(({ properties }) => [...String(properties?.name ?? '')]));
  await document.fonts.load(`500 16px "${LETTERING[0]?.replace(' Medium', '')}"`, [...letters].join(''));
}

/** Tiles of the base map and of what shows before anyone chooses, the coarse ones first. */
function tiles(state: State, box: Box): Tile[] {
  const vectors = state.entries.filter(({ collection }) => collection.kind === 'vector');
  const base = vectors.filter(({ definition }) => definition.base).map(({ id }) => id);
  const alone = vectors.filter(({ definition }) => !definition.base && definition.visible).map(({ id }) => [id]);
  const sources = [...(base.length ? [base] : []), ...alone];
  const found: Tile[] = [];
  for (let z = SHALLOWEST; z <= state.maxTileZoom; z += 1) {
    const places = covering(box, z);
    if ((places.length * sources.length) + found.length > TILES) break;
    for (const [x, y] of places) for (const names of sources) found.push([names, z, x, y]);
  }
  return found;
}

/** Columns and rows of the Web Mercator tiles that meet a box of degrees. */
function covering([west, south, east, north]: Box, z: number): [number, number][] {
  const count = 2 ** z;
  const column = (lon: number) => Math.min(count - 1, Math.max(0, Math.floor(((lon + 180) / 360) * count)));
  const row = (lat: number) => {
    const at = (lat * Math.PI) / 180;
    return Math.min(count - 1, Math.max(0, Math.floor(((1 - Math.asinh(Math.tan(at)) / Math.PI) / 2) * count)));
  };
  const found: [number, number][] = [];
  for (let x = column(west); x <= column(east); x += 1) for (let y = row(north); y <= row(south); y += 1) found.push([x, y]);
  return found;
}
