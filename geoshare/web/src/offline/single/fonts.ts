/** A page of its own brings no font: names are drawn with those of the machine. */

export const LETTERING = ['Hiragino Sans', 'Yu Gothic', 'Noto Sans CJK JP', 'Noto Sans JP', 'sans-serif'];

export const fontFaces = (): undefined => undefined;

export function registerPageFont(): void {
  // the style sheet names the same families
}
