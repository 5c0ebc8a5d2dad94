import { expect, test } from 'vitest';
import type { Stats } from '#lib/api/types.ts';
import { byMonth, nameOfCode, ranked } from './figures.ts';

const month = (name: string, type: string, count: number) => ({ month: name, type, count });

test('months come oldest first, summed over types, with the empty ones between', () => {
  const by_month = [month('2026-02', 'image', 3), month('2025-11', 'image', 1), month('2026-02', 'video', 2)];
  const bars = byMonth({ by_month } as Stats);
  expect(bars.map((bar) => [bar.whole, bar.value])).toEqual([
    ['2025-11', 1],
    ['2025-12', 0],
    ['2026-01', 0],
    ['2026-02', 5]
  ]);
});

test('no pictures, no months', () => {
  expect(byMonth({ by_month: [] } as unknown as Stats)).toEqual([]);
});

test('the largest come first, and the many small ones are one', () => {
  const counts = { a: 1, b: 9, c: 5, d: 2, none: 0 };
  expect(ranked(counts, String, 2).map((bar) => [bar.name, bar.value])).toEqual([
    ['b', 9],
    ['c', 5],
    ['Others', 3]
  ]);
});

test('a code reads as words', () => {
  expect(nameOfCode('too_many_pixels')).toBe('Too many pixels');
});
