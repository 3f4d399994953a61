/** What a sheet would change, row by row, with a choice wherever somebody else was quicker. */

import { h, type Child } from '../shared/dom';
import { language, t } from '../shared/i18n';
import { shown } from './dialogs';
import type { Editable } from './talk';

interface Wrong { en: string; ja: string; allowed?: string; allowed_ja?: string }

export interface Cell {
  property: string;
  column: string;
  header: string;
  state: 'change' | 'conflict' | 'error' | 'locked';
  before: unknown;
  before_known: boolean;
  theirs: unknown;
  yours: unknown;
  error?: Wrong;
}

export interface Row {
  row: number;
  id: string;
  name: string;
  kind: 'change' | 'new' | 'withdraw' | 'conflict' | 'error' | 'ignored';
  cells: Cell[];
  errors: Wrong[];
  /** Allowed, and yet questionable: for people to judge. */
  warnings?: Wrong[];
  unseen?: boolean;
}

type Count = 'read' | 'unchanged' | 'gone' | 'changed' | 'new' | 'withdrawn' | 'conflicts' | 'errors' | 'ignored';

export interface Preview {
  sheet: string;
  revision: number;
  ignored_columns: string[];
  other_sheets: string[];
  links_ignored: boolean;
  counts: Record<Count, number>;
  rows: Row[];
}

export interface Choice { row: number; property: string; keep: 'mine' | 'theirs' }

const ACTION = '@action';

/** A preview on the screen, and what is chosen in it. */
export class Choosing {
  private readonly chosen = new Map<string, Choice>();
  private readonly left = h('p', { class: 'muted', role: 'status', id: 'sheet-left' });
  private readonly agree: HTMLButtonElement;
  private readonly reason = h('input', { id: 'sheet-reason', type: 'text', maxlength: '500' });

  constructor(private readonly preview: Preview, private readonly about: Editable, agreed: (reason: string) => void) {
    this.agree = h('button', { type: 'button', class: 'button-main', id: 'sheet-apply', onclick: () => agreed(this.reason.value.trim()) });
  }

  choices(): Choice[] {
    return [...this.chosen.values()];
  }

  busy(on: boolean): void {
    if (on) this.agree.disabled = true;
    else this.count();
  }

  content(again: HTMLElement): Child[] {
    const { counts, rows } = this.preview;
    const conflicts = rows.filter(({ kind }) => kind === 'conflict');
    const changes = rows.filter(({ kind }) => ['change', 'new', 'withdraw', 'conflict'].includes(kind));
    const wrong = rows.filter(({ kind }) => kind === 'error');
    const locked = rows.filter(({ cells }) => cells.some(({ state }) => state === 'locked'));
    const plain = changes.filter(({ cells }) => cells.some(({ state }) => state === 'change'));
    const doubtful = changes.filter(({ warnings }) => warnings?.length);
    const doable = changes.length > 0;
    this.count();
    return [
      h('h3', { tabindex: '-1' }, t('sheetPreview')), this.counts(), ...this.remarks(),
      !doable && !wrong.length && h('p', { class: 'sheet-none' }, t('sheetNothing', { n: counts.read })),
      conflicts.length > 0 && this.conflicts(conflicts),
      wrong.length > 0 && this.errors(wrong),
      doubtful.length > 0 && this.doubts(doubtful),
      plain.length > 0 && this.changes(plain),
      locked.length > 0 && this.locked(locked),
      h('div', { class: 'sheet-consent' },
        doable && h('label', { for: 'sheet-reason' }, t('deskReason')), doable && this.reason, doable && this.left,
        h('div', { class: 'dialog-actions' }, again, doable && this.agree)),
    ];
  }

  /** The rows that were not taken in, and why; null where there are none. */
  refused(): HTMLElement | null {
    const wrong = this.preview.rows.filter(({ kind }) => kind === 'error');
    const { errors } = this.preview.counts;
    return errors ? h('div', { class: 'sheet-refused' }, h('p', { class: 'field-error' }, t('sheetRefused', { n: errors })), wrong.length > 0 && this.errors(wrong)) : null;
  }

  private counts(): HTMLElement {
    const { counts } = this.preview;
    const told = ([
      ['sheetConflicts', counts.conflicts, 'conflict'], ['sheetErrors', counts.errors, 'error'], ['sheetChanged', counts.changed, 'change'],
      ['sheetNew', counts.new, 'change'], ['sheetWithdrawn', counts.withdrawn, 'change'], ['sheetUnchanged', counts.unchanged, 'same'],
    ] as const).filter(([, n, kind]) => n > 0 || kind === 'same');
    return h('ul', { class: 'sheet-counts' }, ...told.map(([word, n, kind]) => h('li', { class: `sheet-count ${kind}` }, t(word, { n }))));
  }

  private remarks(): HTMLElement[] {
    const { counts, ignored_columns: columns, other_sheets: sheets, links_ignored: links, rows } = this.preview;
    const unseen = rows.some((row) => row.unseen);
    const hidden = counts.errors - rows.filter(({ kind }) => kind === 'error').length;
    return [
      columns.length && t('sheetIgnoredColumns', { names: columns.join(language() === 'en' ? ', ' : '、') }),
      sheets.length && t('sheetOtherSheets', { names: sheets.join(language() === 'en' ? ', ' : '、') }),
      links && t('sheetLinks'), counts.gone && t('sheetGone', { n: counts.gone }), unseen && t('sheetUnseen'),
      hidden > 0 && t('sheetHidden', { n: hidden }),
    ].filter((words) => typeof words === 'string').map((words) => h('p', { class: 'muted' }, words));
  }

  private value(cell: Cell, value: unknown): string {
    if (cell.property === ACTION) return value ? t('sheetTake') : '—';
    return shown(value, this.about.properties[cell.property]);
  }

  /** Both sides of each conflict, and what was there when the sheet was read. */
  private conflicts(rows: Row[]): HTMLElement {
    const cells = rows.flatMap((row) => row.cells.filter(({ state }) => state === 'conflict').map((cell) => ({ row, cell })));
    const every = (keep: Choice['keep']) => h('button', { type: 'button', class: 'button-plain', id: `sheet-all-${keep}`, onclick: () => {
      for (const { row, cell } of cells) this.choose(row, cell, keep, true);
    } }, t(keep === 'mine' ? 'sheetAllMine' : 'sheetAllTheirs'));
    return h('section', { class: 'sheet-part' }, h('h4', {}, t('sheetConflictHead')),
      h('div', { class: 'sheet-buttons' }, every('mine'), every('theirs')),
      ...cells.map(({ row, cell }) => this.conflict(row, cell)));
  }

  private conflict(row: Row, cell: Cell): HTMLElement {
    const at = place(row, cell);
    const side = (keep: Choice['keep'], title: string, value: unknown) => h('label', { class: 'sheet-side', for: `keep-${keep}-${at}` },
      h('input', { type: 'radio', id: `keep-${keep}-${at}`, name: `keep-${at}`, value: keep, onchange: () => this.choose(row, cell, keep, false) }),
      h('span', { class: 'sheet-side-words' }, h('span', { class: 'muted' }, title), h('strong', {}, this.value(cell, value)),
        h('span', { class: 'sheet-keep' }, t(keep === 'mine' ? 'sheetMine' : 'sheetTheirs'))));
    return h('fieldset', { class: 'sheet-conflict' },
      h('legend', {}, `${rowName(row)} · ${cell.header}`),
      h('p', { class: 'muted' }, `${t('sheetBefore')}: ${cell.before_known ? this.value(cell, cell.before) : t('sheetNotKnown')}`),
      h('div', { class: 'sheet-sides' }, side('theirs', t('sheetNow'), cell.theirs), side('mine', t('sheetYours'), cell.yours)));
  }

  private choose(row: Row, cell: Cell, keep: Choice['keep'], tick: boolean): void {
    const at = place(row, cell);
    this.chosen.set(at, { row: row.row, property: cell.property, keep });
    if (tick) (document.getElementById(`keep-${keep}-${at}`) as HTMLInputElement).checked = true;
    this.count();
  }

  /** How many rows are agreed to, and what is still to be chosen. */
  private count(): void {
    const { rows } = this.preview;
    const open = rows.flatMap((row) => row.kind === 'error' ? [] : row.cells.filter((cell) => cell.state === 'conflict' && !this.chosen.has(place(row, cell)))).length;
    const done = rows.filter((row) => row.kind !== 'error' && row.cells.some((cell) => cell.state === 'change'
      || (cell.state === 'conflict' && this.chosen.get(place(row, cell))?.keep !== 'theirs'))).length;
    this.agree.textContent = t('sheetApply', { n: done });
    this.agree.disabled = open > 0;
    this.left.textContent = open ? t('sheetLeft', { n: open }) : t('sheetReady');
  }

  private errors(rows: Row[]): HTMLElement {
    const words = (wrong: Wrong) => {
      const ja = language() !== 'en';
      const allowed = ja ? wrong.allowed_ja : wrong.allowed;
      return [h('strong', {}, ja ? wrong.ja : wrong.en), allowed && h('span', { class: 'muted' }, t('sheetAllowed', { allowed }))];
    };
    return h('section', { class: 'sheet-part' }, h('h4', {}, t('sheetErrorHead')), h('ul', { class: 'sheet-errors' }, ...rows.flatMap((row) => [
      ...row.errors.map((wrong) => h('li', {}, h('span', {}, rowName(row)), ...words(wrong))),
      ...row.cells.filter(({ error }) => error).map((cell) => h('li', {},
        h('span', {}, `${cell.column}${row.row} ${cell.header}${row.name ? ` · ${row.name}` : ''}`), ...words(cell.error as Wrong))),
    ])));
  }

  private doubts(rows: Row[]): HTMLElement {
    return h('section', { class: 'sheet-part' }, h('h4', {}, t('sheetDoubtHead')), h('ul', { class: 'sheet-errors' }, ...rows.flatMap((row) =>
      (row.warnings ?? []).map(({ ja, en }) => h('li', {}, h('span', {}, rowName(row)), h('strong', {}, language() === 'en' ? en : ja))))));
  }

  private changes(rows: Row[]): HTMLElement {
    const heads = [t('sheetRow'), t('sheetName'), t('sheetField'), t('sheetNow'), t('sheetAfter')];
    const head = h('thead', {}, h('tr', {}, ...heads.map((words) => h('th', { scope: 'col' }, words))));
    return h('section', { class: 'sheet-part' }, h('h4', {}, t('sheetChangeHead')),
      h('table', { class: 'sheet-table' }, head, ...rows.map((row) => {
        const cells = row.cells.filter(({ state }) => state === 'change');
        return h('tbody', { class: `sheet-row ${row.kind}` }, ...cells.map((cell, place) => h('tr', {},
          place === 0 && h('th', { scope: 'rowgroup', rowspan: String(cells.length), class: 'sheet-number' }, String(row.row)),
          place === 0 && h('td', { rowspan: String(cells.length), class: 'sheet-name' }, h('strong', {}, row.name || '—'),
            row.kind === 'new' && h('span', { class: 'chip state-open' }, t('sheetAdd'))),
          h('th', { scope: 'row', class: 'sheet-field' }, cell.header),
          h('td', { class: 'sheet-old' }, row.kind === 'new' ? '—' : this.value(cell, cell.theirs)),
          h('td', { class: 'sheet-fresh' }, this.value(cell, cell.yours)))));
      })));
  }

  private locked(rows: Row[]): HTMLElement {
    return h('section', { class: 'sheet-part' }, h('h4', {}, t('sheetLockedHead')), h('ul', { class: 'sheet-errors muted' },
      ...rows.flatMap((row) => row.cells.filter(({ state }) => state === 'locked').map((cell) =>
        h('li', {}, `${cell.column}${row.row} ${cell.header}: ${this.value(cell, cell.yours)}`)))));
  }
}

const place = (row: Row, cell: Cell): string => `${row.row}-${cell.property.replace('@', '')}`;
const rowName = (row: Row): string => t('sheetRowAt', { row: row.row, name: row.name }).trim();
