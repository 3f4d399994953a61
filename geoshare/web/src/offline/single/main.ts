/** The map in one file: put together from the parts of the map page, without anything that needs a server. */

import '../../shared/base.css';
import '../../map/map.css';
import './single.css';
import type { LayerSpecification } from 'maplibre-gl';
import type { Feature } from '../../shared/api';
import { append, fill, h, icon, ICONS } from '../../shared/dom';
import { chosen, language, languageChanged, moment, setLanguage, t } from '../../shared/i18n';
import { CHOICES, OWN_NAMES } from '../../shared/language';
import { notice, noticeHost } from '../../shared/notice';
import { Card } from '../../map/card';
import { Panel } from '../../map/panel';
import { pickAt } from '../../map/pick';
import { fetchSchema } from '../../map/schemas';
import { Search } from '../../map/search';
import { State } from '../../map/state';
import { every, type Drawn } from '../../map/layers/types';
import { MapView } from '../../map/view';
import { middle } from './api';
import { about, features } from './data';
import { List, LISTED } from './list';

const NARROW = matchMedia('(max-width: 719px)');
const state = new State();
let view: MapView | null = null;

const card = new Card(state, (picked) => view?.mark(picked), () => search.dismiss(), false);
const show = (collection: string, feature: Pick<Feature, 'id' | 'properties'>, at: [number, number] | null) => {
  if (at) view?.map.jumpTo({ center: at, zoom: Math.max(view.map.getZoom(), 15) });
  body.dataset.side = NARROW.matches ? 'closed' : 'open';
  card.open([{ collection, id: String(feature.id), properties: feature.properties ?? {} }]);
};
const search = new Search(state, (place) => show(place.collection, { id: place.id, properties: { name: place.name, name_en: place.name_en } }, place.lon_lat), () => card.close());
const list = new List((collection, feature) => show(collection, feature, middle(feature.geometry)));
const panel = new Panel(state, (entry) => {
  const box = entry.collection.extent?.spatial?.bbox?.[0];
  if (box?.length === 4) view?.map.fitBounds(box as [number, number, number, number], { padding: 40, maxZoom: 17 });
}, () => view?.refresh());

const header = h('header', { class: 'header' });
const notes = h('footer', { class: 'single-notes' });
const mapBox = h('div', { id: 'map', class: 'map' });
const picture = h('img', { class: 'single-print', alt: '' });
const side = h('aside', { class: 'single-side' });
const main = h('main', { class: 'stage' }, mapBox, picture, card.element);
const body = h('div', { class: 'single-body', 'data-side': NARROW.matches ? 'closed' : 'open' }, side, main);
append(document.getElementById('app') as HTMLElement, [header, body, noticeHost()]);
fill(side, list.element, panel.element, notes);

function words(): void {
  document.documentElement.lang = language();
  document.title = `${t('appTitle')} – ${moment(about.created)}`;
  fill(header, h('button', { type: 'button', class: 'header-button', id: 'single-toggle', 'aria-label': t('singleList'), onclick: () => {
    body.dataset.side = body.dataset.side === 'open' ? 'closed' : 'open';
    view?.map.resize();
  } }, icon(ICONS.layers)), search.element,
  h('p', { class: 'single-time' }, t('singleTime', { at: moment(about.created, 'short') })),
  h('div', { class: 'languages', role: 'group', 'aria-label': t('language') }, ...CHOICES.map((name) => h('button', {
    type: 'button', id: `language-${name}`, 'aria-pressed': String(chosen() === name), 'aria-label': OWN_NAMES[name][0], onclick: () => setLanguage(name),
  }, h('span', { class: 'wide' }, OWN_NAMES[name][0]), h('span', { class: 'narrow' }, OWN_NAMES[name][1])))));
  fill(notes, h('p', {}, t('singleMade', { at: moment(about.created) })), h('details', {}, h('summary', {}, t('singleTerms')), h('pre', {}, about.terms)));
}

/** Tiles go on beyond the area of the file: of what is listed, that alone is drawn which the list has. */
function listed(collection: string, layer: Drawn): Drawn {
  if (!LISTED.includes(collection) || !features[collection]) return layer;
  const ids = features[collection].map(({ id }) => String(id));
  const spec = layer.spec as LayerSpecification & { filter?: never };
  return { ...layer, spec: { ...spec, filter: every(['in', ['get', 'id'], ['literal', ids]] as never, spec.filter) } as LayerSpecification };
}

async function start(): Promise<void> {
  await state.load();
  try {
    view = new MapView(state, mapBox, NARROW.matches);
  } catch {
    notice(t('errorWebGL'), 'error');
    return;
  }
  view.without = listed;
  view.refresh();
  const { map } = view;
  panel.setZoom(map.getZoom());
  map.on('zoomend', () => panel.setZoom(map.getZoom()));
  map.on('click', (event) => {
    const picked = pickAt(map, event.point, state);
    if (picked.length) card.open(picked);
    else card.close();
  });
  map.once('idle', () => document.body.setAttribute('data-map', 'ready'));
  for (const entry of state.entries) if (entry.definition.choice) void fetchSchema(entry.id).then(() => state.entryChanged.emit(entry));
  // A canvas of the graphics card is empty on paper: a picture of it is printed instead.
  window.addEventListener('beforeprint', () => {
    map.redraw();
    picture.src = map.getCanvas().toDataURL('image/png');
  });
}

languageChanged.on(() => {
  words();
  view?.refresh();
});
words();
void start();
