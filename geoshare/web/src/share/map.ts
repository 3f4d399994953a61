/** A small map of its own: tiles of the share drawn on a canvas, moved by finger, mouse and keys. */

import { named } from '../shared/language';
import { BASE } from '../map/layers/palettes';
import { readTile } from './mvt';
import { drawTile, paint, type Painted } from './paint';
import { sign, SIDE } from './signs';

export interface Mark { id: string; kind: string; at: [number, number]; name: string; rank: number; faint?: boolean }
export type Box = [number, number, number, number];

const TILE = 512;
const MOST_TILES = 60;
const KEEP_SMALL = 0.62; // of a sign's size, far out

const lonToX = (lon: number): number => (lon + 180) / 360;
const latToY = (lat: number): number => 0.5 - Math.asinh(Math.tan((Math.max(-85, Math.min(85, lat)) * Math.PI) / 180)) / (2 * Math.PI);
const xToLon = (x: number): number => x * 360 - 180;
const yToLat = (y: number): number => (Math.atan(Math.sinh((0.5 - y) * 2 * Math.PI)) * 180) / Math.PI;

interface Slot { painted: Painted | null; asked: string; used: number; failed: number }

export class ShareMap {
  readonly element = document.createElement('canvas');
  private readonly pen = this.element.getContext('2d', { alpha: false }) as CanvasRenderingContext2D;
  private readonly tiles = new Map<string, Slot>();
  private x = 0.9;
  private y = 0.4;
  private zoom = 10;
  private width = 0;
  private height = 0;
  private density = 1;
  private drawing = 0;
  private frame = 0;
  private version = '';
  private marks: Mark[] = [];
  private here: [number, number] | null = null;
  private chosen = '';
  private started = false;
  /** What a finger or mouse has chosen: a mark, or the id of a closed road. */
  onPick: (id: string) => void = () => undefined;
  /** The first time that all tiles in sight are drawn. */
  onReady: () => void = () => undefined;

  constructor(private readonly address: string, private readonly zooms: [number, number], private readonly bounds: Box, private readonly drills: boolean) {
    this.element.tabIndex = 0;
    this.element.className = 'canvas';
    this.element.setAttribute('role', 'application');
    this.listen();
    new ResizeObserver(() => this.resize()).observe(this.element);
  }

  /** Tiles may show something else from now on. */
  setVersion(version: string): void {
    if (version === this.version) return;
    this.version = version;
    this.redraw();
  }

  setMarks(marks: Mark[]): void {
    this.marks = [...marks].sort((a, b) => a.rank - b.rank);
    this.redraw();
  }

  setHere(at: [number, number] | null): void {
    this.here = at;
    this.redraw();
  }

  choose(id: string): void {
    this.chosen = id;
    this.redraw();
  }

  /** Shows a box in degrees. */
  fit(box: Box, most = 17): void {
    this.measure();
    const [west, north, east, south] = [lonToX(box[0]), latToY(box[3]), lonToX(box[2]), latToY(box[1])];
    this.x = (west + east) / 2;
    this.y = (north + south) / 2;
    const room = Math.min(24, this.width / 12);
    const across = (this.width - 2 * room) / (TILE * Math.max(east - west, 1e-9));
    const down = (this.height - 2 * room) / (TILE * Math.max(south - north, 1e-9));
    this.zoom = Math.max(3, Math.min(most, Math.log2(Math.min(across, down))));
    this.redraw();
  }

  look(at: [number, number], zoom = Math.max(this.zoom, 15)): void {
    this.x = lonToX(at[0]);
    this.y = latToY(at[1]);
    this.zoom = zoom;
    this.redraw();
  }

  zoomBy(step: number): void {
    this.zoomAt(this.width / 2, this.height / 2, step);
  }

  private measure(): void {
    const { clientWidth, clientHeight } = this.element;
    this.density = Math.min(3, window.devicePixelRatio || 1);
    this.width = clientWidth || 300;
    this.height = clientHeight || 300;
    const [across, down] = [Math.round(this.width * this.density), Math.round(this.height * this.density)];
    if (this.element.width !== across) this.element.width = across;
    if (this.element.height !== down) this.element.height = down;
  }

  private resize(): void {
    this.measure();
    this.draw();
  }

  redraw(): void {
    this.drawing ||= requestAnimationFrame(() => this.draw());
  }

  private scale(): number {
    return TILE * 2 ** this.zoom;
  }

  private place(x: number, y: number): [number, number] {
    return [(x - this.x) * this.scale() + this.width / 2, (y - this.y) * this.scale() + this.height / 2];
  }

  private draw(): void {
    this.drawing = 0;
    if (!this.width) this.measure();
    this.frame += 1;
    const { pen, density } = this;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    const level = Math.max(this.zooms[0], Math.min(this.zooms[1], Math.floor(this.zoom + 0.3)));
    const count = 2 ** level;
    const side = this.scale() / count;
    const [left, top] = [this.x - this.width / 2 / this.scale(), this.y - this.height / 2 / this.scale()];
    const [right, bottom] = [this.x + this.width / 2 / this.scale(), this.y + this.height / 2 / this.scale()];
    const inSight: { tile: Painted; x: number; y: number; side: number }[] = [];
    let waiting = 0;
    pen.fillStyle = BASE.land;
    pen.fillRect(0, 0, this.element.width, this.element.height);
    for (let row = Math.max(0, Math.floor(top * count)); row <= Math.min(count - 1, Math.floor(bottom * count)); row += 1) {
      for (let column = Math.floor(left * count); column <= Math.floor(right * count); column += 1) {
        if (!this.inBounds(level, column, row)) continue;
        const [slot, at] = this.slot(level, column, row);
        if (!slot?.painted) waiting += 1;
        if (!slot?.painted) continue;
        const [px, py] = this.place(column / count, row / count);
        const part = at.size;
        this.drawPart(slot.painted, px, py, side, at);
        if (part === 1) inSight.push({ tile: slot.painted, x: px, y: py, side });
      }
    }
    this.drawOver(inSight);
    if (!waiting && !this.started && inSight.length) {
      this.started = true;
      this.onReady();
    }
    this.forget();
    pen.setTransform(density, 0, 0, density, 0, 0);
  }

  /** One tile, or the part of a coarser one that stands in for it, on whole pixels. */
  private drawPart(tile: Painted, px: number, py: number, side: number, at: { size: number; x: number; y: number }): void {
    const { pen, density } = this;
    const [x0, y0] = [Math.round(px * density), Math.round(py * density)];
    const [x1, y1] = [Math.round((px + side) * density), Math.round((py + side) * density)];
    pen.save();
    pen.beginPath();
    pen.rect(x0, y0, x1 - x0, y1 - y0);
    pen.clip();
    if (tile.land) {
      pen.fillStyle = BASE.sea;
      pen.fillRect(x0, y0, x1 - x0, y1 - y0);
    }
    const across = ((x1 - x0) * at.size) / tile.extent;
    const down = ((y1 - y0) * at.size) / tile.extent;
    pen.setTransform(across, 0, 0, down, x0 - at.x * (x1 - x0), y0 - at.y * (y1 - y0));
    drawTile(pen, tile, this.zoom, across / density);
    pen.restore();
  }

  /** Names and signs, over all tiles: what counts most keeps its place. */
  private drawOver(tiles: { tile: Painted; x: number; y: number; side: number }[]): void {
    const { pen, density } = this;
    pen.setTransform(density, 0, 0, density, 0, 0);
    const taken: Box[] = [];
    const free = (box: Box) => !taken.some((other) => box[0] < other[2] && box[2] > other[0] && box[1] < other[3] && box[3] > other[1]);
    const size = SIDE * Math.max(KEEP_SMALL, Math.min(1, 0.5 + (this.zoom - 11) * 0.16));
    const shown = this.marks.map((mark) => ({ mark, at: this.place(lonToX(mark.at[0]), latToY(mark.at[1])) }))
      .filter(({ at }) => at[0] > -40 && at[1] > -40 && at[0] < this.width + 40 && at[1] < this.height + 40);
    for (const { at } of shown) taken.push([at[0] - size / 2, at[1] - size / 2, at[0] + size / 2, at[1] + size / 2]);
    if (this.zoom >= 13.6) {
      for (const { mark, at } of [...shown].reverse()) {
        if (!mark.faint) this.write(mark.name, at[0], at[1] + (mark.id === this.chosen ? size * 0.72 : size / 2) + 9, 12, '#0b3a27', free, taken);
      }
    }
    const labels = tiles.flatMap(({ tile, x, y, side }) => tile.labels.map((label) => ({ label, x: x + (label.x / tile.extent) * side, y: y + (label.y / tile.extent) * side })));
    labels.sort((a, b) => Number(a.label.values.rank ?? 50) - Number(b.label.values.rank ?? 50));
    const said = new Set<string>();
    for (const { label, x, y } of labels) {
      const name = named(label.values);
      if (!name || said.has(label.key)) continue;
      const large = ['city', 'town', 'village'].includes(String(label.values.class));
      if (this.write(name, x, y, large ? 15 : 12, '#46545f', free, taken)) said.add(label.key);
    }
    for (const { mark, at } of shown) {
      pen.globalAlpha = mark.faint ? 0.35 : 1;
      const large = mark.id === this.chosen ? size * 1.35 : size;
      pen.drawImage(sign(mark.kind, density * 1.35), at[0] - large / 2, at[1] - large / 2, large, large);
      if (mark.id === this.chosen) {
        pen.lineWidth = 3;
        pen.strokeStyle = '#f2a900';
        pen.strokeRect(at[0] - large / 2 - 2, at[1] - large / 2 - 2, large + 4, large + 4);
      }
    }
    pen.globalAlpha = 1;
    for (const { tile, x, y, side } of tiles) {
      for (const { kind, x: sx, y: sy } of tile.signs) {
        const mini = size * 0.86;
        pen.drawImage(sign(`road|${kind}`, density * 1.35), x + (sx / tile.extent) * side - mini / 2, y + (sy / tile.extent) * side - mini / 2, mini, mini);
      }
    }
    if (this.here) this.drawHere(this.place(lonToX(this.here[0]), latToY(this.here[1])));
  }

  private write(name: string, x: number, y: number, size: number, colour: string, free: (box: Box) => boolean, taken: Box[]): boolean {
    const { pen } = this;
    pen.font = `600 ${size}px "Hiragino Sans", "Noto Sans CJK JP", "Noto Sans JP", system-ui, sans-serif`;
    const wide = pen.measureText(name).width / 2;
    const box: Box = [x - wide - 3, y - size / 2 - 2, x + wide + 3, y + size / 2 + 2];
    if (!free(box)) return false;
    taken.push(box);
    pen.textAlign = 'center';
    pen.textBaseline = 'middle';
    pen.lineJoin = 'round';
    pen.lineWidth = 3.4;
    pen.strokeStyle = 'rgba(255,255,255,.92)';
    pen.strokeText(name, x, y);
    pen.fillStyle = colour;
    pen.fillText(name, x, y);
    return true;
  }

  private drawHere([x, y]: [number, number]): void {
    const { pen } = this;
    for (const [radius, paintOf] of [[15, 'rgba(10,106,161,.18)'], [8, '#ffffff'], [6, '#0a6aa1']] as const) {
      pen.beginPath();
      pen.arc(x, y, radius, 0, 7);
      pen.fillStyle = paintOf;
      pen.fill();
    }
  }

  // Tiles

  private inBounds(z: number, x: number, y: number): boolean {
    const count = 2 ** z;
    const [west, south, east, north] = this.bounds;
    return x + 1 > lonToX(west) * count && x < lonToX(east) * count && y + 1 > latToY(north) * count && y < latToY(south) * count;
  }

  /** A tile, asked for where it is not there; until it comes a coarser one stands in. */
  private slot(z: number, x: number, y: number): [Slot | undefined, { size: number; x: number; y: number }] {
    const slot = this.ask(z, x, y);
    const whole = { size: 1, x: 0, y: 0 };
    if (slot.painted) return [slot, whole];
    for (let up = 1; up <= 5; up += 1) {
      const above = this.tiles.get(`${z - up}/${x >> up}/${y >> up}`);
      if (above?.painted) {
        const size = 2 ** up;
        above.used = this.frame;
        return [above, { size, x: x - ((x >> up) << up), y: y - ((y >> up) << up) }];
      }
    }
    return [undefined, whole];
  }

  private ask(z: number, x: number, y: number): Slot {
    const key = `${z}/${x}/${y}`;
    let slot = this.tiles.get(key);
    if (!slot) this.tiles.set(key, (slot = { painted: null, asked: '', used: 0, failed: 0 }));
    slot.used = this.frame;
    const asked = `${this.version}.${slot.failed}`;
    if (slot.asked !== asked && this.version) {
      slot.asked = asked;
      void this.load(key, slot);
    }
    return slot;
  }

  private async load(key: string, slot: Slot): Promise<void> {
    const asked = slot.asked;
    try {
      // Kept by the browser, and asked for again by its tag when something has changed.
      const answer = await fetch(`${this.address}/tiles/${key}.mvt`, { cache: slot.painted ? 'no-cache' : 'default' });
      if (!answer.ok) throw new Error(String(answer.status));
      const content = answer.status === 204 ? new ArrayBuffer(0) : await answer.arrayBuffer();
      if (slot.asked === asked) slot.painted = paint(readTile(content), this.drills);
    } catch {
      if (slot.failed < 4) setTimeout(() => { slot.failed += 1; this.redraw(); }, 1500 * 2 ** slot.failed);
    }
    this.redraw();
  }

  private forget(): void {
    if (this.tiles.size <= MOST_TILES) return;
    const old = [...this.tiles].filter(([, slot]) => slot.used < this.frame).sort((a, b) => a[1].used - b[1].used);
    for (const [key] of old.slice(0, this.tiles.size - MOST_TILES)) this.tiles.delete(key);
  }

  // Moving

  private zoomAt(px: number, py: number, step: number): void {
    const next = Math.max(4, Math.min(19, this.zoom + step));
    const [dx, dy] = [px - this.width / 2, py - this.height / 2];
    const before = this.scale();
    this.zoom = next;
    const after = this.scale();
    this.moveTo(this.x + dx / before - dx / after, this.y + dy / before - dy / after);
  }

  private moveTo(x: number, y: number): void {
    this.x = Math.max(lonToX(this.bounds[0]), Math.min(lonToX(this.bounds[2]), x));
    this.y = Math.max(latToY(this.bounds[3]), Math.min(latToY(this.bounds[1]), y));
    this.redraw();
  }

  private listen(): void {
    const held = new Map<number, [number, number]>();
    let moved = 0;
    let last = 0;
    const point = (event: PointerEvent | WheelEvent): [number, number] => {
      const box = this.element.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    this.element.addEventListener('pointerdown', (event) => {
      this.element.setPointerCapture(event.pointerId);
      held.set(event.pointerId, point(event));
      if (held.size === 1) moved = 0;
    });
    this.element.addEventListener('pointermove', (event) => {
      const before = held.get(event.pointerId);
      if (!before) return;
      const now = point(event);
      const others = [...held].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
      held.set(event.pointerId, now);
      moved += Math.hypot(now[0] - before[0], now[1] - before[1]);
      const other = others[0];
      if (other) {
        const [was, is] = [Math.hypot(before[0] - other[0], before[1] - other[1]), Math.hypot(now[0] - other[0], now[1] - other[1])];
        if (was > 10 && is > 10) this.zoomAt((now[0] + other[0]) / 2, (now[1] + other[1]) / 2, Math.log2(is / was));
      }
      const share = 1 / (others.length + 1);
      this.moveTo(this.x - ((now[0] - before[0]) * share) / this.scale(), this.y - ((now[1] - before[1]) * share) / this.scale());
    });
    const up = (event: PointerEvent) => {
      if (!held.delete(event.pointerId) || held.size || moved > 8 || event.type === 'pointercancel') return;
      const at = point(event);
      const now = event.timeStamp;
      if (now - last < 320) this.zoomAt(at[0], at[1], 1);
      else this.pick(at);
      last = now;
    };
    this.element.addEventListener('pointerup', up);
    this.element.addEventListener('pointercancel', up);
    this.element.addEventListener('wheel', (event) => {
      event.preventDefault();
      const [x, y] = point(event);
      this.zoomAt(x, y, Math.max(-0.5, Math.min(0.5, -event.deltaY / (event.deltaMode ? 6 : 260))));
    }, { passive: false });
    this.element.addEventListener('keydown', (event) => {
      const step = 80 / this.scale();
      const moves: Record<string, () => void> = {
        ArrowLeft: () => this.moveTo(this.x - step, this.y), ArrowRight: () => this.moveTo(this.x + step, this.y),
        ArrowUp: () => this.moveTo(this.x, this.y - step), ArrowDown: () => this.moveTo(this.x, this.y + step),
        '+': () => this.zoomBy(0.5), '=': () => this.zoomBy(0.5), '-': () => this.zoomBy(-0.5),
      };
      const move = moves[event.key];
      if (!move || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      move();
    });
  }

  private pick([x, y]: [number, number]): void {
    const near = this.marks.map((mark) => {
      const [mx, my] = this.place(lonToX(mark.at[0]), latToY(mark.at[1]));
      return { mark, away: Math.hypot(mx - x, my - y) };
    }).filter(({ away }) => away < 26).sort((a, b) => a.away - b.away)[0];
    this.onPick(near?.mark.id ?? '');
  }

  /** The middle of the map in degrees. */
  get center(): [number, number] {
    return [xToLon(this.x), yToLat(this.y)];
  }
}
