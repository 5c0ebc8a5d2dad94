import { defineConfig } from '@playwright/test';

/** Debian's Chromium: nothing is downloaded. */
export const launchOptions = {
  executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking']
};

export default defineConfig({
  testDir: 'tests',
  workers: 2,
  fullyParallel: true,
  forbidOnly: true,
  timeout: 120_000,
  expect: { timeout: 15_000 },
  reporter: 'list',
  use: { launchOptions, viewport: { width: 1280, height: 800 }, screenshot: 'only-on-failure' },
  projects: [
    // Against a gallery in memory, which the tests start themselves.
    { name: 'browser', testDir: 'tests/browser', testIgnore: 'large.spec.ts' },
    // The same, alone on the machine: these measure how long things take.
    { name: 'measured', testDir: 'tests/browser', testMatch: 'large.spec.ts', workers: 1, timeout: 300_000 },
    // Against the whole stack at GALLERY_URL.
    {
      name: 'walk',
      testDir: 'tests/walk',
      timeout: 180_000,
      use: { baseURL: process.env['GALLERY_URL'] ?? '' }
    }
  ]
});
