/** What of the weather service's areas is one's own: by codes where both sides have them, else by place. */

import type { Warning } from './warnings';
import type { Editable } from './talk';

/** What of a code says where it is: the check digit is left out, and a prefecture is its first two digits. */
function bare(code: string): string {
  const five = code.length === 6 ? code.slice(0, 5) : code;
  return five.length === 5 && five.endsWith('000') ? five.slice(0, 2) : five;
}

const within = (a: string, b: string): boolean => a.startsWith(b) || b.startsWith(a);

/** Those of the codes that lie in the area in which somebody edits, or around it. */
export function ownOf({ area_codes: known = [] }: Editable, codes: readonly string[]): string[] {
  return codes.filter((code) => !known.length || known.some((own) => within(bare(own), bare(code))));
}

/** Whether a warning is of the area in which somebody edits; what cannot be told is taken to be. */
export function isOwn(about: Editable, warning: Warning, geometry: GeoJSON.Geometry | null): boolean {
  if (!about.area) return true;
  const codes = warning.municipality_codes ?? [];
  if (codes.length && about.area_codes?.length) return ownOf(about, codes).length > 0;
  const box = geometry && boxOf(geometry);
  if (!box) return true;
  const [west, south, east, north] = about.area;
  return box[0] <= east && box[2] >= west && box[1] <= north && box[3] >= south;
}

function boxOf(geometry: GeoJSON.Geometry): [number, number, number, number] | null {
  if (geometry.type === 'GeometryCollection') return null;
  const flat = [geometry.coordinates].flat(4) as number[];
  const [x, y] = [flat.filter((_, at) => at % 2 === 0), flat.filter((_, at) => at % 2 === 1)];
  return x.length ? [Math.min(...x), Math.min(...y), Math.max(...x), Math.max(...y)] : null;
}
