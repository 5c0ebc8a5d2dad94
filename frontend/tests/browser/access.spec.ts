/** Accessibility: axe reports nothing, on any page and in any state of it, light and dark, wide and narrow. */
import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import type { FakeGallery } from '../fake/server.ts';
import { png } from './dropping.ts';
import { expect, test } from './gallery.ts';

interface State {
  name: string;
  show: (page: Page, gallery: FakeGallery) => Promise<void>;
}

const STATES: State[] = [
  {
    name: 'the gallery',
    show: async (page) => {
      await page.goto('/');
      await expect(page.locator('[data-grid] img').first()).toBeVisible();
      await page.locator('[data-grid] a[data-id]').first().focus();
    }
  },
  {
    name: 'a selection, edited together',
    show: async (page) => {
      await page.goto('/');
      await page.locator('[data-grid] a[data-id]').first().focus();
      await page.keyboard.press('x');
      await check(page);
      await page.getByRole('button', { name: 'Edit', exact: true }).click();
      await expect(page.getByRole('dialog')).toBeVisible();
    }
  },
  {
    name: 'filters',
    show: async (page) => {
      await page.goto('/?orientation=landscape&rating=1');
      await expect(page.getByRole('heading', { name: 'No picture passes these filters' })).toBeVisible();
      await page.getByRole('button', { name: 'Filters' }).click();
      await expect(page.getByRole('group', { name: 'Status' })).toBeVisible();
    }
  },
  {
    name: 'the export menu',
    show: async (page) => {
      await page.goto('/');
      await page.getByRole('button', { name: 'Export this selection' }).click();
      await expect(page.getByRole('menuitem')).toHaveCount(3);
    }
  },
  {
    name: 'search results',
    show: async (page, gallery) => {
      gallery.routes.degraded = true;
      await page.goto('/search?q=red+boat&orientation=landscape');
      await expect(page.locator('[data-result]').first()).toBeVisible();
    }
  },
  {
    name: 'more like this',
    show: async (page, gallery) => {
      await page.goto(`/search?like=${gallery.catalogue.idAt(5)}`);
      await expect(page.locator('[data-result]').first()).toBeVisible();
    }
  },
  {
    name: 'nothing found',
    show: async (page) => {
      await page.goto('/search?q=submarine');
      await expect(page.getByRole('heading', { name: /^Nothing found/ })).toBeVisible();
    }
  },
  {
    name: 'a picture',
    show: async (page, gallery) => {
      gallery.catalogue.change(gallery.catalogue.idAt(7), 'edited', {
        rating: 3,
        tags: ['harbour', 'evening']
      });
      await page.goto(`/assets/${gallery.catalogue.idAt(7)}`);
      await expect(page.getByRole('heading', { name: 'Similar pictures' })).toBeVisible();
      await expect(page.getByRole('tab', { name: 'History (2)' })).toBeVisible();
    }
  },
  {
    name: 'a caption being edited, and a conflict',
    show: async (page, gallery) => {
      const id = gallery.catalogue.idAt(7);
      await page.goto(`/assets/${id}?edit`);
      await page.getByRole('textbox', { name: 'Caption' }).fill('mine');
      await check(page);
      gallery.catalogue.change(id, 'edited', { caption: 'theirs' });
      await page.keyboard.press('Enter');
      await expect(page.getByRole('button', { name: 'Keep theirs' })).toBeVisible();
    }
  },
  {
    name: 'a history',
    show: async (page, gallery) => {
      const id = gallery.catalogue.idAt(7);
      gallery.catalogue.change(id, 'edited', { caption: 'a red boat at night', title: 'Night' });
      gallery.catalogue.change(id, 'edited', { caption: 'a red ship at night', title: null });
      gallery.catalogue.change(id, 'deleted', { status: 'deleted' });
      gallery.catalogue.change(id, 'restored', { status: 'ready' });
      await page.goto(`/assets/${id}`);
      await page.getByRole('tab', { name: 'History (5)' }).click();
      await expect(page.getByRole('listitem').getByText('Restored')).toBeVisible();
    }
  },
  {
    name: 'uploads',
    show: async (page) => {
      await page.goto('/upload');
      await check(page);
      await page.locator('input[type=file][multiple]').setInputFiles([
        { name: 'kite.png', mimeType: 'image/png', buffer: png() },
        { name: 'letter.txt', mimeType: 'text/plain', buffer: Buffer.from('Dear reader') }
      ]);
      await expect(page.getByRole('group', { name: 'Uploads' })).toContainText('Searchable');
    }
  },
  {
    name: 'insights',
    show: async (page, gallery) => {
      fail(gallery, 2);
      await page.goto('/insights');
      await expect(page.getByRole('img', { name: /^\w{3} 2026: / })).toBeVisible();
      await expect(page.getByText(/\d dimensions/)).toBeVisible();
    }
  },
  {
    name: 'jobs',
    show: async (page, gallery) => {
      fail(gallery, 2);
      await page.goto('/jobs');
      await expect(page.getByRole('button', { name: 'Retry all' })).toBeVisible();
    }
  },
  {
    name: 'signing in, with a wrong token',
    show: async (page, gallery) => {
      gallery.routes.token = 'dam_right';
      await page.goto('/jobs');
      await check(page);
      await page.getByLabel('Token').fill('dam_wrong');
      await page.getByRole('button', { name: 'Sign in' }).click();
      await expect(page.getByRole('alert')).toContainText('unknown');
    }
  },
  {
    name: 'a page that is not there',
    show: async (page) => {
      await page.goto('/no/such/page');
      await expect(page.getByRole('heading', { name: 'There is no such page' })).toBeVisible();
    }
  }
];

function fail(gallery: FakeGallery, many: number): void {
  for (let number = 0; number < many; number++)
    gallery.catalogue.change(gallery.catalogue.idAt(number), 'failed', {
      status: 'failed',
      error_code: 'truncated',
      error_message: 'The file ends before its picture does.'
    });
}

const WIDE = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };
const LOOKS = [
  [PHONE, 'dark'],
  [WIDE, 'dark'],
  [WIDE, 'light']
] as const;

/** Nothing to report of what is shown, in either theme and on either screen (three of the four pairs say it all); and nothing scrolls sideways. */
async function check(page: Page): Promise<void> {
  for (const [viewport, colorScheme] of LOOKS) {
    await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme });
    await expect(page.locator('html')).toHaveCSS('color-scheme', colorScheme);
    const look = `${colorScheme}, ${String(viewport.width)} pixels wide`;
    const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze();
    const told = violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary ?? ''}`)
    );
    expect(told, look).toEqual([]);
    const overhang = await page.evaluate(() => {
      const { scrollWidth, clientWidth } = document.documentElement;
      return scrollWidth - clientWidth;
    });
    expect(overhang, `${look}: nothing scrolls sideways`).toBe(0);
  }
}

// A dozen pictures are enough: more of them are only more of the same.
test.use({ size: 12, viewport: WIDE, contextOptions: { reducedMotion: 'reduce' } });

for (const { name, show } of STATES) {
  test(name, async ({ page, gallery, complaints }) => {
    await show(page, gallery);
    await check(page);
    complaints.length = 0; // refusals that a state is made of are reported by the browser
  });
}
