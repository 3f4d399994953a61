/** The bar at the top of every page: name, language, key. */

import { api, ApiError, credentials, type Me } from './api';
import { fill, h, icon, ICONS, Signal } from './dom';
import { bilingual, chosen, language, languageChanged, setLanguage, t, titled, type Word } from './i18n';
import { CHOICES, OWN_NAMES, type Choice } from './language';
import { explain, notice } from './notice';

/** The key changed and was accepted; pages load anew. */
export const keyChanged = new Signal<Me>();

type Page = 'map' | 'desk' | 'contribute' | 'account';

/** The pages that the header leads to, for whom they are something to go to. */
const PAGES: { page: Page; href: string; word: Word; path: string; shown: (me: Me | null) => boolean }[] = [
  { page: 'map', href: '/map', word: 'openMap', path: ICONS.map, shown: () => true },
  { page: 'desk', href: '/desk', word: 'deskTitle', path: ICONS.desk, shown: (me) => me?.can_edit === true },
  { page: 'contribute', href: '/contribute', word: 'upload', path: ICONS.upload, shown: () => true },
];

export class Header {
  readonly element = h('header', { class: 'header' });
  private me: Me | null = null;
  private open = false;

  constructor(private readonly middle: HTMLElement | null, private readonly page: Page) {
    this.render();
    languageChanged.on(() => this.render());
    // A phone has no room for the pages' names: there they are a menu.
    this.element.addEventListener('keydown', (event) => { if (event.key === 'Escape' && this.open) this.menu(false); });
    document.addEventListener('pointerdown', (event) => {
      if (this.open && !(event.target as Element).closest('.menu-button, .pages')) this.menu(false);
    });
  }

  private menu(open: boolean): void {
    const inside = this.element.querySelector('.pages')?.contains(document.activeElement);
    this.open = open;
    this.render();
    if (inside && !open) document.getElementById('menu-button')?.focus();
  }

  private pages(): HTMLElement {
    const links = PAGES.filter(({ page, shown }) => page !== this.page && shown(this.me));
    return h('nav', { class: `pages${this.open ? ' pages-open' : ''}`, id: 'pages', 'aria-label': t('pages') }, ...links.map(({ page, href, word, path }) =>
      h('a', { class: 'header-button header-link', id: `to-${page}`, href }, icon(path), h('span', {}, t(word)))));
  }

  show(me: Me): void {
    this.me = me;
    this.render();
  }

  private render(): void {
    const known = this.me && !this.me.anonymous;
    const person = this.me?.person;
    const who = person ? person.name : known && this.me ? organisationOf(this.me) : t('keyEnter');
    fill(
      this.element,
      h('a', { class: 'brand', href: '/', 'aria-label': 'geoshare' },
        h('img', { src: '/map/icon.svg', alt: '', width: '28', height: '28' }), h('span', {}, 'geoshare')),
      this.middle ?? h('div', { class: 'header-space' }),
      h('button', {
        type: 'button', class: 'header-button menu-button', id: 'menu-button', 'aria-expanded': String(this.open),
        'aria-controls': 'pages', 'aria-label': t('pages'), onclick: () => this.menu(!this.open),
      }, icon(ICONS.menu)),
      this.pages(),
      h('div', { class: 'languages', role: 'group', 'aria-label': t('language') },
        ...CHOICES.map((name) => h('button', {
          type: 'button', id: `language-${name}`, lang: name === 'en' ? 'en' : 'ja', 'aria-pressed': String(chosen() === name),
          'aria-label': OWN_NAMES[name][0], onclick: () => setLanguage(name),
        }, OWN_NAMES[name][0]))),
      // A phone has no room for three buttons beside the search.
      h('select', {
        id: 'language', class: 'language-choice', 'aria-label': t('language'),
        onchange: (event: Event) => setLanguage((event.target as HTMLSelectElement).value as Choice),
      }, ...CHOICES.map((name) => h('option', { value: name, selected: chosen() === name }, OWN_NAMES[name][1]))),
      person ? h('a', {
        id: 'account-link', class: 'header-button key-button has-key', href: '/account', 'aria-label': `${t('account')}: ${who}`,
      }, icon(ICONS.person), h('span', {}, who)) : h('button', {
        type: 'button', id: 'key-button', class: `header-button key-button${known ? ' has-key' : ''}`,
        'aria-haspopup': 'dialog', 'aria-label': known ? `${t('key')}: ${who}` : t('keyEnter'), onclick: () => this.openKeyDialog(),
      }, icon(ICONS.key), h('span', {}, who)),
    );
  }

  openKeyDialog(): void {
    const input = h('input', {
      id: 'key-input', type: 'password', autocomplete: 'off', spellcheck: 'false', required: true,
      placeholder: 'gs_…', 'aria-describedby': 'key-help key-error', value: credentials.get(),
    });
    const error = h('p', { id: 'key-error', class: 'field-error', role: 'alert' });
    const use = h('button', { type: 'submit', class: 'button-main' }, t('keyUse'));
    const close = () => dialog.close();
    const form = h('form', { method: 'dialog', novalidate: true, onsubmit: (event: Event) => {
      event.preventDefault();
      void this.apply(input.value.trim(), error, use, close);
    } },
    h('div', { class: 'dialog-head' }, h('h2', { id: 'key-title' }, t('key')),
      h('button', { type: 'button', class: 'button-icon', 'aria-label': t('close'), onclick: close }, icon(ICONS.close))),
    h('p', { id: 'key-help', class: 'muted' }, t('keyHelp')),
    this.me && h('dl', { class: 'facts' },
      h('dt', {}, t('organisation')), h('dd', {}, this.me.anonymous ? t('anonymous') : organisationOf(this.me)),
      h('dt', {}, t('tiers')), h('dd', {}, tiersOf(this.me))),
    h('label', { for: 'key-input' }, t('key')), input, error,
    h('p', { class: 'muted' }, h('a', { id: 'to-login', href: '/login' }, t('loginInstead'))),
    h('div', { class: 'dialog-actions' },
      credentials.get() && h('button', {
        type: 'button', class: 'button-plain', onclick: () => void this.apply('', error, use, close),
      }, t('keyRemove')),
      use));
    const dialog = h('dialog', { class: 'dialog', 'aria-labelledby': 'key-title', onclose: () => dialog.remove() }, form);
    document.body.append(dialog);
    dialog.showModal();
    input.focus();
  }

  private async apply(value: string, error: HTMLElement, button: HTMLButtonElement, close: () => void): Promise<void> {
    const before = credentials.get();
    credentials.set(value);
    error.textContent = '';
    button.disabled = true;
    button.textContent = t('keyChecking');
    try {
      const me = await api.me();
      this.me = me;
      close();
      this.render();
      notice(me.anonymous ? t('keyRemoved') : t('keyApplied', { name: organisationOf(me) }));
      keyChanged.emit(me);
      document.getElementById('key-button')?.focus();
    } catch (problem) {
      credentials.set(before);
      error.textContent = explain(problem);
      if (!(problem instanceof ApiError)) return;
      document.getElementById('key-input')?.focus();
    } finally {
      button.disabled = false;
      button.textContent = t('keyUse');
    }
  }
}

export function organisationOf(me: Me): string {
  return bilingual(me.organisation_name || me.organisation || tiersOf(me) || t('key'));
}

function tiersOf(me: Me): string {
  return me.tiers.map((tier) => (typeof tier === 'string' ? tier : titled(tier, tier.id))).join(language() === 'ja' ? '、' : ', ');
}
