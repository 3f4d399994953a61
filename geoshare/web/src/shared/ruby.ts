/** Readings over characters: `{避難所|ひなんじょ}` in a text. */

const MARKED = /\{([^{}|]+)\|([^{}|]+)\}/g;

/** The text alone, for titles and labels. */
export const withoutRuby = (text: string): string => text.replace(MARKED, '$1');

/** The text with its readings above. */
export function ruby(text: string): DocumentFragment {
  const found = document.createDocumentFragment();
  let last = 0;
  for (const match of text.matchAll(MARKED)) {
    found.append(text.slice(last, match.index), over(match[1] as string, match[2] as string));
    last = match.index + match[0].length;
  }
  found.append(text.slice(last));
  return found;
}

/** Characters with their reading; in brackets where a browser draws no ruby. */
export function over(base: string, reading: string): HTMLElement {
  const element = document.createElement('ruby');
  const part = (name: 'rp' | 'rt', text: string) => {
    const child = document.createElement(name);
    child.textContent = text;
    return child;
  };
  element.append(base, part('rp', '（'), part('rt', reading), part('rp', '）'));
  return element;
}

/** Katakana as hiragana, which is what readings are written in. */
export const hiragana = (text: string): string =>
  text.replace(/[ァ-ヶ]/g, (letter) => String.fromCharCode(letter.charCodeAt(0) - 0x60));
