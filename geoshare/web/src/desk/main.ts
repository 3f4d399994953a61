/** The desk: what is so now, in a list and on the map, kept by the municipality's own people. */

import '../shared/base.css';
import '../map/map.css';
import './desk.css';
import type { SourceSpecification } from 'maplibre-gl';
import { api, ApiError, credentials } from '../shared/api';
import { append, fill, h, icon, ICONS } from '../shared/dom';
import { registerPageFont } from '../shared/fonts';
import { Header, keyChanged } from '../shared/header';
import { coded, language, languageChanged, t, titled } from '../shared/i18n';
import { notice, noticeError, noticeHost } from '../shared/notice';
import { prepareImages } from '../map/images';
import { definitionOf } from '../map/layers';
import type { Drawn } from '../map/layers/types';
import { State } from '../map/state';
import { MapView } from '../map/view';
import { openConflict, openEdits, openForm, openHistory } from './dialogs';
import { Drawing, waysOf, type Marked } from './draw';
import { nameOf, row, STATES, type Acts } from './list';
import { say } from './say';
import { talk, type Editable, type Item, type Said, type StaleFeature } from './talk';

const POLL_MS = 2000;
const MOST = 100;
const ON_MAP = ['admin_areas', 'water', 'segments', 'places', 'buildings'];

registerPageFont();
document.documentElement.lang = language();

const state = new State();
const header = new Header(null, 'desk');
const panel = h('section', { class: 'desk-panel' });
const mapBox = h('div', { class: 'map', id: 'map', tabindex: '-1' });
const drawing = new Drawing(() => view?.map ?? null, () => view?.refresh());
const switcher = h('div', { class: 'desk-switch' });
const body = h('main', { class: 'desk', 'data-pane': 'list' }, panel, h('div', { class: 'stage' }, mapBox, drawing.element), switcher);
append(document.getElementById('app') as HTMLElement, [header.element, body, noticeHost()]);

let view: MapView | null = null;
let collections: Editable[] = [];
let about: Editable | null = null;
let items: Item[] = [];
let filter = '';
let wanted = '';
let chosen = '';
let newest: string | null = null;
let writes = 0;
const underWay = new Map<string, Promise<void>>();
let gate: 'wait' | 'closed' | 'empty' | 'open' = 'wait';

const stateOf = (item: Item): string => String(item.properties.status ?? 'unknown');

function matching(): Item[] {
  const text = filter.normalize('NFKC').toLowerCase();
  return items.filter((item) => (!wanted || stateOf(item) === wanted)
    && (!text || ['name', 'name_kana', 'name_en', 'address'].some((name) => String(item.properties[name] ?? '').normalize('NFKC').toLowerCase().includes(text))));
}

function show(pane: 'list' | 'map'): void {
  body.dataset.pane = pane;
  renderSwitch();
  view?.map.resize();
}

function renderSwitch(): void {
  const pane = body.dataset.pane;
  fill(switcher, ...(['list', 'map'] as const).map((name) => h('button', {
    type: 'button', id: `pane-${name}`, 'aria-pressed': String(pane === name), onclick: () => show(name),
  }, icon(name === 'list' ? ICONS.layers : ICONS.map), t(name === 'list' ? 'deskList' : 'deskMap'))));
}

function render(): void {
  document.title = `${t('deskTitle')} – geoshare`;
  renderSwitch();
  drawing.render();
  if (gate === 'wait') return;
  if (gate !== 'open' || !about) {
    fill(panel, h('div', { class: 'gate' }, icon(ICONS.key, 36), h('h1', {}, t('deskTitle')),
      h('p', {}, t(gate === 'empty' ? 'deskNothing' : 'deskGate')),
      h('a', { class: 'button-main', href: '/login' }, t('loginTitle')),
      h('button', { type: 'button', class: 'button-plain', id: 'enter-key', onclick: () => header.openKeyDialog() }, t('keyEnter'))));
    return;
  }
  fill(panel,
    h('div', { class: 'desk-head' }, h('h1', {}, t('deskTitle')),
      h('button', { type: 'button', class: 'button-plain', id: 'edits', onclick: () => void openEdits(collections, () => void refresh()).catch((error: unknown) => noticeError(error)) }, t('deskEdits'))),
    h('div', { class: 'tabs', role: 'group', 'aria-label': t('deskTitle') }, ...collections.map((item) => h('button', {
      type: 'button', class: 'tab', id: `tab-${item.id}`, 'aria-pressed': String(item === about), onclick: () => void choose(item),
    }, titled(item)))),
    h('div', { class: 'desk-tools' },
      h('input', { id: 'desk-filter', type: 'search', value: filter, placeholder: t('deskFilter'), 'aria-label': t('deskFilter'), oninput: (event: Event) => { filter = (event.target as HTMLInputElement).value; renderList(); } }),
      h('button', { type: 'button', class: 'button-main', id: 'desk-add', onclick: () => add() }, `＋ ${t('deskAdd')}`)),
    h('div', { class: 'counts', role: 'group' }),
    h('ul', { class: 'desk-list' }));
  renderList();
}

function renderList(): void {
  const list = panel.querySelector('.desk-list');
  const counts = panel.querySelector('.counts');
  if (!list || !counts || !about) return;
  const shownAbout = about;
  const tally = new Map<string, number>();
  for (const item of items) tally.set(stateOf(item), (tally.get(stateOf(item)) ?? 0) + 1);
  const names = [...(STATES[about.id] ?? []), ...[...tally.keys()].filter((name) => !(STATES[shownAbout.id] ?? []).includes(name))];
  fill(counts, ...['', ...names].map((name) => h('button', {
    type: 'button', id: `count-${name || 'all'}`, class: `count-chip state-${name || 'all'}`, 'aria-pressed': String(wanted === name),
    onclick: () => { wanted = name; renderList(); view?.refresh(); },
  }, `${name === '' ? t('deskAll') : name === 'unknown' ? t('deskUnknown') : coded(shownAbout.properties.status, name)} ${name === '' ? items.length : tally.get(name) ?? 0}`)));
  const found = matching();
  fill(list, ...found.slice(0, MOST).map((item) => row(shownAbout, item, acts, item.id === chosen)),
    !found.length && h('li', { class: 'muted empty' }, t('deskEmpty')),
    found.length > MOST && h('li', { class: 'muted empty' }, t('deskMore', { n: found.length, shown: MOST })));
}

const acts: Acts = {
  set: (item, properties) => void save(item, { properties }).catch((error: unknown) => notice(say(error), 'error')),
  details: (item) => {
    const edited = about as Editable;
    openForm(edited, nameOf(edited, item), item.properties, null, async ({ properties, reason, source }) => {
      return await save(item, { properties, edit: { reason, source } });
    });
  },
  history: (item) => void openHistory(about as Editable, item.id, nameOf(about as Editable, item)).catch((error: unknown) => noticeError(error)),
  withdraw: (item) => {
    const edited = about as Editable;
    if (!confirm(t('deskWithdrawSure', { name: nameOf(edited, item) }))) return;
    talk.withdraw(edited.id, item.id, item.version).then(() => refresh(), (error: unknown) => { notice(say(error), 'error'); void refresh(); });
  },
  find: (item) => {
    chosen = item.id;
    const at = middle(item.geometry);
    if (at && view) view.map.easeTo({ center: at, zoom: Math.max(view.map.getZoom(), 15) });
    renderList();
    view?.refresh();
    if (matchMedia('(max-width: 719px)').matches) show('map');
  },
};

/** Saves a change after those of the same feature that are under way, each of which makes a new version. */
async function save(item: Item, said: Said): Promise<boolean> {
  const before = underWay.get(item.id) ?? Promise.resolve();
  const saved = before.then(() => write(items.find(({ id }) => id === item.id) ?? item, said));
  const settled = saved.then(() => undefined, () => undefined);
  underWay.set(item.id, settled);
  void settled.then(() => { if (underWay.get(item.id) === settled) underWay.delete(item.id); });
  return await saved;
}

/** Writes a change; where somebody else was first, asks which of the two is to stay. */
async function write(item: Item, said: Said): Promise<boolean> {
  const edited = about as Editable;
  const sent = { ...said, edit: { ...said.edit, at: new Date().toISOString() } };
  try {
    const done = await talk.change(edited.id, item.id, item.version, sent);
    writes += 1;
    item.version = done.version;
    item.own = done.own;
    item.properties = { ...item.properties, ...said.properties, ...done.own };
    notice(t('deskSaved', { name: nameOf(edited, item) }));
    renderList();
    view?.refresh();
    setTimeout(() => void refresh(), 500);
    return true;
  } catch (error) {
    const stale = error instanceof ApiError && error.status === 412 ? (error.body.features as StaleFeature[] | undefined)?.[0] : undefined;
    if (!stale) throw error;
    const mine = await openConflict(edited, nameOf(edited, item), stale);
    if (mine) return await write({ ...item, version: stale.version }, said);
    await refresh();
    return true;
  }
}

function add(): void {
  const edited = about as Editable;
  show('map');
  drawing.begin(edited, waysOf(edited, new Set(state.entries.map((entry) => entry.id))), (marked) => fillIn(edited, marked), () => show('list'));
}

function fillIn(edited: Editable, marked: Marked): void {
  const name = crypto.randomUUID();
  const said: Said = { properties: { ...marked.properties }, name, ...(marked.geometry ? { geometry: marked.geometry } : {}) };
  const photo = edited.properties.photo ? async (file: File) => { said.properties.photo = (await talk.photo(file)).photo; } : null;
  const usual = edited.id === 'events' ? { kind: 'closure', regulation_category: 'closedWeather', status: 'active' } : {};
  const first = { ...usual };
  openForm(edited, `${titled(edited)}: ${t('deskAdd')}`, first, photo, async ({ properties, reason, source }) => {
    const all = { ...usual, ...said.properties, ...properties };
    const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null));
    const done = await talk.create(edited.id, { ...said, properties: given, edit: { reason, source, at: new Date().toISOString() } });
    chosen = done.id;
    notice(t('deskSaved', { name: String(given.name ?? titled(edited)) }));
    show('list');
    setTimeout(() => void refresh(), 400);
    return true;
  });
}

async function choose(next: Editable): Promise<void> {
  about = next;
  items = [];
  filter = wanted = chosen = '';
  render();
  await refresh();
}

async function refresh(): Promise<void> {
  const asked = about;
  if (!asked) return;
  try {
    const before = writes;
    const found = await talk.items(asked.id);
    if (asked !== about) return;
    if (before !== writes) return await refresh(); // older than what has been written meanwhile
    // What one's own people say is known at once; the view of it follows a moment later.
    items = found.features.map((item) => ({ ...item, properties: { ...item.properties, ...item.own } })).sort((a, b) => nameOf(asked, a).localeCompare(nameOf(asked, b), language()));
  } catch (error) {
    noticeError(error);
    return;
  }
  // Somebody who is typing keeps the field; the rest follows when the field is left.
  if (!panel.querySelector('.desk-list input:focus')) renderList();
  view?.refresh();
}

/** Looks whether a colleague has changed anything. */
async function look(): Promise<void> {
  if (gate !== 'open' || document.hidden) return;
  try {
    const [latest] = await talk.edits(1);
    const mark = latest?.edit ?? null;
    if (newest !== null && mark !== newest) await refresh();
    newest = mark ?? '';
  } catch {
    // The next look may succeed; what is done meanwhile says itself when it fails.
  }
}

/** What the list holds, drawn over the base map as the map page draws it. */
function overlay(): { sources: Record<string, SourceSpecification>; layers: Drawn[] } {
  const made = drawing.overlay();
  const entry = about && state.entry(about.id);
  if (!about || !entry) return made;
  const source = 'desk';
  const features = matching().filter((item) => item.geometry).map((item) => ({
    type: 'Feature' as const, geometry: item.geometry as GeoJSON.Geometry,
    properties: Object.fromEntries(Object.entries({ ...item.properties, id: item.id }).filter(([, value]) => value !== null)),
  }));
  made.sources[source] = { type: 'geojson', data: { type: 'FeatureCollection', features } };
  const layers = definitionOf(entry.collection, 0).layers(state.context(entry, source));
  for (const layer of layers) {
    const spec = { ...layer.spec, id: `desk~${layer.spec.id}` } as unknown as Record<string, unknown>;
    delete spec['source-layer'];
    made.layers.push({ height: layer.height + 1000, spec: spec as never });
  }
  const mark = items.find((item) => item.id === chosen);
  const at = mark && middle(mark.geometry);
  if (at) {
    made.sources.chosen = { type: 'geojson', data: { type: 'Point', coordinates: at } };
    made.layers.push({ height: 2500, spec: { id: 'desk~chosen', type: 'circle', source: 'chosen', paint: { 'circle-radius': 22, 'circle-color': 'transparent', 'circle-stroke-color': '#0a6aa1', 'circle-stroke-width': 4 } } });
  }
  return made;
}

function middle(geometry: GeoJSON.Geometry | null): [number, number] | null {
  if (!geometry || geometry.type === 'GeometryCollection') return null;
  const points = geometry.coordinates.flat(geometry.type === 'Point' ? 0 : 3) as unknown as number[];
  const flat = geometry.type === 'Point' ? geometry.coordinates : points;
  let [west, south, east, north] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let index = 0; index + 1 < flat.length; index += 2) {
    const [x, y] = [flat[index] as number, flat[index + 1] as number];
    [west, south, east, north] = [Math.min(west, x), Math.min(south, y), Math.max(east, x), Math.max(north, y)];
  }
  return Number.isFinite(west) ? [(west + east) / 2, (south + north) / 2] : null;
}

function openMap(): void {
  for (const entry of state.entries) entry.visible = ON_MAP.includes(entry.id);
  try {
    view = new MapView(state, mapBox, matchMedia('(max-width: 719px)').matches);
  } catch {
    notice(t('errorWebGL'), 'error');
    return;
  }
  view.overlay = overlay;
  const { map } = view;
  map.on('click', (event) => {
    if (drawing.tap(event)) return;
    const pad = 12;
    const layers = map.getStyle().layers.map((layer) => layer.id).filter((id) => id.startsWith('desk~') && id !== 'desk~chosen');
    const [hit] = map.queryRenderedFeatures([[event.point.x - pad, event.point.y - pad], [event.point.x + pad, event.point.y + pad]], { layers });
    if (!hit) return;
    chosen = String(hit.properties.id);
    filter = wanted = '';
    render();
    view?.refresh();
    show('list');
    document.getElementById(`row-${chosen}`)?.scrollIntoView({ block: 'center' });
  });
  map.once('idle', () => document.body.setAttribute('data-map', 'ready'));
  view.refresh();
}

async function start(): Promise<void> {
  try {
    const me = await api.me();
    header.show(me);
    gate = me.anonymous ? 'closed' : 'wait';
    if (gate === 'wait') {
      collections = (await talk.rights()).collections;
      gate = collections.length ? 'open' : 'empty';
    }
  } catch (error) {
    if (error instanceof ApiError && error.status === 401 && credentials.get()) {
      credentials.set('');
      noticeError(error);
      await start();
      return;
    }
    gate = error instanceof ApiError && error.status === 403 ? 'empty' : 'closed';
    if (gate === 'closed') noticeError(error, () => void start());
  }
  render();
  if (gate !== 'open') return;
  const fresh = view === null;
  await state.load();
  await prepareImages();
  if (fresh) openMap();
  else view?.reload();
  newest = null;
  await choose(collections[0] as Editable);
}

languageChanged.on(() => { render(); view?.refresh(); });
keyChanged.on(() => void start());
setInterval(() => void look(), POLL_MS);
render();
void start();
