/** Messages across the top of the page: what went wrong or what just changed, said once. */

import { ApiError } from './api';
import { h, icon, ICONS } from './dom';
import { t, type Word } from './i18n';

let host: HTMLElement | null = null;

export function noticeHost(): HTMLElement {
  host ??= h('div', { class: 'notices', role: 'status', 'aria-live': 'polite' });
  return host;
}

/** Words for an error that a user can act on. */
export function explain(error: unknown): string {
  if (error instanceof ApiError) {
    if (error.status === 401) return t('keyWrong');
    if (error.status === 403) return t('errorDenied');
    if (error.status === 429) return t('errorTooMany');
    if (error.status >= 500) return t('errorServer');
    const allowed = error.allowed ? ` (${error.allowed})` : '';
    return t('errorOther', { detail: `${error.detail || error.title}${allowed}` });
  }
  return error instanceof TypeError ? t('errorNetwork') : t('errorOther', { detail: String(error) });
}

/** What one can do about a message. */
export interface Remedy { word: Word; act: () => void }

const READ_MS = 6000;
const ACT_MS = 15_000;

export function notice(text: string, kind: 'info' | 'error' = 'info', remedy?: Remedy): void {
  for (const old of noticeHost().querySelectorAll('.notice')) {
    if (old.querySelector('p')?.textContent === text) old.remove();
  }
  const box = h(
    'div', { class: `notice notice-${kind}` },
    icon(kind === 'error' ? ICONS.warn : ICONS.check),
    h('p', {}, text),
    remedy && h('button', { class: 'button-plain notice-act', type: 'button', onclick: () => { box.remove(); remedy.act(); } }, t(remedy.word)),
    h('button', { class: 'button-icon', type: 'button', 'aria-label': t('close'), onclick: () => box.remove() }, icon(ICONS.close)),
  );
  // Behind an open dialog a message would neither be seen nor heard.
  const place = [...document.querySelectorAll('dialog[open]')].at(-1) ?? document.body;
  if (noticeHost().parentElement !== place) place.append(noticeHost());
  noticeHost().append(box);
  if (kind === 'error') return;
  // Nobody loses the button while the hand or the keyboard is on its way to it.
  const leave = () => { if (box.matches(':hover, :focus-within')) setTimeout(leave, READ_MS); else box.remove(); };
  setTimeout(leave, remedy ? ACT_MS : READ_MS);
}

export const noticeError = (error: unknown, retry?: () => void): void =>
  notice(explain(error), 'error', retry && { word: 'retry', act: retry });
