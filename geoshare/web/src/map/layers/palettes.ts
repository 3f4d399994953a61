/** Colours with a meaning of their own. */

/** Alert levels of the Cabinet Office (警戒レベル). */
export const ALERT: Record<3 | 4 | 5, string> = { 3: '#ff2800', 4: '#aa00aa', 5: '#0c000c' };
/** Level 2 in the same scheme, and a warning for which no level is defined. */
export const ADVISORY = '#f2e700';
export const LEVEL_UNKNOWN = '#77818a';

/** Sequential, readable with colour-vision deficiency, light to dark. */
export const POPULATION = ['#f1eef6', '#d4b9da', '#c994c7', '#df65b0', '#dd1c77', '#980043'];
export const FLOW = ['#f0f9e8', '#ccebc5', '#a8ddb5', '#7bccc4', '#43a2ca', '#0868ac'];

export const BASE = {
  sea: '#cfe3ef',
  land: '#f6f4ef',
  landEdge: '#cbc6ba',
  water: '#bcd9ea',
  waterEdge: '#8fb9d3',
  building: '#e3ded5',
  buildingEdge: '#c9c2b5',
  text: '#33404a',
  halo: '#ffffff',
} as const;

const FALLBACK = ['#4477aa', '#228833', '#aa3377', '#ccbb44', '#ee6677', '#66ccee'];

/** A steady colour for a collection the app has no design for. */
export function colourOf(name: string): string {
  let hash = 0;
  for (const character of name) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) >>> 0;
  return FALLBACK[hash % FALLBACK.length] as string;
}

/** Breaks at quantiles, rounded to two significant digits, without doubles. */
export function quantileBreaks(values: number[], classes: number): number[] {
  const sorted = values.filter((value) => Number.isFinite(value)).sort((a, b) => a - b);
  if (!sorted.length) return [];
  const breaks: number[] = [];
  for (let index = 1; index < classes; index += 1) {
    const value = sorted[Math.floor((index / classes) * sorted.length)] as number;
    const size = 10 ** (Math.floor(Math.log10(Math.abs(value) || 1)) - 1);
    const rounded = Math.round(value / size) * size;
    const clean = Number(rounded.toPrecision(6));
    if (clean > (breaks.at(-1) ?? -Infinity) && clean > (sorted[0] as number)) breaks.push(clean);
  }
  return breaks;
}
