/** One's own account: who is logged in and where; for administrators people and keys of the organisation. */

import { layOut } from '../shared/page';
import '../contribute/contribute.css';
import './account.css';
import { api, ApiError, credentials, get, send, type Me, type Settings } from '../shared/api';
import { fill, h, icon, ICONS } from '../shared/dom';
import { Header, keyChanged, organisationOf } from '../shared/header';
import { bilingual, language, languageChanged, moment, t } from '../shared/i18n';
import { notice, noticeError } from '../shared/notice';
import { forgetAll } from '../offline/app';
import { OfflineBar } from '../offline/bar';
import { outbox } from '../offline/writes';
import { EmergenciesPanel } from './emergencies';
import { KeysPanel } from './keys';
import { PeoplePanel, roleWords } from './people';

interface Session { id: string; current: boolean; created: string; last_used: string; expires: string }
interface Access { id: string; by: string; reason: string; from: string; until: string }

const header = new Header(null, 'account');
const stage = h('main', { class: 'page page-account' });
layOut(header, stage, undefined, new OfflineBar(null).element);

let me: Me | null = null;
let sessions: Session[] = [];
let accesses: Access[] = [];
let settings: Settings | null = null;
let panels: { element: HTMLElement; render: () => void }[] = [];

function render(): void {
  document.title = `${t('account')} – geoshare`;
  if (!me) {
    fill(stage, h('p', { class: 'muted', role: 'status' }, t('loading')));
    return;
  }
  for (const panel of panels) panel.render();
  fill(stage, ...(me.person ? [identity(me), where(), ...panels.map((panel) => panel.element), opened()] : [stranger(me)]));
}

function stranger(known: Me): HTMLElement {
  return h('section', { class: 'panel gate' }, icon(ICONS.person, 40),
    h('h1', {}, t('account')), h('p', {}, known.anonymous ? t('accountNobody') : t('accountKey')),
    h('a', { class: 'button-main', href: '/login' }, t('loginTitle')));
}

function identity(known: Me): HTMLElement {
  const person = known.person;
  const facts: [string, string][] = [
    [t('organisation'), organisationOf(known)],
    [t('department'), bilingual(person?.department_name ?? '')],
    [t('email'), person?.email ?? ''],
    [t('roles'), roleWords(person?.roles ?? [])],
    [t('tiers'), known.tiers.map((tier) => (typeof tier === 'string' ? tier : (language() === 'ja' ? tier.title_ja : tier.title) ?? tier.id)).join(language() === 'ja' ? '、' : ', ')],
  ];
  return h('section', { class: 'panel' },
    h('div', { class: 'account-head' }, h('h1', {}, person?.name ?? ''),
      h('button', { type: 'button', id: 'log-out', class: 'button-plain', onclick: () => void logOut() }, t('logout'))),
    h('dl', { class: 'facts' }, ...facts.filter(([, value]) => value).flatMap(([name, value]) => [h('dt', {}, name), h('dd', {}, value)])),
    (person?.roles ?? []).some((role) => role.startsWith('editor')) && h('p', {}, h('a', { class: 'button-main', id: 'open-desk', href: '/desk' }, t('deskTitle'))),
    settings?.login ? h('p', {}, h('button', { type: 'button', class: 'button-link', onclick: () => void connect() },
      t('connect', { name: settings.login }))) : null);
}

async function connect(): Promise<void> {
  try {
    location.assign((await send<{ href: string }>('POST', '/me/issuer', {})).href);
  } catch (error) {
    failed(error);
  }
}

function where(): HTMLElement {
  return h('section', { class: 'panel' }, h('h2', {}, t('sessions')),
    h('ul', { class: 'rows' }, ...sessions.map((item) => h('li', {},
      h('span', { class: 'what' }, t('sessionUsed', { when: moment(item.last_used, 'short') }),
        item.current && h('span', { class: 'badge' }, t('sessionHere')),
        h('small', {}, t('sessionSince', { when: moment(item.created, 'short'), until: moment(item.expires, 'short') }))),
      !item.current && h('button', { type: 'button', class: 'button-plain', onclick: () => void end(item.id) }, t('sessionEnd'))))));
}

function opened(): HTMLElement | null {
  if (!accesses.length) return null;
  return h('section', { class: 'panel' }, h('h2', {}, t('accessTitle')),
    h('ul', { class: 'rows' }, ...accesses.map((item) => h('li', {}, h('span', { class: 'what' },
      t('accessBy', { by: item.by, reason: item.reason, from: moment(item.from, 'short'), until: moment(item.until, 'short') }))))));
}

async function end(id: string): Promise<void> {
  try {
    await send('DELETE', `/me/sessions/${encodeURIComponent(id)}`);
    await load();
  } catch (error) {
    failed(error);
  }
}

async function logOut(): Promise<void> {
  const n = outbox.rows.length;
  if (n && !confirm(t('waitingLeave', { n }))) return;
  try {
    await send('POST', '/logout');
    await forgetAll();
    credentials.set('');
    notice(t('loggedOut'));
    await load();
  } catch (error) {
    failed(error);
  }
}

/** A session that ended elsewhere: the server has let the browser forget it, so the page starts anew. */
function failed(error: unknown): void {
  if (error instanceof ApiError && error.status === 401) {
    notice(t('sessionOver'), 'error');
    void load();
  } else noticeError(error);
}

async function load(): Promise<void> {
  try {
    me = await api.me();
    settings ??= await get<Settings>('/map/settings.json');
    panels = [];
    if (me.person) {
      sessions = (await get<{ sessions: Session[] }>('/me/sessions')).sessions;
      accesses = (await get<{ access: Access[] }>('/me/access')).access;
      const operators = me.person.roles.includes('operator');
      if (me.role === 'operator' && operators) {
        const emergencies = new EmergenciesPanel(me.person.id, failed);
        await emergencies.load();
        panels.push(emergencies);
      }
      if (me.person.roles.includes('admin')) {
        const people = new PeoplePanel(me.person.id, operators, failed);
        await people.load();
        panels.push(people);
        if (me.role !== 'operator' || operators) {
          const keys = new KeysPanel(failed);
          await keys.load();
          panels.push(keys);
        }
      }
    }
    header.show(me);
    render();
  } catch (error) {
    if (error instanceof ApiError && error.status === 401 && !credentials.get()) {
      location.replace('/login');
      return;
    }
    noticeError(error, () => void load());
  }
}

languageChanged.on(render);
keyChanged.on(() => void load());
render();
void load();
