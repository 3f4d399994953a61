/** The page that lets people in: an invite is shown first, and used by a press of the button alone. */

import { layOut } from '../shared/page';
import '../contribute/contribute.css';
import '../account/account.css';
import { ApiError, credentials, get, send, type Settings } from '../shared/api';
import { fill, h, icon, ICONS } from '../shared/dom';
import { Header } from '../shared/header';
import { bilingual, languageChanged, t } from '../shared/i18n';
import { explain } from '../shared/notice';

interface Whose { name: string; organisation: string; organisation_name: string }

const header = new Header(null, 'account');
const stage = h('div', { class: 'stage' });
layOut(header, h('main', { class: 'page page-narrow' }, stage));

let settings: Settings | null = null;
let invite = inviteOf(location.href);
let whose: Whose | null = null;
let problem = location.hash === '#failed' ? t('loginFailed') : '';

/** Whether a link brought something as an invite, however it reads. */
const brought = (): boolean => location.hash.startsWith('#invite=');

/** The invite in a link, or what was pasted as it stands. */
function inviteOf(text: string): string {
  const found = /gi_[0-9a-z]+_[0-9a-f]+/.exec(text);
  return found ? found[0] : '';
}

function render(): void {
  document.title = `${t('loginTitle')} – geoshare`;
  fill(stage, h('section', { class: 'panel login' }, icon(ICONS.person, 40), h('h1', {}, t('loginTitle')),
    ...(whose ? welcome(whose) : paste())));
}

function welcome(known: Whose): HTMLElement[] {
  const organisation = bilingual(known.organisation_name || known.organisation);
  const button = h('button', { type: 'button', class: 'button-main', id: 'log-in', onclick: () => void logIn(button) }, t('loginTitle'));
  return [
    h('p', { class: 'login-who' }, t('loginAs', { name: known.name, organisation })),
    h('p', { class: 'muted' }, t('loginOnce')), alertLine(), button,
  ];
}

function paste(): HTMLElement[] {
  const input = h('input', { id: 'invite', type: 'password', autocomplete: 'off', spellcheck: 'false', 'aria-describedby': 'login-error' });
  const form = h('form', { class: 'login-form', onsubmit: (event: Event) => {
    event.preventDefault();
    invite = inviteOf(input.value);
    void look(true);
  } }, h('label', { for: 'invite' }, t('loginInvite')), input, alertLine(),
  h('button', { type: 'submit', class: 'button-main' }, t('loginNext')));
  const parts: HTMLElement[] = [h('p', { class: 'muted' }, t('loginLead')), form];
  if (settings?.login) {
    parts.push(h('form', { class: 'login-form', onsubmit: (event: Event) => { event.preventDefault(); void elsewhere(); } },
      h('button', { type: 'submit', class: 'button-plain', id: 'log-in-elsewhere' }, t('loginOther', { name: settings.login }))));
  }
  return parts;
}

function alertLine(): HTMLElement {
  return h('p', { id: 'login-error', class: 'field-error', role: 'alert' }, problem);
}

function wrong(error: unknown): string {
  return error instanceof ApiError && error.status === 401 ? t('loginWrong') : explain(error);
}

async function look(asked: boolean): Promise<void> {
  if (invite || asked) problem = '';
  if (invite) {
    try {
      whose = await send<Whose>('POST', '/login/invite', { invite, look: true });
    } catch (error) {
      problem = wrong(error);
    }
  } else if (asked) problem = t('loginWrong');
  render();
}

async function logIn(button: HTMLButtonElement): Promise<void> {
  button.disabled = true;
  try {
    await send('POST', '/login/invite', { invite });
    credentials.set('');
    location.replace('/account');
  } catch (error) {
    whose = null;
    problem = wrong(error);
    render();
  }
}

async function elsewhere(): Promise<void> {
  try {
    const begun = await send<{ href: string }>('POST', '/login/issuer', {});
    location.assign(begun.href);
  } catch (error) {
    problem = explain(error);
    render();
  }
}

languageChanged.on(render);
window.addEventListener('hashchange', () => { invite = inviteOf(location.href); whose = null; void look(true); });
const asked = brought();
// What stands behind the # is no longer in the address, where somebody could read it over a shoulder.
if (asked || invite) history.replaceState(null, '', '/login');
render();
void look(asked);
void get<Settings>('/map/settings.json').then((found) => { settings = found; if (!whose) render(); }).catch(() => undefined);
