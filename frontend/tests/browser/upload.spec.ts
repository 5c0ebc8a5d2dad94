/** Uploads: how files come in, what is said of each, and that nothing on the list is lost. */
import { drop, paste, png } from './dropping.ts';
import { expect, test } from './gallery.ts';

const picture = (name: string) => ({ name, type: 'image/png', content: png(name) });

/** A dropped file is followed until it can be found, and is in the gallery without loading the page again. */
test('a drop anywhere is uploaded, captioned and searchable', async ({ page }) => {
  await page.goto('/');
  await drop(page.locator('main'), [picture('balloon.png')]);
  await expect(page).toHaveURL(/\/upload$/);
  const row = page.getByRole('group', { name: 'Uploads' });
  await expect(row).toContainText('Searchable');
  await expect(row.getByRole('link', { name: 'a red balloon' })).toBeVisible();
  await page.getByRole('link', { name: 'Gallery', exact: true }).click();
  await expect(page.getByRole('img', { name: 'a red balloon' })).toBeVisible();
});

/** Pasting works on any page; a picture without a name of its own is called after the time. */
test('a pasted picture is uploaded', async ({ page }) => {
  await page.goto('/insights');
  await expect(page.getByRole('heading', { name: 'Insights' })).toBeVisible();
  await paste(page, [picture('image.png')]);
  await expect(page).toHaveURL(/\/upload$/);
  await expect(page.getByRole('group', { name: 'Uploads' })).toContainText(/a red Pasted \d{4}-\d\d-\d\d/);
});

/** Folders are walked through, however deep a file lies. */
test('a folder is uploaded with all it holds', async ({ page }, info) => {
  const folder = info.outputPath('holiday');
  const { mkdir, writeFile } = await import('node:fs/promises');
  await mkdir(`${folder}/day two`, { recursive: true });
  await writeFile(`${folder}/kite.png`, png('kite'));
  await writeFile(`${folder}/day two/boat.png`, png('boat'));
  await page.goto('/upload');
  await page.locator('input[webkitdirectory]').setInputFiles(folder);
  await expect(page.getByText('2 files done')).toBeVisible();
  const list = page.getByRole('group', { name: 'Uploads' });
  await expect(list.getByRole('link')).toHaveText(['a red kite', 'a red boat'], { useInnerText: true });
});

/** The list outlives every page; the pill says how far it is and leads back. */
test('the list is kept while one looks around', async ({ page }) => {
  await page.goto('/upload');
  await page
    .locator('input[type=file][multiple]')
    .setInputFiles([1, 2, 3].map((number) => filed(`kite ${String(number)}.png`)));
  await page.getByRole('link', { name: 'Insights' }).click();
  await expect(page.getByRole('heading', { name: 'Insights' })).toBeVisible();
  await page.getByRole('link', { name: 'Gallery', exact: true }).click();
  await page.locator('[data-grid] a[data-id]').first().click();
  await expect(page).toHaveURL(/\/assets\//);
  await page.keyboard.press('Escape');
  await expect(page).toHaveURL(/\/$/);
  await page.getByRole('link', { name: '3 uploaded' }).click();
  await expect(page.getByText('3 files done')).toBeVisible();
  await expect(page.getByRole('group', { name: 'Uploads' }).getByRole('link')).toHaveCount(3);
});

/** What is there already is shown, not stored twice; what is no picture says so and can be tried again. */
test('duplicates and refusals are explained', async ({ page, complaints }) => {
  await page.goto('/upload');
  const chooser = page.locator('input[type=file][multiple]');
  await chooser.setInputFiles([filed('kite.png')]);
  const list = page.getByRole('group', { name: 'Uploads' });
  await expect(list).toContainText('Searchable');
  await chooser.setInputFiles([
    filed('kite.png'),
    { name: 'letter.txt', mimeType: 'text/plain', buffer: Buffer.from('Dear reader') }
  ]);
  await expect(list).toContainText('It was there already');
  await expect(list).toContainText('letter.txt is not a picture this service takes.');
  await expect(page.getByText('1 not taken')).toBeVisible();
  await expect(list.getByRole('button', { name: 'Try again' })).toBeVisible();
  await page.getByRole('button', { name: 'Clear what is done' }).click();
  await expect(list).toBeHidden();
  complaints.length = 0; // the browser reports the 415 itself
});

/** A server that is down for a moment costs patience, never a file. */
test('a file waits for a server that is down', async ({ page, gallery, complaints }) => {
  await page.goto('/upload');
  gallery.routes.down = true;
  await page.locator('input[type=file][multiple]').setInputFiles([filed('kite.png')]);
  const list = page.getByRole('group', { name: 'Uploads' });
  await expect(list).toContainText('The bucket does not answer. Trying again in 1 s.');
  gallery.routes.down = false;
  await expect(list).toContainText('Searchable');
  complaints.length = 0; // the browser reports each 503 itself
});

function filed(name: string): { name: string; mimeType: string; buffer: Buffer } {
  return { name, mimeType: 'image/png', buffer: png(name) };
}
