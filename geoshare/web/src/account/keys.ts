/** Keys of the organisation: made, replaced, revoked, and links in their name; secrets are shown once. */

import { get, send } from '../shared/api';
import { fill, h } from '../shared/dom';
import { day, t } from '../shared/i18n';
import { once } from './once';

interface Key { id: string; label: string; parent: string | null; state: string; expires: string; last_used: string | null }

const PATH = '/me/organisation/keys';
const LINK_S = 86_400;

export class KeysPanel {
  readonly element = h('section', { class: 'panel', id: 'keys' });
  private keys: Key[] = [];
  private shown: { key: string; text: string; more: string } | null = null;

  constructor(private readonly failed: (error: unknown) => void) {}

  async load(): Promise<void> {
    const found = (await get<{ keys: Key[] }>(PATH)).keys;
    this.keys = found.filter((key) => key.state === 'active');
  }

  render(): void {
    fill(this.element, h('h2', {}, t('keys')),
      this.keys.length ? h('ul', { class: 'rows' }, ...this.keys.map((key) => this.row(key))) : h('p', { class: 'muted' }, t('noKeys')),
      this.making());
  }

  private row(key: Key): HTMLElement {
    const used = key.last_used ? t('keyUsed', { when: day(key.last_used) }) : t('keyUnused');
    return h('li', {},
      h('span', { class: 'what' }, key.label || key.id, h('small', {}, `${key.id} · ${t('keyUntil', { when: day(key.expires) })} · ${used}`)),
      h('button', { type: 'button', class: 'button-plain', onclick: () => void this.rotate(key) }, t('keyRotate')),
      h('button', { type: 'button', class: 'button-plain', onclick: () => void this.link(key) }, t('keyLink')),
      h('button', { type: 'button', class: 'button-link danger', onclick: () => void this.revoke(key) }, t('keyRevoke')),
      this.shown?.key === key.id && once(this.shown.text, this.shown.more));
  }

  private making(): HTMLElement {
    const label = h('input', { type: 'text', id: 'key-label', maxlength: '200' });
    const days = h('input', { type: 'number', id: 'key-days', min: '1', max: '1098', value: '90' });
    return h('details', { class: 'adding' }, h('summary', {}, t('keyMake')),
      h('form', { onsubmit: (event: Event) => { event.preventDefault(); void this.make(label.value, Number(days.value)); } },
        h('label', { for: 'key-label' }, t('keyLabel'), label), h('label', { for: 'key-days' }, t('keyDays'), days),
        h('button', { type: 'submit', class: 'button-main' }, t('keyMake'))));
  }

  private async make(label: string, days: number): Promise<void> {
    await this.do(async () => {
      const made = await send<{ id: string; key: string }>('POST', PATH, { label, days });
      this.shown = { key: made.id, text: made.key, more: '' };
    });
  }

  private async rotate(key: Key): Promise<void> {
    if (!confirm(t('sure', { what: `${key.label || key.id} – ${t('keyRotate')}` }))) return;
    await this.do(async () => {
      const made = await send<{ key: string }>('POST', `${PATH}/${key.id}/rotate`, { overlap_hours: 168 });
      this.shown = { key: key.id, text: made.key, more: t('keyOld') };
    });
  }

  private async link(key: Key): Promise<void> {
    const path = prompt(t('keyLinkPath'), '/collections');
    if (!path) return;
    await this.do(async () => {
      const made = await send<{ href: string; expires: string }>('POST', `${PATH}/${key.id}/links`, { path, seconds: LINK_S });
      this.shown = { key: key.id, text: made.href, more: t('keyUntil', { when: day(made.expires) }) };
    });
  }

  private async revoke(key: Key): Promise<void> {
    if (!confirm(t('sure', { what: `${key.label || key.id} – ${t('keyRevoke')}` }))) return;
    await this.do(() => send('DELETE', `${PATH}/${key.id}`));
  }

  private async do(act: () => Promise<unknown>): Promise<void> {
    try {
      await act();
      await this.load();
      this.render();
    } catch (error) {
      this.failed(error);
    }
  }
}
