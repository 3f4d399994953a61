/** The signs of places, drawn once for each kind and kept. */

import { glyphs, site, waterPoint } from '../../../model/appearance.json';
import { EVENT, QUESTION, SHELTER, shelterState } from '../map/layers/palettes';

const DROP = 'M12 3c4 5 6 8 6 11a6 6 0 0 1-12 0c0-3 2-6 6-11z';
export const SITE_COLOUR = site;
export const WATER_COLOUR = waterPoint;
export const SIDE = 30;

const kept = new Map<string, HTMLCanvasElement>();

/** `shelter|open`, `site`, `water` or `road|closed`, at the density of the screen. */
export function sign(kind: string, density: number): HTMLCanvasElement {
  const key = `${kind} ${density}`;
  const known = kept.get(key);
  if (known) return known;
  const sheet = document.createElement('canvas');
  sheet.width = sheet.height = Math.ceil(SIDE * density);
  const pen = sheet.getContext('2d') as CanvasRenderingContext2D;
  pen.scale(density, density);
  pen.lineCap = pen.lineJoin = 'round';
  draw(pen, kind);
  kept.set(key, sheet);
  return sheet;
}

function draw(pen: CanvasRenderingContext2D, kind: string): void {
  const [what, state = ''] = kind.split('|');
  if (what === 'road') {
    round(pen, EVENT[state as keyof typeof EVENT] ?? EVENT.planned);
    line(pen, state === 'closed' ? 'M7 7L17 17M17 7L7 17' : state === 'restricted' ? 'M12 6V13M12 17.4v.2' : 'M12 7v5l3.4 3', 3.4);
    return;
  }
  plate(pen, what === 'site' ? SITE_COLOUR : what === 'water' ? WATER_COLOUR : SHELTER[shelterState(state)]);
  if (what === 'water') line(pen, DROP, 2.4);
  else {
    if (what === 'shelter') line(pen, glyphs.house, 2.2);
    if (what === 'shelter' && shelterState(state) === 'unknown') line(pen, QUESTION, 3, 0.56);
    else line(pen, glyphs.runner, 2.2, what === 'shelter' ? 0.56 : 1);
  }
  if (state === 'full' || state === 'closed') line(pen, glyphs.strike, 3.2);
}

function plate(pen: CanvasRenderingContext2D, colour: string): void {
  for (const [inset, paint, radius] of [[0, '#ffffff', 7], [1.8, colour, 5.4]] as const) {
    pen.fillStyle = paint;
    pen.beginPath();
    pen.roundRect(inset, inset, SIDE - 2 * inset, SIDE - 2 * inset, radius);
    pen.fill();
  }
}

function round(pen: CanvasRenderingContext2D, colour: string): void {
  for (const [radius, paint] of [[13.5, '#ffffff'], [12, colour]] as const) {
    pen.fillStyle = paint;
    pen.beginPath();
    pen.arc(SIDE / 2, SIDE / 2, radius, 0, 7);
    pen.fill();
  }
}

function line(pen: CanvasRenderingContext2D, path: string, width: number, size = 1): void {
  pen.save();
  pen.translate(SIDE / 2, SIDE / 2 + (size < 1 ? 2.2 : 0));
  pen.scale(size, size);
  pen.translate(-12, -12);
  pen.strokeStyle = '#ffffff';
  pen.lineWidth = width / Math.max(size, 0.8);
  pen.stroke(new Path2D(path));
  if (path === glyphs.runner) {
    pen.fillStyle = '#ffffff';
    pen.beginPath();
    pen.arc(14.8, 5, 2.2, 0, 7);
    pen.fill();
  }
  pen.restore();
}
