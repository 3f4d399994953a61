/** The current language, and how times, numbers and names are written in it; knows no words of a page. */

import { Signal } from './dom';

/** What a reader chooses among. Easy Japanese is Japanese in short sentences, with readings over characters. */
export const CHOICES = ['ja', 'ja-easy', 'en'] as const;
export type Choice = (typeof CHOICES)[number];
/** What data and pages are written in. */
export type Language = 'ja' | 'en';

/** What the choices call themselves, in full and in short. */
export const OWN_NAMES: Record<Choice, readonly [string, string]> = {
  ja: ['日本語', '日本語'], 'ja-easy': ['やさしい日本語', 'やさしい'], en: ['English', 'EN'],
};

const MEMORY = 'geoshare.language';

let current: Choice = initial();

export const languageChanged = new Signal<Choice>();

export function isChoice(name: unknown): name is Choice {
  return CHOICES.includes(name as Choice);
}

function asked(): string | null {
  return new URLSearchParams(location.hash.slice(1)).get('lang') ?? remembered();
}

function initial(): Choice {
  const wanted = asked();
  if (isChoice(wanted)) return wanted;
  return navigator.language.toLowerCase().startsWith('ja') ? 'ja' : 'en';
}

function remembered(): string | null {
  try {
    return localStorage.getItem(MEMORY);
  } catch {
    return null;
  }
}

/** What the reader has chosen. */
export const chosen = (): Choice => current;

/** The language of what is read: Japanese also where it is easy. */
export const language = (): Language => (current === 'en' ? 'en' : 'ja');

export function setLanguage(next: Choice): void {
  if (next === current) return;
  current = next;
  try {
    localStorage.setItem(MEMORY, next);
  } catch {
    // Private windows may refuse storage; the choice then lasts as long as the page.
  }
  document.documentElement.lang = language();
  languageChanged.emit(next);
}

/** Takes the language that a page was made in, where the reader has said none in any way. */
export function suggestLanguage(made: unknown): void {
  const reads = navigator.language.toLowerCase().startsWith('ja');
  if (isChoice(made) && !isChoice(asked()) && (reads || made === 'en')) current = made;
}

const DRILLS: Record<'drill' | 'test', Record<Choice, string>> = {
  drill: { ja: '【訓練】', 'ja-easy': '【訓練（れんしゅう）】', en: '[DRILL] ' },
  test: { ja: '【試験】', 'ja-easy': '【試験（ためし）】', en: '[TEST] ' },
};

/** What is said before all else of what is not real; empty where it is. */
export function drillMark({ state, status }: Record<string, unknown>): string {
  const found = (['drill', 'test'] as const).find((kind) => state === kind || status === kind);
  return found ? DRILLS[found][current] : '';
}

/** Whether it is neither a drill nor a test. */
export const isReal = (properties: Record<string, unknown>): boolean => drillMark(properties) === '';

/** The name of a feature: English where the reader reads English and there is one. A drill is called one first. */
export function named(properties: Record<string, unknown>, label = 'name'): string {
  return called(plainName(properties, label), properties);
}

/** A name with the mark of what it is of, in the reader's language; the record marks names in Japanese. */
export function called(name: string, properties: Record<string, unknown>): string {
  const own = /^【(訓練|試験)】\s*/.exec(name);
  const state = own?.[1] === '訓練' ? 'drill' : own ? 'test' : undefined;
  return name && (drillMark(properties) || drillMark({ state })) + name.slice(own?.[0].length ?? 0);
}

function plainName(properties: Record<string, unknown>, label: string): string {
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
  return ja && en ? (language() === 'ja' ? ja : en) : name;
}

export function number(value: number): string {
  return new Intl.NumberFormat(language(), { maximumFractionDigits: 6 }).format(value);
}

/** The size of a file, as far as people need it. */
export function bytes(size: number): string {
  return size >= 1e6 ? `${number(Math.round(size / 1e5) / 10)} MB` : `${number(Math.max(1, Math.round(size / 1000)))} KB`;
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
  return new Intl.DateTimeFormat(language() === 'ja' ? 'ja-JP' : 'en-GB', options).format(date);
}

/** The time of day, with the date where that is not today's. */
export function clock(iso: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime()) || day(iso) !== day(new Date().toISOString())) return moment(iso, 'short');
  return new Intl.DateTimeFormat('en-GB', { timeZone: 'Asia/Tokyo', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(date);
}

export function day(iso: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return iso;
  return new Intl.DateTimeFormat(language() === 'ja' ? 'ja-JP' : 'en-GB', {
    timeZone: 'Asia/Tokyo', year: 'numeric', month: 'short', day: 'numeric',
  }).format(date);
}
