/** Search: as one types, by filters, by likeness, and what is said when there is nothing or only a part. */
import type { Page } from '@playwright/test';
import { drop, png } from './dropping.ts';
import { expect, test } from './gallery.ts';

const results = '[data-result]';

/** Typing is enough; the address holds the question; every result says why it is there. */
test('results come while one types', async ({ page, gallery }) => {
  const caption = gallery.catalogue.find(gallery.catalogue.idAt(50))?.caption ?? '';
  const [, colour = '', thing = ''] = caption.split(' ');
  await page.goto('/');
  await expect(page.locator('[data-grid] img').first()).toBeVisible();
  await page.keyboard.press('/');
  await page.keyboard.type(`${colour} ${thing}`, { delay: 30 });
  await expect(page).toHaveURL(`/search?q=${colour}+${thing}`);
  await expect(page.locator(results).first()).toBeVisible();
  const best = page
    .getByRole('listitem')
    .filter({ has: page.locator(results) })
    .first();
  await expect(best).toContainText(caption);
  await expect(best).toContainText(`“${colour}” “${thing}”`);
  await expect(best).toContainText('% alike');
  await page.getByRole('button', { name: 'Words' }).click();
  await expect(page).toHaveURL(`/search?q=${colour}+${thing}&mode=text`);
  await expect(best).not.toContainText('% alike');
  await page.reload();
  await expect(page.getByRole('searchbox')).toHaveValue(`${colour} ${thing}`);
  await expect(page.getByRole('button', { name: 'Words' })).toHaveAttribute('aria-pressed', 'true');
});

/** Emptying the field leads back to the gallery; the back button undoes a search as a whole, not by letters. */
test('a search is one step of the history', async ({ page }) => {
  await page.goto('/');
  await expect(page.locator('[data-grid] img').first()).toBeVisible();
  await page.getByRole('searchbox').pressSequentially('red boat', { delay: 60 });
  await expect(page).toHaveURL('/search?q=red+boat');
  await page.goBack();
  await expect(page).toHaveURL(/\/$/);
  await expect(page.locator('[data-grid] img').first()).toBeVisible();
  await expect(page.getByRole('searchbox')).toHaveValue('');
});

/** Filters narrow a search, are shown as chips, and stay while the words change. */
test('filters narrow a search', async ({ page }) => {
  await page.goto('/search?q=red');
  await expect(page.locator(results).first()).toBeVisible();
  const all = await counted(page);
  await page.getByRole('button', { name: 'Filters' }).click();
  await page.getByRole('button', { name: 'Portrait' }).click();
  await page.keyboard.press('Escape');
  await expect(page).toHaveURL(/orientation=portrait/);
  await expect.poll(() => counted(page)).toBeLessThan(all);
  await page.getByRole('searchbox').fill('green');
  await expect(page).toHaveURL(/q=green/);
  await expect(page).toHaveURL(/orientation=portrait/);
  await expect(page.getByRole('button', { name: 'Remove filter Portrait' })).toBeVisible();
});

/** Arrow keys walk over results, Enter opens one, and the arrows there go on along the results. */
test('results are walked with the keyboard', async ({ page }) => {
  await page.goto('/search?q=red');
  await page.locator(results).first().focus();
  await page.keyboard.press('ArrowRight');
  await expect(page.locator(results).nth(1)).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/assets\//);
  await expect(page.getByRole('button', { name: 'Next picture' })).toBeEnabled();
  await page.keyboard.press('ArrowLeft');
  await expect(page.getByRole('button', { name: 'Previous picture' })).toBeDisabled();
  await page.keyboard.press('Escape');
  await expect(page).toHaveURL('/search?q=red');
});

/** From any result to more like it, and from there to the picture itself. */
test('more like this', async ({ page }) => {
  await page.goto('/search?q=lighthouse');
  await page
    .getByRole('link', { name: /^More like a .* lighthouse$/ })
    .first()
    .click();
  await expect(page).toHaveURL(/\/search\?like=/);
  await expect(page.getByText('More like this', { exact: true })).toBeVisible();
  await expect(page.locator(results).first()).toBeVisible();
  await page.getByRole('link', { name: 'The picture whose like is sought' }).click();
  await expect(page).toHaveURL(/\/assets\//);
});

/** A picture dropped on the bar is looked for and not uploaded. */
test('a picture dropped on the search bar is looked for', async ({ page }) => {
  await page.goto('/');
  await drop(page.getByRole('search'), [{ name: 'mine.png', type: 'image/png', content: png() }]);
  await expect(page).toHaveURL('/search?by=picture');
  await expect(page.getByText('Like your picture')).toBeVisible();
  await expect(page.locator(results).first()).toBeVisible();
  await expect(page.getByText('Drop to upload')).toBeHidden();
  await page.reload();
  await expect(page.getByRole('heading', { name: 'The picture is gone' })).toBeVisible();
});

/** Without the models search answers from words alone and says so. */
test('a search without models says what it lacks', async ({ page, gallery }) => {
  gallery.routes.degraded = true;
  await page.goto('/search?q=red+boat');
  await expect(page.getByRole('status').filter({ hasText: 'results are from words alone' })).toBeVisible();
  await expect(page.locator(results).first()).toBeVisible();
});

/** Nothing found is said with what to do about it. */
test('nothing found is honest', async ({ page }) => {
  await page.goto('/search?q=submarine&mode=text&orientation=square');
  await expect(page.getByRole('heading', { name: 'Nothing found for “submarine”' })).toBeVisible();
  await page.getByRole('link', { name: 'Search without filters' }).click();
  await expect(page).toHaveURL('/search?q=submarine');
});

/** A picture that was captioned since is found without asking again. */
test('results are live', async ({ page, gallery }) => {
  await page.goto('/search?q=giraffe');
  await expect(page.getByRole('heading', { name: /^Nothing found/ })).toBeVisible();
  // A search that found nothing is asked again too when something new comes.
  gallery.catalogue.publish(gallery.catalogue.add('new.png', 'a purple giraffe'));
  await expect(page.getByRole('img', { name: 'a purple giraffe' })).toBeVisible();
});

function counted(page: Page): Promise<number> {
  return page.locator(results).count();
}
