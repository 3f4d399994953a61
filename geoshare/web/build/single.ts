/** The map in one file: everything inlined, with a mark where the server puts the data of an area. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build, type Plugin, type Rollup } from 'vite';

const HERE = 'src/offline/single';
/** Parts of the app that a page of its own has others for. */
const OTHERS: Record<string, string> = {
  [resolve('src/shared/api.ts')]: resolve(HERE, 'api.ts'),
  [resolve('src/shared/fonts.ts')]: resolve(HERE, 'fonts.ts'),
};
const WORKER = 'maplibre-gl/dist/maplibre-gl-worker.mjs';
const DRAWER = '\0drawer';
/** Nothing is asked of any network: the file could not tell anybody that it was opened. */
const RULES = "default-src 'none'; script-src 'unsafe-inline' blob:; worker-src blob: data:; style-src 'unsafe-inline'; img-src data: blob:; connect-src blob:";

const alone: Plugin = {
  name: 'alone',
  enforce: 'pre',
  async resolveId(source, importer) {
    if (source === `${WORKER}?url`) return DRAWER;
    const found = importer?.includes(`/${HERE}/`) ? null : await this.resolve(source, importer, { skipSelf: true });
    return found ? OTHERS[found.id] ?? null : null;
  },
  load(id) {
    if (id !== DRAWER) return null;
    const text = readFileSync(join('node_modules', WORKER), 'utf-8');
    return `export default URL.createObjectURL(new Blob([${JSON.stringify(text)}], { type: 'text/javascript' }));`;
  },
};

/** Text of a script as it may stand in a page. */
const inScript = (text: string) => text.replace(/<\/(script)/gi, '<\\/$1').replace(/<!--/g, '<\\!--');

export const single = (out: string): Plugin => ({
  name: 'single',
  apply: 'build',
  async closeBundle() {
    const made = await build({
      configFile: false, logLevel: 'warn', publicDir: false, plugins: [alone],
      build: { write: false, target: 'es2022', assetsInlineLimit: 10_000_000, chunkSizeWarningLimit: 4000,
        lib: { entry: join(HERE, 'main.ts'), formats: ['es'], fileName: () => 'single.js' } },
    }) as Rollup.RollupOutput[];
    const parts = made.flatMap(({ output }) => output);
    const script = parts.map((part) => (part.type === 'chunk' ? part.code : '')).join('');
    const style = parts.map((part) => (part.type === 'asset' && part.fileName.endsWith('.css') ? String(part.source) : '')).join('\n');
    writeFileSync(join(out, 'single.html'), [
      '<!doctype html>\n<html lang="ja"><head><meta charset="utf-8">',
      `<meta http-equiv="Content-Security-Policy" content="${RULES}">`,
      '<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover"><meta name="referrer" content="no-referrer">',
      `<title>geoshare</title><style>${style.replace(/<\//g, '<\\/')}</style></head>`,
      '<body><div id="app"></div><noscript>このページにはJavaScriptが必要です。 This page needs JavaScript.</noscript>',
      '<!-- data -->',
      `<script type="module">${inScript(script)}</script></body></html>\n`,
    ].join('\n'));
  },
});
