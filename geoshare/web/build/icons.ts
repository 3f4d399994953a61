/** The app's icons as PNG, drawn from the shapes of `public/icon.svg`: an icon of an installed app must be one. */

import { deflateSync } from 'node:zlib';

type Colour = [number, number, number];
interface Stroke { points: [number, number][]; width: number; colour: Colour; opacity: number }

const FIELD = 32;
const GROUND: Colour = [0x0b, 0x3c, 0x5d];
const WAVE: Colour = [0x7f, 0xd1, 0xe8];
const CORNER = 7;
const SAMPLES = 3;
const STROKES: Stroke[] = [
  { points: [[6, 21], [13, 17], [19, 21], [26, 17]], width: 2.6, colour: WAVE, opacity: 1 },
  { points: [[6, 15], [13, 11], [19, 15], [26, 11]], width: 2.6, colour: WAVE, opacity: 1 },
  { points: [[13, 11], [13, 24]], width: 1.6, colour: [255, 255, 255], opacity: 0.6 },
  { points: [[19, 15], [19, 24]], width: 1.6, colour: [255, 255, 255], opacity: 0.6 },
];

/** An icon of so many pixels a side; `masked` ones reach to the edge, and are drawn smaller for what is cut off. */
export function icon(side: number, masked: boolean): Buffer {
  const rows = Buffer.alloc(side * (side * 4 + 1));
  for (let y = 0; y < side; y += 1) {
    for (let x = 0; x < side; x += 1) rows.set(pixel(x, y, side, masked), y * (side * 4 + 1) + 1 + x * 4);
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(side, 0);
  head.writeUInt32BE(side, 4);
  head.set([8, 6, 0, 0, 0], 8); // 8 bits, RGBA
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', head), chunk('IDAT', deflateSync(rows, { level: 9 })), chunk('IEND', Buffer.alloc(0)),
  ]);
}

function pixel(x: number, y: number, side: number, masked: boolean): number[] {
  const sum = [0, 0, 0, 0];
  for (let n = 0; n < SAMPLES * SAMPLES; n += 1) {
    const at = [(x + ((n % SAMPLES) + 0.5) / SAMPLES), (y + (Math.floor(n / SAMPLES) + 0.5) / SAMPLES)]
      .map((place) => (place / side) * FIELD) as [number, number];
    const scale = masked ? 0.72 : 1;
    const inner = at.map((place) => (place - FIELD / 2) / scale + FIELD / 2) as [number, number];
    if (!masked && !inside(at)) continue;
    const colour = painted(inner);
    for (const band of [0, 1, 2]) sum[band] = (sum[band] as number) + (colour[band] as number);
    sum[3] = (sum[3] as number) + 1;
  }
  const shown = sum[3] as number;
  return shown ? [...sum.slice(0, 3).map((value) => Math.round(value / shown)), Math.round((255 * shown) / SAMPLES ** 2)] : [0, 0, 0, 0];
}

/** Whether a place lies in the square with round corners. */
function inside([x, y]: [number, number]): boolean {
  const away = [x, y].map((place) => Math.max(CORNER - place, place - (FIELD - CORNER), 0));
  return Math.hypot(...away) <= CORNER;
}

function painted(at: [number, number]): Colour {
  let colour = GROUND;
  for (const stroke of STROKES) {
    if (distance(at, stroke.points) > stroke.width / 2) continue;
    const under = colour;
    colour = stroke.colour.map((value, band) => value * stroke.opacity + (under[band] as number) * (1 - stroke.opacity)) as Colour;
  }
  return colour;
}

function distance([x, y]: [number, number], points: [number, number][]): number {
  let least = Infinity;
  for (let index = 1; index < points.length; index += 1) {
    const [ax, ay] = points[index - 1] as [number, number];
    const [bx, by] = points[index] as [number, number];
    const [dx, dy] = [bx - ax, by - ay];
    const share = Math.max(0, Math.min(1, ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy)));
    least = Math.min(least, Math.hypot(x - ax - share * dx, y - ay - share * dy));
  }
  return least;
}

function chunk(name: string, content: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), content]);
  const whole = Buffer.alloc(body.length + 8);
  whole.writeUInt32BE(content.length, 0);
  body.copy(whole, 4);
  whole.writeUInt32BE(checksum(body), body.length + 4);
  return whole;
}

/** CRC-32 as PNG has it (ISO 3309). */
function checksum(bytes: Buffer): number {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit += 1) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
  }
  return (sum ^ 0xffffffff) >>> 0;
}
