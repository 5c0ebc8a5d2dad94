/** One picture's page: editing in place, conflicts, history, and what stays when something goes wrong. */
import { expect, test } from './gallery.ts';

/** A caption is edited where it stands; the history shows who changed what, word for word; one click reverts. */
test('an edit, its history, and the way back', async ({ page, gallery }) => {
  const id = gallery.catalogue.idAt(3);
  await page.goto(`/assets/${id}`);
  const before = gallery.catalogue.find(id)?.caption ?? '';
  await page.getByRole('button', { name: before }).click();
  await page.getByRole('textbox', { name: 'Caption' }).fill(`${before} at night`);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: `${before} at night` })).toBeVisible();
  await page.getByRole('tab', { name: 'History (2)' }).click();
  const newest = page.getByRole('list', { name: 'Revisions, newest first' }).getByRole('listitem').first();
  await expect(newest).toContainText('Edited');
  await expect(newest).toContainText('anonymous');
  await expect(newest.locator('ins').first()).toHaveText('at night');
  await page.getByRole('button', { name: 'Revert to revision 1' }).click();
  await expect(newest).toContainText('Reverted');
  await page.getByRole('tab', { name: 'Details' }).click();
  await expect(page.getByRole('button', { name: `Caption ${before}`, exact: true })).toBeVisible();
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(page.getByRole('button', { name: `${before} at night` })).toBeVisible();
});

/** An edit changes words, not the picture; the gallery one comes back to shows the new words. */
test('after an edit', async ({ page, gallery }) => {
  await page.goto('/');
  const id = gallery.catalogue.idAt(3);
  await page.locator(`[data-id="${id}"]`).click();
  const picture = page.locator('main img').first();
  await expect(picture).toHaveCSS('opacity', '1');
  await page.keyboard.press('e');
  await page.getByRole('textbox', { name: 'Caption' }).fill('words that are new');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: 'Caption words that are new' })).toBeVisible();
  await expect(picture).toHaveCSS('opacity', '1');
  await page.keyboard.press('Escape');
  await expect(
    page.locator(`[data-id="${id}"]`).getByRole('img', { name: 'words that are new' })
  ).toBeVisible();
});

/** Of two edits of one field a person decides; neither is lost. */
test('a conflict is shown and decided', async ({ page, gallery, complaints }) => {
  const id = gallery.catalogue.idAt(3);
  await page.goto(`/assets/${id}?edit`);
  const field = page.getByRole('textbox', { name: 'Caption' });
  await expect(field).toBeFocused();
  await field.fill('mine');
  gallery.catalogue.change(id, 'edited', { caption: 'theirs' });
  await page.keyboard.press('Enter');
  const notice = page.getByRole('alert').filter({ hasText: 'Somebody else changed this' });
  await expect(notice).toContainText('theirs');
  await expect(notice).toContainText('mine');
  await notice.getByRole('button', { name: 'Save mine over it' }).click();
  await expect(page.getByRole('button', { name: 'mine' })).toBeVisible();
  expect(gallery.catalogue.history(id).map(({ row }) => row.caption)).toEqual([
    'mine',
    'theirs',
    expect.any(String)
  ]);
  complaints.length = 0; // the browser reports the 412 itself
});

/** Edits of different fields at once are both kept without a question. */
test('edits of different fields meet', async ({ page, gallery, complaints }) => {
  const id = gallery.catalogue.idAt(3);
  await page.goto(`/assets/${id}?edit`);
  const field = page.getByRole('textbox', { name: 'Caption' });
  await field.fill('mine');
  gallery.catalogue.change(id, 'edited', { title: 'theirs' });
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: 'mine' })).toBeVisible();
  await expect(page.getByRole('button', { name: 'theirs' })).toBeVisible();
  complaints.length = 0; // the browser reports the 412 itself
});

/** What could not be saved stays in its field, with the reason. */
test('an edit that fails is not lost', async ({ page, gallery, complaints }) => {
  await page.goto(`/assets/${gallery.catalogue.idAt(3)}?edit`);
  const field = page.getByRole('textbox', { name: 'Caption' });
  await field.fill('words that took time');
  gallery.routes.down = true;
  await page.keyboard.press('Enter');
  await expect(page.getByRole('alert')).toContainText('The bucket does not answer.');
  await expect(field).toHaveValue('words that took time');
  gallery.routes.down = false;
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByRole('button', { name: 'words that took time' })).toBeVisible();
  complaints.length = 0; // the browser reports the 503 itself
});

/** Deleting is taken back by undo, at once or later from the trash. */
test('deleted, undone, deleted, restored', async ({ page, gallery }) => {
  const id = gallery.catalogue.idAt(3);
  await page.goto(`/assets/${id}`);
  await page.getByRole('button', { name: 'Delete' }).click();
  await expect(page.getByText('It is deleted.')).toBeVisible();
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(page.getByText('It is deleted.')).toBeHidden();
  await page.getByRole('button', { name: 'Delete' }).click();
  await page.goto('/?status=deleted');
  await page.locator(`[data-id="${id}"]`).click();
  await page.getByRole('button', { name: 'Restore' }).click();
  await expect(page.getByText('It is deleted.')).toBeHidden();
  expect(gallery.catalogue.find(id)?.status).toBe('ready');
});

/** Tags and ratings are saved as they are set. */
test('tags and rating', async ({ page, gallery }) => {
  const id = gallery.catalogue.idAt(3);
  await page.goto(`/assets/${id}`);
  await page.getByLabel('Add a tag').fill('harbour, evening');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: 'Remove tag evening' })).toBeVisible();
  await page.getByRole('button', { name: '4 stars' }).click();
  await expect(page.getByRole('button', { name: '4 stars' })).toHaveAttribute('aria-pressed', 'true');
  await page.getByRole('button', { name: 'Remove tag evening' }).click();
  await expect.poll(() => gallery.catalogue.find(id)?.tags).toEqual(['harbour']);
  expect(gallery.catalogue.find(id)?.rating).toBe(4);
});

/** The picture is looked at closely with the wheel and the keys, and then as the original it is. */
test('zoom', async ({ page, gallery }) => {
  await page.goto(`/assets/${gallery.catalogue.idAt(3)}`);
  const originals = page.locator('main img[src*="/original"]');
  await expect(page.getByRole('button', { name: 'Zoom out' })).toBeDisabled();
  await expect(originals).toHaveCount(0);
  await page.keyboard.press('+');
  await expect(page.getByRole('button', { name: 'Zoom out' })).toBeEnabled();
  await expect(originals).toHaveCount(1);
  await page.keyboard.press('0');
  await expect(page.getByRole('button', { name: 'Zoom out' })).toBeDisabled();
  await page.getByRole('main').getByRole('img').first().dblclick();
  await expect(page.getByRole('button', { name: 'Zoom out' })).toBeEnabled();
});

/** Who comes by a link walks along the whole gallery, over the end of a day too. */
test('a picture opened by its address has neighbours', async ({ page, gallery }) => {
  const [before = '', first = '', second = ''] = [35, 36, 37].map((number) => gallery.catalogue.idAt(number));
  await page.goto(`/assets/${first}`);
  await page.getByRole('button', { name: 'Next picture' }).click();
  await expect(page).toHaveURL(`/assets/${second}`);
  await page.keyboard.press('ArrowLeft');
  await expect(page).toHaveURL(`/assets/${first}`);
  await expect(page.getByRole('button', { name: 'Previous picture' })).toBeEnabled();
  await page.keyboard.press('ArrowLeft');
  await expect(page).toHaveURL(`/assets/${before}`);
});

/** A picture that failed says why on its own page, can be tried again there, and shows what came of it. */
test('a failed picture is tried again', async ({ page, gallery }) => {
  const id = gallery.catalogue.idAt(3);
  const reason = 'The Bento gave up on it.';
  gallery.catalogue.change(id, 'failed', { status: 'failed', caption: null, error_message: reason });
  await page.goto(`/assets/${id}`);
  const notice = page.getByRole('alert').filter({ hasText: reason });
  await notice.getByRole('button', { name: 'Retry' }).click();
  await expect(notice).toBeHidden();
  await expect(page.getByRole('button', { name: 'Caption a dog' })).toBeVisible();
});

/** An address of nothing says so and leads on. */
test('a picture that is not there', async ({ page, complaints }) => {
  await page.goto('/assets/018f0000-0000-7000-8000-00000000dead');
  await expect(page.getByRole('heading', { name: 'This picture is not there' })).toBeVisible();
  await page.getByRole('link', { name: 'Go to the gallery' }).click();
  await expect(page.locator('[data-grid] img').first()).toBeVisible();
  complaints.length = 0; // the browser reports the 404 itself
});
