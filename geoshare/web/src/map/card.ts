/** What is known about the thing one clicked: its properties in the reader's language. */

import { api, saveItem, type Feature, type PropertySchema, type Schema } from '../shared/api';
import { fill, h, icon, ICONS } from '../shared/dom';
import { coded, drillMark, language, languageChanged, moment, named, number, t, titled, unit } from '../shared/i18n';
import { noticeError } from '../shared/notice';
import { imageAddress } from './images';
import { exposureOf } from './deciding/exposure';
import { municipalityName } from './deciding/places';
import { hazardName, HAZARDS } from './layers/disaster';
import { fetchSchema } from './schemas';
import type { State } from './state';
import { whyOf } from './why';

export interface Picked {
  collection: string;
  id: string;
  properties: Record<string, unknown>;
}

const HIDDEN = new Set(['id', 'name_en', 'name_kana']);
/** Codes that only drawing needs. */
const CODES: Record<string, readonly string[]> = { places: ['class', 'rank'] };

export class Card {
  readonly element = h('section', { class: 'card', hidden: true, tabindex: '-1' });
  private picked: Picked[] = [];
  private index = 0;
  private all = false;
  private asking: AbortController | null = null;
  private opener: Element | null = null;
  private road: { key: string; element: HTMLElement } | null = null;
  private reasons: { key: string; element: HTMLElement } | null = null;

  constructor(
    private readonly state: State, private readonly highlight: (picked: Picked | null) => void,
    private readonly opened: () => void,
    private readonly served = true, // without a server nobody can be asked why
  ) {
    languageChanged.on(() => { if (!this.element.hidden) void this.render(); });
    this.element.addEventListener('keydown', (event) => { if (event.key === 'Escape') this.close(); });
  }

  open(picked: Picked[]): void {
    this.opener = document.activeElement;
    this.picked = picked;
    this.index = 0;
    this.all = false;
    this.opened();
    void this.render();
  }

  /** Asks again for what is shown, where it is among what has changed. */
  changed(collection: string, ids: string[] | null): void {
    const picked = this.picked[this.index];
    if (!this.element.hidden && picked?.id && picked.collection === collection && (ids?.includes(picked.id) ?? true)) void this.render(false);
  }

  close(): void {
    this.asking?.abort();
    if (this.element.hidden) return;
    this.element.hidden = true;
    document.body.classList.remove('has-card');
    this.highlight(null);
    if (this.element.contains(document.activeElement)) (this.opener as HTMLElement | null)?.focus();
  }

  private async render(fresh = true): Promise<void> {
    const picked = this.picked[this.index];
    if (!picked) return;
    this.highlight(picked);
    this.asking?.abort();
    this.asking = new AbortController();
    const { signal } = this.asking;
    const schema = await fetchSchema(picked.collection);
    if (signal.aborted) return;
    if (fresh) this.draw(picked, schema, picked.properties, !picked.id);
    if (!picked.id) return;
    const item: Feature | null = await api.item(picked.collection, picked.id, signal).catch(() => null);
    if (!signal.aborted) this.draw(picked, schema, item?.properties ?? picked.properties, true);
  }

  private draw(picked: Picked, schema: Schema | null, properties: Record<string, unknown>, complete: boolean): void {
    const collection = this.state.entry(picked.collection)?.collection;
    const kind = collection ? titled(collection, picked.collection) : picked.collection;
    const label = schema?.['x-geoshare-label'] ?? collection?.label ?? 'name';
    const title = named(properties, label) || drillMark(properties) + kind;
    const second = secondName(properties, title);
    const many = this.picked.length;
    const wasHidden = this.element.hidden;
    this.element.hidden = false;
    document.body.classList.add('has-card');
    this.element.setAttribute('aria-label', `${t('feature')}: ${title}`);
    this.element.setAttribute('aria-busy', String(!complete));
    fill(
      this.element,
      h('header', { class: 'card-head' },
        h('div', {}, h('p', { class: 'card-kind' }, kind), h('h2', {}, title), second && h('p', { class: 'muted' }, second)),
        h('button', { type: 'button', class: 'button-icon', id: 'card-close', 'aria-label': t('close'), onclick: () => this.close() }, icon(ICONS.close))),
      many > 1 && h('div', { class: 'card-pages' },
        h('button', { type: 'button', class: 'button-icon', id: 'card-previous', 'aria-label': t('previous'), onclick: () => this.turn(-1) }, icon(ICONS.left)),
        h('span', {}, `${this.index + 1} / ${many}`),
        h('button', { type: 'button', class: 'button-icon', id: 'card-next', 'aria-label': t('next'), onclick: () => this.turn(1) }, icon(ICONS.right))),
      h('div', { class: 'card-body' },
        hazards(properties),
        this.table(picked.collection, properties, schema, label),
        picked.collection === 'segments' && picked.id && this.exposure(picked.id),
        complete && picked.id && this.served && this.why(picked.collection, picked.id)),
      h('footer', { class: 'card-foot' },
        h('label', { class: 'check' },
          h('input', { type: 'checkbox', id: 'card-all', checked: this.all, onchange: (event: Event) => {
            this.all = (event.target as HTMLInputElement).checked;
            this.draw(picked, schema, properties, complete);
          } }), t('moreFields')),
        picked.id && h('button', {
          type: 'button', class: 'button-link',
          onclick: () => void saveItem(picked.collection, picked.id).catch((error: unknown) => noticeError(error)),
        }, t('saveGeoJSON'))),
    );
    if (wasHidden) this.element.focus({ preventScroll: true });
  }

  /** One and the same for as long as the card shows the road: what has been opened stays open. */
  private exposure(segment: string): HTMLElement {
    const key = `${segment} ${language()}`;
    if (this.road?.key !== key) {
      const rain = this.state.entry('rain');
      this.road = { key, element: exposureOf(segment, () => (rain?.visible ? rain.time : null)) };
    }
    return this.road.element;
  }

  private why(collection: string, id: string): HTMLElement {
    const key = `${collection} ${id} ${language()}`;
    if (this.reasons?.key !== key) this.reasons = { key, element: whyOf(collection, id) };
    return this.reasons.element;
  }

  private turn(by: number): void {
    this.index = (this.index + by + this.picked.length) % this.picked.length;
    void this.render();
  }

  private table(collection: string, properties: Record<string, unknown>, schema: Schema | null, label: string): HTMLElement {
    const names = new Set([...Object.keys(schema?.properties ?? {}), ...Object.keys(properties)]);
    const rows: Node[] = [];
    for (const name of names) {
      const value = properties[name];
      const empty = value === null || value === undefined || value === '';
      if (!this.all) {
        if (empty || HIDDEN.has(name) || CODES[collection]?.includes(name) || name.startsWith('hazard_') && typeof value === 'boolean') continue;
        if (name === label || (name === 'name' && language() === 'en')) continue;
      }
      const property: PropertySchema = schema?.properties[name] ?? {};
      rows.push(h('dt', {}, titled(property, name)), h('dd', {}, empty ? '—' : shownValue(name, value, property)));
    }
    return h('dl', { class: 'facts' }, ...rows);
  }
}

function secondName(properties: Record<string, unknown>, title: string): string {
  const other = language() === 'ja' ? [properties.name_kana, properties.name_en] : [properties.name];
  return other.filter((value): value is string => typeof value === 'string' && Boolean(value) && value !== title).join(' / ');
}

/** The eight hazards of an evacuation site; an empty cell means not designated. */
function hazards(properties: Record<string, unknown>): HTMLElement | false {
  if (!HAZARDS.some((hazard) => `hazard_${hazard}` in properties)) return false;
  return h('div', { class: 'hazards' }, h('h3', {}, t('suitableFor')),
    h('ul', {}, ...HAZARDS.map((hazard) => {
      const on = properties[`hazard_${hazard}`] === true;
      const image = imageAddress(`hazard|${hazard}|${language()}`);
      return h('li', { class: on ? 'on' : 'off' },
        image && h('img', { src: image.url, width: image.width, height: image.height, alt: '' }),
        hazardName(hazard), !on && h('span', { class: 'visually-hidden' }, `: ${t('notSuitable')}`));
    })));
}

function shownValue(name: string, value: unknown, property: PropertySchema): Node | string {
  if (typeof value === 'boolean') return value ? t('yes') : t('no');
  if (typeof value === 'number') {
    const plain = /year|level|rank|code/.test(name) ? String(value) : number(value);
    const coded_ = coded(property, value);
    return coded_ !== String(value) ? coded_ : `${plain}${unit(property) ? ` ${unit(property)}` : ''}`;
  }
  if (typeof value === 'string') {
    if (property.format === 'date-time' || /^\d{4}-\d\d-\d\dT/.test(value)) return `${moment(value)} JST`;
    if (/^https?:\/\//.test(value)) return h('a', { href: value, target: '_blank', rel: 'noopener noreferrer' }, value);
    if (name === 'local_government_code' && municipalityName(value) !== value) return `${municipalityName(value)} (${value})`;
    if (name === 'phone') return h('a', { href: `tel:${value.replace(/[^\d+]/g, '')}` }, value);
    return coded(property, value);
  }
  if (Array.isArray(value)) return value.map((item) => coded(property, item)).join(language() === 'ja' ? '、' : ', ');
  return h('code', {}, JSON.stringify(value));
}
