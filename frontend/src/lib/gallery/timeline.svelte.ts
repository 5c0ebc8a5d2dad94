/**
 * The gallery's grid as data: days, their heights and the pictures near the viewport.
 *
 * Heights come from `/api/timeline` before any picture is loaded, so that the scroll bar is right from the
 * start. Days are loaded as they come near and laid out once. The grid component only draws what `windowOf`
 * says. This module never touches the DOM: whoever scrolls attaches a viewport.
 */
import { explain } from '#lib/api/problems.ts';
import type { Asset, Day } from '#lib/api/types.ts';
import { dropAnchor, drift } from './anchor.ts';
import { lowerBound, pickRowStyle, type RowStyle } from './rows.ts';
import { Section, type Page } from './section.svelte.ts';
import { tileOf, type Tile } from './tile.ts';

/** Where the timeline gets its facts; the gallery gives the API, tests give a fake. */
export interface TimelineSource {
  days(signal: AbortSignal): Promise<{ total: number; days: Day[] }>;
  page(day: string, cursor: string | null, signal: AbortSignal): Promise<Page>;
}

/** What the timeline asks of the page that shows it. */
export interface Viewport {
  /** How far the grid's top has left the screen, in pixels. */
  top(): number;
  /** Scroll by so much, because everything on screen has moved by it. */
  shift(by: number): void;
}

export interface Position {
  section: number;
  index: number;
}

const NOWHERE: Viewport = { top: () => 0, shift: () => undefined };

export class Timeline {
  sections: Section[] = $state.raw([]);
  total = $state(0);
  height = $state(0);
  phase: 'loading' | 'ready' | 'failed' = $state('loading');
  problem = $state('');
  viewport: Viewport = NOWHERE;
  #width = 0;
  #style: RowStyle = pickRowStyle(0);
  #loading = new Map<string, AbortController>();
  #refreshing: AbortController | undefined;
  readonly #source: TimelineSource;

  constructor(source: TimelineSource) {
    this.#source = source;
  }

  /** Fetch the days anew; loaded days that did not change keep their pictures. */
  async refresh(): Promise<void> {
    this.#refreshing?.abort();
    const controller = new AbortController();
    this.#refreshing = controller;
    try {
      const { total, days } = await this.#source.days(controller.signal);
      if (controller.signal.aborted) return;
      this.#keepInPlace(() => {
        this.#adopt(days);
      });
      this.total = total;
      this.phase = 'ready';
      this.problem = '';
    } catch (error) {
      if (controller.signal.aborted) return;
      this.problem = explain(error);
      // What is already on screen stays there; only an empty gallery has nothing better to show.
      if (this.sections.length === 0) this.phase = 'failed';
    }
  }

  /** Lay everything out for a new width. */
  resize(width: number): void {
    if (width === this.#width || width <= 0) return;
    this.#keepInPlace(() => {
      this.#width = width;
      this.#style = pickRowStyle(width);
      for (const section of this.sections) section.arrange(width, this.#style);
    });
  }

  /** Indexes of the sections that touch the span: from the first to before the last. */
  windowOf(from: number, to: number): [number, number] {
    const { sections } = this;
    const first = lowerBound(sections.length, (index) => {
      const section = sections[index];
      return section !== undefined && section.top + section.height >= from;
    });
    const last = lowerBound(sections.length, (index) => (sections[index]?.top ?? 0) > to);
    return [first, Math.max(first, last)];
  }

  /** Load what the span lacks, one page of each day at a time, and give up what has left it. */
  load(from: number, to: number): void {
    const near = this.sections.slice(...this.windowOf(from, to));
    const wanted = new Set(near.map((section) => section.day));
    for (const [day, controller] of this.#loading) if (!wanted.has(day)) controller.abort();
    for (const section of near) if (!section.reaches(to - section.top)) void this.extend(section);
  }

  /** Load a day's next page; at most one at a time. */
  async extend(section: Section): Promise<void> {
    if (section.isSettled || this.#loading.has(section.day)) return;
    const controller = new AbortController();
    this.#loading.set(section.day, controller);
    try {
      const cursor = section.nextCursor;
      const page = await this.#source.page(section.day, cursor, controller.signal);
      if (controller.signal.aborted) return;
      this.#keepInPlace(() => {
        section.take(page, cursor === null);
        section.arrange(this.#width, this.#style);
      });
    } catch (error) {
      if (!controller.signal.aborted) section.problem = explain(error);
    } finally {
      if (this.#loading.get(section.day) === controller) this.#loading.delete(section.day);
    }
  }

  /** Show an asset's new state where it is loaded. */
  patch(asset: Asset): void {
    const position = this.find(asset.id);
    const section = position && this.sections[position.section];
    if (!section) return;
    this.#keepInPlace(() => {
      section.tiles = section.tiles.with(position.index, tileOf(asset));
      section.arrange(this.#width, this.#style);
    });
  }

  /** Take an asset off the grid, as one that was deleted. */
  remove(id: string): void {
    const position = this.find(id);
    const section = position && this.sections[position.section];
    if (!section) return;
    this.#keepInPlace(() => {
      section.drop(position.index);
      this.total -= 1;
      if (section.count <= 0) this.sections = this.sections.filter((other) => other !== section);
      section.arrange(this.#width, this.#style);
    });
  }

  /** Where a loaded asset is. */
  find(id: string): Position | undefined {
    for (const [number, section] of this.sections.entries()) {
      const index = section.tiles.findIndex((tile) => tile.id === id);
      if (index >= 0) return { section: number, index };
    }
    return undefined;
  }

  tileAt(position: Position): Tile | undefined {
    return this.sections[position.section]?.tiles[position.index];
  }

  #adopt(days: Day[]): void {
    const known = new Map(this.sections.map((section) => [section.day, section]));
    this.sections = days.map((day) => {
      const section = known.get(day.day);
      section?.expect(day);
      return section ?? new Section(day);
    });
    if (this.#width > 0) for (const section of this.sections) section.arrange(this.#width, this.#style);
  }

  /** Change heights without moving what is on screen. */
  #keepInPlace(change: () => void): void {
    const top = this.viewport.top();
    const anchor = dropAnchor(this.sections[this.windowOf(top, top)[0]], top);
    change();
    let below = 0;
    for (const section of this.sections) {
      section.top = below;
      below += section.height;
    }
    this.height = below;
    // A new array tells whoever draws that places changed, without making each of them reactive.
    this.sections = [...this.sections];
    const moved = anchor && this.sections.includes(anchor.section) ? drift(anchor) : 0;
    if (moved !== 0) this.viewport.shift(moved);
  }
}
