/** What a list of words is: each in both languages; `easy.ts` has them in easy Japanese. */

import type { Language } from '../language';

export type Words = Record<string, Record<Language, string>>;
