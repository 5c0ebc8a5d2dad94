/**
 * What a newcomer does after `make demo`, against the whole stack: upload, see, search, edit, look back, revert,
 * delete, restore. One walk in one page that is never loaded again unless a person would.
 *
 * `GALLERY_URL` is where the gallery is; `PICTURE` a picture that it does not have yet; `CAPTION` what is on it.
 */
import { basename } from 'node:path';
import { expect, test, type Page } from '@playwright/test';

const PICTURE = asked('PICTURE');
const CAPTION = asked('CAPTION');
const EDITED = `${CAPTION}, seen at dusk`;

function asked(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} must be given: see tests/browser/test_walk.py.`);
  return value;
}

/** Whether the page was loaded anew since the mark was made: a walk without reloading keeps it. */
const mark = (page: Page) => page.evaluate(() => Object.assign(window, { isMarked: true }) && undefined);
const isMarked = (page: Page) => page.evaluate(() => 'isMarked' in window);

test('upload, search, edit, history, revert, delete, restore', async ({ page }) => {
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });

  await page.goto('/');
  const tiles = page.locator('[data-grid] a[data-id]');
  await expect(tiles.first()).toBeVisible();
  const before = await tiles.count();
  await mark(page);

  await test.step('little was loaded for it: the server sends what the build packed', async () => {
    const scripts = await page.evaluate(() =>
      (performance.getEntriesByType('resource') as PerformanceResourceTiming[])
        .filter(({ name }) => new URL(name).pathname.endsWith('.js'))
        .map(({ encodedBodySize }) => encodedBodySize)
    );
    const bytes = scripts.reduce((sum, size) => sum + size, 0);
    console.log(`  JavaScript of the first load: ${String(bytes)} bytes in ${String(scripts.length)} files`);
    expect(bytes).toBeGreaterThan(10_000);
    expect(bytes).toBeLessThanOrEqual(150_000);
  });

  await test.step('upload a picture', async () => {
    await page.getByRole('link', { name: 'Upload' }).click();
    await page.locator('input[type=file][multiple]').setInputFiles(PICTURE);
    const list = page.getByRole('group', { name: 'Uploads' });
    await expect(list).toContainText(basename(PICTURE));
    // Back at once: the picture is to appear there by itself.
    await page.getByRole('link', { name: 'Gallery', exact: true }).click();
  });

  await test.step('see it appear, captioned, without reloading', async () => {
    await expect(tiles).toHaveCount(before + 1, { timeout: 60_000 });
    const picture = tiles.first().getByRole('img', { name: CAPTION });
    await expect(picture).toBeVisible();
    await expect.poll(() => picture.evaluate((img: HTMLImageElement) => img.naturalWidth)).toBeGreaterThan(0);
    expect(await isMarked(page)).toBe(true);
  });

  await test.step('search it by words', async () => {
    await page.getByRole('link', { name: '1 uploaded' }).click();
    await expect(page.getByRole('group', { name: 'Uploads' })).toContainText('Searchable', {
      timeout: 20_000
    });
    await page.keyboard.press('/');
    await page.keyboard.type(CAPTION, { delay: 5 });
    const best = page.getByRole('list', { name: 'Results, best first' }).getByRole('listitem').first();
    await expect(best).toContainText(CAPTION);
    await expect(best).toContainText('alike');
    await best.getByRole('img', { name: CAPTION }).click();
    await expect(page).toHaveURL(/\/assets\//);
  });

  const revisions = page.getByRole('list', { name: 'Revisions, newest first' }).getByRole('listitem');

  await test.step('edit the caption', async () => {
    await page.getByRole('button', { name: `Caption ${CAPTION}` }).click();
    await page.getByRole('textbox', { name: 'Caption' }).fill(EDITED);
    await page.keyboard.press('Enter');
    await expect(page.getByRole('button', { name: `Caption ${EDITED}` })).toBeVisible();
  });

  await test.step('see the change in the history, with its difference', async () => {
    await page.getByRole('tab', { name: 'History (2)' }).click();
    await expect(revisions).toHaveCount(2);
    await expect(revisions.first()).toContainText('Edited');
    await expect(revisions.first().locator('ins').first()).toContainText('seen at dusk');
    await expect(revisions.last()).toContainText(CAPTION);
  });

  await test.step('revert', async () => {
    await page.getByRole('button', { name: 'Revert to revision 1' }).click();
    await expect(revisions).toHaveCount(3);
    await expect(revisions.first()).toContainText('Reverted');
    await page.getByRole('tab', { name: 'Details' }).click();
    await expect(page.getByRole('button', { name: `Caption ${CAPTION}`, exact: true })).toBeVisible();
  });

  await test.step('delete: it leaves the gallery', async () => {
    await page.getByRole('button', { name: 'Delete' }).click();
    await expect(page.getByText('It is deleted.')).toBeVisible();
    await page.keyboard.press('Escape'); // back to the results
    await expect(page).toHaveURL(/\/search\?q=/);
    await page.getByRole('link', { name: 'Gallery', exact: true }).click();
    await expect(tiles).toHaveCount(before);
  });

  await test.step('restore: it is back', async () => {
    await page.getByRole('button', { name: 'Filters' }).click();
    await page.getByRole('button', { name: 'Deleted' }).click();
    await page.keyboard.press('Escape');
    await tiles.first().click();
    await page.getByRole('button', { name: 'Restore' }).click();
    await expect(page.getByText('It is deleted.')).toBeHidden();
    await page.getByRole('tab', { name: 'History (5)' }).click();
    await expect(revisions.first()).toContainText('Restored');
    await page.goto('/');
    await expect(tiles).toHaveCount(before + 1);
  });

  await test.step('a link to it works in another browser', async () => {
    await tiles.first().click();
    await expect(page).toHaveURL(/\/assets\//);
    await page.reload();
    await expect(page.getByRole('button', { name: `Caption ${CAPTION}`, exact: true })).toBeVisible();
  });
  expect(complaints).toEqual([]);
});
