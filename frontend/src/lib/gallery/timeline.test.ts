import { describe, expect, test } from 'vitest';
import type { Asset } from '#lib/api/types.ts';
import { Timeline, type TimelineSource } from './timeline.svelte.ts';
import { walk } from './walking.ts';

const WIDTH = 1000;
const SCREEN = 800;

function asset(day: number, number: number): Asset {
  const id = `${String(999 - day).padStart(3, '0')}-${String(number).padStart(5, '0')}`;
  const links = { original: '', thumbnails: {}, vector: null };
  return {
    id,
    width: 300,
    height: 200,
    caption: id,
    status: 'ready',
    placeholder: null,
    links
  } as unknown as Asset;
}

/** A catalogue in memory: how many pictures each day has, newest day first. */
class FakeCatalogue implements TimelineSource {
  readonly asked: string[] = [];
  readonly assets: Asset[][];

  constructor(
    counts: number[],
    private readonly pageSize = 500
  ) {
    this.assets = counts.map((count, day) =>
      Array.from({ length: count }, (_, index) => asset(day, count - index))
    );
  }

  days(): ReturnType<TimelineSource['days']> {
    const days = this.assets.map((assets, day) => ({
      day: `day-${String(day)}`,
      count: assets.length,
      ratio_sum: assets.length * 1.5
    }));
    return Promise.resolve({
      total: this.assets.flat().length,
      days: days.filter((day) => day.count > 0)
    });
  }

  page(day: string, cursor: string | null): ReturnType<TimelineSource['page']> {
    this.asked.push(day);
    const assets = this.assets[Number(day.slice(4))] ?? [];
    const after = cursor === null ? assets : assets.filter((one) => one.id < cursor);
    const items = after.slice(0, this.pageSize);
    return Promise.resolve({
      items,
      cursor: after.length > items.length ? (items.at(-1)?.id ?? null) : null
    });
  }
}

async function opened(source: TimelineSource): Promise<Timeline> {
  const timeline = new Timeline(source);
  timeline.resize(WIDTH);
  await timeline.refresh();
  return timeline;
}

/** Loading is a chain of promises without timers: it has ended when the event loop turns. */
function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

describe('a timeline', () => {
  test('knows its height before any picture is loaded, and hardly changes it after', async () => {
    const source = new FakeCatalogue([40, 7, 120, 1, 60]);
    const timeline = await opened(source);
    const estimated = timeline.height;
    expect(source.asked).toEqual([]);
    timeline.load(0, estimated);
    await settle();
    expect(timeline.sections.every((section) => section.isComplete)).toBe(true);
    expect(Math.abs(timeline.height / estimated - 1)).toBeLessThan(0.1);
  });

  test('loads only the days near the screen', async () => {
    const source = new FakeCatalogue(Array.from({ length: 300 }, () => 30));
    const timeline = await opened(source);
    const middle = timeline.height / 2;
    timeline.load(middle, middle + SCREEN);
    await settle();
    expect(new Set(source.asked).size).toBeLessThanOrEqual(4);
    expect(source.asked[0]).toMatch(/day-1[45]\d/);
  });

  test('a very large day comes page by page, as far as it is looked at', async () => {
    const source = new FakeCatalogue([5000], 100);
    const timeline = await opened(source);
    timeline.load(0, SCREEN);
    await settle();
    const [day] = timeline.sections;
    expect(day?.tiles).toHaveLength(100);
    timeline.load(0, (day?.layout.height ?? 0) + SCREEN);
    await settle();
    expect(day?.tiles).toHaveLength(200);
    expect(day?.isComplete).toBe(false);
  });

  test('what is on screen stays in place while days above it turn out higher or lower', async () => {
    const source = new FakeCatalogue([33, 33, 33, 33, 33, 33]);
    const timeline = await opened(source);
    let top = timeline.sections[4]?.top ?? 0;
    top += 200;
    timeline.viewport = { top: () => top, shift: (by) => (top += by) };
    timeline.load(top, top + SCREEN);
    await settle();
    const inside = top - (timeline.sections[4]?.top ?? 0);
    timeline.load(0, top + SCREEN);
    await settle();
    expect(top - (timeline.sections[4]?.top ?? 0)).toBeCloseTo(inside, 5);
  });

  test('a new upload appears without the day being lost, and what is on screen does not move', async () => {
    const source = new FakeCatalogue([300], 100);
    const timeline = await opened(source);
    timeline.load(0, 1e6);
    await settle();
    timeline.load(0, 1e6);
    await settle();
    const seen = timeline.sections[0]?.tiles[150]?.id ?? '';
    const boxOf = (id: string) => {
      const at = timeline.find(id);
      return timeline.sections[0]?.layout.boxes[at?.index ?? -1]?.top ?? 0;
    };
    let top = boxOf(seen) + 44;
    timeline.viewport = { top: () => top, shift: (by) => (top += by) };
    const before = boxOf(seen) - top;
    source.assets[0]?.unshift(asset(0, 301));
    await timeline.refresh();
    timeline.load(top, top + SCREEN);
    await settle();
    expect(timeline.total).toBe(301);
    expect(timeline.sections[0]?.tiles[0]?.id).toBe(asset(0, 301).id);
    expect(timeline.sections[0]?.tiles).toHaveLength(201);
    expect(Math.abs(boxOf(seen) - top - before)).toBeLessThan(300);
  });

  test('a deleted picture leaves, and an emptied day with it', async () => {
    const timeline = await opened(new FakeCatalogue([2, 1]));
    timeline.load(0, 5000);
    await settle();
    timeline.remove(asset(1, 1).id);
    expect(timeline.sections).toHaveLength(1);
    expect(timeline.total).toBe(2);
  });

  test('days that cannot be read are a failure only while there is nothing to show', async () => {
    const source = new FakeCatalogue([3]);
    const timeline = await opened(source);
    source.days = () => Promise.reject(new Error('The bucket is down.'));
    await timeline.refresh();
    expect(timeline.phase).toBe('ready');
    expect(timeline.problem).toBe('The bucket is down.');
    const empty = new Timeline(source);
    await empty.refresh();
    expect(empty.phase).toBe('failed');
  });
});

describe('walking with the arrow keys', () => {
  test('goes through every picture once, across days that are not loaded yet', async () => {
    const source = new FakeCatalogue([3, 250, 2], 100);
    const timeline = await opened(source);
    timeline.load(0, SCREEN);
    await settle();
    const seen: string[] = [];
    let position: Awaited<ReturnType<typeof walk>> = { section: 0, index: 0 };
    while (position) {
      seen.push(timeline.tileAt(position)?.id ?? '');
      position = await walk(timeline, position, 'right');
    }
    expect(seen).toEqual(source.assets.flat().map((one) => one.id));
  });

  test('down and up again ends where it began', async () => {
    const timeline = await opened(new FakeCatalogue([40, 40]));
    timeline.load(0, 5000);
    await settle();
    const start = { section: 0, index: 2 };
    const below = await walk(timeline, start, 'down');
    expect(below && (await walk(timeline, below, 'up'))).toEqual(start);
  });

  test('stops at the ends', async () => {
    const timeline = await opened(new FakeCatalogue([2]));
    timeline.load(0, 5000);
    await settle();
    expect(await walk(timeline, { section: 0, index: 0 }, 'left')).toBeUndefined();
    expect(await walk(timeline, { section: 0, index: 1 }, 'down')).toBeUndefined();
  });
});
