import { defineConfig } from '@playwright/test';

/** Debian's Chromium: nothing is downloaded. */
const launchOptions = {
  executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking']
};

export default defineConfig({
  testDir: 'tests',
  // One browser at a time: some tests measure how long things take.
  workers: 1,
  forbidOnly: true,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: 'list',
  use: { launchOptions, viewport: { width: 1280, height: 800 }, trace: 'retain-on-failure' },
  projects: [
    // Against a gallery in memory, which the tests start themselves.
    { name: 'browser', testDir: 'tests/browser' },
    // Against the whole stack at GALLERY_URL.
    {
      name: 'walk',
      testDir: 'tests/walk',
      timeout: 180_000,
      use: { baseURL: process.env['GALLERY_URL'] ?? '' }
    }
  ]
});
