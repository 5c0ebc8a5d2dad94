/**
 * A gallery of 100,000 pictures: what is drawn, how long the page is busy, what has to be loaded first.
 *
 * A machine that does other work makes tasks longer and never shorter, so the best of a few scrolls counts.
 */
import type { Page } from '@playwright/test';
import { expect, test } from './gallery.ts';
import { lengthOf, traceTasks, type Task } from './tasks.ts';

const SIZE = 100_000;
const MOST_NODES = 600;
/** On screen wherever one stops: half of what a small one holds. */
const FEWEST_PICTURES = 10;
const LONGEST_TASK_MS = 200;
const MOST_SCRIPT_BYTES = 150_000;
const TRIES = 3;
/** Frames of one flight over the whole gallery, and how many of its screens are then scrolled through in steps. */
const FRAMES = 80;
const SCREENS = 5;

test.use({ size: SIZE });

interface Scrolled {
  /** The most nodes of any kind in the grid at once. */
  nodes: number;
  /** The fewest pictures drawn while it was scrolled slowly. */
  pictures: number;
}

/** From the top to the end: fast as with the scroll bar, slowly through the last screens as with a wheel. */
async function scroll(page: Page): Promise<Scrolled> {
  await page.evaluate(() => {
    scrollTo(0, 0);
  });
  await expect(page.locator('[data-grid] img').first()).toBeVisible();
  return page.evaluate(
    async ({ frames, screens, fewest }) => {
      const [grid] = document.querySelectorAll('[data-grid]');
      if (!grid) throw new Error('There is no grid.');
      const seen: Scrolled = { nodes: 0, pictures: Number.POSITIVE_INFINITY };
      const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
      const rest = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
      const look = () => {
        const walker = document.createTreeWalker(grid, NodeFilter.SHOW_ALL);
        let nodes = 1;
        while (walker.nextNode()) nodes += 1;
        seen.nodes = Math.max(seen.nodes, nodes);
      };
      const end = () => document.documentElement.scrollHeight - innerHeight;
      for (let step = 1; step <= frames; step++) {
        scrollTo({ top: ((end() - screens * innerHeight) * step) / frames, behavior: 'instant' });
        await frame();
        // Now and then one stops to look, and days in the middle are loaded and drawn.
        if (step % 20 === 0) await rest(250);
        look();
      }
      while (scrollY < end() - 1) {
        scrollBy({ top: innerHeight / 3, behavior: 'instant' });
        const drawn = () => grid.querySelectorAll('img').length;
        // As long as a busy machine may need; a page that draws nothing is seen by its count.
        for (let waited = 0; waited < 100 && (waited < 3 || drawn() < fewest); waited++) {
          await rest(50);
          look();
        }
        seen.pictures = Math.min(seen.pictures, drawn());
      }
      return seen;
    },
    { frames: FRAMES, screens: SCREENS, fewest: FEWEST_PICTURES }
  );
}

for (const [screen, viewport] of [
  ['a laptop', { width: 1280, height: 800 }],
  ['a large screen', { width: 1920, height: 1080 }]
] as const) {
  test.describe(`on ${screen}`, () => {
    test.use({ viewport });

    /** Scrolling from the newest to the oldest never builds much, never blocks long, and always shows pictures. */
    test('100,000 pictures scroll to the end', async ({ page, gallery }) => {
      await page.goto('/');
      await expect(page.getByText('100,000 pictures', { exact: true })).toBeVisible();
      let longest = Number.POSITIVE_INFINITY;
      for (let attempt = 0; attempt < TRIES && longest > LONGEST_TASK_MS; attempt++) {
        const { result, tasks } = await traceTasks(page, () => scroll(page));
        expect(tasks.length).toBeGreaterThan(FRAMES);
        longest = Math.min(longest, Math.max(...tasks.map(lengthOf)));
        console.log(`  ${screen}: ${JSON.stringify({ ...result, ...longestOf(tasks) })}`);
        expect(result.nodes).toBeLessThanOrEqual(MOST_NODES);
        expect(result.pictures).toBeGreaterThanOrEqual(FEWEST_PICTURES);
      }
      expect(longest, 'milliseconds of the longest task, in the best scroll').toBeLessThanOrEqual(
        LONGEST_TASK_MS
      );
      const oldest = [
        ...gallery.catalogue.all(gallery.catalogue.days(new URLSearchParams()).days.at(-1)?.day)
      ].at(-1);
      await expect(page.locator(`[data-id="${oldest?.id ?? ''}"]`)).toBeInViewport();
    });
  });
}

/** What the first page needs of JavaScript is small, compressed as any server sends it. */
test('the first load is small', async ({ page, gallery }) => {
  await page.goto('/');
  await expect(page.locator('[data-grid] img').first()).toBeVisible();
  await page.waitForLoadState('networkidle');
  console.log(`  JavaScript of the first load: ${String(gallery.scriptBytes)} bytes`);
  expect(gallery.scriptBytes).toBeGreaterThan(10_000);
  expect(gallery.scriptBytes).toBeLessThanOrEqual(MOST_SCRIPT_BYTES);
});

/** The longest task by the clock, for the record. */
function longestOf(tasks: Task[]): Task {
  return tasks.reduce((longest, task) => (task.wall > longest.wall ? task : longest));
}
