/** What waits to be sent, as a list that can be changed, and the two sides where somebody else was first. */

import { openConflict, open, shown } from '../desk/dialogs';
import { openForm } from '../desk/form';
import type { Desk } from '../desk/desk';
import { STANDS } from '../desk/list';
import type { Editable } from '../desk/talk';
import { connection, connectionChanged } from '../shared/connection';
import { fill, h, type Child } from '../shared/dom';
import { clock, moment, t, titled } from '../shared/i18n';
import { notice } from '../shared/notice';
import { keepList, keeping, keepingChanged } from './area';
import { canKeep } from './app';
import { areaKept } from './marks';
import type { Waiting } from './outbox';
import { amend, outbox } from './writes';

const KEEP_MS = 1000;
const LEFT_OUT = new Set(['status_updated_at', 'area_codes', 'segment_ids', 'photo']);

/** Opens the list; `keep` keeps the map of the area anew. */
export function openWaiting(desk: Desk, keep: () => void): void {
  const list = h('ol', { class: 'history waiting-list' });
  const lead = h('p', { class: 'muted', id: 'waiting-lead' });
  const said = h('p', { role: 'status', id: 'waiting-said' });
  const foot = h('div', {});
  const render = () => {
    fill(lead, leadOf());
    fill(list, ...outbox.rows.map((row) => entry(desk, row)));
    fill(foot, ...kept(keep, () => void sendNow(said)));
  };
  const dialog = open(t('waitingTitle'), lead, said, list, foot);
  const ends = [outbox.changed.on(render), keepingChanged.on(render), connectionChanged.on(() => { said.textContent = ''; render(); })];
  dialog.addEventListener('close', () => { for (const end of ends) end(); });
  render();
}

const toSend = (): number => outbox.rows.filter(({ stand }) => stand === 'waiting' || stand === 'sending').length;

/** What becomes of what is listed: sent when there is a network, at once where there is one, or decided first. */
function leadOf(): string {
  const waits = toSend();
  if (!outbox.rows.length) return t('waitingNone');
  if (!waits) return t('waitingDecide');
  return t(connection.live ? 'waitingOnline' : 'waitingLead');
}

/** Sends what waits, and says what came of it. */
async function sendNow(said: HTMLElement): Promise<void> {
  const before = outbox.rows.length;
  said.textContent = t('waitingSending');
  await outbox.send();
  const [left, waits] = [outbox.rows.length, toSend()];
  const asks = left - waits;
  said.textContent = [
    before > left && t('waitingWent', { n: before - left }),
    waits > 0 && t(outbox.shutOut ? 'waitingLogin' : connection.live ? 'waitingBusy' : 'waitingNoLine', { n: waits }),
    asks > 0 && t('waitingAsks', { n: asks }),
  ].filter(Boolean).join(' ');
}

function kept(keep: () => void, sends: () => void): Child[] {
  const keeps = canKeep && outbox.owner.startsWith('person:');
  const at = keeps ? areaKept(outbox.owner) : null;
  const words = keeping.busy ? t('keepBusy', { done: keeping.done, all: keeping.all }) : at ? t('keepReady', { at: moment(at, 'short') }) : '';
  return [keeps && h('p', { class: 'muted', id: 'area-kept' }, words),
    h('div', { class: 'dialog-actions' },
      keeps && h('button', { type: 'button', class: 'button-plain', id: 'keep-area', disabled: keeping.busy, onclick: keep }, t('keepNow')),
      toSend() > 0 && h('button', { type: 'button', class: 'button-main', id: 'send-now', onclick: sends }, t('waitingSend')))];
}

function entry(desk: Desk, row: Waiting): HTMLElement {
  const about = desk.collections.find(({ id }) => id === row.collection);
  const kind = row.kind === 'create' ? t('waitingCreate') : row.kind === 'withdraw' ? t('waitingWithdraw') : '';
  const values = Object.entries(row.said.properties).filter(([name]) => !LEFT_OUT.has(name)).map(([name, value]) =>
    `${about?.properties[name] ? titled(about.properties[name], name) : name}: ${shown(value, about?.properties[name])}`);
  return h('li', { class: `waiting-${row.stand}`, 'data-stand': row.stand },
    h('p', {}, h('strong', {}, row.name), ' ', h('span', { class: 'muted' }, [about ? titled(about) : row.collection, kind, clock(row.at)].filter(Boolean).join(' · '))),
    values.length > 0 && h('p', {}, values.join('、'), row.photo && ` (${t('waitingPhoto')})`),
    h('p', { class: row.stand === 'refused' ? 'field-error' : 'muted' }, t(STANDS[row.stand]), row.problem && `: ${row.problem}`),
    row.stand !== 'sending' && h('div', { class: 'desk-row-tools' },
      about && row.kind !== 'withdraw' && row.stand !== 'conflict' && h('button', { type: 'button', class: 'button-link', onclick: () => edit(desk, about, row) }, t('waitingEdit')),
      about && row.stand === 'conflict' && h('button', { type: 'button', class: 'button-link', onclick: () => void settle(about, row) }, t('waitingCompare')),
      h('button', { type: 'button', class: 'button-link danger', onclick: () => {
        if (confirm(t('waitingRemoveSure', { name: row.name }))) void outbox.remove(row).then((gone) => { if (!gone) notice(t('waitingUnderWay'), 'warn'); });
      } }, t('waitingRemove'))));
}

/** All fields of an edit that waits, over those of what it changes. */
function edit(desk: Desk, about: Editable, row: Waiting): void {
  const before = about === desk.about ? desk.items.find(({ id }) => id === row.id)?.properties ?? {} : {};
  const { reason = '', source = '' } = row.said.edit ?? {};
  openForm(about, row.name, { ...before, ...row.said.properties }, {
    typed: { properties: {}, reason, source },
    done: async ({ properties, ...words }) => {
      await amend(about, row.seq, 'change', { properties, edit: words }, row.name);
      return true;
    },
  });
}

/** Asks whose values are to stay. Who leaves the question finds it again in the list. */
async function settle(about: Editable, row: Waiting): Promise<void> {
  if (!row.stale) return;
  const choice = await openConflict(about, row.name, row.stale);
  if (choice === 'yours') await outbox.insist(row, row.stale.version);
  if (choice === 'theirs') await outbox.remove(row);
}

/** Asks about each conflict once, one after the other, while somebody looks; says what was sent. */
export function watchWaiting(desk: Desk): void {
  const asked = new Set<number>();
  const told = new Map<number, HTMLElement>();
  let asking = false;
  const look = async () => {
    if (asking || document.hidden || desk.gate !== 'open') return;
    const row = outbox.rows.find(({ stand, seq }) => stand === 'conflict' && !asked.has(seq));
    const about = desk.collections.find(({ id }) => id === row?.collection);
    if (!row || !about) return;
    const ask = async () => {
      const now = outbox.rows.find(({ stand, seq }) => stand === 'conflict' && seq === row.seq);
      if (asking || !now) return;
      told.get(row.seq)?.remove();
      asked.add(row.seq);
      asking = true;
      await settle(about, now).finally(() => { asking = false; });
      await desk.refresh();
      void look();
    };
    if (!document.querySelector('dialog[open]')) await ask();
    else if (!told.has(row.seq)) {
      // Nobody is taken away from what they are typing: it is asked beside it, or when that is closed.
      told.set(row.seq, notice(`${t('deskConflict')}: ${row.name}`, 'warn', { word: 'waitingCompare', act: () => void ask() }));
    }
  };
  document.addEventListener('close', () => setTimeout(() => void look(), 0), true);
  outbox.changed.on(() => { desk.changed.emit(); void look(); });
  desk.opened.on(() => void look());
  connectionChanged.on(() => { if (connection.live && desk.gate === 'open') void desk.refresh(); });
  let later = 0;
  let fresh = 0;
  desk.changed.on(() => {
    clearTimeout(later);
    const { about } = desk;
    if (about && desk.items.length) later = window.setTimeout(() => { if (about === desk.about) void keepList(about.id, desk.items); }, KEEP_MS);
  });
  outbox.sent.on(({ row }) => {
    notice(t('waitingSent', { name: row.name }));
    clearTimeout(fresh);
    if (row.collection === desk.about?.id) fresh = window.setTimeout(() => void desk.refresh(), 100);
  });
}
