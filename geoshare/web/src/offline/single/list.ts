/** Lists of what has a name, one collection at a time. */

import { fill, h } from '../../shared/dom';
import { coded, drillMark, languageChanged, named, t, titled } from '../../shared/i18n';
import type { Feature } from '../../shared/api';
import { plain } from './api';
import { about, features } from './data';

const FIRST = ['shelters', 'evacuation_sites', 'evacuation_areas', 'events', 'water_points', 'warnings', 'damage_reports', 'places'];
const MOST = 300;
const DETAILS = ['status', 'level', 'address', 'max_capacity', 'phone'];

export class List {
  readonly element = h('section', { class: 'single-list' });
  private readonly rows = h('ul', {});
  private readonly known = about.collections.filter(({ id, label }) => label && features[id]?.length && FIRST.includes(id))
    .sort((a, b) => FIRST.indexOf(a.id) - FIRST.indexOf(b.id));
  private open = this.known[0];
  private text = '';

  constructor(private readonly go: (collection: string, feature: Feature) => void) {
    languageChanged.on(() => this.render());
    this.render();
  }

  private render(): void {
    const choice = h('select', { id: 'single-collection', 'aria-label': t('singleList'), onchange: () => {
      this.open = this.known.find(({ id }) => id === choice.value);
      this.fill();
    } }, ...this.known.map((item) => h('option', { value: item.id, selected: item === this.open }, `${titled(item)} (${features[item.id]?.length ?? 0})`)));
    const filter = h('input', { id: 'single-filter', type: 'search', value: this.text, placeholder: t('deskFilter'), 'aria-label': t('deskFilter'), oninput: () => {
      this.text = filter.value;
      this.fill();
    } });
    fill(this.element, h('h2', {}, t('singleList')), h('div', { class: 'single-tools' }, choice, filter), this.rows);
    this.fill();
  }

  private fill(): void {
    const { open } = this;
    if (!open) return;
    const wanted = plain(this.text);
    const shown = (features[open.id] ?? []).filter(({ properties }) =>
      [properties?.[open.label ?? ''], properties?.name_kana, properties?.name_en, properties?.address].some((value) => plain(value).includes(wanted)));
    fill(this.rows, ...shown.slice(0, MOST).map((feature) => h('li', {}, h('button', { type: 'button', onclick: () => this.go(open.id, feature) },
      h('strong', {}, named(feature.properties ?? {}, open.label) || drillMark(feature.properties ?? {}) + titled(open)),
      h('span', { class: 'muted' }, this.details(feature))))),
    shown.length > MOST && h('li', { class: 'muted' }, t('andMore', { n: shown.length - MOST })),
    !shown.length && h('li', { class: 'muted' }, t('searchEmpty')));
  }

  private details({ properties }: Feature): string {
    const schema = this.open?.schema.properties ?? {};
    return DETAILS.filter((name) => properties?.[name] !== null && properties?.[name] !== undefined && properties[name] !== '')
      .map((name) => (name === 'max_capacity' ? `${titled(schema[name] ?? {}, name)} ${String(properties?.[name])}` : coded(schema[name], properties?.[name]))).join(' · ');
  }
}
