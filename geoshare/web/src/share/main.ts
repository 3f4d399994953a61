/** The page of a shared map: what the public sees in an emergency, in one small file. */

import './share.css';
import { append, fill, h, icon, ICONS } from '../shared/dom';
import { bilingual, CHOICES, chosen, language, languageChanged, named, OWN_NAMES, setLanguage, suggestLanguage } from '../shared/language';
import { alerts, nameOf, otherLists, shelterList, sources, stateOf, type Eyes } from './lists';
import { legend } from './legend';
import { ShareMap, type Mark } from './map';
import { follow, written, type Row, type Share } from './state';
import { isOver } from '../shared/standing';
import { moment, say, show } from './words';

const app = document.getElementById('app') as HTMLElement;
const address = location.pathname.replace(/\/$/, '');
const unfolded = new Set<string>(['events']);
let share = written();
let at = new Date().toISOString();
let lost = false;
let allAlerts = false;
let map: ShareMap | null = null;

const eyes: Eyes = {
  filter: '', here: null, chosen: '',
  find: (row) => {
    eyes.chosen = row.id;
    map?.choose(row.id);
    if (row.at) map?.look(row.at);
    else if (row.box) map?.fit(row.box, 16);
    stage.scrollIntoView({ block: 'nearest', behavior: 'smooth' });
    renderLists();
    renderCard();
  },
  filterBy: (state) => {
    eyes.filter = state;
    renderLists();
    renderMarks();
  },
};

const top = h('header', { class: 'top' });
const bars = h('div', { class: 'alerts' });
const stage = h('div', { class: 'stage' });
const card = h('div', { class: 'card', role: 'status' });
const lists = h('div', { class: 'lists' });
const message = h('div', { class: 'message', role: 'status', 'aria-live': 'polite' });

function languages(): HTMLElement {
  return h('div', { class: 'languages', role: 'group', 'aria-label': say('language') }, ...CHOICES.map((name) => h('button', {
    type: 'button', id: `language-${name}`, lang: name === 'en' ? 'en' : 'ja', 'aria-pressed': String(chosen() === name), title: OWN_NAMES[name][0], onclick: () => setLanguage(name),
  }, h('span', { class: 'full' }, OWN_NAMES[name][0]), h('span', { class: 'short' }, OWN_NAMES[name][1]))));
}

function renderTop(known: Share): void {
  document.title = known.title;
  fill(top,
    h('div', { class: 'kicker' }, h('span', {}, show('by', { by: bilingual(known.by) })), languages()),
    h('h1', {}, known.title),
    known.note && h('p', { class: 'note' }, known.note),
    h('p', { class: 'times' }, h('span', { class: lost ? 'lost' : 'live' }, show(lost ? 'stale' : 'asOf', { at: moment(at) })),
      h('span', {}, show('until', { at: moment(known.until) }))));
}

function renderMarks(): void {
  const known = share as Share;
  const rank: Record<string, number> = { open: 9, full: 8, preparing: 7, not_open: 5, closed: 4, unknown: 3 };
  const marks: Mark[] = [];
  const put = (row: Row, kind: string, order: number, faint = false) => {
    if (row.at) marks.push({ id: row.id, kind, at: row.at, name: named(row), rank: order, faint });
  };
  const taken = new Set((known.lists.shelters?.features ?? []).map((row) => String(row.at)));
  for (const row of known.lists.evacuation_sites?.features ?? []) if (!taken.has(String(row.at))) put(row, 'site', 1);
  for (const row of known.lists.water_points?.features ?? []) if (!isOver('water_points', row)) put(row, 'water', 2);
  for (const row of known.lists.shelters?.features ?? []) put(row, `shelter|${stateOf(row)}`, rank[stateOf(row)] ?? 3, !!eyes.filter && stateOf(row) !== eyes.filter);
  map?.setMarks(marks);
}

function everyRow(): Row[] {
  return Object.values(share?.lists ?? {}).flatMap((told) => told.features);
}

/** What was touched on the map, said on the map. */
function renderCard(): void {
  const row = everyRow().find((item) => item.id === eyes.chosen && item.at);
  card.hidden = !row;
  if (!row) return;
  const listed = lists.querySelector(`#row-${CSS.escape(row.id)} .row-main`);
  fill(card, h('div', {}, ...(listed ? [...listed.childNodes].map((node) => node.cloneNode(true)) : [nameOf(row)])),
    h('button', { type: 'button', class: 'round', 'aria-label': '×', onclick: () => { eyes.chosen = ''; map?.choose(''); renderCard(); renderLists(); } }, icon(ICONS.close)));
}

function renderLists(): void {
  const known = share as Share;
  fill(bars, ...folded(alerts(known, eyes)));
  fill(lists, shelterList(known, eyes), ...otherLists(known, eyes, unfolded), legend(known), sendOn(known), sources(known),
    h('p', { class: 'quiet foot' }, show('made', { at: moment(known.made) }), ' · ', show('until', { at: moment(known.until) })));
}

/** On a phone the gravest alone, and how many there are besides; the rest where it is asked for. */
function folded(all: HTMLElement[]): HTMLElement[] {
  const [first, ...rest] = all;
  if (!first || !rest.length) return all;
  const more = h('button', {
    type: 'button', id: 'alerts-more', class: 'alert more', 'aria-expanded': String(allAlerts), 'aria-controls': 'alerts-rest',
    onclick: () => { allAlerts = !allAlerts; renderLists(); },
  }, h('strong', {}, allAlerts ? show('fewerAlerts') : show('moreAlerts', { n: rest.length })), icon(ICONS.down));
  return [first, more, h('div', { id: 'alerts-rest', class: allAlerts ? 'alerts-rest open' : 'alerts-rest' }, ...rest)];
}

function sendOn(known: Share): HTMLElement {
  const link = location.origin + address;
  const text = encodeURIComponent(`${known.title}\n${link}`);
  return h('section', { class: 'list send' }, h('h2', {}, show('send')), h('div', { class: 'buttons' },
    h('a', { id: 'line', class: 'button line', href: `https://line.me/R/share?text=${text}`, target: '_blank', rel: 'noopener noreferrer' }, show('line')),
    typeof navigator.share === 'function' && h('button', {
      type: 'button', class: 'button', id: 'native-share', onclick: () => void navigator.share({ title: known.title, url: link }).catch(() => undefined),
    }, show('share')),
    h('button', { type: 'button', class: 'button', id: 'copy', onclick: (event: Event) => void copy(link, event.currentTarget as HTMLElement) }, show('copy'))),
  h('details', { class: 'code' }, h('summary', {}, show('code')), h('img', { src: `${address}/code.svg`, alt: say('code'), width: '220', height: '220', loading: 'lazy' })));
}

async function copy(link: string, button: HTMLElement): Promise<void> {
  try {
    await navigator.clipboard.writeText(link);
    fill(button, show('copied'));
    setTimeout(() => fill(button, show('copy')), 2500);
  } catch {
    window.prompt(say('copy'), link);
  }
}

function renderTools(): void {
  const tool = (id: string, label: 'larger' | 'smaller' | 'whole' | 'locate', content: Node | string, act: () => void) =>
    h('button', { type: 'button', id, class: 'tool', 'aria-label': say(label), title: say(label), onclick: act }, content);
  const tools = h('div', { class: 'tools' },
    tool('larger', 'larger', '＋', () => map?.zoomBy(1)), tool('smaller', 'smaller', '－', () => map?.zoomBy(-1)),
    tool('whole', 'whole', icon(ICONS.map), () => map?.fit((share as Share).box)),
    'geolocation' in navigator && tool('locate', 'locate', icon(ICONS.target), locate));
  map?.element.setAttribute('aria-label', say('mapKeys'));
  fill(stage, map?.element, tools, card);
}

function locate(): void {
  navigator.geolocation.getCurrentPosition(({ coords }) => {
    eyes.here = [coords.longitude, coords.latitude];
    map?.setHere(eyes.here);
    map?.look(eyes.here, 14.5);
    renderLists();
  }, () => tell(say('locateFailed')), { enableHighAccuracy: true, timeout: 15_000 });
}

function tell(text: string): void {
  message.textContent = text;
  setTimeout(() => { message.textContent = ''; }, 5000);
}

function gone(): void {
  share = null;
  map = null;
  document.title = say('gone');
  fill(app, h('main', { class: 'gone' }, languages(), h('h1', {}, show('gone')), h('p', {}, show('goneWhy'))));
  document.body.setAttribute('data-share', 'gone');
}

function render(): void {
  document.documentElement.lang = language();
  if (!share) {
    gone();
    return;
  }
  drawn = version(share);
  renderTop(share);
  renderTools();
  renderLists();
  renderMarks();
  renderCard();
}

/** What the map shows: it is another where the data are, and where something has passed its end since. */
function version(known: Share): string {
  const over = Object.entries(known.lists).flatMap(([name, told]) => told.features.filter((row) => isOver(name, row)).map(({ id }) => id));
  return [known.drawn, ...over].join(' ');
}

let drawn = '';

/** Nothing new has come; yet time has passed. */
function passed(known: Share): void {
  if (drawn === version(known)) renderTop(known);
  else render();
  map?.setVersion(version(known));
}

function start(): void {
  if (share) {
    suggestLanguage(share.language);
    const first = share;
    map = new ShareMap(address, first.zooms, first.bounds, first.drills);
    map.onReady = () => {
      document.body.setAttribute('data-share', 'ready');
      performance.mark('first-map');
    };
    map.onPick = (id) => {
      eyes.chosen = id;
      map?.choose(id);
      renderLists();
      renderCard();
    };
    append(app, [h('div', { class: 'head' }, top, bars), h('main', { class: 'main' }, stage, lists), message]);
    render();
    map.fit(first.box);
    map.setVersion(version(first));
    follow(address, {
      news: (next) => { share = next; at = new Date().toISOString(); lost = false; map?.setVersion(version(next)); render(); },
      same: () => { at = new Date().toISOString(); lost = false; if (share) passed(share); },
      lost: () => { lost = true; if (share) renderTop(share); },
      gone,
    });
  } else render();
  languageChanged.on(render);
}

start();
