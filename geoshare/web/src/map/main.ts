/** The map page: puts the parts together and decides nothing else. */

import { layOut } from '../shared/page';
import './map.css';
import { api, ApiError, credentials } from '../shared/api';
import { h, icon, ICONS } from '../shared/dom';
import { Header, keyChanged } from '../shared/header';
import { languageChanged, t } from '../shared/i18n';
import { Live } from '../shared/live';
import { notice, noticeError } from '../shared/notice';
import { keepApp } from '../offline/app';
import { OfflineBar } from '../offline/bar';
import { Card } from './card';
import { EmergencyBar } from './emergency';
import { prepareImages } from './images';
import { AreaTool } from './deciding/area';
import { Finder } from './deciding/finder';
import { narrowed, narrowedAll } from './deciding/narrow';
import { Tabs } from './deciding/tabs';
import { LiveLayers } from './live';
import { Panel } from './panel';
import { pickAt } from './pick';
import { fetchSchema, forgetSchemas } from './schemas';
import { Search } from './search';
import { watchScenarios } from './seen';
import { Sheet } from './sheet';
import type { ExtractPanel } from './extract';
import type { PrintPanel } from './print';
import { readLink, State, type Entry } from './state';
import { TimeBar } from './timebar';
import { MapView } from './view';

const NARROW = matchMedia('(max-width: 719px)');

const printAsked = new URLSearchParams(location.hash.slice(1)).has('print');
readLink();

const state = new State();
let view: MapView | null = null;

const padding = () => (NARROW.matches ? { top: 20, left: 20, right: 20, bottom: 160 } : 60);
const zoomTo = (entry: Entry) => {
  const box = entry.collection.extent?.spatial?.bbox?.[0];
  if (box?.length === 4) view?.map.fitBounds(box as [number, number, number, number], { padding: padding(), maxZoom: 17 });
  if (NARROW.matches) sheet.set('peek');
};
const search = new Search(state, (place) => {
  card.close();
  if (place.bbox && (place.bbox[2] > place.bbox[0] || place.bbox[3] > place.bbox[1])) {
    view?.map.fitBounds(place.bbox, { padding: padding(), maxZoom: 17 });
  } else {
    // The card covers the lower half of a phone; the place goes to the middle of what is left.
    const offset: [number, number] = NARROW.matches ? [0, -mapBox.clientHeight * 0.24] : [0, 0];
    view?.map.flyTo({ center: place.lon_lat, zoom: Math.max(view.map.getZoom(), 16), offset });
  }
  card.open([{ collection: place.collection, id: place.id, properties: { name: place.name, name_en: place.name_en } }]);
}, () => {
  // A phone has room for one of list, card and layers.
  if (!NARROW.matches) return;
  card.close();
  sheet.set('peek');
});
const header = new Header(search.element, 'map');
const emergencies = new EmergencyBar((box) => view?.map.fitBounds(box, { padding: padding(), maxZoom: 17 }));
const panel = new Panel(state, zoomTo, () => view?.refresh());
const timebar = new TimeBar(state, () => view);
const card = new Card(state, (picked) => view?.mark(picked), () => search.dismiss());
/** What changes while one looks: all of the disaster's, and whatever else is shown but for the base map. */
const live = new Live(() => state.entries.filter(({ collection, definition, visible }) =>
  collection.kind === 'vector' && !definition.base && (visible || definition.group === 'disaster')).map(({ id }) => id));
const liveLayers = new LiveLayers(state, live, () => view, (collection, ids) => {
  card.changed(collection, ids);
  finder.changed(collection);
});
const finder = new Finder(state, () => view?.refresh(), (collection, feature) => {
  const [lon, lat] = feature.geometry?.type === 'Point' ? feature.geometry.coordinates : [];
  const offset: [number, number] = NARROW.matches ? [0, -mapBox.clientHeight * 0.24] : [0, 0];
  if (lon !== undefined && lat !== undefined) view?.map.flyTo({ center: [lon, lat], zoom: Math.max(view.map.getZoom(), 15), offset });
  if (NARROW.matches) sheet.set('peek');
  card.open([{ collection, id: String(feature.id), properties: feature.properties ?? {} }]);
});
const area = new AreaTool(state, () => view?.map ?? null, () => view?.refresh(), (drawing) => {
  if (drawing) card.close();
  if (NARROW.matches) sheet.set(drawing ? 'peek' : 'full');
});
const tabs = new Tabs([
  { id: 'layers', word: 'tabLayers', element: panel.element },
  { id: 'finder', word: 'tabFind', element: finder.element, opened: () => void finder.open() },
  { id: 'area', word: 'tabArea', element: area.element, opened: () => void area.open() },
]);
const sheet = new Sheet(tabs.element, () => search.dismiss());

const mapBox = h('div', { id: 'map', class: 'map' });
const linkButton = h('button', { type: 'button', class: 'map-button', onclick: () => void copyLink() }, icon(ICONS.link));
const printButton = h('button', { type: 'button', class: 'map-button print-button', id: 'print', onclick: () => void openPrint() }, icon(ICONS.print));
const extractButton = h('button', { type: 'button', class: 'map-button extract-button', id: 'extract', onclick: () => void openExtract() }, icon(ICONS.download));
const fileButton = h('button', { type: 'button', class: 'map-button file-button', id: 'single', hidden: true, onclick: () => void keepInFile() }, icon(ICONS.mapFile));
const shareButton = h('button', { type: 'button', class: 'map-button share-button', id: 'share', hidden: true, onclick: () => void share() }, icon(ICONS.share));
const heading = h('h1', { class: 'visually-hidden' });
const main = h('main', { class: 'stage' }, heading, mapBox, linkButton, printButton, extractButton, fileButton, shareButton, timebar.element, card.element, area.drawing.element, area.drawing.cross);
layOut(header, h('div', { class: 'body' }, sheet.element, main), () => view?.map.getCanvas().focus(), h('div', {}, new OfflineBar(null).element, emergencies.element));

function words(): void {
  document.title = `${t('appTitle')} – geoshare`;
  heading.textContent = document.title;
  linkButton.title = t('copyLink');
  linkButton.setAttribute('aria-label', t('copyLink'));
  printButton.title = t('print');
  printButton.setAttribute('aria-label', t('print'));
  extractButton.title = t('extract');
  extractButton.setAttribute('aria-label', t('extract'));
  fileButton.title = t('singleMake');
  fileButton.setAttribute('aria-label', t('singleMake'));
  shareButton.title = t('shareTitle');
  shareButton.setAttribute('aria-label', t('shareTitle'));
}

async function copyLink(): Promise<void> {
  await navigator.clipboard?.writeText(location.href).then(() => notice(t('linkCopied')), () => notice(location.href));
}

let printing: PrintPanel | null = null;

/** The print panel is fetched when it is first wanted: most who look at the map never print it. */
async function openPrint(): Promise<void> {
  if (printing) {
    printing.close();
    return;
  }
  const panelOf = await import('./print').catch((error: unknown) => noticeError(error));
  if (!panelOf || !view || printing) return;
  extracting?.close();
  card.close();
  document.body.classList.add('is-printing');
  printing = new panelOf.PrintPanel(state, view, main, () => {
    printing = null;
    document.body.classList.remove('is-printing');
    printButton.focus();
  });
}

let extracting: ExtractPanel | null = null;

/** Fetched when it is first wanted, as printing is. */
async function openExtract(): Promise<void> {
  if (extracting) {
    extracting.close();
    return;
  }
  const panelOf = await import('./extract').catch((error: unknown) => noticeError(error));
  if (!panelOf || !view || extracting) return;
  printing?.close();
  card.close();
  document.body.classList.add('is-printing');
  extracting = new panelOf.ExtractPanel(state, view, main, (done) => area.mark(done), () => {
    extracting = null;
    document.body.classList.remove('is-printing');
    view?.refresh();
    extractButton.focus();
  });
}

/** What the screen shows, in degrees. */
function shownBox(): [number, number, number, number] | null {
  const bounds = view?.map.getBounds();
  return bounds ? [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()] : null;
}

/** The map of what the screen shows, as a file that opens without a server. */
async function keepInFile(): Promise<void> {
  const dialog = await import('../offline/download').catch((error: unknown) => noticeError(error));
  dialog?.openDownload({ seen: shownBox() });
}

/** The dialog comes when it is first wanted: most who look at the map share nothing. */
async function share(): Promise<void> {
  try {
    const { openSharing } = await import('../sharing/dialog');
    const layers = state.entries.filter((entry) => entry.visible).map(({ id }) => id);
    await openSharing({ box: shownBox(), layers });
  } catch (error) {
    noticeError(error);
  }
}

async function start(): Promise<void> {
  try {
    state.settings = await api.settings().catch(() => ({ background: null }));
    await state.load();
  } catch (error) {
    if (error instanceof ApiError && error.status === 401 && credentials.get()) {
      // A key that stopped working must not keep its holder from the open map.
      credentials.set('');
      noticeError(error);
      await start();
      return;
    }
    noticeError(error, () => void start());
    return;
  }
  if (state.me) header.show(state.me);
  shareButton.hidden = fileButton.hidden = !state.me || state.me.anonymous;
  void emergencies.look();
  live.begin();
  await prepareImages();
  if (!view) openMap();
}

let reloads = 0;

/** The server was still preparing what was asked for; a few tries, further and further apart. */
function reloadLater(): void {
  if (reloads >= 4 || document.body.hasAttribute('data-reloading')) return;
  document.body.setAttribute('data-reloading', '');
  reloads += 1;
  setTimeout(() => {
    document.body.removeAttribute('data-reloading');
    view?.reload();
  }, 1500 * reloads);
}

function openMap(): void {
  try {
    view = new MapView(state, mapBox, NARROW.matches);
  } catch {
    notice(t('errorWebGL'), 'error');
    return;
  }
  view.without = (collection, layer) => narrowed(collection, liveLayers.without(collection, layer), state);
  view.overlay = () => {
    const [live, drawn, taken] = [liveLayers.overlay(), area.overlay(), extracting?.overlay()];
    return {
      sources: { ...live.sources, ...drawn.sources, ...taken?.sources },
      layers: [...narrowedAll(live.layers, state), ...drawn.layers, ...(taken?.layers ?? [])],
    };
  };
  const { map } = view;
  panel.setZoom(map.getZoom());
  map.on('zoomend', () => panel.setZoom(map.getZoom()));
  watchScenarios(map, state);
  map.on('click', (event) => {
    if (area.drawing.tap(event)) return;
    const picked = pickAt(map, event.point, state);
    if (picked.length) {
      if (NARROW.matches) sheet.set('peek');
      card.open(picked);
    } else {
      card.close();
    }
  });
  map.on('mousemove', (event) => {
    map.getCanvas().style.cursor = pickAt(map, event.point, state, 1).length ? 'pointer' : '';
  });
  map.on('error', ({ error }) => {
    const status = (error as { status?: number }).status;
    if (status === 401) noticeError(new ApiError(401, '', ''));
    else if (status === 429) noticeError(new ApiError(429, '', ''));
    else if (status === 503) reloadLater();
  });
  map.once('idle', () => {
    document.body.setAttribute('data-map', 'ready');
    void keepApp();
  });
  if (printAsked) void openPrint();
  // A link pasted into the address bar of an open map is followed without a reload.
  window.addEventListener('hashchange', () => {
    const camera = state.follow(readLink());
    view?.refresh();
    if (camera) map.jumpTo({ center: [camera.lon, camera.lat], zoom: camera.zoom, bearing: camera.bearing, pitch: camera.pitch });
  });
}

languageChanged.on(() => {
  words();
  view?.refresh();
});
/** Another key, or an emergency, shows other data. */
function loadAnew(): void {
  forgetSchemas();
  card.close();
  liveLayers.forget();
  live.begin();
  state.load().then(() => view?.reload(), (error: unknown) => noticeError(error));
}

keyChanged.on((me) => {
  header.show(me);
  shareButton.hidden = fileButton.hidden = me.anonymous;
  emergencies.again();
  loadAnew();
});
emergencies.changed.on(loadAnew);
state.catalogueChanged.on(() => {
  for (const entry of state.entries) if (entry.definition.choice) void fetchSchema(entry.id).then(() => { if (entry.visible) state.entryChanged.emit(entry); });
});
words();
void start();
