import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

// The camera serves what lands in VEDETTE_WEB_OUT; names in assets/ carry a hash.
export default defineConfig({
  base: '/',
  plugins: [svelte()],
  build: {
    outDir: process.env.VEDETTE_WEB_OUT || '../build/web',
    emptyOutDir: true,
    target: 'es2021',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
});
