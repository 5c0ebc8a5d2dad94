import { describe, expect, test } from 'vitest';
import { estimateHeight, justify, lowerBound, pickRowStyle, rowsWithin } from './rows.ts';

const STYLE = { targetHeight: 200, gap: 4 };

/** Ratios as cameras make them, the same on every run. */
function someRatios(count: number): number[] {
  const usual = [1.5, 1.5, 0.667, 1.333, 1, 1.778, 0.75, 1.5];
  return Array.from({ length: count }, (_, index) => usual[(index * 7 + (index >> 3)) % usual.length] ?? 1);
}

describe('justified rows', () => {
  test('every full row fills the width exactly and is near the target height', () => {
    const { boxes, rows } = justify(someRatios(100), 1000, STYLE);
    for (const row of rows.slice(0, -1)) {
      const last = boxes[row.end - 1];
      expect((last?.left ?? 0) + (last?.width ?? 0)).toBeCloseTo(1000, 3);
      expect(row.height).toBeLessThanOrEqual(280);
      expect(row.height).toBeGreaterThan(130);
    }
  });

  test('no two pictures overlap and every picture is placed once', () => {
    const { boxes, rows } = justify(someRatios(57), 640, STYLE);
    expect(boxes).toHaveLength(57);
    expect(rows.flatMap((row) => [row.start, row.end - 1]).at(-1)).toBe(56);
    for (const row of rows) {
      for (let index = row.start + 1; index < row.end; index++) {
        const [before, here] = [boxes[index - 1], boxes[index]];
        expect(here?.left).toBeCloseTo((before?.left ?? 0) + (before?.width ?? 0) + 4, 6);
      }
    }
  });

  test('a last row that is not full keeps the target height', () => {
    const { rows } = justify([1.5], 1000, STYLE);
    expect(rows).toEqual([{ start: 0, end: 1, top: 0, height: 200 }]);
  });

  test('a panorama and an unknown size break nothing', () => {
    const { boxes } = justify([20, Number.NaN, 0.01, 1], 300, STYLE);
    for (const box of boxes) {
      expect(box.width).toBeGreaterThan(0);
      expect(box.left + box.width).toBeLessThanOrEqual(300.001);
    }
  });

  test('no pictures, no height', () => {
    expect(justify([], 500, STYLE)).toEqual({ boxes: [], rows: [], height: 0 });
    expect(estimateHeight(0, 0, 500, STYLE)).toBe(0);
  });

  test.each([320, 700, 1200, 2400])('the estimate at %i pixels is near the layout', (width) => {
    const style = pickRowStyle(width);
    for (const count of [40, 200, 1000]) {
      const ratios = someRatios(count);
      const sum = ratios.reduce((a, b) => a + b, 0);
      const real = justify(ratios, width, style).height;
      expect(Math.abs(estimateHeight(sum, count, width, style) / real - 1)).toBeLessThan(0.15);
    }
  });
});

describe('the rows on screen', () => {
  test('are those that touch the span, and no others', () => {
    const { rows } = justify(someRatios(200), 1000, STYLE);
    const [first, last] = rowsWithin(rows, 500, 900);
    rows.forEach((row, index) => {
      const touches = row.top + row.height >= 500 && row.top <= 900;
      expect(index >= first && index < last).toBe(touches);
    });
  });

  test('are none outside the layout', () => {
    const { rows, height } = justify(someRatios(20), 1000, STYLE);
    const [first, last] = rowsWithin(rows, height + 100, height + 500);
    expect(last - first).toBe(0);
  });
});

test('lowerBound finds the first index that holds', () => {
  expect(lowerBound(10, (index) => index >= 7)).toBe(7);
  expect(lowerBound(10, () => false)).toBe(10);
  expect(lowerBound(0, () => true)).toBe(0);
});
