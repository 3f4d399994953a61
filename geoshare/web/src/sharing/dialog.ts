/** The dialog that makes a link to a map for the public, and lists and ends those there are. */

import './sharing.css';
import { api, ApiError } from '../shared/api';
import { fill, h, icon, ICONS } from '../shared/dom';
import { bilingual, chosen, language, moment, t, titled, type Choice } from '../shared/i18n';
import { CHOICES, OWN_NAMES } from '../shared/language';
import { explain, notice } from '../shared/notice';
import { shares, type Box, type Share } from './talk';

const MOST_DEGREES = 3.998;
const USUAL_HOURS = 24;
const HOURS = [6, 12, 24];
const DAYS = [3, 7, 30, 90];
const USUAL = ['shelters', 'events', 'evacuation_areas', 'warnings'];
const QR_PX = 180;

/** What a page knows: the part of the map it shows, and the layers that are on. */
export interface Seen { box: Box | null; layers: string[] }

export async function openSharing(seen: Seen): Promise<void> {
  let known: { shares: Share[]; layers: string[] };
  try {
    known = await shares.listed();
  } catch (error) {
    notice(error instanceof ApiError && [401, 403].includes(error.status) ? t('shareDenied') : explain(error), 'error');
    return;
  }
  const body = h('div', { class: 'sharing' });
  const dialog = h('dialog', { class: 'dialog sharing-dialog', 'aria-labelledby': 'sharing-title', onclose: () => dialog.remove() },
    h('div', { class: 'dialog-head' }, h('h2', { id: 'sharing-title' }, t('shareTitle')),
      h('button', { type: 'button', class: 'button-icon', 'aria-label': t('close'), onclick: () => dialog.close() }, icon(ICONS.close))), body);
  document.body.append(dialog);
  dialog.showModal();
  const collections = await api.collections().catch(() => []);
  const names = new Map(collections.map((item) => [item.id, titled(item, item.id)]));
  const extent = (collections.find((item) => item.id === 'shelters')?.extent?.spatial?.bbox?.[0] ?? null) as Box | null;
  const all = extent && fits(extent) ? extent : null;
  const list = h('ul', { class: 'shares' });
  fill(body, form(seen, all, known.layers, names, (made) => {
    fill(body, ready(made));
    dialog.scrollTop = 0;
  }), h('h3', {}, t('shareList')), list);
  renderList(list, known.shares);
  body.querySelector<HTMLInputElement>('#share-name')?.select();
}

function form(seen: Seen, all: Box | null, layers: string[], names: Map<string, string>, done: (made: Share) => void): HTMLElement {
  const title = h('input', { id: 'share-name', type: 'text', maxlength: '80', required: true, value: t('shareNameUsual') });
  const note = h('input', { id: 'share-note', type: 'text', maxlength: '400' });
  const on = layers.filter((name) => USUAL.includes(name) || seen.layers.includes(name));
  const boxes = layers.map((name) => h('input', { type: 'checkbox', id: `share-${name}`, value: name, checked: on.includes(name) }));
  const drills = h('input', { type: 'checkbox', id: 'share-drills' });
  const until = h('select', { id: 'share-until' },
    ...HOURS.map((n) => h('option', { value: String(n), selected: n === USUAL_HOURS }, t('shareHours', { n }))),
    ...DAYS.map((n) => h('option', { value: String(n * 24) }, t('shareDays', { n }))));
  const reader = h('select', { id: 'share-language' },
    ...CHOICES.map((name) => h('option', { value: name, selected: name === chosen() }, OWN_NAMES[name][0])));
  const where = h('select', { id: 'share-where' },
    seen.box && h('option', { value: 'here' }, t('shareHere')), all && h('option', { value: 'all' }, t('shareAll')));
  const error = h('p', { class: 'field-error', role: 'alert', id: 'share-error' });
  const make = h('button', { type: 'submit', class: 'button-main', id: 'share-make' }, t('shareMake'));
  const submit = async () => {
    make.disabled = true;
    error.textContent = '';
    const box = where.value === 'all' ? all : seen.box;
    try {
      if (!box) throw new Error(t('shareNoPlace'));
      if (!fits(box)) throw new Error(t('shareTooWide'));
      const bbox = wide(box);
      done(await shares.make({
        title: title.value.trim(), note: note.value.trim(), language: reader.value as Choice, bbox, hours: Number(until.value),
        layers: boxes.filter((box) => box.checked).map((box) => box.value), drills: drills.checked,
      }));
    } catch (problem) {
      error.textContent = explain(problem);
    } finally {
      make.disabled = false;
    }
  };
  return h('form', { novalidate: true, onsubmit: (event: Event) => { event.preventDefault(); void submit(); } },
    h('p', { class: 'muted' }, t('shareLead')),
    h('label', { for: 'share-name' }, t('shareName')), title,
    h('label', { for: 'share-note' }, t('shareNote')), note,
    h('fieldset', {}, h('legend', {}, t('shareLayers')), ...boxes.map((box) => h('label', { for: box.id }, box, h('span', {}, names.get(box.value) ?? box.value))),
      h('label', { for: 'share-drills' }, drills, h('span', {}, t('shareDrills')))),
    h('div', { class: 'pair' },
      h('div', {}, h('label', { for: 'share-until' }, t('shareUntil')), until),
      h('div', {}, h('label', { for: 'share-language' }, t('shareLanguage')), reader)),
    h('label', { for: 'share-where' }, t('shareWhere')), where,
    error, h('div', { class: 'dialog-actions' }, make));
}

/** The link that was made, in all the ways it leaves this screen. */
function ready(made: Share): HTMLElement {
  const path = new URL(made.href).pathname;
  const text = encodeURIComponent(`${made.title}\n${made.href}`);
  const link = h('input', { id: 'share-link', type: 'text', readonly: true, value: made.href, 'aria-label': t('shareMade') });
  const copy = async () => {
    link.select();
    await navigator.clipboard?.writeText(made.href).then(() => notice(t('copied')), () => undefined);
  };
  return h('div', { class: 'share-ready' },
    h('p', { class: 'good', role: 'status' }, icon(ICONS.check), t('shareMade')),
    ownMachine(made.href) && h('p', { class: 'share-own', id: 'share-own', role: 'note' }, icon(ICONS.warn), h('span', {}, t('shareOwn'))),
    h('div', { class: 'share-link' }, link, h('button', { type: 'button', class: 'button-main', id: 'share-copy', onclick: () => void copy() }, t('copy'))),
    h('div', { class: 'share-ways' },
      h('a', { class: 'button-main line', id: 'share-line', href: `https://line.me/R/share?text=${text}`, target: '_blank', rel: 'noopener noreferrer' }, t('shareLine')),
      typeof navigator.share === 'function' && h('button', {
        type: 'button', class: 'button-plain', onclick: () => void navigator.share({ title: made.title, url: made.href }).catch(() => undefined),
      }, t('shareMap')),
      h('a', { class: 'button-plain', id: 'share-open', href: made.href, target: '_blank', rel: 'noopener' }, t('shareOpen'))),
    h('img', { class: 'share-code', src: `${path}/code.svg`, alt: t('shareCode'), width: String(QR_PX), height: String(QR_PX) }),
    h('p', { class: 'muted' }, t('shareBy', { at: moment(made.made, 'short'), who: maker(made), until: moment(made.until, 'short') })));
}

/** Whether an address leads to the machine alone that asks: nobody else's phone opens it. */
function ownMachine(address: string): boolean {
  const { hostname } = new URL(address);
  return hostname === 'localhost' || hostname.endsWith('.localhost') || hostname === '[::1]' || /^127\./.test(hostname) || hostname === '0.0.0.0';
}

const maker = (share: Share): string => (share.made_by.person === undefined ? t('shareKey') : bilingual(share.made_by.person) || '—');

function renderList(list: HTMLElement, all: Share[]): void {
  const now = all.filter((share) => share.state === 'shown');
  fill(list, ...now.map((share) => h('li', { id: `share-row-${share.id}` },
    h('div', {}, h('a', { href: share.href, target: '_blank', rel: 'noopener' }, share.title),
      h('p', { class: 'muted' }, t('shareBy', { at: moment(share.made, 'short'), who: maker(share), until: moment(share.until, 'short') }))),
    h('button', {
      type: 'button', class: 'button-plain', onclick: () => {
        if (!confirm(t('shareEndSure', { title: share.title }))) return;
        shares.revoke(share.id).then(async () => {
          notice(t('shareEnded'));
          renderList(list, (await shares.listed()).shares);
        }, (error: unknown) => notice(explain(error), 'error'));
      },
    }, t('shareEnd')))), !now.length && h('li', { class: 'muted' }, t('shareNone')));
  list.lang = language();
}

/** Whether a box is no larger than may be shared: what is larger is not cut, or it would show another place. */
function fits([west, south, east, north]: Box): boolean {
  return east - west <= MOST_DEGREES && north - south <= MOST_DEGREES;
}

/** A box that is wide and high enough to be shared. */
function wide([west, south, east, north]: Box): Box {
  const side = (low: number, high: number): [number, number] => {
    const half = Math.max(0.002, (high - low) / 2);
    return [(low + high) / 2 - half, (low + high) / 2 + half];
  };
  const [[w, e], [s, n]] = [side(west, east), side(south, north)];
  return [w, s, e, n].map((value) => Math.round(value * 1e6) / 1e6) as Box;
}
