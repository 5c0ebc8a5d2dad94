import adapter from '@sveltejs/adapter-static';
import { sveltekit } from '@sveltejs/kit/vite';
import tailwindcss from '@tailwindcss/vite';
import { defineConfig } from 'vitest/config';

// `npm run dev` sends API calls on to a gallery (or to the tests' fake) that runs elsewhere.
const api = process.env['GALLERY_URL'] ?? 'http://127.0.0.1:8000';

export default defineConfig({
  plugins: [
    tailwindcss(),
    sveltekit({
      // One page for every route: the gallery needs no server of its own. Whoever serves it may send `.br` and `.gz`.
      adapter: adapter({ fallback: 'index.html', precompress: true }),
      // In the page itself, since only the build knows its script. The rest is the server's, which knows the bucket.
      csp: { mode: 'hash', directives: { 'script-src': ['self'] } }
    })
  ],
  // Where time goes in a build is no news to who only wants the pages.
  build: { rolldownOptions: { checks: { bundlerTimings: false } } },
  server: { proxy: { '/api': api } },
  test: { include: ['src/**/*.test.ts'], environment: 'node' }
});
