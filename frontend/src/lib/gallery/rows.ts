/**
 * Justified rows: pictures side by side at one height, each row filling the width exactly.
 *
 * Pure geometry in CSS pixels; called by the timeline and the search results. It never touches the DOM.
 */

export interface RowStyle {
  /** What a row aims at; rows come out somewhat lower or higher, to fill the width. */
  targetHeight: number;
  gap: number;
}

export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

export interface Row {
  /** Index of its first picture, and one past its last. */
  start: number;
  end: number;
  top: number;
  height: number;
}

export interface Justified {
  boxes: Box[];
  rows: Row[];
  height: number;
}

/** Extremes are cut off, so that a panorama or a receipt leaves its neighbours visible. */
export const NARROWEST = 0.45;
const WIDEST = 3.2;

/** How far a row may rise above the target height to avoid squeezing in one more picture. */
const TALLEST = 1.4;

export function clampRatio(ratio: number): number {
  return Number.isFinite(ratio) && ratio > 0 ? Math.min(WIDEST, Math.max(NARROWEST, ratio)) : 1;
}

/** Bigger screens get taller rows, which also bounds how many tiles can be on screen at once. */
export function pickRowStyle(width: number): RowStyle {
  if (width < 480) return { targetHeight: 120, gap: 3 };
  if (width < 900) return { targetHeight: 170, gap: 4 };
  if (width < 1800) return { targetHeight: 215, gap: 4 };
  return { targetHeight: 280, gap: 6 };
}

/** Place pictures of these ratios (width ÷ height). A last row that is not full keeps the target height. */
export function justify(ratios: readonly number[], width: number, style: RowStyle): Justified {
  const boxes: Box[] = [];
  const rows: Row[] = [];
  let top = 0;
  for (let start = 0; start < ratios.length;) {
    const { end, height } = nextRow(ratios, start, width, style);
    const row = { start, end, top, height };
    placeRow(row, ratios, width, style, boxes);
    rows.push(row);
    top += height + style.gap;
    start = end;
  }
  return { boxes, rows, height: Math.max(0, top - style.gap) };
}

/** How high pictures are that a grid has not seen yet, from their number and the sum of their ratios alone. */
export function estimateHeight(ratioSum: number, count: number, width: number, style: RowStyle): number {
  if (count === 0) return 0;
  const { targetHeight, gap } = style;
  const across = ratioSum * targetHeight + count * gap;
  if (across <= width) return targetHeight;
  // Rows end up on both sides of the target, so the area is what counts; the last row is seldom full.
  const rows = across / width + 0.3;
  return rows * (targetHeight + gap) - gap;
}

/** The rows that touch the span from `from` to `to`, as a range of indexes into `rows`. */
export function rowsWithin(rows: readonly Row[], from: number, to: number): [number, number] {
  const first = lowerBound(rows.length, (index) => {
    const row = rows[index];
    return row !== undefined && row.top + row.height >= from;
  });
  const last = lowerBound(rows.length, (index) => (rows[index]?.top ?? 0) > to);
  return [first, Math.max(first, last)];
}

/** The first index for which `holds` is true, where it is false before and true from there on. */
export function lowerBound(length: number, holds: (index: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Where the row that begins at `start` ends: before or after the picture that fills it, whichever is closer. */
function nextRow(
  ratios: readonly number[],
  start: number,
  width: number,
  style: RowStyle
): { end: number; height: number } {
  const { targetHeight, gap } = style;
  let sum = 0;
  let before = Number.POSITIVE_INFINITY;
  for (let index = start; index < ratios.length; index++) {
    sum += clampRatio(ratios[index] ?? 1);
    const height = (width - (index - start) * gap) / sum;
    if (height <= targetHeight) {
      const isCloserBefore =
        before <= targetHeight * TALLEST && before / targetHeight < targetHeight / height;
      return isCloserBefore ? { end: index, height: before } : { end: index + 1, height };
    }
    before = height;
  }
  return { end: ratios.length, height: Math.min(targetHeight, before) };
}

function placeRow(row: Row, ratios: readonly number[], width: number, style: RowStyle, boxes: Box[]): void {
  let left = 0;
  for (let index = row.start; index < row.end; index++) {
    const own = Math.min(clampRatio(ratios[index] ?? 1) * row.height, width - left);
    boxes.push({ left, top: row.top, width: own, height: row.height });
    left += own + style.gap;
  }
}
