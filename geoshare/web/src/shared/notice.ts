/** Messages across the top of the page: what went wrong or what just changed, said once. */

import { ApiError } from './api';
import { h, icon, ICONS } from './dom';
import { t } from './i18n';

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

export function notice(text: string, kind: 'info' | 'error' = 'info', retry?: () => void): void {
  for (const old of noticeHost().querySelectorAll('.notice')) {
    if (old.querySelector('p')?.textContent === text) old.remove();
  }
  const box = h(
    'div', { class: `notice notice-${kind}` },
    icon(kind === 'error' ? ICONS.warn : ICONS.check),
    h('p', {}, text),
    retry && h('button', { class: 'button-plain', type: 'button', onclick: () => { box.remove(); retry(); } }, t('retry')),
    h('button', { class: 'button-icon', type: 'button', 'aria-label': t('close'), onclick: () => box.remove() }, icon(ICONS.close)),
  );
  noticeHost().append(box);
  if (kind === 'info') setTimeout(() => box.remove(), 6000);
}

export const noticeError = (error: unknown, retry?: () => void): void => notice(explain(error), 'error', retry);
