/**
 * One day of the grid: what is known of it, what is loaded, and how high it is.
 *
 * Made and moved by `Timeline`, drawn by `GridSection.svelte`. It never fetches anything.
 */
import type { Asset, Day } from '#lib/api/types.ts';
import { NARROWEST, estimateHeight, justify, type Justified, type RowStyle } from './rows.ts';
import { tileOf, type Tile } from './tile.ts';

export const HEADING_HEIGHT = 44;
const SECTION_GAP = 20;

/** Assets of one day, newest first, and where to go on; null at the day's end. */
export interface Page {
  items: Asset[];
  cursor: string | null;
}

const NOTHING: Justified = { boxes: [], rows: [], height: 0 };

export class Section {
  readonly day: string;
  count: number;
  ratioSum: number;
  top = $state(0);
  /** Loaded from the newest on; a very large day comes in pages. */
  tiles: Tile[] = $state.raw([]);
  layout: Justified = $state.raw(NOTHING);
  isComplete = $state(false);
  /** Others arrived or left since it was loaded: its first page is to be read again. */
  isStale = false;
  problem = $state('');
  /** Height of the pictures, of those not loaded yet as an estimate. */
  bodyHeight = $state(0);
  #cursor: string | null = null;

  constructor(day: Day) {
    this.day = day.day;
    this.count = day.count;
    this.ratioSum = day.ratio_sum;
  }

  get height(): number {
    return HEADING_HEIGHT + this.bodyHeight + SECTION_GAP;
  }

  /** Whether there is nothing to load. */
  get isSettled(): boolean {
    return this.isComplete && !this.isStale;
  }

  /** Where to load from next; null means from the start of the day. */
  get nextCursor(): string | null {
    return this.isStale ? null : this.#cursor;
  }

  /** What the server says now of this day. */
  expect(day: Day): void {
    if (this.count !== day.count) this.isStale = true;
    this.count = day.count;
    this.ratioSum = day.ratio_sum;
  }

  /** Take what was read from the start of the day, or after its cursor. */
  take(page: Page, isStart: boolean): void {
    const fresh = page.items.map(tileOf);
    const oldest = fresh.at(-1)?.id ?? '';
    // Ids sort by time: what is older than the first page was read before and still follows it.
    const older = isStart && page.cursor !== null ? this.tiles.filter((tile) => tile.id < oldest) : [];
    this.tiles = isStart ? [...fresh, ...older] : [...this.tiles, ...fresh];
    if (older.length === 0) {
      this.#cursor = page.cursor;
      this.isComplete = page.cursor === null;
    }
    this.isStale = false;
    this.problem = '';
  }

  /** Forget one picture. */
  drop(index: number): void {
    const [gone] = this.tiles.slice(index, index + 1);
    this.tiles = this.tiles.toSpliced(index, 1);
    this.count -= 1;
    this.ratioSum -= gone?.trueRatio ?? 1;
  }

  /** Lay out what is loaded; to be called after any change of tiles, counts or width. */
  arrange(width: number, style: RowStyle): void {
    const ratios = this.tiles.map((tile) => tile.ratio);
    this.layout = ratios.length > 0 ? justify(ratios, width, style) : NOTHING;
    this.bodyHeight = this.layout.height;
    const missing = this.isComplete ? 0 : Math.max(0, this.count - ratios.length);
    if (missing === 0) return;
    const known = ratios.reduce((sum, ratio) => sum + ratio, 0);
    const rest = Math.max(this.ratioSum - known, missing * NARROWEST);
    const gap = this.bodyHeight > 0 ? style.gap : 0;
    this.bodyHeight += gap + estimateHeight(rest, missing, width, style);
  }

  /** Whether the pictures down to `bottom` (from this section's top) are all loaded. */
  reaches(bottom: number): boolean {
    return this.isSettled || (!this.isStale && this.layout.height > bottom - HEADING_HEIGHT);
  }
}
