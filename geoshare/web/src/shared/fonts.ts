/**
 * The bundled Japanese font, cut by its publisher into slices of related characters.
 *
 * The page and the map use the same files, and each slice is fetched only when a character of it is
 * drawn. MapLibre draws every glyph in the browser from `font-faces`, so no machine needs a Japanese
 * font of its own and no glyph server is asked.
 */

import type { StyleSpecification } from 'maplibre-gl';
import ranges from '@fontsource/noto-sans-jp/unicode.json';

const files = import.meta.glob<string>(
  [
    '/node_modules/@fontsource/noto-sans-jp/files/noto-sans-jp-*-{500,700}-normal.woff2',
    '!**/noto-sans-jp-japanese-*',
    '!**/noto-sans-jp-{cyrillic,vietnamese}-*',
  ],
  { query: '?url', import: 'default', eager: true },
);

interface Slice { url: string; weight: string; ranges: string[] }

const slices: Slice[] = Object.entries(files).flatMap(([path, url]) => {
  const match = /noto-sans-jp-([\w-]+?)-(500|700)-normal/.exec(path);
  if (!match) return [];
  const [, name = '', weight = ''] = match;
  const list = (ranges as Record<string, string>)[/^\d+$/.test(name) ? `[${name}]` : name];
  return list ? [{ url, weight, ranges: list.split(',').map((range) => range.trim()) }] : [];
});

/** The one weight that the map is lettered in; a second would double what a phone must fetch. */
export const LETTERING = ['Noto Sans JP Medium'];

/** The `font-faces` of a map style. */
export function fontFaces(): NonNullable<StyleSpecification['font-faces']> {
  const faces = slices
    .filter((slice) => slice.weight === '500')
    .map((slice) => ({ url: new URL(slice.url, location.href).href, 'unicode-range': slice.ranges }));
  return { [LETTERING[0] as string]: faces };
}

/** Makes the font known to the page's own style sheets. */
export function registerPageFont(): void {
  for (const slice of slices) {
    document.fonts.add(
      new FontFace('Noto Sans JP', `url(${slice.url}) format("woff2")`, {
        weight: slice.weight === '500' ? '400 500' : slice.weight, unicodeRange: slice.ranges.join(','), display: 'swap',
      }),
    );
  }
}
