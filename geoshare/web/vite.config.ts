import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

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

/** Every page is the shell with its own head: a page's file holds no more than what is its own. */
const shell: Plugin = {
  name: 'shell',
  transformIndexHtml: {
    order: 'pre',
    handler: (own) => readFileSync('shell.html', 'utf8').replace('<!-- page -->', () => own.trim()),
  },
};

// Assets are never inlined: the pages' security policy allows fonts and styles from files only.
export default defineConfig({
  base: '/map/',
  plugins: [shell, compressed],
  build: {
    outDir: OUT,
    assetsInlineLimit: 0,
    target: 'es2022',
    chunkSizeWarningLimit: 2000,
    rolldownOptions: { input: ['index.html', 'contribute.html', 'login.html', 'account.html', 'desk.html'] },
  },
});
