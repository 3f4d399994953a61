/** The print panel: what goes on the sheets, how many there will be, and the file. */

import './print.css';
import { api, handOver } from '../../shared/api';
import { fill, h, icon, ICONS, type Child } from '../../shared/dom';
import { bytes, language, languageChanged, number, t, titled } from '../../shared/i18n';
import { withBar } from '../../shared/job';
import { explain } from '../../shared/notice';
import { shares, type Share } from '../../sharing/talk';
import type { State } from '../state';
import type { MapView } from '../view';
import { Frames } from './frame';
import { estimate, make, type Estimate, type PrintRequest } from './talk';

type Extent = 'one' | 'many' | 'fit';
type Bounds = [number, number, number, number];
const SCALES = [2500, 5000, 10_000, 25_000, 50_000, 100_000];
const LEAST_SCALE = 250;
const MOST_SCALE = 2_000_000;
const WAIT_MS = 350;
const DEGREE_M = 111_320;
const LANDSCAPE_M = [0.211, 0.166] as const; // of the map on A4
const PORTRAIT_M = [0.185, 0.187] as const;
const NEARLY = 0.85;
const MARGIN = 20; // pixels around a frame that is brought into view
const FILE = 'geoshare-map.pdf';

export class PrintPanel {
  private readonly element = h('section', { class: 'print-panel', 'aria-labelledby': 'print-title' });
  private readonly status = h('div', { class: 'print-status', role: 'status', 'aria-live': 'polite' });
  private readonly frames: Frames;
  private extent: Extent = 'one';
  private scale = 10_000;
  private otherScale = false;
  private bring = true;
  private centre: [number, number] = [0, 0];
  private readonly said: { paper: 'A4' | 'A3'; orientation: 'portrait' | 'landscape'; title: string; note: string; list: boolean; language: 'ja' | 'en'; code: string };
  private readonly chosen: Set<string>;
  private shares: Share[] = [];
  private seen: Bounds | null;
  private found: Estimate | null = null;
  private problem = '';
  private busy: AbortController | null = null;
  private asked = 0;
  private timer = 0;
  private readonly forgetLanguage: () => void;

  constructor(private readonly state: State, private readonly view: MapView, host: HTMLElement, private readonly closed: () => void) {
    const seen = view.map.getContainer();
    const high = seen.clientHeight > seen.clientWidth;
    this.said = { paper: 'A4', orientation: high ? 'portrait' : 'landscape', code: '', title: '', note: '', list: true, language: language() === 'en' ? 'en' : 'ja' };
    this.seen = view.map.getBounds().toArray().flat() as Bounds;
    this.chosen = new Set(this.vectors().filter(({ visible }) => visible).map(({ id }) => id));
    this.frames = new Frames(view.map, (by) => {
      this.centre = [this.centre[0] + by[0], this.centre[1] + by[1]];
      this.lookAgain();
    });
    view.map.on('moveend', this.cameraMoved);
    this.forgetLanguage = languageChanged.on(() => this.draw());
    host.append(this.element);
    this.draw();
    this.sayEstimate(); // as large as it will be, so that what it leaves free is known
    const { lng, lat } = view.map.getCenter(); // what was looked at, and not what the panel leaves of it
    this.centre = [lng, lat];
    this.scale = this.scaleOfScreen();
    this.draw();
    void this.findShares();
    this.element.querySelector<HTMLElement>('button')?.focus();
    this.lookAgain(0);
  }

  close(): void {
    this.busy?.abort();
    clearTimeout(this.timer);
    this.asked += 1;
    this.view.map.off('moveend', this.cameraMoved);
    this.forgetLanguage();
    this.frames.remove();
    this.element.remove();
    this.closed();
  }

  private vectors() {
    return this.state.entries.filter(({ collection }) => collection.kind === 'vector');
  }

  /** What of the map the panel does not cover: left, top, right, bottom in pixels of the map. */
  private free(): [number, number, number, number] {
    const map = this.view.map.getContainer().getBoundingClientRect();
    const panel = this.element.getBoundingClientRect();
    return panel.width < map.width * 0.9
      ? [0, 0, Math.max(panel.left - map.left, 60), map.height]
      : [0, 0, map.width, Math.max(panel.top - map.top, 60)];
  }

  private middle(): [number, number] {
    const [left, top, right, bottom] = this.free();
    const { lng, lat } = this.view.map.unproject([(left + right) / 2, (top + bottom) / 2]);
    return [lng, lat];
  }

  /** What is to be printed on several sheets: what was seen before the panel came, until the map is moved. */
  private bounds(): Bounds {
    if (this.seen) return this.seen;
    const [left, top, right, bottom] = this.free();
    const corners = [[left, top], [right, top], [right, bottom], [left, bottom]].map((at) => this.view.map.unproject(at as [number, number]));
    const lons = corners.map(({ lng }) => lng);
    const lats = corners.map(({ lat }) => lat);
    return [Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)];
  }

  /** The largest usual scale at which a sheet shows nearly all that the screen showed before the panel covered it. */
  private scaleOfScreen(): number {
    const { map } = this.view;
    const [west, south, east, north] = this.bounds();
    const wide = (east - west) * DEGREE_M * Math.cos((map.getCenter().lat * Math.PI) / 180);
    const high = (north - south) * DEGREE_M;
    const [w, h] = this.said.orientation === 'portrait' ? PORTRAIT_M : LANDSCAPE_M;
    const wanted = Math.min(wide / w, high / h) * NEARLY;
    return SCALES.find((scale) => scale >= wanted) ?? (SCALES.at(-1) as number);
  }

  /** A QR code may lead to what is shared with everybody, where the person who prints may share. */
  private async findShares(): Promise<void> {
    const me = await api.me().catch(() => null);
    if (!me || me.anonymous) return;
    const { shares: all } = await shares.listed().catch(() => ({ shares: [] as Share[] }));
    this.shares = all.filter(({ state }) => state === 'shown');
    if (this.shares.length && this.element.isConnected) this.draw();
  }

  private readonly cameraMoved = (event: { originalEvent?: unknown }): void => {
    if (event.originalEvent) this.seen = null; // moved by a hand, and not to bring the frame into view
    if (this.extent !== 'one') this.lookAgain();
  };

  private request(): PrintRequest {
    const hazard = this.state.entries.find(({ id }) => id === 'hazard_zones')?.choice;
    return {
      paper: this.said.paper, orientation: this.said.orientation,
      ...(this.extent === 'fit' ? {} : { scale: this.scale }),
      ...(this.extent === 'one' ? { center: this.centre } : { bbox: this.bounds() }),
      ...(hazard ? { hazards: [hazard] } : {}),
      collections: [...this.chosen], shelter_list: this.said.list,
      title: this.said.title.trim() || t('printHeadingDefault'), note: this.said.note.trim(), language: this.said.language,
      ...(this.said.code ? { link: this.said.code } : {}),
    };
  }

  /** Asks what the print would be, once the last change is a moment ago. */
  private lookAgain(wait = WAIT_MS): void {
    clearTimeout(this.timer);
    const turn = (this.asked += 1);
    this.timer = window.setTimeout(() => void this.look(turn), wait);
    this.say(t('printAsking'));
  }

  private async look(turn: number): Promise<void> {
    this.problem = this.wrong();
    let found: Estimate | null = null;
    if (!this.problem) {
      try {
        found = await estimate(this.request());
      } catch (error) {
        this.problem = explain(error);
      }
    }
    if (turn !== this.asked) return;
    this.found = found;
    this.frames.show(found?.sheets ?? [], this.extent === 'one');
    if (found && this.bring) this.intoView(found);
    this.sayEstimate();
  }

  private wrong(): string {
    if (!this.chosen.size) return t('printNoLayers');
    const fits = Number.isInteger(this.scale) && this.scale >= LEAST_SCALE && this.scale <= MOST_SCALE;
    return this.extent === 'fit' || fits ? '' : t('printBadScale');
  }

  private sayEstimate(): void {
    if (this.problem || !this.found) {
      this.say(h('p', { class: 'field-error' }, this.problem));
      return;
    }
    const { pages, sheets, places, list_pages: listed, scale } = this.found;
    const length = (metres: number) => (metres >= 1000 ? `${number(Math.round(metres / 10) / 100)} km` : `${number(Math.round(metres))} m`);
    const first = sheets[0];
    this.say(
      h('p', {}, h('strong', {}, t('printPages', { sheets: sheets.length, pages })), `　1:${number(scale)}`),
      first ? h('p', { class: 'muted' }, t('printGround', { w: length(first.width_m), h: length(first.height_m) })) : null,
      listed ? h('p', { class: 'muted' }, t('printPlaces', { n: places })) : null,
      h('button', { type: 'button', class: 'button-main', id: 'print-make', onclick: () => void this.make() }, icon(ICONS.file), t('printMake')),
    );
  }

  private say(...content: Child[]): void {
    fill(this.status, ...content);
  }

  private async make(): Promise<void> {
    const busy = (this.busy = new AbortController());
    const shown = { title: t('printTitle'), words: (percent: number) => t('printMaking', { percent }), show: (...content: Child[]) => this.say(...content) };
    try {
      const file = await withBar(shown, (...how) => make(this.request(), ...how), busy);
      handOver(file, FILE);
      this.say(h('p', {}, h('strong', {}, t('printDone')), `　${bytes(file.size)}`),
        h('div', { class: 'print-actions' },
          h('button', { type: 'button', class: 'button-plain', id: 'print-save', onclick: () => handOver(file, FILE) }, t('printAgain')),
          h('button', { type: 'button', class: 'button-main', onclick: () => void this.make() }, t('printMake'))));
    } catch (error) {
      this.problem = busy.signal.aborted ? t('printCancelled') : explain(error);
      this.sayEstimate();
    } finally {
      this.busy = null;
    }
  }

  private draw(): void {
    const lead = this.extent === 'one' ? 'printLead' : 'printLeadMany';
    fill(this.element,
      h('div', { class: 'print-head' }, h('h2', { id: 'print-title' }, t('printTitle')),
        h('button', { type: 'button', class: 'button-icon', id: 'print-close', 'aria-label': t('close'), onclick: () => this.close() }, icon(ICONS.close))),
      h('div', { class: 'print-body' },
        this.select('print-extent', t('printArea'), this.extent, [['one', t('printOne')], ['many', t('printMany')], ['fit', t('printFit')]], (value) => { this.extent = value as Extent; this.draw(); }),
        h('p', { class: 'muted' }, t(lead)),
        this.extent === 'one' && h('button', { type: 'button', class: 'button-plain', id: 'print-centre', onclick: () => this.toCentre() }, icon(ICONS.target), t('printCentre')),
        h('div', { class: 'print-pair' },
          this.select('print-paper', t('printPaper'), this.said.paper, [['A4', 'A4'], ['A3', 'A3']], (value) => { this.said.paper = value as 'A4' | 'A3'; }),
          this.select('print-orientation', t('printOrientation'), this.said.orientation, [['landscape', t('printLandscape')], ['portrait', t('printPortrait')]], (value) => { this.said.orientation = value as 'portrait' | 'landscape'; })),
        this.extent !== 'fit' && this.scaleField(),
        this.text('print-heading', t('printHeading'), this.said.title, 100, (value) => { this.said.title = value; }, t('printHeadingDefault')),
        this.text('print-note', t('printNote'), this.said.note, 300, (value) => { this.said.note = value; }),
        this.layers(),
        this.shares.length > 0 && this.select('print-code', t('printCode'), this.said.code, [
          ['', t('printCodeMap')], ...this.shares.map((share): [string, string] => [share.href, t('printCodeShare', { title: share.title })]),
        ], (value) => { this.said.code = value; }),
        this.check('print-list', t('printList'), this.said.list, (on) => { this.said.list = on; }),
        this.select('print-language', t('printLanguage'), this.said.language, [['ja', '日本語'], ['en', 'English']], (value) => { this.said.language = value as 'ja' | 'en'; })),
      this.status);
  }

  /** Moves the map so that the whole frame is seen beside the panel, where it is not. */
  private intoView(found: Estimate): void {
    this.bring = false;
    const { map } = this.view;
    const box = map.getContainer().getBoundingClientRect();
    const [left, top, right, bottom] = this.free();
    const corners = found.sheets.flatMap(({ outline }) => outline);
    const inside = corners.every((at) => {
      const { x, y } = map.project(at);
      return x > left && x < right && y > top && y < bottom;
    });
    if (inside) return;
    const lons = corners.map(([lon]) => lon);
    const lats = corners.map(([, lat]) => lat);
    map.fitBounds([Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)], {
      padding: { left: left + MARGIN, top: top + MARGIN, right: box.width - right + MARGIN, bottom: box.height - bottom + MARGIN },
    });
  }

  private toCentre(): void {
    this.centre = this.middle();
    this.bring = true;
    this.lookAgain(0);
  }

  private scaleField(): HTMLElement {
    const known = SCALES.includes(this.scale) && !this.otherScale;
    const options: [string, string][] = [...SCALES.map((scale): [string, string] => [String(scale), `1:${number(scale)}`]), ['other', t('printOtherScale')]];
    return h('div', { class: 'print-scale' },
      this.select('print-scale', t('printScale'), known ? String(this.scale) : 'other', options, (value) => {
        this.otherScale = value === 'other';
        if (!this.otherScale) this.scale = Number(value);
        this.draw();
      }),
      !known && h('label', {}, t('printScaleNumber'), h('input', {
        id: 'print-scale-number', type: 'text', inputmode: 'numeric', maxlength: '9', value: String(this.scale),
        oninput: (event: Event) => { this.scale = Number((event.target as HTMLInputElement).value.replace(/[,，\s]/g, '')); this.lookAgain(); },
      })));
  }

  private layers(): HTMLElement {
    return h('details', { class: 'print-layers' }, h('summary', {}, t('printLayers')),
      ...this.vectors().map(({ id, collection }) => this.check(`print-layer-${id}`, titled(collection, id), this.chosen.has(id), (on) => {
        if (on) this.chosen.add(id);
        else this.chosen.delete(id);
      })));
  }

  private select(id: string, label: string, value: string, options: [string, string][], changed: (value: string) => void): HTMLElement {
    return h('label', {}, label, h('select', {
      id, onchange: (event: Event) => { changed((event.target as HTMLSelectElement).value); this.lookAgain(); },
    }, ...options.map(([key, text]) => h('option', { value: key, selected: key === value }, text))));
  }

  private text(id: string, label: string, value: string, most: number, changed: (value: string) => void, hint = ''): HTMLElement {
    return h('label', {}, label, h('input', {
      id, type: 'text', maxlength: String(most), value, placeholder: hint || undefined,
      oninput: (event: Event) => changed((event.target as HTMLInputElement).value),
    }));
  }

  private check(id: string, label: string, on: boolean, changed: (on: boolean) => void): HTMLElement {
    return h('label', { class: 'check' }, h('input', {
      id, type: 'checkbox', checked: on, onchange: (event: Event) => { changed((event.target as HTMLInputElement).checked); this.lookAgain(); },
    }), label);
  }
}
