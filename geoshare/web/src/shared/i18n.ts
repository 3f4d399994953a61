/** The current language and how values are written in it. */

import type { PropertySchema } from './api';
import { Signal } from './dom';
import { LANGUAGES, STRINGS, type Language, type Word } from './strings';

export type { Language, Word } from './strings';

const MEMORY = 'geoshare.language';

let current: Language = initial();

export const languageChanged = new Signal<Language>();

function initial(): Language {
  const asked = new URLSearchParams(location.hash.slice(1)).get('lang') ?? remembered();
  const known = LANGUAGES.find((name) => name === asked);
  if (known) return known;
  return navigator.language.toLowerCase().startsWith('ja') ? 'ja' : 'en';
}

function remembered(): string | null {
  try {
    return localStorage.getItem(MEMORY);
  } catch {
    return null;
  }
}

export function language(): Language {
  return current;
}

export function setLanguage(next: Language): void {
  if (next === current) return;
  current = next;
  try {
    localStorage.setItem(MEMORY, next);
  } catch {
    // Private windows may refuse storage; the choice then lasts as long as the page.
  }
  document.documentElement.lang = next;
  languageChanged.emit(next);
}

/** A word in the current language, `{name}` filled in. */
export function t(word: Word, values: Record<string, string | number> = {}): string {
  return STRINGS[word][current].replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ''));
}

/** The title of a collection or property in the current language. */
export function titled(thing: { title?: string; title_ja?: string; 'x-title-ja'?: string }, fallback = ''): string {
  const ja = thing.title_ja ?? thing['x-title-ja'];
  return (current === 'ja' ? ja || thing.title : thing.title || ja) || fallback;
}

/** The name of a feature: English where the reader reads English and there is one. */
export function named(properties: Record<string, unknown>, label = 'name'): string {
  const candidates = current === 'en' ? ['name_en', label, 'name'] : [label, 'name', 'name_en'];
  for (const candidate of candidates) {
    const value = properties[candidate];
    if (typeof value === 'string' && value) return value;
    if (typeof value === 'number') return String(value);
  }
  return '';
}

/** One side of a name that is written in both languages, `日本語 / English`. */
export function bilingual(name: string): string {
  const [ja, en] = name.split(' / ', 2);
  return ja && en ? (current === 'ja' ? ja : en) : name;
}

export function number(value: number): string {
  return new Intl.NumberFormat(current, { maximumFractionDigits: 6 }).format(value);
}

/** An instant in Japanese time, which is what every user of these maps lives by. */
export function moment(iso: string, parts: 'full' | 'short' = 'full'): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return iso;
  const options: Intl.DateTimeFormatOptions = {
    timeZone: 'Asia/Tokyo', month: parts === 'short' ? 'numeric' : 'short', day: 'numeric',
    hour: '2-digit', minute: '2-digit', hourCycle: 'h23', weekday: 'short',
  };
  if (parts === 'full') options.year = 'numeric';
  return new Intl.DateTimeFormat(current === 'ja' ? 'ja-JP' : 'en-GB', options).format(date);
}

export function day(iso: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return iso;
  return new Intl.DateTimeFormat(current === 'ja' ? 'ja-JP' : 'en-GB', {
    timeZone: 'Asia/Tokyo', year: 'numeric', month: 'short', day: 'numeric',
  }).format(date);
}

const UNITS: Record<string, Record<Language, string>> = {
  '{persons}': { ja: '人', en: 'people' },
  '{households}': { ja: '世帯', en: 'households' },
  '{count}': { ja: '', en: '' },
  deg: { ja: '°', en: '°' },
};

export function unit(property: PropertySchema): string {
  const code = property['x-ogc-unit'] ?? '';
  return UNITS[code]?.[current] ?? code;
}

type EnumTitles = Record<string, string>;

/** The title of a coded value, from the schema. */
export function coded(property: PropertySchema | undefined, value: unknown): string {
  const own = property as Record<string, unknown> | undefined;
  const titles = own?.[current === 'ja' ? 'x-enum-titles-ja' : 'x-enum-titles'] as EnumTitles | undefined;
  return titles?.[String(value)] ?? String(value);
}
