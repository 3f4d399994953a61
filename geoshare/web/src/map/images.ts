/** Map images drawn when they are first asked for, so that the legend shows the very same ones. */

import type { Map as LibreMap } from 'maplibre-gl';
import { glyphs, hazards, site as siteColour, things } from '../../../model/appearance.json';
import { HAZARDS } from './layers/disaster';
import { EVENT, QUESTION, SHELTER, shelterState, type ShelterState } from './layers/palettes';

const SCALE = 2;
type Pen = CanvasRenderingContext2D;

const HAZARD_MARKS = hazards as unknown as Record<(typeof HAZARDS)[number], [string, string, string]>;
const [LAMPS_BACK, ...LAMPS] = things.signal as [string, ...string[]];

/** Loads the characters that images are drawn with. */
export async function prepareImages(): Promise<void> {
  const letters = Object.values(HAZARD_MARKS).map(([ja, en]) => ja + en).join('');
  await document.fonts.load('500 16px "Noto Sans JP"', letters).catch(() => []);
}

export function answerMissingImages(map: LibreMap): void {
  map.setMissingStyleImageResolver(async (id) => {
    await prepareImages();
    const image = drawImage(id);
    if (image && !map.hasImage(id)) map.addImage(id, image, { pixelRatio: SCALE });
  });
}

/** A named image, also used by the legend. */
export function drawImage(id: string): ImageData | null {
  const [kind = '', value = '', language = ''] = id.split('|');
  switch (kind) {
    case 'site': return site(value, language);
    case 'shelter': return canvas(30, 30, (pen) => shelter(pen, shelterState(value)));
    case 'hazard': return canvas(18, 18, (pen) => mark(pen, 9, 9, 8, value as never, language));
    case 'event': return canvas(28, 28, (pen) => event(pen, value));
    case 'rule': return canvas(24, 24, (pen) => rule(pen, value));
    case 'structure': return canvas(22, 22, (pen) => badge(pen, things.structures, structureGlyph(value)));
    case 'roadside': return canvas(value === 'signal' ? 24 : 20, value === 'signal' ? 24 : 20, (pen) => roadside(pen, value));
    case 'hatch': return hatch();
    default: return kind.startsWith('arrow-') ? canvas(24, 40, (pen) => arrow(pen, kind.slice(6))) : null;
  }
}

export function imageAddress(id: string): { url: string; width: number; height: number } | null {
  const data = drawImage(id);
  if (!data) return null;
  const sheet = document.createElement('canvas');
  sheet.width = data.width;
  sheet.height = data.height;
  sheet.getContext('2d')?.putImageData(data, 0, 0);
  return { url: sheet.toDataURL(), width: data.width / SCALE, height: data.height / SCALE };
}

function canvas(width: number, height: number, draw: (pen: Pen) => void): ImageData | null {
  const sheet = document.createElement('canvas');
  sheet.width = width * SCALE;
  sheet.height = height * SCALE;
  const pen = sheet.getContext('2d', { willReadFrequently: true });
  if (!pen) return null;
  pen.scale(SCALE, SCALE);
  pen.lineCap = 'round';
  pen.lineJoin = 'round';
  draw(pen);
  return pen.getImageData(0, 0, sheet.width, sheet.height);
}

function plate(pen: Pen, x: number, y: number, size: number, colour: string): void {
  pen.fillStyle = '#ffffff';
  pen.beginPath();
  pen.roundRect(x, y, size, size, 6);
  pen.fill();
  pen.fillStyle = colour;
  pen.beginPath();
  pen.roundRect(x + 1.5, y + 1.5, size - 3, size - 3, 5);
  pen.fill();
}

function glyph(pen: Pen, path: string, x: number, y: number, size: number, width: number, colour = '#ffffff'): void {
  pen.save();
  pen.translate(x, y);
  pen.scale(size / 24, size / 24);
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.stroke(new Path2D(path));
  pen.restore();
}

function runner(pen: Pen, x: number, y: number, size: number): void {
  glyph(pen, glyphs.runner, x, y, size, 2.3);
  pen.fillStyle = '#ffffff';
  pen.beginPath();
  pen.arc(x + (14.8 * size) / 24, y + (5 * size) / 24, (2.2 * size) / 24, 0, 7);
  pen.fill();
}

/** A designated evacuation site; below it one mark per hazard it is designated for. */
function site(flags: string, language: string): ImageData | null {
  const chosen = HAZARDS.filter((_, index) => flags[index] === '1');
  const perRow = 4;
  const rows = Math.ceil(chosen.length / perRow);
  return canvas(64, 31 + rows * 16, (pen) => {
    plate(pen, 17, 0, 30, siteColour);
    runner(pen, 20, 2, 24);
    glyph(pen, glyphs.ground, 20, 2.4, 24, 1.8);
    chosen.forEach((hazard, index) => {
      const row = Math.floor(index / perRow);
      const inRow = Math.min(perRow, chosen.length - row * perRow);
      const x = 32 + ((index % perRow) - (inRow - 1) / 2) * 15.5;
      mark(pen, x, 39 + row * 16, 7.6, hazard, language);
    });
  });
}

function mark(pen: Pen, x: number, y: number, radius: number, hazard: (typeof HAZARDS)[number], language: string): void {
  const [ja, en, colour] = HAZARD_MARKS[hazard] ?? ['?', '?', '#555555'];
  pen.beginPath();
  pen.arc(x, y, radius, 0, 7);
  pen.fillStyle = colour;
  pen.fill();
  pen.lineWidth = 1;
  pen.strokeStyle = '#ffffff';
  pen.stroke();
  pen.fillStyle = '#ffffff';
  pen.font = `500 ${radius * 1.35}px "Noto Sans JP", sans-serif`;
  pen.textAlign = 'center';
  pen.textBaseline = 'middle';
  // A thin outline makes the medium weight bold, without a second font file.
  pen.lineWidth = radius * 0.03;
  pen.strokeText(language === 'en' ? en : ja, x, y + radius * 0.08);
  pen.fillText(language === 'en' ? en : ja, x, y + radius * 0.08);
}

function shelter(pen: Pen, state: ShelterState): void {
  plate(pen, 0, 0, 30, SHELTER[state]);
  glyph(pen, glyphs.house, 3.4, 2.6, 23.2, 2);
  if (state === 'unknown') glyph(pen, QUESTION, 7.6, 8.2, 14.8, 3.2);
  else runner(pen, 8.6, 9.4, 13);
  if (state === 'full' || state === 'closed') glyph(pen, glyphs.strike, 3, 3, 24, 3);
}

function event(pen: Pen, state: string): void {
  const colour = EVENT[state as keyof typeof EVENT] ?? EVENT.closed;
  pen.beginPath();
  pen.arc(14, 14, 13, 0, 7);
  pen.fillStyle = '#ffffff';
  pen.fill();
  pen.beginPath();
  pen.arc(14, 14, 11.5, 0, 7);
  pen.fillStyle = colour;
  pen.fill();
  if (state === 'closed') {
    glyph(pen, glyphs.cross, 4, 4, 20, 4.4);
  } else if (state === 'restricted') {
    glyph(pen, 'M12 5V14M12 18.6v.2', 2, 2, 24, 3.4);
  } else {
    glyph(pen, glyphs.clock, 2, 2, 24, 2.6);
  }
}

function rule(pen: Pen, subtype: string): void {
  pen.fillStyle = '#ffffff';
  pen.beginPath();
  pen.roundRect(1, 1, 22, 22, 5);
  pen.fill();
  if (subtype === 'traffic_light') {
    pen.fillStyle = LAMPS_BACK;
    pen.beginPath();
    pen.roundRect(2, 7, 20, 10, 5);
    pen.fill();
    LAMPS.forEach((colour, index) => {
      pen.fillStyle = colour;
      pen.beginPath();
      pen.arc(6 + index * 6, 12, 2.4, 0, 7);
      pen.fill();
    });
    return;
  }
  pen.fillStyle = things.regulatory_elements;
  pen.beginPath();
  pen.roundRect(2.2, 2.2, 19.6, 19.6, 4);
  pen.fill();
  const paths: Record<string, string> = {
    traffic_sign: 'M12 4l7 4v8l-7 4-7-4V8z', speed_limit: 'M12 6a6 6 0 1 0 .1 0z', right_of_way: 'M12 4l8 8-8 8-8-8z',
    crosswalk: 'M6 6v12M10 6v12M14 6v12M18 6v12', all_way_stop: 'M6 6h12l-6 12z',
  };
  glyph(pen, paths[subtype] ?? 'M7 12h10M12 7v10', 2.5, 2.5, 19, 2.2);
}

function badge(pen: Pen, colour: string, path: string): void {
  const size = pen.canvas.width / SCALE;
  pen.beginPath();
  pen.arc(size / 2, size / 2, size / 2 - 0.5, 0, 7);
  pen.fillStyle = '#ffffff';
  pen.fill();
  pen.beginPath();
  pen.arc(size / 2, size / 2, size / 2 - 1.8, 0, 7);
  pen.fillStyle = colour;
  pen.fill();
  glyph(pen, path, size * 0.16, size * 0.16, size * 0.68, 2.4);
}

function structureGlyph(kind: string): string {
  if (kind === 'bridge' || kind === 'overpass') return 'M2 9h20M5 9v9M19 9v9M5 14c3-4 11-4 14 0';
  if (kind === 'tunnel') return 'M4 20v-8a8 8 0 0 1 16 0v8';
  return 'M5 5v14M19 5v14M5 7h14';
}

const LAMP = 'M9 22V7c0-4 8-4 9 0M16 8h4';
const TREE = 'M12 22v-8M12 3a6 6 0 1 0 .1 0';
const ROADSIDE_GLYPHS: Record<string, string> = {
  sign: 'M12 22V12M6 3h12v9H6z', pole: 'M12 3v19', street_lamp: LAMP, streetLamp: LAMP, tree: TREE, vegetation: TREE,
  hydrant: 'M9 21V9h6v12M7 21h10M12 5v3M6 13h12',
};
const COLOURS: Record<string, string> = things.roadside_kinds;
const ALIASES: Record<string, string> = { streetLamp: 'street_lamp', vegetation: 'tree' };

function roadside(pen: Pen, kind: string): void {
  if (kind === 'signal') rule(pen, 'traffic_light');
  else badge(pen, COLOURS[ALIASES[kind] ?? kind] ?? things.roadside_features, ROADSIDE_GLYPHS[kind] ?? 'M12 7v10M7 12h10');
}

function arrow(pen: Pen, turn: string): void {
  const paths: Record<string, string> = {
    straight: 'M12 38V8M12 2l-6 9h12z', left: 'M14 38V18c0-4-2-5-6-5M9 6l-7 7 7 7z', right: 'M10 38V18c0-4 2-5 6-5M15 6l7 7-7 7z',
  };
  const path = new Path2D(paths[turn] ?? paths.straight);
  pen.strokeStyle = '#ffffff';
  pen.fillStyle = '#ffffff';
  pen.lineWidth = 2.4;
  pen.stroke(path);
  pen.fill(new Path2D((paths[turn] ?? paths.straight as string).split('M').slice(2).map((part) => `M${part}`).join('')));
}

function hatch(): ImageData | null {
  return canvas(8, 8, (pen) => {
    pen.fillStyle = things.hatch[0] as string;
    pen.fillRect(0, 0, 8, 8);
    pen.strokeStyle = things.hatch[1] as string;
    pen.lineWidth = 1.2;
    for (const offset of [-8, 0, 8]) {
      pen.beginPath();
      pen.moveTo(offset, 8);
      pen.lineTo(offset + 8, 0);
      pen.stroke();
    }
  });
}
