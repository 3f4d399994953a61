/** The desk: what is so now, in a list and on the map, kept by the municipality's own people. */

import { layOut } from '../shared/page';
import '../map/map.css';
import './desk.css';
import { api, ApiError, credentials } from '../shared/api';
import { fill, h, icon, ICONS } from '../shared/dom';
import { Header, keyChanged } from '../shared/header';
import { languageChanged, moment, t, titled } from '../shared/i18n';
import { housesNotices, notice, noticeError } from '../shared/notice';
import { noteClock } from '../shared/standing';
import { municipalities } from '../map/deciding/places';
import { prepareImages } from '../map/images';
import { keepApp } from '../offline/app';
import { keepArea } from '../offline/area';
import { OfflineBar } from '../offline/bar';
import { openWaiting, watchWaiting } from '../offline/waiting';
import { sendPhoto } from '../offline/writes';
import { Board, NARROW } from './board';
import { Desk } from './desk';
import { openCard, openHistory } from './dialogs';
import { openFollow } from './follow';
import { openForm, type Filled, type Photo } from './form';
import { waysOf, type Marked } from './draw';
import { nameOf, type Acts } from './list';
import { Panel } from './panel';
import { say } from './say';
import { sure } from './sure';
import { talk, type Editable, type Item, type Said } from './talk';
import { WarningsPane } from './warnings';

const desk = new Desk();
const header = new Header(null, 'desk');
const board = new Board(desk, (id) => {
  if (desk.pane) desk.chosen = id;
  else desk.mark(id);
  board.refresh();
  show('list');
  document.getElementById(desk.pane ? `warning-${id}` : `row-${id}`)?.scrollIntoView({ block: 'center' });
});

const failed = (error: unknown): void => { notice(say(error), 'error'); };
const acts: Acts = {
  set: (item, properties) => setState(item, properties).catch((error: unknown) => { failed(error); return false; }),
  details: (item) => editAll(desk.about as Editable, item, {}),
  history: (item) => void openHistory(desk.about as Editable, item.id, desk.name(item)).catch((error: unknown) => noticeError(error)),
  withdraw: (item) => { if (confirm(t('deskWithdrawSure', { name: desk.name(item) }))) void desk.withdraw(item); },
  look: (item) => openCard(desk.about as Editable, item, desk.name(item), () => acts.find(item)),
  find: (item) => {
    desk.chosen = item.id;
    board.find(item.geometry);
    desk.changed.emit();
    if (NARROW.matches) show('map');
  },
};

/** False where it can be set again with what was typed; who leaves a conflict open sees what others have set. */
async function setState(item: Item, properties: Record<string, unknown>): Promise<boolean> {
  const about = desk.about as Editable;
  if (!await sure(about, item.properties, properties)) return false;
  if (!await desk.save(item, { properties }, about)) notice(t('deskNotSaved', { name: nameOf(about, item) }), 'warn');
  return true;
}

const warnings = new WarningsPane(board.state, () => areasEdited(), {
  find: (geometry, id) => {
    desk.chosen = id;
    board.find(geometry);
    board.refresh();
    if (NARROW.matches) show('map');
  },
  follow: (warning) => {
    const about = areasEdited();
    if (about) void openFollow(about, warning, published).catch(failed);
  },
  look: () => {
    show('list');
    void desk.look(warnings);
  },
  changed: () => board.refresh(),
});

function areasEdited(): Editable | undefined {
  return desk.collections.find(({ id }) => id === 'evacuation_areas');
}

/** What was made of a warning is shown in its list. */
function published(edit: string | null, name: string): void {
  const areas = areasEdited();
  desk.saved(edit, name, 'followDone');
  if (areas) void desk.choose(areas);
}

const panel = new Panel(desk, acts, add, () => header.openKeyDialog());
const switcher = h('div', { class: 'desk-switch' });
const body = h('main', { class: 'desk', 'data-pane': 'list' }, panel.element, board.element, switcher);
const bar = new OfflineBar(() => openWaiting(desk, () => void keepArea(board.state, desk.collections, true)));
layOut(header, body, undefined, bar.element);
housesNotices(body);
watchWaiting(desk);

/** A phone has room for one of list and map. */
function show(pane: 'list' | 'map'): void {
  body.dataset.pane = pane;
  renderSwitch();
  board.resize();
}

function renderSwitch(): void {
  fill(switcher, ...(['list', 'map'] as const).map((name) => h('button', {
    type: 'button', id: `pane-${name}`, 'aria-pressed': String(body.dataset.pane === name), onclick: () => show(name),
  }, icon(name === 'list' ? ICONS.layers : ICONS.map), t(name === 'list' ? 'deskList' : 'deskMap'))));
}

function words(): void {
  document.title = `${t('deskTitle')} – geoshare`;
  renderSwitch();
}

/** All fields of a feature; `more` holds a photo that was taken. What was typed and not saved can be gone on with. */
function editAll(edited: Editable, item: Item, more: Record<string, unknown>, typed?: Filled): void {
  const name = nameOf(edited, item);
  const now = item.properties.photo ? talk.photoOf(edited.id, item.id) : null;
  openForm(edited, name, item.properties, {
    photo: photoInto(edited, more, now), typed,
    done: async ({ properties, reason, source }) => await sure(edited, item.properties, properties)
      && await desk.save(item, { properties: { ...properties, ...more }, edit: { reason, source } }, edited),
    left: (filled) => {
      if (!isTyped(filled) && !Object.keys(more).length) return;
      notice(t('formLeft', { name }), 'warn', { word: 'formBack', act: () => editAll(edited, item, more, filled) });
    },
  });
}

const isTyped = ({ properties, reason, source }: Filled): boolean => Object.keys(properties).length > 0 || reason !== '' || source !== '';

function add(): void {
  const edited = desk.about as Editable;
  const known = new Set(board.state.entries.map((entry) => entry.id));
  show('map');
  const draft: Draft = { more: {} };
  board.drawing.begin(edited, waysOf(edited, known), (marked) => fillIn(edited, marked, draft), () => show('list'));
}

/** A photo that is sent at once, or with what is said next; null where nothing has a photo. */
function photoInto(edited: Editable, said: Record<string, unknown>, now: Promise<string> | null): Photo | null {
  if (!edited.properties.photo) return null;
  return { now, take: async (file) => { said.photo = await sendPhoto(file) ?? file; } };
}

/** What is mostly meant by something new: in the form, and in the list while it waits to be sent. */
const USUAL: Record<string, Record<string, string>> = {
  events: { kind: 'closure', regulation_category: 'closedWeather', status: 'active' },
  evacuation_areas: { status: 'active' },
  water_points: { status: 'open' },
  damage_reports: { status: 'reported' },
};

/** What was typed about a place that was marked, and a photo of it. */
interface Draft { more: Record<string, unknown>; typed?: Filled }

/** Asks about a place that was marked. Who leaves that, or is refused, finds the drawing and what was typed again. */
function fillIn(edited: Editable, marked: Marked, draft: Draft): void {
  const name = crypto.randomUUID();
  const first = { ...USUAL[edited.id], ...(marked.name && edited.properties.name ? { name: marked.name } : {}) };
  openForm(edited, `${titled(edited)}: ${t('deskAdd')}`, first, {
    fresh: true, photo: photoInto(edited, draft.more, null), typed: draft.typed,
    done: async ({ properties, reason, source }) => {
      const all = { ...first, ...marked.properties, ...draft.more, ...properties };
      const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null));
      if (!await sure(edited, {}, given)) return false;
      const said: Said = { properties: given, name, edit: { reason, source }, ...(marked.geometry ? { geometry: marked.geometry } : {}) };
      await desk.create(edited, said, String(given.name ?? titled(edited)));
      show('list');
      document.getElementById(`row-${desk.chosen}`)?.scrollIntoView({ block: 'center' });
      return true;
    },
    left: (filled) => {
      draft.typed = filled;
      board.drawing.resume();
      notice(t('formDrawn'));
    },
  });
}

async function start(): Promise<void> {
  try {
    const me = await api.me();
    header.show(me);
    await desk.begin(me.anonymous);
  } catch (error) {
    if (error instanceof ApiError && error.status === 401 && credentials.get()) {
      credentials.set('');
      noticeError(error);
      await start();
      return;
    }
    desk.gate = error instanceof ApiError && error.status === 403 ? 'empty' : 'closed';
    if (desk.gate === 'closed') noticeError(error, () => void start());
  }
  panel.render();
  if (desk.gate !== 'open') return;
  await board.state.load();
  await prepareImages();
  void checkClock();
  desk.panes = board.state.entry('warnings') ? [warnings] : [];
  board.open();
  await Promise.all([municipalities(), desk.choose(desk.collections[0] as Editable)]);
  desk.changed.emit();
  await keepApp();
  if (desk.panes.length) await warnings.refresh();
  void keepArea(board.state, desk.collections, false);
}

const CLOCK_MS = 5 * 60_000;
const ENDS_MS = 20_000;

// What reaches its end while somebody looks is shown as over, without anything being told.
setInterval(() => { if (desk.about?.properties.valid_to && !document.hidden) desk.changed.emit(); }, ENDS_MS);

/** A clock that is off confuses whoever enters a time by it; what is recorded is the server's. */
async function checkClock(): Promise<void> {
  const asked = Date.now();
  const answer = await fetch('/healthz').catch(() => null);
  const there = Date.parse(answer?.headers.get('Date') ?? '');
  const off = (asked + Date.now()) / 2 - there;
  if (Number.isFinite(off)) noteClock(off);
  if (Math.abs(off) > CLOCK_MS) notice(t('deskClock', { n: Math.round(Math.abs(off) / 60_000), at: moment(new Date().toISOString(), 'short') }), 'error');
}

languageChanged.on(() => { words(); desk.opened.emit(); });
keyChanged.on(() => void start());
words();
void start();
