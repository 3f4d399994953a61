import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';
import { offline } from './build/offline.ts';
import { single } from './build/single.ts';

const OUT = 'dist';

/** Compresses once at build, so that the server only hands files over. Fonts are compressed already. */
const compressed: Plugin = {
  name: 'compressed',
  apply: 'build',
  closeBundle() {
    for (const name of readdirSync(join(OUT, 'assets'))) {
      if (!/\.(m?js|css)$/.test(name)) continue;
      const path = join(OUT, 'assets', name);
      const content = readFileSync(path);
      writeFileSync(`${path}.br`, brotliCompressSync(content));
      writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }));
    }
  },
};

/**
 * Every page is the shell with its own head: a page's file holds no more than what is its own. The page of
 * shared maps is whole in its file: the server writes the head of each share into it.
 */
const shell: Plugin = {
  name: 'shell',
  transformIndexHtml: {
    order: 'pre',
    handler: (own) => (own.startsWith('<!doctype')
      ? own : readFileSync('shell.html', 'utf8').replace('<!-- page -->', () => own.trim())),
  },
};

const FONTS = 'node_modules/@expo-google-fonts/noto-sans-jp';

/** Lays the fonts of printed maps, with their licence, where the server finds them; pages do not load them. */
const printing: Plugin = {
  name: 'printing',
  apply: 'build',
  closeBundle() {
    if (!existsSync(FONTS)) {
      this.warn('The fonts of printed maps are not installed: run `npm ci` and build again.');
      return;
    }
    mkdirSync(join(OUT, 'fonts'), { recursive: true });
    for (const name of ['500Medium', '700Bold']) {
      copyFileSync(join(FONTS, name, `NotoSansJP_${name}.ttf`), join(OUT, 'fonts', `NotoSansJP_${name}.ttf`));
    }
    copyFileSync(join(FONTS, 'LICENSE_FONT'), join(OUT, 'fonts', 'LICENSE.txt'));
  },
};

// Assets are never inlined: the pages' security policy allows fonts and styles from files only.
export default defineConfig({
  base: '/map/',
  plugins: [shell, compressed, printing, offline(OUT), single(OUT)],
  build: {
    outDir: OUT,
    assetsInlineLimit: 0,
    target: 'es2022',
    chunkSizeWarningLimit: 2000,
    rolldownOptions: { input: ['index.html', 'contribute.html', 'login.html', 'account.html', 'desk.html', 'share.html'] },
  },
});
