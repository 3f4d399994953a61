/** What every page is made of: the header, what the page is about, and messages; fonts and language. */

import './base.css';
import { mindDialogs } from './dialogs';
import { append, h } from './dom';
import { registerPageFont } from './fonts';
import type { Header } from './header';
import { language, languageChanged, t } from './i18n';
import { noticeHost } from './notice';

/**
 * Lays a page out.
 *
 * `body` is the page's own element; `skipTo` what a keyboard goes to past the header (the page's `main` unless
 * said); `under` what stands under the header on this page, above everything else.
 */
export function layOut(header: Header, body: HTMLElement, skipTo: () => void = toMain, under: HTMLElement | null = null): void {
  registerPageFont();
  mindDialogs();
  const skip = h('a', { class: 'skip', href: '#main', onclick: (event: Event) => {
    event.preventDefault();
    skipTo();
  } });
  const words = () => {
    document.documentElement.lang = language();
    skip.textContent = t('skip');
  };
  const main = body.tagName === 'MAIN' ? body : body.querySelector('main');
  if (main && !main.id) main.id = 'main';
  words();
  languageChanged.on(words);
  append(document.getElementById('app') as HTMLElement, [skip, h('div', {}, header.element, under), body, noticeHost()]);
}

function toMain(): void {
  const main = document.querySelector('main');
  main?.setAttribute('tabindex', '-1');
  main?.focus();
}
