/** Files as a person hands them over: dropped, pasted. Real events with a real DataTransfer, in the page. */
import type { Locator, Page } from '@playwright/test';

/** A PNG of one pixel; `salt` makes its content another one. */
export function png(salt = ''): Buffer {
  const pixel =
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
  return Buffer.concat([Buffer.from(pixel, 'base64'), Buffer.from(salt)]);
}

export interface Dropped {
  name: string;
  type: string;
  content: Buffer;
}

/** Drag files over this element and let them go. */
export async function drop(target: Locator, files: Dropped[]): Promise<void> {
  const page = target.page();
  const dataTransfer = await transferOf(page, files);
  for (const event of ['dragenter', 'dragover', 'drop']) await target.dispatchEvent(event, { dataTransfer });
}

/** Paste files where the focus is. */
export async function paste(page: Page, files: Dropped[]): Promise<void> {
  const clipboardData = await transferOf(page, files);
  await page.evaluate((data) => {
    const target = document.activeElement ?? document.body;
    target.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true }));
  }, clipboardData);
}

function transferOf(page: Page, files: Dropped[]) {
  const sent = files.map(({ name, type, content }) => ({ name, type, content: content.toString('base64') }));
  return page.evaluateHandle((all) => {
    const transfer = new DataTransfer();
    for (const { name, type, content } of all) {
      const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
      transfer.items.add(new File([bytes], name, { type }));
    }
    return transfer;
  }, sent);
}
