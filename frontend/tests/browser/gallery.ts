/** The test function of the browser tests: each has a gallery in memory and a page that must not complain. */
import { test as base, expect } from '@playwright/test';
import { FakeGallery } from '../fake/server.ts';

interface Options {
  /** How many pictures the gallery holds. */
  size: number;
}

interface Fixtures {
  gallery: FakeGallery;
  complaints: string[];
}

export const test = base.extend<Options & Fixtures>({
  size: [120, { option: true }],
  gallery: async ({ size }, use) => {
    const gallery = new FakeGallery(size);
    await gallery.start();
    await use(gallery);
    await gallery.stop();
  },
  baseURL: async ({ gallery }, use) => {
    await use(gallery.url);
  },
  /** Errors of scripts and of the console; there must be none at the end but those a test takes out. */
  complaints: [
    async ({ page }, use) => {
      const complaints: string[] = [];
      page.on('pageerror', (error) => complaints.push(error.message));
      page.on('console', (message) => {
        if (message.type() === 'error') complaints.push(message.text());
      });
      await use(complaints);
      expect(complaints).toEqual([]);
    },
    { auto: true }
  ]
});

export { expect };
