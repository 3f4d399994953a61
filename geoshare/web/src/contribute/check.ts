/** Step two: what the file was recognised as, where it lies, and which column goes where. */

import type { Collection, Preview, Refusing, UploadOptions } from '../shared/api';
import { fill, h, icon, ICONS } from '../shared/dom';
import { t, titled } from '../shared/i18n';
import { decided, decisionFields } from './options';
import type { PreviewMap } from './preview-map';
import { words } from './report';

export interface CheckActions {
  send: (options: UploadOptions) => void;
  again: (options: UploadOptions) => void;
  cancel: () => void;
}

export class Check {
  readonly element = h('section', { class: 'panel', 'aria-labelledby': 'check-title' });
  private map: PreviewMap | null = null;
  private readonly changed = new Map<string, string>();

  constructor(
    private readonly file: File,
    private readonly found: Preview | null,
    private readonly collections: Collection[],
    private readonly contributable: { id: string; title: string; title_ja: string }[],
    private options: UploadOptions,
    private readonly usual: Refusing | null,
    private readonly actions: CheckActions,
  ) {
    for (const column of found?.columns ?? []) if (column.property) this.changed.set(column.name, column.property);
    this.render();
  }

  remove(): void {
    this.map?.remove();
    this.map = null;
  }

  /** Drawn anew when the language changes; choices made in the table stay. */
  render(): void {
    this.remove();
    if (this.element.firstChild) this.options = this.fields();
    const box = h('div', { class: 'preview-map' });
    const data = this.found?.geojson;
    fill(
      this.element,
      h('h2', { id: 'check-title' }, icon(ICONS.file), h('span', {}, this.file.name), h('span', { class: 'muted' }, size(this.file.size))),
      h('div', { class: 'check-top' },
        hasPlaces(data)
          ? h('figure', {}, box, h('figcaption', { class: 'muted' }, t('rowsShown', { n: data.features.length })))
          : h('p', { class: 'placeholder' }, t(this.found ? 'noPreviewMap' : 'noPreview')),
        h('div', {}, this.facts(), this.remarks(), this.optionFields())),
      this.table(),
      h('div', { class: 'actions' },
        h('button', { type: 'button', class: 'button-plain', onclick: this.actions.cancel }, t('otherFile')),
        h('button', { type: 'button', id: 'check-only', class: 'button-plain', onclick: () => this.actions.send({ ...this.chosen(), check_only: 'true' }) }, t('checkOnly')),
        h('button', { type: 'button', id: 'send', class: 'button-main', onclick: () => this.actions.send(this.chosen()) }, icon(ICONS.upload), t('send'))),
    );
    if (hasPlaces(data)) void this.showMap(box, data);
  }

  /** The map's code is large; it is fetched only when there is something to show. */
  private async showMap(box: HTMLElement, data: GeoJSON.FeatureCollection): Promise<void> {
    const { PreviewMap } = await import('./preview-map');
    if (box.isConnected) this.map = new PreviewMap(box, this.collections, data);
  }

  private facts(): HTMLElement | false {
    if (!this.found) return false;
    const { format, encoding, profile, collection } = this.found;
    const known = this.collections.find((item) => item.id === collection);
    const rows: [string, string | null | undefined][] = [
      [t('format'), format], [t('encoding'), encoding], [t('profile'), profile],
      [t('collection'), known ? titled(known, known.id) : collection],
    ];
    return h('dl', { class: 'facts' }, ...rows.filter(([, value]) => value).flatMap(([name, value]) => [h('dt', {}, name), h('dd', {}, value as string)]));
  }

  /** What the reader already noticed in the first rows. */
  private remarks(): HTMLElement | false {
    const report = this.found?.report;
    const notes = (report?.notes ?? []).map(words);
    const refused = (report?.refusals ?? []).slice(0, 3).map((refusal) => `${t('row')} ${refusal.row}: ${words(refusal.message)}`);
    if (!notes.length && !refused.length) return false;
    return h('ul', { class: 'remarks' }, ...notes.map((note) => h('li', {}, note)), ...refused.map((line) => h('li', { class: 'bad' }, line)));
  }

  private optionFields(): HTMLElement {
    const again = () => this.actions.again(this.fields());
    return h('details', { class: 'options', open: Object.values(this.options).some(Boolean) || !this.found },
      h('summary', {}, t('options')),
      h('label', { for: 'option-collection' }, t('collection')),
      h('select', { id: 'option-collection', onchange: again },
        h('option', { value: '' }, t('automatic')),
        ...this.contributable.map((item) => h('option', { value: item.id, selected: item.id === this.options.collection }, titled(item, item.id)))),
      h('label', { for: 'option-crs' }, t('crs')),
      h('input', { id: 'option-crs', type: 'text', value: this.options.crs ?? '', placeholder: 'EPSG:6677', 'aria-describedby': 'crs-help', onchange: again }),
      h('p', { id: 'crs-help', class: 'muted' }, t('crsHelp')),
      ...decisionFields(this.options, this.usual));
  }

  private table(): HTMLElement | false {
    const columns = this.found?.columns ?? [];
    if (!columns.length) return false;
    const properties = (this.found?.properties ?? []).map((item) => (typeof item === 'string' ? { name: item } : item));
    return h('div', { class: 'columns' }, h('h3', {}, t('columns')),
      h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': t('columns') }, h('table', {},
        h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, t('columnSource')), h('th', { scope: 'col' }, t('columnSample')), h('th', { scope: 'col' }, t('columnTarget')))),
        h('tbody', {}, ...columns.map((column, index) => {
          const current = this.changed.get(column.name) ?? '';
          const names = properties.some(({ name }) => name === current) || !current ? properties : [{ name: current }, ...properties];
          return h('tr', {},
            h('th', { scope: 'row' }, column.name),
            h('td', { class: 'muted' }, samples(column.sample)),
            h('td', {}, h('select', {
              id: `column-${index}`, 'aria-label': `${column.name}: ${t('columnTarget')}`, class: current ? 'mapped' : '',
              onchange: (event: Event) => this.choose(column.name, event.target as HTMLSelectElement),
            },
            h('option', { value: '' }, t('columnKeep')),
            ...names.map((property) => h('option', { value: property.name, selected: property.name === current }, label(property))))));
        })))));
  }

  private choose(column: string, select: HTMLSelectElement): void {
    if (select.value) this.changed.set(column, select.value);
    else this.changed.delete(column);
    select.classList.toggle('mapped', Boolean(select.value));
  }

  private fields(): UploadOptions {
    const value = (id: string) => (this.element.querySelector<HTMLInputElement>(`#${id}`)?.value ?? '').trim();
    return { ...this.options, collection: value('option-collection'), crs: value('option-crs'), ...decided(this.element) };
  }

  /** The options to send; a mapping only where someone changed the proposed one. */
  private chosen(): UploadOptions {
    const proposed = new Map((this.found?.columns ?? []).filter((column) => column.property).map((column) => [column.name, column.property as string]));
    const same = proposed.size === this.changed.size && [...proposed].every(([name, property]) => this.changed.get(name) === property);
    const options = this.fields();
    if (same) return options;
    return { ...options, collection: options.collection || this.found?.collection || '', mapping: JSON.stringify(Object.fromEntries(this.changed)) };
  }
}

function label(property: { name: string; title?: string; title_ja?: string }): string {
  const title = titled(property, '');
  return title && title !== property.name ? `${title} (${property.name})` : property.name;
}

function samples(values: unknown[]): string {
  const shown = values.filter((value) => value !== null && value !== undefined && value !== '').slice(0, 3)
    .map((value) => (typeof value === 'object' ? JSON.stringify(value) : String(value)));
  const text = shown.join(' / ');
  return text.length > 90 ? `${text.slice(0, 90)}…` : text;
}

export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const steps = ['kB', 'MB', 'GB'];
  const power = Math.min(Math.floor(Math.log10(bytes) / 3), 3);
  return `${(bytes / 1000 ** power).toFixed(1)} ${steps[power - 1]}`;
}

/** Whether there is anything with a place in it. */
function hasPlaces(data: GeoJSON.FeatureCollection | null | undefined): data is GeoJSON.FeatureCollection {
  return Boolean(data?.features.some((feature) => feature.geometry));
}
