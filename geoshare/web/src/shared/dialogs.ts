/** What all dialogs have in common: messages are seen and heard above them, and focus goes back where it was. */

import { noticeHost, placeNotices } from './notice';

/** Minds every dialog of the page, whoever opens it. */
export function mindDialogs(): void {
  let last = '';
  document.addEventListener('focusin', ({ target }) => {
    const element = target as Element;
    if (element.id && !element.closest('dialog')) last = element.id;
  });
  // Whatever closes a dialog also removes it: messages in it go back to the page before.
  document.addEventListener('close', ({ target }) => {
    if (!(target instanceof HTMLDialogElement)) return;
    if (target.contains(noticeHost())) placeNotices([...document.querySelectorAll('dialog[open]')].filter((one) => one !== target).at(-1));
    // The browser gives focus back to what had it; a list that was drawn anew has another element in its place.
    setTimeout(() => { if (document.activeElement === document.body) document.getElementById(last)?.focus({ preventScroll: true }); }, 0);
  }, true);
}
