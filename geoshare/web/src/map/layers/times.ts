/** Times of a tile's features, written by MapLibre itself. */

import type { Language } from '../../shared/language';

const MONTHS_EN = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const HOURS_AHEAD = 9; // of UTC, all year

/**
 * Date and time of the day in Japan of a property that holds an instant in UTC (`2026-12-31T20:05:00Z`): `1/1 05:05`,
 * in English `1 Jan 05:05`. MapLibre knows no dates: where nine hours more are another day, the month's end is looked at.
 */
export function japanTime(name: string, language: Language): unknown {
  const part = (from: number, to: number) => ['to-number', ['slice', ['get', name], from, to]];
  const text = (value: unknown) => ['to-string', value];
  const [hour, day, month] = [['var', 'hour'], ['var', 'day'], ['var', 'month']];
  const february = ['case', ['==', ['%', part(0, 4), 4], 0], 29, 28];
  const days = ['match', month, 2, february, [4, 6, 9, 11], 30, 31];
  const clock = ['concat', ['case', ['<', ['%', hour, 24], 10], '0', ''], text(['%', hour, 24]), ['slice', ['get', name], 13, 16]];
  const named = (number: unknown) => ['match', number, ...MONTHS_EN.flatMap((word, index) => [index + 1, word]), ''];
  const date = (m: unknown, d: unknown) => (language === 'ja' ? ['concat', text(m), '/', text(d)] : ['concat', text(d), ' ', named(m)]);
  const next = ['case', ['<', day, days], date(month, ['+', day, 1]), date(['+', ['%', month, 12], 1], 1)];
  return ['let', 'hour', ['+', part(11, 13), HOURS_AHEAD], 'day', part(8, 10), 'month', part(5, 7),
    ['concat', ['case', ['<', hour, 24], date(month, day), next], ' ', clock]];
}

/** The same moment as a number that grows with it (year, month, day, hour, minute); 0 where there is none. */
export function ascending(name: string): unknown {
  const parts = [[0, 4], [5, 7], [8, 10], [11, 13], [14, 16]].map(([from, to]) => ['to-number', ['slice', ['get', name], from, to]]);
  return ['case', ['has', name], parts.reduce((sum: unknown, part) => ['+', ['*', sum, 100], part], 0), 0];
}
