/** The bar that tells everybody of an emergency that is on: where, why, until when. */

import { api, type Emergency } from '../shared/api';
import { fill, h, icon, ICONS, Signal } from '../shared/dom';
import { language, languageChanged, moment, t, titled } from '../shared/i18n';

const EVERY_MS = 60_000;

export class EmergencyBar {
  readonly element = h('div', { class: 'emergencies', role: 'status', 'aria-live': 'polite' });
  /** What the holder of this key may see has changed with an emergency. */
  readonly changed = new Signal<void>();
  private list: Emergency[] = [];
  private held = '';
  private first = true;

  constructor(private readonly zoomTo: (box: [number, number, number, number]) => void) {
    languageChanged.on(() => this.render());
    setInterval(() => void this.look(), EVERY_MS);
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) void this.look();
    });
  }

  /** Ask again; what cannot be asked now is asked later. */
  async look(): Promise<void> {
    if (document.hidden) return;
    try {
      const known = await api.emergencies();
      const before = this.list.map(({ id }) => id).join();
      if (known.map(({ id }) => id).join() !== before || this.first) {
        this.list = known.length ? (await api.me()).emergencies ?? known : known;
        this.note();
      }
    } catch {
      this.list = this.list.filter(({ until }) => Date.parse(until) > Date.now());
    }
    this.first = false;
    this.render();
  }

  /** Another key may see more, or less. */
  again(): void {
    this.first = true;
    void this.look();
  }

  private note(): void {
    const held = this.list.filter((item) => item.held).map(({ id }) => id).join();
    if (held !== this.held && !this.first) this.changed.emit();
    this.held = held;
  }

  private render(): void {
    fill(this.element, ...this.list.map((item) => {
      const box = boxOf(item.area);
      return h('div', { class: 'emergency' },
        icon(ICONS.warn),
        h('p', {},
          h('strong', {}, titled(item)), ' ',
          language() === 'ja' ? item.reason_ja : item.reason, ' ',
          h('span', {}, t('emergencyUntil', { when: moment(item.until, 'short') })), ' ',
          item.held && h('span', {}, t('emergencyHeld'))),
        box && h('button', { type: 'button', class: 'button-plain', onclick: () => this.zoomTo(box) }, t('emergencyShow')));
    }));
  }
}

/** West, south, east, north of a GeoJSON area; nothing for an administrative code. */
function boxOf(area: Emergency['area']): [number, number, number, number] | null {
  if (typeof area === 'string') return null;
  const places: number[][] = [];
  const collect = (part: unknown): void => {
    if (!Array.isArray(part)) return;
    if (typeof part[0] === 'number') places.push(part as number[]);
    else part.forEach(collect);
  };
  collect(area.coordinates);
  const lon = places.map((place) => place[0] as number);
  const lat = places.map((place) => place[1] as number);
  return places.length ? [Math.min(...lon), Math.min(...lat), Math.max(...lon), Math.max(...lat)] : null;
}
