/** Messages across the top of the page: what went wrong or what just changed, said once. */

import { ApiError } from './api';
import { connection, connectionChanged } from './connection';
import { h, icon, ICONS } from './dom';
import { language, t, type Word } from './i18n';

let host: HTMLElement | null = null;
let home: HTMLElement | null = null;

export function noticeHost(): HTMLElement {
  host ??= h('div', { class: 'notices', role: 'status', 'aria-live': 'polite' });
  return host;
}

/** A page whose layout has room for messages says where: there they lie over nothing. */
export function housesNotices(element: HTMLElement): void {
  home = element;
  element.classList.add('notices-home');
  element.append(noticeHost());
}

/** Puts messages where they are seen and heard: into the dialog that is open, else back to the page. */
export function placeNotices(dialog: Element | undefined): void {
  if (dialog) dialog.prepend(noticeHost());
  else (home ?? document.body).append(noticeHost());
}

/** Words for an error that a user can act on. */
export function explain(error: unknown): string {
  if (error instanceof ApiError) {
    if (error.status === 401) return t('keyWrong');
    if (error.status === 403) return t('errorDenied');
    if (error.status === 429) return t('errorTooMany');
    if (error.status >= 500) return t('errorServer');
    return t('errorOther', { detail: detailOf(error) });
  }
  if (error instanceof TypeError) return t('errorNetwork');
  const own = error instanceof Error ? error.message : '';
  return t('errorOther', { detail: isRead(own) ? own : t('errorHere') });
}

const STATUS: Record<number, Word> = { 404: 'errorGone', 409: 'errorMoved', 410: 'errorGone', 412: 'errorMoved', 413: 'errorLarge' };

/** What the server said of a refusal, with what is allowed, in the reader's language as far as it said it in that. */
export function detailOf(error: ApiError): string {
  const said = [error.detail, error.title].find((text) => text && isRead(text));
  const allowed = error.status === 400 && error.allowed && isRead(error.allowed) ? ` (${error.allowed})` : '';
  return (said ?? t(STATUS[error.status] ?? 'errorInput')) + allowed;
}

/** Whether who reads Japanese can read it: numbers and codes can be, English sentences cannot. */
const isRead = (text: string): boolean => text !== '' && (language() !== 'ja' || /[\u3040-\u30ff\u4e00-\u9fff]/.test(text) || !/[a-z]{2,} [a-z]{2,}/i.test(text));

/** What a message is: something done, something that did not work and wants an answer, or a hint. */
export type Kind = 'info' | 'warn' | 'error';

/** What one can do about a message. */
export interface Remedy { word: Word; act: () => void }

const READ_MS = 6000;
const ACT_MS = 15_000;

export function notice(text: string, kind: Kind = 'info', remedy?: Remedy): HTMLElement {
  for (const old of noticeHost().querySelectorAll('.notice')) {
    if (old.querySelector('p')?.textContent === text) old.remove();
  }
  const box = h(
    'div', { class: `notice notice-${kind}` },
    icon(kind === 'info' ? ICONS.check : ICONS.warn),
    h('p', {}, text),
    remedy && h('button', { class: 'button-plain notice-act', type: 'button', onclick: () => { box.remove(); remedy.act(); } }, t(remedy.word)),
    h('button', { class: 'button-icon', type: 'button', 'aria-label': t('close'), onclick: () => box.remove() }, icon(ICONS.close)),
  );
  // Behind an open dialog a message would neither be seen nor heard.
  const place = [...document.querySelectorAll('dialog[open]')].at(-1);
  if (noticeHost().parentElement !== (place ?? home ?? document.body)) placeNotices(place);
  noticeHost().append(box);
  if (text === t('errorNetwork')) box.dataset.lost = '';
  // What has gone wrong, and what would be lost, stays until somebody has seen it.
  if (kind === 'error' || (kind === 'warn' && remedy)) return box;
  // Nobody loses the button while the hand or the keyboard is on its way to it.
  const leave = () => { if (box.matches(':hover, :focus-within')) setTimeout(leave, READ_MS); else box.remove(); };
  setTimeout(leave, remedy ? ACT_MS : READ_MS);
  return box;
}

export const noticeError = (error: unknown, retry?: () => void): void => {
  notice(explain(error), 'error', retry && { word: 'retry', act: retry });
};

// That there was no network is over once there is one.
connectionChanged.on(() => {
  if (connection.live) for (const box of noticeHost().querySelectorAll('[data-lost]')) box.remove();
});
