/** Signing in and out, and what is offered to whom. */
import type { Page } from '@playwright/test';
import { expect, test } from './gallery.ts';

async function signIn(page: Page): Promise<void> {
  await page.getByLabel('Token').fill('dam_right');
  await page.getByRole('button', { name: 'Sign in' }).click();
}

test.beforeEach(({ gallery }) => {
  gallery.routes.token = 'dam_right';
});

test('signing in leads to where one wanted to go, signing out to the door', async ({ page }) => {
  await page.goto('/search?q=red+boat');
  await expect(page.getByRole('heading', { name: 'Sign in to the gallery' })).toBeVisible();
  await signIn(page);
  await expect(page.locator('[data-result]').first()).toBeVisible();
  await page.getByRole('button', { name: 'Sign out ann' }).first().click();
  await expect(page.getByRole('heading', { name: 'Sign in to the gallery' })).toBeVisible();
  await page.goto('/');
  await expect(page.getByLabel('Token')).toBeVisible();
});

test('a token that ends while a page is open leads to the door and back', async ({
  page,
  gallery,
  complaints
}) => {
  await page.goto('/');
  await signIn(page);
  await expect(page.locator('[data-grid] img').first()).toBeVisible();
  gallery.routes.end();
  await page.getByRole('link', { name: 'Jobs' }).click();
  await expect(page.getByLabel('Token')).toBeVisible();
  await signIn(page);
  await expect(page.getByRole('heading', { name: 'Jobs' })).toBeVisible();
  complaints.splice(0); // the browser tells of each 401
});

test('who may only read is offered no change', async ({ page, gallery }) => {
  gallery.routes.scopes = ['read'];
  await page.goto('/');
  await signIn(page);
  await page.locator('[data-grid] a[data-id]').first().focus();
  await page.keyboard.press('x');
  await expect(page.getByRole('toolbar', { name: 'Selected pictures' })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Delete' })).toHaveCount(0);
  await expect(page.getByRole('link', { name: 'Upload' })).toHaveCount(0);
  await page.goto(`/assets/${gallery.catalogue.idAt(3)}?edit`);
  await expect(page.getByRole('heading', { name: 'Similar pictures' })).toBeVisible();
  await expect(page.getByRole('textbox')).toHaveCount(0);
  await expect(page.getByRole('button', { name: 'Delete' })).toHaveCount(0);
});
