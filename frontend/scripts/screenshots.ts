/**
 * Takes the pictures of the gallery that the README shows: `make screenshots`.
 *
 * Starts `dam demo` on a folder of its own, does a few things there that a person would, and photographs each
 * page. With `GALLERY_URL` a gallery that runs already is used, and changed by it: never point it at a real one.
 * Nothing here is a test; `tests/browser` holds those.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser, type Page } from '@playwright/test';
import { launchOptions } from '../playwright.config.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const OUT = join(ROOT, 'docs', 'screenshots');
const SAMPLES = join(ROOT, 'samples');
/** Samples that the demo has from the start; the others are uploaded on the upload page. */
const FIRST = 52;
const READY_MS = 300_000;
const QUALITY = 82;

const WIDE = { width: 1440, height: 900 };
const PHONE = { width: 390, height: 844 };

interface Look {
  scheme: 'light' | 'dark';
  screen: typeof WIDE;
}

interface Asset {
  id: string;
  revision: number;
  caption: string | null;
}

/** Words found in captions of the samples, and a tag for what they show. */
const TAGGED = [
  ['guitar violin drum radio', 'music'],
  ['dog owls hedgehog chicken crab bees', 'animals'],
  ['cheese carrots strawberries banana watermelon', 'food']
] as const;

interface Demo {
  url: string;
  stop: () => Promise<void>;
}

/** The gallery to photograph: one that runs, or a demo on a new folder. */
async function openDemo(): Promise<Demo> {
  const running = process.env['GALLERY_URL'];
  if (running) return { url: running, stop: () => Promise.resolve() };
  const data = await mkdtemp(join(tmpdir(), 'dam-screenshots-'));
  const child = spawn(
    join(ROOT, '.venv', 'bin', 'dam'),
    ['demo', '--data', join(data, 'data'), '--count', String(FIRST)],
    {
      cwd: ROOT,
      env: { ...process.env, COLUMNS: '200', NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'inherit']
    }
  );
  const stop = async (): Promise<void> => {
    await ended(child);
    await rm(data, { recursive: true, force: true });
  };
  try {
    return { url: await addressOf(child), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Ctrl-C, and its end. */
async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGINT');
  await exit;
}

/** The gallery's address, once the demo has printed it. */
function addressOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = '';
    const timer = setTimeout(() => {
      reject(new Error(`The demo was not ready in time:\n${output}`));
    }, READY_MS);
    child.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      const address = /^Gallery +(http:\S+)/m.exec(output)?.[1];
      if (!address || !output.includes('Ctrl-C stops')) return;
      clearTimeout(timer);
      resolve(address);
    });
    child.once('exit', () => {
      clearTimeout(timer);
      reject(new Error(`The demo ended:\n${output}`));
    });
  });
}

/** A page with this look; without motion, so that nothing is caught half way. */
async function openPage(browser: Browser, baseURL: string, { scheme, screen }: Look): Promise<Page> {
  const context = await browser.newContext({
    baseURL,
    viewport: screen,
    colorScheme: scheme,
    deviceScaleFactor: screen === PHONE ? 2 : 1,
    isMobile: screen === PHONE,
    hasTouch: screen === PHONE,
    reducedMotion: 'reduce'
  });
  const page = await context.newPage();
  // What the demo's models are is told by the README: the notice need not stand in every picture.
  await page.goto('/');
  await page.getByRole('button', { name: 'Hide this notice' }).click();
  return page;
}

/** Photograph what is on screen once its pictures are there. */
async function shoot(page: Page, name: string): Promise<void> {
  await page.waitForFunction(() =>
    [...document.images].every((image) => image.complete && getComputedStyle(image).opacity === '1')
  );
  await page.evaluate(async () => {
    await document.fonts.ready;
    await Promise.all([...document.images].map((image) => image.decode()));
  });
  await page.mouse.move(0, 0);
  await page.waitForTimeout(800);
  const session = await page.context().newCDPSession(page);
  const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality: QUALITY });
  const path = join(OUT, `${name}.webp`);
  await writeFile(path, Buffer.from(data, 'base64'));
  console.log(`${name}.webp ${String(Math.round((await stat(path)).size / 1000))} KB`);
}

/** Upload the rest of the samples, one twice, one broken off, and a letter; the list shows what became of each. */
async function upload(page: Page): Promise<void> {
  const names = Object.keys(JSON.parse(await readFile(join(SAMPLES, 'captions.json'), 'utf8')) as object);
  const rest = await Promise.all(names.slice(FIRST).map((name) => filed(name)));
  const [first] = await Promise.all([filed(names[0] ?? '')]);
  const broken = await filed(names.find((name) => name.endsWith('.jpg')) ?? '');
  broken.buffer = broken.buffer.subarray(0, broken.buffer.length / 2);
  const letter = { name: 'letter.txt', mimeType: 'text/plain', buffer: Buffer.from('Dear reader') };
  await page.goto('/upload');
  await page
    .locator('input[type=file][multiple]')
    .setInputFiles([
      ...rest.slice(0, 4),
      first,
      { ...broken, name: 'half-a-picture.jpg' },
      letter,
      ...rest.slice(4)
    ]);
  await page.getByText(/^\d+ files done/).waitFor({ timeout: 120_000 });
}

async function filed(name: string): Promise<{ name: string; mimeType: string; buffer: Buffer }> {
  const mimeType = `image/${name.split('.').at(-1)?.replace('jpg', 'jpeg') ?? ''}`;
  return { name, mimeType, buffer: await readFile(join(SAMPLES, name)) };
}

/** Tags on what shows the same things, and one picture with a history. Its id. */
async function edit(page: Page): Promise<string> {
  const ask = async (method: string, path: string, body?: object, revision?: number): Promise<unknown> => {
    const headers = revision === undefined ? {} : { 'If-Match': `"${String(revision)}"` };
    const answer = await page.request.fetch(`/api/${path}`, {
      method,
      headers,
      ...(body ? { data: body } : {})
    });
    if (!answer.ok()) throw new Error(`${method} ${path}: ${await answer.text()}`);
    return answer.json();
  };
  const find = async (q: string): Promise<Asset[]> => {
    const found = await ask('GET', `search?mode=text&limit=8&q=${encodeURIComponent(q)}`);
    return (found as { items: { asset: Asset }[] }).items.map(({ asset }) => asset);
  };
  for (const [words, tag] of TAGGED)
    await ask('POST', 'assets/batch', { ids: (await find(words)).map(({ id }) => id), add_tags: [tag] });
  const [chosen] = await find('statues violin');
  if (!chosen) throw new Error('The picture to edit is not among the samples.');
  const { id, revision, caption } = chosen;
  const path = `assets/${id}`;
  await ask('PATCH', path, { title: 'Serenade', rating: 4 }, revision);
  await ask('PATCH', path, { caption: 'two old statues left of a cello on a green gradient' }, revision + 1);
  await ask('POST', `${path}/revert`, { revision: revision + 1 }, revision + 2);
  await ask('PATCH', path, { caption: caption?.replace('two statues', 'two moai statues') }, revision + 3);
  return id;
}

async function shootWide(page: Page, id: string): Promise<void> {
  await page.goto('/');
  await page.locator('[data-grid] img').first().waitFor();
  await shoot(page, 'gallery');
  await page.goto('/search?q=cheese+on+plain+pink');
  await page.locator('[data-result]').first().waitFor();
  await shoot(page, 'search');
  await page.goto(`/assets/${id}`);
  await page.getByRole('tab', { name: /^History \(/ }).click();
  await page.getByRole('list', { name: 'Revisions, newest first' }).waitFor();
  await shoot(page, 'history');
  await page.goto('/insights');
  await page.getByRole('img').first().waitFor();
  await shoot(page, 'insights');
  await page.goto('/jobs');
  await page.getByRole('heading', { name: /^Failed/ }).waitFor();
  await shoot(page, 'jobs');
}

async function shootDark(page: Page, id: string): Promise<void> {
  await page.goto('/');
  await page.locator('[data-grid] a[data-id]').first().focus();
  for (const key of ['x', 'ArrowRight', 'ArrowRight', 'x', 'ArrowDown', 'x']) await page.keyboard.press(key);
  await shoot(page, 'selection-dark');
  await page.goto(`/assets/${id}`);
  await page.getByRole('heading', { name: 'Similar pictures' }).waitFor();
  await page.getByRole('list').getByRole('img').first().waitFor();
  await shoot(page, 'picture-dark');
}

async function shootPhone(page: Page, id: string): Promise<void> {
  await page.goto('/');
  await page.locator('[data-grid] img').first().waitFor();
  await shoot(page, 'gallery-phone');
  await page.goto(`/assets/${id}`);
  await page.getByRole('heading', { name: 'Similar pictures' }).waitFor();
  await shoot(page, 'picture-phone');
}

const demo = await openDemo();
try {
  await mkdir(OUT, { recursive: true });
  const browser = await chromium.launch(launchOptions);
  try {
    const wide = await openPage(browser, demo.url, { scheme: 'light', screen: WIDE });
    await upload(wide);
    await shoot(wide, 'upload');
    const id = await edit(wide);
    await shootWide(wide, id);
    await shootDark(await openPage(browser, demo.url, { scheme: 'dark', screen: WIDE }), id);
    await shootPhone(await openPage(browser, demo.url, { scheme: 'light', screen: PHONE }), id);
  } finally {
    await browser.close();
  }
} finally {
  await demo.stop();
}
