/** Asks for the map of an area as one HTML file, says how large it would be, and hands it over when it is made. */

import { api, handOver } from '../shared/api';
import { fill, h, type Child } from '../shared/dom';
import { bytes, t } from '../shared/i18n';
import { fileOf, withBar } from '../shared/job';
import { explain } from '../shared/notice';
import { open } from '../desk/dialogs';
import { municipalities } from '../map/deciding/places';
import { estimate, type ExtractRequest } from '../map/extract/talk';

type Box = [number, number, number, number];
type Where = Pick<ExtractRequest, 'bbox' | 'area'>;
interface Choice { value: string; label: string; where: Where }

const LEFT_OUT = ['connectors', 'lanes', 'lane_boundaries', 'people_flow', 'statistics', 'regulatory_elements', 'junctions'];
const MOST = 32;

/** Where somebody asks from: what their map shows, and the area they look after, in degrees. */
export interface Asked { seen: Box | null; own?: Box | null }

export function openDownload(asked: Asked): void {
  new Download(asked);
}

class Download {
  private readonly where = h('select', { id: 'single-where', onchange: () => void this.look() });
  private readonly status = h('div', { role: 'status', id: 'single-status' });
  private readonly dialog: HTMLDialogElement;
  private choices: Choice[];
  private busy: AbortController | null = null;
  private turn = 0;

  constructor({ seen, own }: Asked) {
    this.choices = [
      ...(own ? [{ value: 'own', label: t('singleOwn'), where: { bbox: own } }] : []),
      ...(seen ? [{ value: 'seen', label: t('singleSeen'), where: { bbox: seen } }] : []),
      { value: 'all', label: t('singleAll'), where: {} },
    ];
    this.offer();
    this.dialog = open(t('singleMake'), h('p', {}, t('singleLead')),
      h('label', { class: 'single-area' }, t('singleArea'), this.where), this.status);
    this.dialog.addEventListener('close', () => this.busy?.abort());
    void this.look();
    void municipalities().then((cities) => {
      this.choices.splice(-1, 0, ...cities.map(([code, label]): Choice => ({ value: `city-${code}`, label, where: { area: code } })));
      this.offer();
    });
  }

  private offer(): void {
    const chosen = this.where.value || this.choices[0]?.value;
    fill(this.where, ...this.choices.map(({ value, label }) => h('option', { value, selected: value === chosen }, label)));
  }

  private async request(): Promise<ExtractRequest> {
    const where = this.choices.find(({ value }) => value === this.where.value)?.where ?? {};
    const collections = (await api.collections()).filter(({ id, kind }) => kind === 'vector' && !LEFT_OUT.includes(id)).map(({ id }) => id);
    return { collections: collections.slice(0, MOST), format: 'html', mode: 'whole', ...where };
  }

  /** Says how large the file would be. */
  private async look(): Promise<void> {
    if (this.busy) return;
    const turn = (this.turn += 1);
    this.show(h('p', { class: 'muted' }, t('extractAsking')));
    try {
      const request = await this.request();
      const found = await estimate(request);
      if (turn !== this.turn) return;
      this.show(h('p', { id: 'single-size' }, h('strong', {}, t('singleSize', { size: bytes(found.size_about) }))),
        found.too_large && h('p', { class: 'field-error' }, t('extractTooLarge')), this.button(request, found.too_large));
    } catch (error) {
      if (turn === this.turn) this.show(h('p', { class: 'field-error' }, explain(error)));
    }
  }

  private button(request: ExtractRequest, disabled: boolean): HTMLElement {
    return h('div', { class: 'dialog-actions' }, h('button', {
      type: 'button', class: 'button-main', id: 'single-make', disabled, onclick: () => void this.make(request),
    }, t('singleDo')));
  }

  private async make(request: ExtractRequest): Promise<void> {
    const busy = (this.busy = new AbortController());
    this.where.disabled = true;
    const shown = { title: t('singleMake'), words: (n: number) => t('singleBusy', { n }), show: (...content: Child[]) => this.show(...content) };
    try {
      const file = await withBar(shown, (progress, signal) => fileOf('/extracts', request, progress, signal), busy);
      handOver(file, `geoshare-map-${new Date().toISOString().slice(0, 16).replace(/\D/g, '')}.html`);
      this.show(h('p', {}, t('singleDone', { size: (file.size / 1e6).toFixed(1) })), this.button(request, false));
    } catch (error) {
      this.show(h('p', { class: 'field-error' }, busy.signal.aborted ? t('printCancelled') : explain(error)), this.button(request, false));
    } finally {
      this.busy = null;
      this.where.disabled = false;
    }
  }

  private show(...content: Child[]): void {
    fill(this.status, ...content);
  }
}
