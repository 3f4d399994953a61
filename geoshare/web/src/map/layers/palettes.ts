/** Colours with a meaning of their own, and where they are from; they stand in `model/appearance.json` for all who draw. */

import {
  advisory, alert, base, depths, depthUnknown, event, finerDepths, flow, glyphs, levelOther, levelUnknown, others, population, shelter, slides,
  tsunamiDepths, zoneSpecial, zoneWarning,
} from '../../../../model/appearance.json';

/** Lower bound in metres, upper bound, colour. */
export type Depth = readonly [number, number | null, string];
const steps = (said: unknown) => said as readonly Depth[];

/**
 * Depth of water: MLIT, 水害ハザードマップ作成の手引き (2016, revised 2023), 浸水ランクと配色 (標準): red, green and blue
 * 247 245 169, 255 216 192, 255 183 183, 255 145 145, 242 133 201 and 220 122 220 from the shallowest to the deepest. The
 * guide makes steps and colours the same for floods, inland floods, storm surges and tsunamis.
 */
export const DEPTHS = steps(depths);
/**
 * The same colours with the steps in which depths of tsunamis are published (津波浸水想定, National Land Numerical
 * Information A40): below 0.3 m 255 255 179, and 248 225 166 below 1 m, as in the detailed legend (詳細版) of that guide.
 */
export const TSUNAMI_DEPTHS = steps(tsunamiDepths);
/** Steps of the detailed legend of the same guide; they stand in no list of their own. */
export const FINER_DEPTHS = steps(finerDepths);
export const DEPTH_UNKNOWN = depthUnknown;

/** Landslides by movement, special zone and zone: 土砂災害警戒区域 on 重ねるハザードマップ and MLIT's PLATEAU VIEW. */
export const SLIDES = slides as unknown as Readonly<Record<string, readonly [string, string]>>;
/** Where the movement is not said. */
export const ZONE_SPECIAL = zoneSpecial;
export const ZONE_WARNING = zoneWarning;

/** The colour of a hazard zone, for who draws without MapLibre. */
export function zoneColour(values: Readonly<Record<string, unknown>>): string {
  const zone = String(values.zone_class ?? '');
  const [special, warning] = SLIDES[String(values.scenario ?? '')] ?? [ZONE_SPECIAL, ZONE_WARNING];
  if (zone.startsWith('special_warning')) return special;
  if (zone === 'warning' || zone === 'warning_planned') return warning;
  const from = Number(values.depth_min_m ?? -1);
  if (from < 0) return values.hazard_type === 'landslide' ? warning : DEPTH_UNKNOWN;
  const to = values.depth_max_m === undefined || values.depth_max_m === null ? null : Number(values.depth_max_m);
  const same = [...TSUNAMI_DEPTHS, ...DEPTHS, ...FINER_DEPTHS].find(([low, high]) => low === from && high === to);
  return (same ?? [...DEPTHS].reverse().find(([low]) => from >= low))?.[2] ?? DEPTH_UNKNOWN;
}

/** Alert levels of the Cabinet Office (警戒レベル). */
export const ALERT: Readonly<Record<3 | 4 | 5, string>> = alert;
/** Level 2 in the same scheme, and a warning for which no level is defined. */
export const ADVISORY = advisory;
export const LEVEL_UNKNOWN = levelUnknown;
/** An evacuation area whose level is none of those. */
export const LEVEL_OTHER = levelOther;

/** States of a shelter as every map draws them: what is not known is grey, and carries a question mark. */
export const SHELTER_STATES = ['open', 'full', 'preparing', 'not_open', 'closed', 'unknown'] as const;
export type ShelterState = (typeof SHELTER_STATES)[number];
export const SHELTER: Readonly<Record<ShelterState, string>> = shelter;
/** How a road stands. */
export const EVENT: Readonly<Record<'closed' | 'restricted' | 'planned', string>> = event;
export const QUESTION = glyphs.question;

/** The state of a shelter; what is no state that we know is not known. */
export function shelterState(status: unknown): ShelterState {
  return SHELTER_STATES.find((state) => state === status) ?? 'unknown';
}

/** Sequential, readable with colour-vision deficiency, light to dark. */
export const POPULATION: readonly string[] = population;
export const FLOW: readonly string[] = flow;

export const BASE = base;

/** A steady colour for a collection the app has no design for. */
export function colourOf(name: string): string {
  let hash = 0;
  for (const character of name) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) >>> 0;
  return others[hash % others.length] as string;
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
