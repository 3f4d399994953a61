/** A list as a spreadsheet: out, back in as a preview, and done by consent, all at once and undone at once. */

import './sheets.css';
import { ApiError, save, send } from '../shared/api';
import { fill, h, icon, ICONS, type Child } from '../shared/dom';
import { language, t, titled } from '../shared/i18n';
import type { Desk } from './desk';
import { say } from './say';
import { Choosing, type Preview } from './sheets-preview';
import { talk, type Editable } from './talk';

const MAX_BYTES = 8_000_000;
const part = encodeURIComponent;

interface Applied { edit: string | null; features: number }

/** The dialog of one list. */
class Sheets {
  private readonly body = h('div', { class: 'sheet-body' });
  private readonly status = h('p', { class: 'sheet-status', role: 'status' });
  private readonly problem = h('p', { class: 'field-error', role: 'alert', id: 'sheet-error' });
  private readonly dialog: HTMLDialogElement;

  constructor(private readonly desk: Desk, private readonly about: Editable) {
    const close = h('button', { type: 'button', class: 'button-icon', 'aria-label': t('close'), onclick: () => this.dialog.close() }, icon(ICONS.close));
    this.dialog = h('dialog', {
      class: 'dialog sheet-dialog', 'aria-labelledby': 'sheet-title', onclose: () => this.dialog.remove(),
      ondragover: (event: DragEvent) => event.preventDefault(), // a file that misses the zone must not replace the page
      ondrop: (event: DragEvent) => event.preventDefault(),
    }, h('div', { class: 'dialog-head' }, h('h2', { id: 'sheet-title', tabindex: '-1' }, t('sheetOf', { name: titled(about) })), close),
    this.problem, this.status, this.body);
    document.body.append(this.dialog);
    this.begin();
    this.dialog.showModal();
  }

  private show(status: string, ...content: Child[]): void {
    this.problem.textContent = '';
    this.status.textContent = status;
    fill(this.body, ...content);
    this.dialog.scrollTop = 0;
  }

  private begin(): void {
    const file = h('input', { id: 'sheet-file', type: 'file', class: 'visually-hidden', accept: '.xlsx,.csv,text/csv', onchange: () => {
      const [chosen] = file.files ?? [];
      if (chosen) void this.take(chosen);
      file.value = '';
    } });
    const zone = h('div', {
      class: 'sheet-zone', id: 'sheet-zone',
      ondragover: (event: DragEvent) => { event.preventDefault(); zone.classList.add('over'); },
      ondragleave: () => zone.classList.remove('over'),
      ondrop: (event: DragEvent) => {
        event.preventDefault();
        zone.classList.remove('over');
        const [dropped] = event.dataTransfer?.files ?? [];
        if (dropped) void this.take(dropped);
      },
    }, h('p', {}, t('sheetInLead')),
    h('label', { class: 'button-main sheet-file', for: 'sheet-file' }, icon(ICONS.upload), t('sheetChoose')), file);
    this.show('', h('section', { class: 'sheet-step' }, h('h3', {}, t('sheetOut')), h('p', {}, t('sheetOutLead')),
      h('div', { class: 'sheet-buttons' }, this.out('xlsx'), this.out('csv'))),
    h('section', { class: 'sheet-step' }, h('h3', {}, t('sheetIn')), zone));
  }

  private out(kind: 'xlsx' | 'csv'): HTMLElement {
    const lang = language() === 'en' ? 'en' : 'ja';
    const path = `/desk/collections/${part(this.about.id)}/sheet?f=${kind}&lang=${lang}`;
    return h('button', { type: 'button', class: 'button-plain', id: `sheet-${kind}`, onclick: () => {
      this.problem.textContent = '';
      save(path, `${titled(this.about)}.${kind}`).catch((error: unknown) => this.fail(error));
    } }, icon(ICONS.file), t(kind === 'xlsx' ? 'sheetXlsx' : 'sheetCsv'));
  }

  /** Asks what a file would change. */
  private async take(file: File): Promise<void> {
    this.problem.textContent = '';
    if (file.size > MAX_BYTES) {
      this.problem.textContent = t('sheetTooLarge');
      return;
    }
    this.status.textContent = t('sheetReading');
    try {
      const content = new Blob([file], { type: 'application/octet-stream' });
      const query = new URLSearchParams({ collection: this.about.id, filename: file.name.slice(0, 120) });
      this.preview(await send<Preview>('POST', `/desk/sheets?${query}`, content));
    } catch (error) {
      this.fail(error);
    }
  }

  private preview(shown: Preview): void {
    const choosing = new Choosing(shown, this.about, (reason) => void this.apply(shown, choosing, reason));
    const again = h('button', { type: 'button', class: 'button-plain', id: 'sheet-again', onclick: () => this.begin() }, t('sheetAgain'));
    this.show('', ...choosing.content(again));
    this.body.querySelector<HTMLElement>('h3')?.focus();
  }

  private async apply(shown: Preview, choosing: Choosing, reason: string): Promise<void> {
    choosing.busy(true);
    this.problem.textContent = '';
    try {
      const said = { revision: shown.revision, choices: choosing.choices(), reason, at: new Date().toISOString() };
      const done = await send<Applied>('POST', `/desk/sheets/${part(shown.sheet)}/apply`, said);
      this.done(done, choosing.refused());
      await this.desk.refresh();
    } catch (error) {
      choosing.busy(false);
      const fresh = error instanceof ApiError && error.status === 412 ? error.body.sheet as Preview | undefined : undefined;
      if (fresh) {
        this.preview(fresh);
        this.problem.textContent = t('sheetMoved');
      } else if (error instanceof ApiError && error.status === 404) this.problem.textContent = t('sheetOver');
      else this.fail(error);
    }
  }

  private done(applied: Applied, refused: HTMLElement | null): void {
    const { edit } = applied;
    const undo = edit && h('button', { type: 'button', class: 'button-plain', id: 'sheet-undo', onclick: () => void talk.undo(edit).then(async () => {
      this.show(t('sheetUndone'), h('div', { class: 'dialog-actions' }, close));
      close.focus();
      await this.desk.refresh();
    }, (error: unknown) => this.fail(error)) }, t('deskUndo'));
    const close = h('button', { type: 'button', class: 'button-main', id: 'sheet-close', onclick: () => this.dialog.close() }, t('close'));
    this.show(edit ? t('sheetDone', { n: applied.features }) : t('sheetNoneDone'), refused, h('div', { class: 'dialog-actions' }, undo, close));
    close.focus();
  }

  private fail(error: unknown): void {
    this.status.textContent = '';
    this.problem.textContent = say(error);
    this.dialog.scrollTop = 0;
  }
}

export function openSheets(desk: Desk): void {
  if (desk.about) new Sheets(desk, desk.about);
}
