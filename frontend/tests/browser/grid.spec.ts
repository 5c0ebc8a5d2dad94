import { expect, test } from './gallery.ts';

/** Arrow keys, Enter, `e` and Escape are enough to use the gallery. */
test('the keyboard is enough', async ({ page }) => {
  await page.goto('/');
  const tiles = page.locator('[data-grid] a[data-id]');
  await expect(tiles.first()).toBeVisible();
  await tiles.first().focus();
  await page.keyboard.press('ArrowRight');
  await expect(tiles.nth(1)).toBeFocused();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowUp');
  await expect(tiles.nth(1)).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/assets\//);
  const second = page.url();
  await page.keyboard.press('ArrowRight');
  await expect(page).not.toHaveURL(second);
  await page.keyboard.press('ArrowLeft');
  await expect(page).toHaveURL(second);
  await page.keyboard.press('e');
  await expect(page.getByRole('textbox', { name: 'Caption' })).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('textbox', { name: 'Caption' })).toBeHidden();
  await page.keyboard.press('Escape');
  await expect(page).toHaveURL(/\/$/);
  await page.keyboard.press('/');
  await expect(page.getByRole('searchbox')).toBeFocused();
});

/** Walking down far beyond the screen keeps the focus on a picture that is on screen. */
test('the focus is never lost while walking', async ({ page }) => {
  await page.goto('/');
  await page.locator('[data-grid] a[data-id]').first().focus();
  for (let step = 0; step < 14; step++) {
    const before = await page.evaluate(() => (document.activeElement as HTMLElement).dataset['id']);
    await page.keyboard.press('ArrowDown');
    await expect
      .poll(() => page.evaluate(() => (document.activeElement as HTMLElement).dataset['id'] ?? before))
      .not.toBe(before);
  }
  await expect(page.locator('[data-id]:focus')).toBeInViewport();
});

/** What was selected together is tagged together, and the list shows it after. */
test('many are edited together', async ({ page, gallery }) => {
  await page.goto('/');
  const tiles = page.locator('[data-grid] a[data-id]');
  await tiles.first().focus();
  await page.keyboard.press('x');
  await tiles.nth(3).click({ modifiers: ['Shift'] });
  await expect(page.getByRole('toolbar')).toContainText('4 pictures');
  await page.keyboard.press('e');
  await page.getByLabel('Tags to add').fill('harbour');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('Changed: 4 pictures')).toBeVisible();
  expect(gallery.catalogue.select(new URLSearchParams('tag=harbour'))).toHaveLength(4);
  await page.getByRole('button', { name: 'Filters' }).click();
  await page.getByRole('button', { name: 'harbour' }).click();
  await expect(page).toHaveURL(/tag=harbour/);
  await expect(page.getByText('4 pictures', { exact: true })).toBeVisible();
});

/** Deleting many leaves the list at once and can be taken back. */
test('many are deleted, and restored by undo', async ({ page }) => {
  await page.goto('/');
  await page.locator('[data-grid] a[data-id]').first().focus();
  await page.keyboard.press('x');
  await page.getByRole('button', { name: 'Delete' }).click();
  await expect(page.getByText('119 pictures', { exact: true })).toBeVisible();
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(page.getByText('120 pictures', { exact: true })).toBeVisible();
});

/** A link with filters shows what it says, and a chip takes a filter away. */
test('filters live in the address', async ({ page }) => {
  await page.goto('/?orientation=square');
  await expect(page.getByRole('button', { name: 'Remove filter Square' })).toBeVisible();
  const some = await page.locator('main [aria-live]').first().textContent();
  await page.getByRole('button', { name: 'Remove filter Square' }).click();
  await expect(page).toHaveURL(/\/\??$/);
  await expect(page.getByText('120 pictures', { exact: true })).toBeVisible();
  expect(some).not.toBe('120 pictures');
  await page.goBack();
  await expect(page).toHaveURL(/orientation=square/);
});

/** Coming back from a picture finds the gallery where it was. */
test('the place in the gallery is kept', async ({ page }) => {
  await page.goto('/');
  await expect(page.locator('[data-grid] img').first()).toBeVisible();
  await page.mouse.wheel(0, 2500);
  await expect.poll(() => page.evaluate(() => scrollY)).toBeGreaterThan(1000);
  await expect(page.locator('[data-grid] a[data-id] img').first()).toBeVisible();
  const before = await page.evaluate(() => scrollY);
  const id = await page.evaluate(() => {
    const middle = document.elementFromPoint(innerWidth / 2, innerHeight / 2)?.closest('[data-id]');
    return (middle as HTMLElement | null)?.dataset['id'];
  });
  await page.locator(`[data-id="${id ?? ''}"]`).click();
  await expect(page).toHaveURL(/\/assets\//);
  await page.goBack();
  await expect.poll(() => page.evaluate(() => scrollY)).toBe(before);
  await expect(page.locator(`[data-id="${id ?? ''}"]`)).toBeInViewport();
});

/** Changes made elsewhere are seen without loading the page again. */
test('the grid is live', async ({ page, gallery }) => {
  await page.goto('/');
  await expect(page.getByText('120 pictures', { exact: true })).toBeVisible();
  gallery.catalogue.publish(gallery.catalogue.add('new.png', 'a purple giraffe'));
  await expect(page.getByRole('img', { name: 'a purple giraffe' })).toBeVisible();
  await expect(page.getByText('121 pictures', { exact: true })).toBeVisible();
  const asset = gallery.catalogue.page(new URLSearchParams('limit=1')).items[0];
  gallery.catalogue.change(asset?.id ?? '', 'edited', { caption: 'a violet giraffe' });
  await expect(page.getByRole('img', { name: 'a violet giraffe' })).toBeVisible();
});

/** A server that is down is said to be, and the page works again with it. */
test('a broken server is explained', async ({ page, gallery, complaints }) => {
  gallery.routes.down = true;
  await page.goto('/');
  await expect(page.getByRole('alert')).toContainText('The bucket does not answer.');
  gallery.routes.down = false;
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByText('120 pictures', { exact: true })).toBeVisible();
  complaints.length = 0; // the browser reports each 503 itself
});

/** A server that has gone is told of on every page, also on one whose code was not there yet; and found again. */
test('a lost server is told of, and found again', async ({ page, gallery, complaints }) => {
  await page.goto('/');
  await expect(page.locator('[data-grid] img').first()).toBeVisible();
  const notice = page.getByRole('status').filter({ hasText: 'The server does not answer.' });
  await gallery.stop();
  await expect(notice).toBeVisible();
  gallery.catalogue.add('new.png', 'a purple giraffe');
  await gallery.start();
  await expect(notice).toBeHidden();
  await expect(page.getByRole('img', { name: 'a purple giraffe' })).toBeVisible();
  await gallery.stop();
  await page.getByRole('link', { name: 'Insights' }).click();
  await expect(page.getByRole('heading', { name: 'This page could not be opened' })).toBeVisible();
  await expect(page.getByText('server does not answer. Is it running')).toBeVisible();
  await gallery.start();
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByRole('heading', { name: 'Insights' })).toBeVisible();
  await expect(notice).toBeHidden();
  complaints.length = 0; // the browser reports each request without an answer itself
});

test.describe('without pictures', () => {
  test.use({ size: 0 });

  /** An empty gallery says what to do. */
  test('the way to the first one is shown', async ({ page }) => {
    await page.goto('/');
    await expect(page.getByRole('heading', { name: 'No pictures yet' })).toBeVisible();
    await page.getByRole('link', { name: 'Upload pictures' }).click();
    await expect(page).toHaveURL(/\/upload$/);
  });
});
