import { defineConfig } from 'vite';

// Assets are never inlined: the pages' security policy allows fonts and styles from files only.
export default defineConfig({
  base: '/map/',
  build: {
    outDir: 'dist',
    assetsInlineLimit: 0,
    target: 'es2022',
    chunkSizeWarningLimit: 2000,
    rolldownOptions: { input: ['index.html', 'contribute.html'] },
  },
});
