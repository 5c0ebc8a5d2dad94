/** What is at the top of the viewport, so that it can stay there while heights above it change. */
import { rowsWithin } from './rows.ts';
import { HEADING_HEIGHT, type Section } from './section.svelte.ts';

export interface Anchor {
  section: Section;
  /** A picture of the topmost row, where rows are known. */
  id: string | undefined;
  top: number;
}

/** The anchor at this distance from the grid's top; none at the very top, where new pictures should be seen. */
export function dropAnchor(section: Section | undefined, viewportTop: number): Anchor | undefined {
  if (!section || viewportTop <= 0) return undefined;
  const inside = viewportTop - section.top - HEADING_HEIGHT;
  const [first] = rowsWithin(section.layout.rows, inside, inside);
  const row = section.layout.rows[first];
  const id = row && inside >= 0 ? section.tiles[row.start]?.id : undefined;
  return { section, id, top: topOf(section, id) };
}

/** How far the anchored picture has moved since. */
export function drift(anchor: Anchor): number {
  return topOf(anchor.section, anchor.id) - anchor.top;
}

function topOf(section: Section, id: string | undefined): number {
  const index = id === undefined ? -1 : section.tiles.findIndex((tile) => tile.id === id);
  return section.top + (section.layout.boxes[index]?.top ?? 0);
}
