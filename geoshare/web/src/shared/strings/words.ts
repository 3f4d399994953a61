/** What a list of words is: each in every language that the pages speak. */

export const LANGUAGES = ['ja', 'en'] as const;
export type Language = (typeof LANGUAGES)[number];
export type Words = Record<string, Record<Language, string>>;
