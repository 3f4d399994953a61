/** The list of layers by group, each with its legend and settings. */

import { fill, h, icon, ICONS } from '../shared/dom';
import { coded, language, languageChanged, t, titled, type Word } from '../shared/i18n';
import { imageAddress } from './images';
import { hazardName, HAZARDS } from './layers/disaster';
import { kindAndScenario, scenarioName } from './layers/hazards';
import type { Group, Swatch } from './layers/types';
import { schemaOf } from './schemas';
import type { Entry, State } from './state';

const GROUPS: [Group, Word][] = [
  ['disaster', 'groupDisaster'], ['roads', 'groupRoads'], ['people', 'groupPeople'],
  ['images', 'groupImages'], ['other', 'groupOther'], ['base', 'groupBase'],
];

export class Panel {
  readonly element = h('div', { class: 'layers' });
  private readonly folded = new Set<string>(['base']);
  /** Rows whose settings are open; the legend of a visible layer always shows. */
  private readonly opened = new Set<string>();
  private zoom = 10;

  constructor(private readonly state: State, private readonly zoomTo: (entry: Entry) => void, private readonly changed: () => void) {
    state.catalogueChanged.on(() => this.render());
    state.entryChanged.on((entry) => this.renderRow(entry));
    languageChanged.on(() => this.render());
  }

  /** Rows of layers that only show from close by say so. */
  setZoom(zoom: number): void {
    const before = this.zoom;
    this.zoom = zoom;
    for (const entry of this.state.entries) {
      const from = entry.definition.minzoom ?? 0;
      if ((before < from) !== (zoom < from)) this.renderRow(entry);
    }
  }

  private render(): void {
    const { entries, settings } = this.state;
    const sections = GROUPS.map(([group, word]) => {
      const rows = entries.filter((entry) => entry.definition.group === group);
      const extra = group === 'base' && settings.background ? [this.backgroundRow()] : [];
      if (!rows.length && !extra.length) return null;
      const folded = this.folded.has(group);
      const on = rows.filter((entry) => entry.visible).length;
      return h('section', { class: 'group', 'aria-labelledby': `group-${group}` },
        h('h3', { id: `group-${group}` },
          h('button', {
            type: 'button', id: `fold-${group}`, class: 'group-head', 'aria-expanded': String(!folded),
            'aria-controls': `rows-${group}`,
            onclick: () => { if (!this.folded.delete(group)) this.folded.add(group); this.render(); },
          }, h('span', {}, t(word)), h('span', { class: 'count', id: `count-${group}` }, `${on}/${rows.length}`), icon(ICONS.down, 18))),
        h('ul', { id: `rows-${group}`, hidden: folded },
          ...extra, ...rows.map((entry) => h('li', { id: `row-${entry.id}`, class: 'row' }, ...this.row(entry)))));
    });
    fill(this.element, ...sections, !entries.length && h('p', { class: 'muted empty' }, t('noCollections')),
      h('p', { class: 'panel-foot' }, h('a', { class: 'button-plain', href: '/contribute' }, icon(ICONS.upload), t('upload'))));
  }

  private renderRow(entry: Entry): void {
    const row = document.getElementById(`row-${entry.id}`);
    // A slider in use must stay the same element.
    if (!row || row.querySelector('input[type=range]:active')) return;
    fill(row, ...this.row(entry));
    const group = entry.definition.group;
    const rows = this.state.entries.filter((other) => other.definition.group === group);
    const count = document.getElementById(`count-${group}`);
    if (count) count.textContent = `${rows.filter((other) => other.visible).length}/${rows.length}`;
  }

  private row(entry: Entry): (Node | false)[] {
    const { id } = entry;
    const title = titled(entry.collection, id);
    const open = entry.visible && this.opened.has(id);
    const tooFar = entry.visible && this.zoom < (entry.definition.minzoom ?? 0);
    return [
      h('div', { class: 'row-head' },
        h('label', { class: 'switch-label' },
          h('input', {
            type: 'checkbox', id: `layer-${id}`, checked: entry.visible, role: 'switch',
            onchange: (event: Event) => {
              this.state.setVisible(entry, (event.target as HTMLInputElement).checked);
            },
          }),
          h('span', { class: 'switch', 'aria-hidden': 'true' }),
          h('span', { class: 'row-title' }, title)),
        entry.visible && entry.collection.extent?.spatial && h('button', {
          type: 'button', class: 'button-icon', id: `open-${id}`, 'aria-expanded': String(open),
          'aria-label': `${title}: ${t('details')}`,
          onclick: () => { if (!this.opened.delete(id)) this.opened.add(id); this.renderRow(entry); },
        }, icon(ICONS.down, 18))),
      tooFar && h('p', { class: 'hint' }, t('zoomIn')),
      entry.visible && (entry.collection.extent?.spatial ? this.body(entry, title, open) : h('p', { class: 'hint' }, t('noData'))),
    ];
  }

  private body(entry: Entry, title: string, open: boolean): HTMLElement | false {
    const swatches = entry.definition.legend(this.state.context(entry, entry.id));
    const choices = (open || entry.definition.choice?.all === false) && this.choices(entry);
    if (!open && !choices && !swatches.length) return false;
    return h('div', { class: 'row-body' },
      choices,
      swatches.length > 0 && h('ul', { class: `legend${swatches.filter(({ kind }) => kind === 'image').length > 3 ? ' legend-pairs' : ''}`, 'aria-label': `${title}: ${t('legend')}` },
        ...swatches.map((swatch) => legendItem(swatch, title))),
      open && h('div', { class: 'row-tools' },
        h('label', { class: 'opacity' }, h('span', {}, t('opacity')),
          h('input', {
            type: 'range', id: `opacity-${entry.id}`, min: '0', max: '1', step: '0.05', value: String(entry.opacity),
            'aria-label': `${title}: ${t('opacity')}`,
            oninput: (event: Event) => this.state.change(entry, { opacity: Number((event.target as HTMLInputElement).value) }),
          })),
        h('button', { type: 'button', class: 'button-icon', title: t('zoomTo'), 'aria-label': `${title}: ${t('zoomTo')}`, onclick: () => this.zoomTo(entry) }, icon(ICONS.target, 18))));
  }

  private choices(entry: Entry): HTMLElement | false {
    const { choice } = entry.definition;
    const options = choice?.options ?? entry.sample?.choices ?? [];
    if (!choice || options.length < (choice.options ? 1 : 2)) return false;
    const property = schemaOf(entry.id)?.properties[choice.property];
    const label = property ? titled(property, choice.property) : t(choice.label);
    const name = (value: string) =>
      (HAZARDS as readonly string[]).includes(value) ? hazardName(value) : coded(property, value);
    return h('label', { class: 'choice' }, h('span', {}, label),
      h('select', {
        id: `choice-${entry.id}`,
        onchange: (event: Event) => this.state.change(entry, { choice: (event.target as HTMLSelectElement).value }),
      },
      choice.all && h('option', { value: '' }, t('allHazards')),
      ...options.flatMap((value) => [value, ...scenariosOf(entry, value)])
        .map((value) => h('option', { value, selected: entry.choice === value }, optionName(value, name)))));
  }

  private backgroundRow(): HTMLElement {
    return h('li', { class: 'row' }, h('div', { class: 'row-head' }, h('label', { class: 'switch-label' },
      h('input', {
        type: 'checkbox', id: 'layer-background', role: 'switch', checked: this.state.publicBackground,
        onchange: (event: Event) => {
          this.state.publicBackground = (event.target as HTMLInputElement).checked;
          this.changed();
        },
      }),
      h('span', { class: 'switch', 'aria-hidden': 'true' }),
      h('span', { class: 'row-title' }, t('publicBackground')))));
  }
}

/** Values `option/scenario` that have been seen of an option, and the one that a link asks for. */
function scenariosOf(entry: Entry, option: string): string[] {
  if (!entry.definition.choice?.scenarios) return [];
  const seen = [...(entry.sample?.choices ?? []), entry.choice].filter((value) => value.startsWith(`${option}/`));
  return [...new Set(seen)].sort();
}

function optionName(value: string, name: (option: string) => string): string {
  const [option, scenario] = kindAndScenario(value);
  if (!scenario) return name(option);
  return language() === 'ja' ? `　${name(option)}（${scenarioName(scenario)}）` : `\u2003${name(option)} (${scenarioName(scenario)})`;
}

function legendItem(swatch: Swatch, title: string): HTMLElement {
  if (swatch.kind === 'heading') return h('li', { class: 'legend-heading' }, swatch.label);
  const label = swatch.label || title;
  return h('li', { class: width(label) > 13 ? 'legend-wide' : '' }, picture(swatch), h('span', {}, label));
}

function picture(swatch: Swatch): Element {
  if (swatch.kind === 'image') {
    const image = imageAddress(swatch.image ?? '');
    if (image) {
      const crop = swatch.image?.startsWith('site|') ? ' swatch-site' : '';
      return h('img', { class: `swatch-image${crop}`, src: image.url, width: image.width, height: image.height, alt: '' });
    }
  }
  if (swatch.kind === 'line') {
    return h('span', { class: 'swatch swatch-line', 'aria-hidden': 'true', style: { background: swatch.casing ?? 'transparent' } },
      h('span', { style: {
        borderTop: `${swatch.width ?? 3}px ${swatch.dash ? 'dashed' : 'solid'} ${swatch.colour ?? '#000'}`,
      } }));
  }
  if (swatch.kind === 'fill' && swatch.dash) {
    return h('span', { class: 'swatch swatch-none', 'aria-hidden': 'true', style: { borderColor: swatch.outline ?? '#8796a3' } });
  }
  const shape = swatch.kind === 'point' ? 'swatch-point' : 'swatch-fill';
  return h('span', { class: `swatch ${shape}${swatch.hatch ? ' swatch-hatch' : ''}`, 'aria-hidden': 'true', style: {
    backgroundColor: swatch.colour ?? 'transparent', borderColor: swatch.outline ?? swatch.colour ?? 'transparent',
  } });
}

/** Columns a text takes: two for a full-width character. */
function width(text: string): number {
  return [...text].reduce((sum, character) => sum + ((character.codePointAt(0) ?? 0) > 0x2e7f ? 2 : 1), 0);
}
