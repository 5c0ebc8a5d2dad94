/** Which picture the arrow keys lead to: one on, one back, or the nearest in the row above or below. */
import type { Box, Justified } from './rows.ts';
import type { Position, Timeline } from './timeline.svelte.ts';

export type Direction = 'left' | 'right' | 'up' | 'down';

export const KEYS: Partial<Record<string, Direction>> = {
  ArrowLeft: 'left',
  ArrowRight: 'right',
  ArrowUp: 'up',
  ArrowDown: 'down'
};

/** The next place in that direction; loads the day it is in where that is needed. */
export async function walk(
  timeline: Timeline,
  from: Position,
  direction: Direction
): Promise<Position | undefined> {
  const here = timeline.sections[from.section];
  if (!here) return undefined;
  const within = step(here.layout, from.index, direction);
  if (within !== undefined) return { section: from.section, index: within };
  const isForward = direction === 'right' || direction === 'down';
  if (isForward && !here.isComplete) {
    await timeline.extend(here);
    const more = step(here.layout, from.index, direction);
    if (more !== undefined) return { section: from.section, index: more };
  }
  const next = timeline.sections[from.section + (isForward ? 1 : -1)];
  if (!next) return undefined;
  while (next.tiles.length === 0 || (!isForward && !next.isComplete)) {
    const before = next.tiles.length;
    await timeline.extend(next);
    if (next.tiles.length === before) return undefined; // it could not be loaded; the grid says why
  }
  const index = enter(next.layout, here.layout.boxes[from.index], direction);
  return { section: timeline.sections.indexOf(next), index };
}

/** The place within one layout, or nothing where the direction leads out of it. */
export function step(layout: Justified, index: number, direction: Direction): number | undefined {
  if (direction === 'left') return index > 0 ? index - 1 : undefined;
  if (direction === 'right') return index + 1 < layout.boxes.length ? index + 1 : undefined;
  const row = layout.rows.findIndex(({ start, end }) => index >= start && index < end);
  const target = layout.rows[row + (direction === 'down' ? 1 : -1)];
  const box = layout.boxes[index];
  if (!target || !box) return undefined;
  return nearest(layout.boxes, target.start, target.end, box);
}

/** Where one comes into a layout from outside. */
function enter(layout: Justified, from: Box | undefined, direction: Direction): number {
  if (direction === 'right') return 0;
  if (direction === 'left') return layout.boxes.length - 1;
  const row = direction === 'down' ? layout.rows[0] : layout.rows.at(-1);
  if (!row) return 0;
  return from ? nearest(layout.boxes, row.start, row.end, from) : row.start;
}

function nearest(boxes: readonly Box[], start: number, end: number, to: Box): number {
  const centre = to.left + to.width / 2;
  let best = start;
  let distance = Number.POSITIVE_INFINITY;
  for (let index = start; index < end; index++) {
    const box = boxes[index];
    const away = box ? Math.abs(box.left + box.width / 2 - centre) : distance;
    if (away < distance) [best, distance] = [index, away];
  }
  return best;
}
