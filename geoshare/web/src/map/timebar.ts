/** One bar for everything that changes with time: choose a layer, a moment, or let it play. */

import { fill, h, icon, ICONS } from '../shared/dom';
import { day, languageChanged, moment, t, titled } from '../shared/i18n';
import type { Entry, State } from './state';
import type { MapView } from './view';

const STEP_MS = 900;

export class TimeBar {
  readonly element = h('section', { class: 'timebar', hidden: true });
  private active = '';
  private playing = 0;

  constructor(private readonly state: State, private readonly view: () => MapView | null) {
    state.entryChanged.on((entry) => { if (entry.times.length > 1) this.update(); });
    state.catalogueChanged.on(() => this.render());
    languageChanged.on(() => this.render());
  }

  private timed(): Entry[] {
    return this.state.entries.filter((entry) => entry.visible && entry.times.length > 1);
  }

  private update(): void {
    const shown = [...this.element.querySelectorAll('.tab')].map((tab) => tab.id).join();
    const wanted = this.timed().map((entry) => `tab-${entry.id}`).join();
    if (shown !== wanted || !this.element.querySelector('input')) {
      const fresh = this.timed().find((entry) => !shown.includes(`tab-${entry.id}`));
      if (fresh) this.active = fresh.id;
      this.render();
    } else {
      this.showMoment();
    }
  }

  private current(): Entry | undefined {
    const timed = this.timed();
    return timed.find((entry) => entry.id === this.active) ?? timed[0];
  }

  private render(): void {
    const entry = this.current();
    this.element.hidden = !entry;
    document.body.classList.toggle('has-timebar', Boolean(entry));
    if (!entry) {
      this.stop();
      return;
    }
    this.active = entry.id;
    this.element.setAttribute('aria-label', t('time'));
    const index = Math.max(0, entry.times.indexOf(entry.time ?? ''));
    const scenes = entry.collection.kind === 'raster';
    fill(
      this.element,
      h('div', { class: 'tabs', role: 'group', 'aria-label': t('layers') },
        ...this.timed().map((other) => h('button', {
          type: 'button', class: 'tab', id: `tab-${other.id}`, 'aria-pressed': String(other === entry),
          onclick: () => { this.stop(); this.active = other.id; this.render(); },
        }, titled(other.collection, other.id)))),
      strip(entry),
      h('div', { class: 'time-row' },
        h('button', { type: 'button', id: 'time-play', class: 'button-round', 'aria-label': this.playing ? t('pause') : t('play'), onclick: () => this.toggle() },
          icon(this.playing ? ICONS.pause : ICONS.play)),
        h('div', { class: 'time-slide' },
          h('output', { id: 'time-now', for: 'time-slider' }, ''),
          h('input', {
            type: 'range', id: 'time-slider', min: '0', max: String(entry.times.length - 1), step: '1', value: String(index),
            'aria-label': `${titled(entry.collection, entry.id)}: ${scenes ? t('scene') : t('step')}`,
            oninput: (event: Event) => { this.stop(); this.go(Number((event.target as HTMLInputElement).value)); },
          }),
          h('div', { class: 'time-ends', 'aria-hidden': 'true' },
            h('span', {}, this.brief(entry, 0)), h('span', {}, this.brief(entry, entry.times.length - 1)))),
        h('button', { type: 'button', class: 'button-icon', 'aria-label': t('previous'), onclick: () => { this.stop(); this.step(-1); } }, icon(ICONS.left)),
        h('button', { type: 'button', class: 'button-icon', 'aria-label': t('next'), onclick: () => { this.stop(); this.step(1); } }, icon(ICONS.right))),
    );
    this.showMoment();
  }

  private brief(entry: Entry, index: number): string {
    const time = entry.times[index] ?? '';
    return entry.collection.kind === 'raster' ? day(time) : moment(time, 'short');
  }

  private showMoment(): void {
    const entry = this.current();
    const slider = document.getElementById('time-slider') as HTMLInputElement | null;
    const now = document.getElementById('time-now');
    if (!entry || !slider || !now) return;
    const text = moment(entry.time ?? '');
    now.textContent = `${text} JST`;
    slider.value = String(Math.max(0, entry.times.indexOf(entry.time ?? '')));
    slider.setAttribute('aria-valuetext', text);
  }

  private go(index: number): void {
    const entry = this.current();
    const time = entry?.times[index];
    if (entry && time && time !== entry.time) this.state.change(entry, { time });
  }

  private step(by: number): void {
    const entry = this.current();
    if (!entry) return;
    const count = entry.times.length;
    this.go((entry.times.indexOf(entry.time ?? '') + by + count) % count);
  }

  private toggle(): void {
    if (this.playing) this.stop();
    else this.play();
    this.render();
    document.getElementById('time-play')?.focus();
  }

  private play(): void {
    const view = this.view();
    const advance = () => {
      if (!this.playing) return;
      this.step(1);
      const entry = this.current();
      // The next step waits until this one is on the screen, so a slow line never falls behind.
      let done = entry?.collection.kind === 'vector';
      const next = () => { if (this.playing) this.playing = window.setTimeout(advance, done ? STEP_MS : 200); };
      if (!view || done) { next(); return; }
      view.frameShown = () => { done = true; view.frameShown = null; next(); };
    };
    this.playing = window.setTimeout(advance, 50);
  }

  private stop(): void {
    if (!this.playing) return;
    clearTimeout(this.playing);
    this.playing = 0;
    const view = this.view();
    if (view) view.frameShown = null;
    const button = document.getElementById('time-play');
    if (button) {
      fill(button, icon(ICONS.play));
      button.setAttribute('aria-label', t('play'));
    }
  }
}

/** The colours of a gridded series where the eye is while it plays. */
function strip(entry: Entry): HTMLElement | false {
  const legend = entry.raster?.legend ?? [];
  if (legend.length < 3) return false;
  return h('div', { class: 'strip', 'aria-hidden': 'true' }, ...legend.map(({ colour, value }) =>
    h('span', { style: { borderTopColor: colour } }, String(value))));
}
