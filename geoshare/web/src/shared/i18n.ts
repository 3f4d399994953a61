/** The words of the pages in the current language, and what schemas say in it. */

import type { PropertySchema } from './api';
import { EASY } from './easy';
import { chosen, language } from './language';
import { withoutRuby } from './ruby';
import { STRINGS, type Word } from './strings';

export {
  bilingual, bytes, called, chosen, clock, day, drillMark, language, languageChanged, moment, named, number, setLanguage, type Choice, type Language,
} from './language';
export type { Word } from './strings';

/** A word in the current language, `{name}` filled in. Easy Japanese is Japanese where it has no own words. */
export function t(word: Word, values: Record<string, string | number> = {}): string {
  const easy = chosen() === 'ja-easy' ? EASY[word] : undefined;
  const text = easy === undefined ? STRINGS[word][language()] : withoutRuby(easy);
  return text.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ''));
}

/** The title of a collection or property in the current language. */
export function titled(thing: { title?: string; title_ja?: string; 'x-title-ja'?: string }, fallback = ''): string {
  const ja = thing.title_ja ?? thing['x-title-ja'];
  return (language() === 'ja' ? ja || thing.title : thing.title || ja) || fallback;
}

const UNITS: Record<string, { ja: string; en: string }> = {
  '{persons}': { ja: '人', en: 'people' },
  '{households}': { ja: '世帯', en: 'households' },
  '{count}': { ja: '', en: '' },
  deg: { ja: '°', en: '°' },
};

export function unit(property: PropertySchema): string {
  const code = property['x-ogc-unit'] ?? '';
  return UNITS[code]?.[language()] ?? code;
}

type EnumTitles = Record<string, string>;

/** The title of a coded value, from the schema. */
export function coded(property: PropertySchema | undefined, value: unknown): string {
  const own = property as Record<string, unknown> | undefined;
  const titles = own?.[language() === 'ja' ? 'x-enum-titles-ja' : 'x-enum-titles'] as EnumTitles | undefined;
  return titles?.[String(value)] ?? String(value);
}
