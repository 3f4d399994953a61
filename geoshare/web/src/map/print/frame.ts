/**
 * The sheets as frames over the map: a drawing that follows the camera. One frame alone is moved by its edge, by
 * the handle in its middle, or by keys; everywhere else the map moves as ever.
 */

import type { Map as LibreMap } from 'maplibre-gl';
import { t } from '../../shared/i18n';
import type { SheetOutline } from './talk';

const SVG = 'http://www.w3.org/2000/svg';
const ARROWS = 'M0 -14L5 -8H-5ZM0 14L5 8H-5ZM-14 0L-8 5V-5ZM14 0L8 5V-5ZM-9 0H9M0 -9V9';
const STEP = 0.1; // of the frame, that an arrow key moves it by
type LonLat = [number, number];

export class Frames {
  private readonly element = document.createElementNS(SVG, 'svg');
  private sheets: SheetOutline[] = [];
  private movable = false;
  private moved: LonLat = [0, 0];

  /** `dropped` hears by how many degrees the frame was moved. */
  constructor(private readonly map: LibreMap, private readonly dropped: (by: LonLat) => void) {
    this.element.setAttribute('class', 'print-frames');
    map.getContainer().append(this.element);
    map.on('move', this.draw);
  }

  show(sheets: SheetOutline[], movable: boolean): void {
    this.sheets = sheets;
    this.movable = movable && sheets.length === 1;
    this.moved = [0, 0];
    this.draw();
  }

  remove(): void {
    this.map.off('move', this.draw);
    this.element.remove();
  }

  private readonly draw = (): void => {
    const focused = this.element.contains(document.activeElement);
    this.element.replaceChildren(...this.sheets.flatMap((sheet) => this.drawn(sheet)));
    if (focused) this.element.querySelector<SVGElement>('[tabindex]')?.focus();
  };

  private drawn(sheet: SheetOutline): SVGElement[] {
    const corners = sheet.outline.slice(0, 4).map(([lon, lat]) => this.map.project([lon + this.moved[0], lat + this.moved[1]]));
    const shape = document.createElementNS(SVG, 'polygon');
    shape.setAttribute('points', corners.map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' '));
    const parts: SVGElement[] = [shape];
    const middle = corners.reduce((sum, { x, y }) => [sum[0] + x / 4, sum[1] + y / 4] as LonLat, [0, 0] as LonLat);
    if (this.movable) {
      const edge = shape.cloneNode() as SVGElement;
      edge.setAttribute('class', 'edge');
      edge.addEventListener('pointerdown', this.grab);
      parts.push(edge, this.handle(middle));
    } else if (this.sheets.length > 1) {
      const number = document.createElementNS(SVG, 'text');
      number.setAttribute('x', middle[0].toFixed(1));
      number.setAttribute('y', middle[1].toFixed(1));
      number.textContent = String(sheet.number);
      parts.push(number);
    }
    return parts;
  }

  private handle([x, y]: LonLat): SVGElement {
    const handle = document.createElementNS(SVG, 'g');
    handle.setAttribute('class', 'handle');
    handle.setAttribute('transform', `translate(${x.toFixed(1)} ${y.toFixed(1)})`);
    handle.setAttribute('tabindex', '0');
    handle.setAttribute('role', 'application');
    handle.setAttribute('aria-label', t('printFrame'));
    const disc = document.createElementNS(SVG, 'circle');
    disc.setAttribute('r', '22');
    const arrows = document.createElementNS(SVG, 'path');
    arrows.setAttribute('d', ARROWS);
    handle.append(disc, arrows);
    handle.addEventListener('pointerdown', this.grab);
    handle.addEventListener('keydown', this.key);
    return handle;
  }

  private readonly grab = (event: PointerEvent): void => {
    event.preventDefault();
    event.stopPropagation();
    this.element.querySelector<SVGElement>('.handle')?.focus();
    const box = this.map.getContainer().getBoundingClientRect();
    const at = (one: PointerEvent) => this.map.unproject([one.clientX - box.left, one.clientY - box.top]);
    const start = at(event);
    const follow = (next: PointerEvent) => {
      const now = at(next);
      this.moved = [now.lng - start.lng, now.lat - start.lat];
      this.draw();
    };
    const end = () => {
      window.removeEventListener('pointermove', follow);
      window.removeEventListener('pointerup', end);
      window.removeEventListener('pointercancel', end);
      if (this.moved[0] || this.moved[1]) this.dropped(this.moved);
    };
    window.addEventListener('pointermove', follow);
    window.addEventListener('pointerup', end);
    window.addEventListener('pointercancel', end);
  };

  private readonly key = (event: KeyboardEvent): void => {
    const ways: Record<string, LonLat> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    const way = ways[event.key];
    const outline = this.sheets[0]?.outline;
    if (!way || !outline) return;
    event.preventDefault();
    const span = (axis: 0 | 1) => Math.max(...outline.map((at) => at[axis])) - Math.min(...outline.map((at) => at[axis]));
    this.moved = [this.moved[0] + way[0] * STEP * span(0), this.moved[1] + way[1] * STEP * span(1)];
    this.draw();
    this.dropped(this.moved);
  };
}
