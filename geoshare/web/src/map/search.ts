/** Search by name: a combobox with keyboard support; choosing a result flies there. */

import { api, type Place } from '../shared/api';
import { fill, h, icon, ICONS } from '../shared/dom';
import { called, language, languageChanged, t, titled } from '../shared/i18n';
import { noticeError } from '../shared/notice';
import type { State } from './state';

const PAUSE_MS = 220;

export class Search {
  readonly element = h('form', { class: 'search', role: 'search' });
  private readonly input = h('input', {
    id: 'search-input', type: 'search', role: 'combobox', autocomplete: 'off', 'aria-autocomplete': 'list',
    'aria-expanded': 'false', 'aria-controls': 'search-results', enterkeyhint: 'search', maxlength: '100',
  });
  private readonly list = h('ul', { id: 'search-results', role: 'listbox', hidden: true });
  private readonly status = h('p', { class: 'visually-hidden', role: 'status' });
  private results: Place[] = [];
  private chosen = -1;
  private waiting = 0;
  private asking: AbortController | null = null;

  constructor(
    private readonly state: State, private readonly go: (place: Place) => void, private readonly opened: () => void,
  ) {
    this.element.append(icon(ICONS.search), this.input, this.list, this.status);
    this.element.addEventListener('submit', (event) => { event.preventDefault(); void this.submit(); });
    this.input.addEventListener('input', () => this.later());
    this.input.addEventListener('keydown', (event) => this.key(event));
    this.input.addEventListener('blur', () => setTimeout(() => this.close(), 150));
    this.input.addEventListener('focus', () => { if (this.results.length) this.show(); });
    this.words();
    languageChanged.on(() => this.words());
  }

  private words(): void {
    this.input.placeholder = t(matchMedia('(max-width: 719px)').matches ? 'searchShort' : 'search');
    this.input.setAttribute('aria-label', t('search'));
    this.list.setAttribute('aria-label', t('search'));
  }

  private later(): void {
    clearTimeout(this.waiting);
    this.waiting = window.setTimeout(() => void this.ask(), PAUSE_MS);
  }

  private async submit(): Promise<void> {
    clearTimeout(this.waiting);
    if (this.chosen < 0) {
      await this.ask();
      if (this.asking?.signal.aborted) return;
    }
    const place = this.results[Math.max(0, this.chosen)];
    if (place) this.choose(place);
  }

  private async ask(): Promise<void> {
    const text = this.input.value.trim();
    this.asking?.abort();
    if (!text) {
      this.results = [];
      this.close();
      return;
    }
    this.asking = new AbortController();
    try {
      this.results = await api.search(text, this.asking.signal);
      this.chosen = -1;
      this.show();
    } catch (error) {
      if (!(error instanceof DOMException && error.name === 'AbortError')) noticeError(error);
    }
  }

  private show(): void {
    const found = this.results.map((place, index) => this.option(place, index));
    fill(this.list, ...(found.length ? found : [h('li', { class: 'muted', role: 'option', 'aria-disabled': 'true' }, t('searchEmpty'))]));
    if (this.list.hidden) this.opened();
    this.list.hidden = false;
    this.input.setAttribute('aria-expanded', 'true');
    this.status.textContent = found.length ? t('searchCount', { n: found.length }) : t('searchEmpty');
    this.mark();
  }

  private option(place: Place, index: number): HTMLElement {
    const [main, second] = language() === 'en' && place.name_en ? [place.name_en, place.name] : [place.name, place.name_en];
    const collection = this.state.entry(place.collection)?.collection;
    return h('li', {
      id: `result-${index}`, role: 'option', 'aria-selected': 'false',
      onmousedown: (event: Event) => { event.preventDefault(); this.choose(place); },
    },
    h('span', { class: 'result-name' }, called(main, { state: place.drill }), second && second !== main && h('span', { class: 'muted' }, ` ${second}`)),
    h('span', { class: 'result-kind' }, collection ? titled(collection) : place.collection));
  }

  private key(event: KeyboardEvent): void {
    if (event.key === 'Escape') {
      if (!this.list.hidden) event.preventDefault();
      this.close();
    } else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      if (this.list.hidden) this.show();
      const count = this.results.length;
      if (!count) return;
      this.chosen = (this.chosen + (event.key === 'ArrowDown' ? 1 : -1) + count + (this.chosen < 0 && event.key === 'ArrowUp' ? 1 : 0)) % count;
      this.mark();
    }
  }

  private mark(): void {
    [...this.list.children].forEach((option, index) => option.setAttribute('aria-selected', String(index === this.chosen)));
    if (this.chosen >= 0) {
      this.input.setAttribute('aria-activedescendant', `result-${this.chosen}`);
      document.getElementById(`result-${this.chosen}`)?.scrollIntoView({ block: 'nearest' });
    } else {
      this.input.removeAttribute('aria-activedescendant');
    }
  }

  private choose(place: Place): void {
    this.input.value = language() === 'en' && place.name_en ? place.name_en : place.name;
    // The question is answered: the list stays away when closing the card gives the focus back.
    this.results = [];
    this.chosen = -1;
    this.dismiss();
    this.go(place);
  }

  /** Something else takes the place of the list: an answer still on its way does not open it again. */
  dismiss(): void {
    clearTimeout(this.waiting);
    this.asking?.abort();
    this.close();
  }

  private close(): void {
    this.list.hidden = true;
    this.input.setAttribute('aria-expanded', 'false');
    this.input.removeAttribute('aria-activedescendant');
  }
}
