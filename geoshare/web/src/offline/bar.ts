/** The bar under the header: that there is no network, how old what is shown is, and what waits to be sent. */

import { connection, connectionChanged } from '../shared/connection';
import { fill, h, icon, ICONS } from '../shared/dom';
import { clock, languageChanged, t } from '../shared/i18n';
import { device, deviceChanged } from './app';
import { outbox } from './writes';

export class OfflineBar {
  readonly element = h('div', { class: 'offline', role: 'status', 'aria-live': 'polite', hidden: true });

  /** `open` shows what waits; without it the bar leads to the desk, which does. */
  constructor(private readonly open: (() => void) | null) {
    for (const signal of [connectionChanged, outbox.changed, deviceChanged, languageChanged]) signal.on(() => this.render());
    this.render();
  }

  private render(): void {
    const parts = [this.reach(), this.waiting(), this.device()].filter(Boolean);
    this.element.hidden = !parts.length;
    this.element.classList.toggle('offline-lost', !connection.live);
    fill(this.element, ...parts);
  }

  private reach(): HTMLElement | null {
    if (connection.live) return null;
    const { keptAt } = connection;
    return h('p', { id: 'offline-state' }, icon(ICONS.warn, 18), keptAt ? t('offlineState', { at: clock(keptAt) }) : t('offlineNow'));
  }

  private waiting(): HTMLElement | null {
    const n = outbox.rows.length;
    if (!n) return null;
    if (outbox.shutOut) {
      return h('p', {}, t('waitingLogin', { n }), ' ', h('a', { class: 'button-plain', id: 'waiting-login', href: '/login' }, t('loginTitle')));
    }
    const asking = outbox.rows.filter(({ stand }) => stand === 'conflict' || stand === 'refused').length;
    const words = asking ? `${t('waitingAsk', { n: asking })}${n > asking ? ` ${t('waitingCount', { n: n - asking })}` : ''}` : t('waitingCount', { n });
    return this.open
      ? h('button', { type: 'button', class: 'button-plain', id: 'waiting', onclick: () => this.open?.() }, words)
      : h('a', { class: 'button-plain', id: 'waiting', href: '/desk' }, words);
  }

  private device(): HTMLElement | null {
    if (device.full) return h('p', {}, icon(ICONS.warn, 18), t('keepFull'));
    if (!device.update) return null;
    return h('p', {}, t('newVersion'), ' ', h('button', { type: 'button', class: 'button-plain', id: 'reload', onclick: () => device.update?.() }, t('reload')));
  }
}
