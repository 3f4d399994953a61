/** The three pages of the side panel: layers, where to flee, people in an area. */

import { h } from '../../shared/dom';
import { languageChanged, t, type Word } from '../../shared/i18n';

export interface Page { id: string; word: Word; element: HTMLElement; opened?: () => void }

export class Tabs {
  readonly element = h('div', { class: 'tabbed' });
  private readonly list = h('div', { class: 'tab-list', role: 'tablist' });
  private readonly buttons: HTMLButtonElement[];
  private at = 0;

  constructor(private readonly pages: Page[]) {
    this.buttons = pages.map((page, index) => h('button', {
      type: 'button', role: 'tab', id: `tab-${page.id}`, class: 'tab-button', 'aria-controls': `page-${page.id}`,
      onclick: () => this.open(index), onkeydown: (event: Event) => this.key(event as KeyboardEvent),
    }));
    this.list.append(...this.buttons);
    this.element.append(this.list, ...pages.map((page) =>
      h('div', { id: `page-${page.id}`, role: 'tabpanel', 'aria-labelledby': `tab-${page.id}`, hidden: true }, page.element)));
    languageChanged.on(() => this.words());
    this.words();
    this.open(0);
  }

  private open(index: number): void {
    this.at = index;
    this.pages.forEach((_, other) => {
      const chosen = other === index;
      this.buttons[other]?.setAttribute('aria-selected', String(chosen));
      this.buttons[other]?.setAttribute('tabindex', chosen ? '0' : '-1');
      const panel = this.element.children[other + 1] as HTMLElement;
      panel.hidden = !chosen;
    });
    this.pages[index]?.opened?.();
  }

  private key(event: KeyboardEvent): void {
    const by = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (!by) return;
    event.preventDefault();
    this.open((this.at + by + this.pages.length) % this.pages.length);
    this.buttons[this.at]?.focus();
  }

  private words(): void {
    this.pages.forEach((page, index) => { (this.buttons[index] as HTMLElement).textContent = t(page.word); });
  }
}
