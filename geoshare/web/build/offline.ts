/** What the build adds so that the app is there without a network: the service worker and the icons. */

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Plugin } from 'vite';
import { icon } from './icons.ts';

const PAGES = ['desk.html', 'index.html'];
const BASE = '/map/';

/** Every file that a page needs before it draws anything, by the page's own words. */
function shell(out: string): string[] {
  const named = PAGES.flatMap((page) => [...readFileSync(join(out, page), 'utf-8').matchAll(/(?:src|href)="(\/map\/[^"]+)"/g)]);
  const drawer = readdirSync(join(out, 'assets')).filter((name) => /worker.*\.mjs$/.test(name)).map((name) => `${BASE}assets/${name}`);
  return [...new Set([...named.map((match) => match[1] as string), ...drawer])].sort();
}

function version(out: string, files: string[]): string {
  const hash = createHash('sha256');
  for (const page of PAGES) hash.update(readFileSync(join(out, page)));
  return hash.update(files.join()).digest('hex').slice(0, 12);
}

/** Builds the service worker with the list of what it keeps; it is one file that imports nothing. */
export const offline = (out: string): Plugin => ({
  name: 'offline',
  apply: 'build',
  async closeBundle() {
    for (const [name, side, masked] of [['icon-192', 192, false], ['icon-512', 512, false], ['icon-mask', 512, true]] as const) {
      writeFileSync(join(out, `${name}.png`), icon(side, masked));
    }
    const files = shell(out);
    await build({
      configFile: false, logLevel: 'warn', publicDir: false,
      define: { __SHELL__: JSON.stringify(files), __VERSION__: JSON.stringify(version(out, files)) },
      build: {
        outDir: out, emptyOutDir: false, target: 'es2022',
        lib: { entry: 'src/offline/worker.ts', formats: ['es'], fileName: () => 'worker.js' },
      },
    });
  },
});
