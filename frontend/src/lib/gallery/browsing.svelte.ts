/**
 * What somebody is browsing: the list they came from, and where they were in it.
 *
 * It outlives pages, so that coming back from an asset finds the gallery as it was, and so that the asset
 * page knows what comes before and after. Filled by the gallery and the search, read by the asset page.
 */
import { listAssets, listDays, readAsset } from '#lib/api/assets.ts';
import type { Asset, Filters } from '#lib/api/types.ts';
import { writeFilters } from '#lib/filters/filters.ts';
import { listen, type LiveChange } from '#lib/live/changes.ts';
import { Timeline, type Position } from './timeline.svelte.ts';
import { walk } from './walking.ts';

interface Neighbours {
  previous: (id: string) => Promise<string | undefined>;
  next: (id: string) => Promise<string | undefined>;
}

class Browsing {
  /** The address of the list, to go back to. */
  listUrl = $state('/');
  /** The asset last looked at. */
  current: string | undefined = $state();
  neighbours: Neighbours | undefined;
  #timeline: Timeline | undefined;
  #filters = '';
  #stop: (() => void) | undefined;

  /** The timeline of these filters: the one from before where they are the same. It is kept up to date. */
  timelineOf(filters: Filters): Timeline {
    const key = writeFilters(filters).toString();
    if (this.#timeline && this.#filters === key) return this.#timeline;
    this.#filters = key;
    this.#timeline = makeTimeline(filters);
    this.#stop?.();
    this.#stop = follow(this.#timeline, filters);
    this.current = undefined;
    return this.#timeline;
  }
}

export const browsing = new Browsing();

function makeTimeline(filters: Filters): Timeline {
  return new Timeline({
    days: (signal) => listDays(filters, signal),
    page: (day, cursor, signal) => listAssets({ ...filters, day }, cursor, signal)
  });
}

/** Walk along a timeline, day after day. */
export function alongTimeline(timeline: Timeline): Neighbours {
  const to = (direction: 'left' | 'right') => async (id: string) => {
    const here = timeline.find(id);
    const there: Position | undefined = here && (await walk(timeline, here, direction));
    return there && timeline.tileAt(there)?.id;
  };
  return { previous: to('left'), next: to('right') };
}

/** Wide enough to lay out a gallery that nobody has seen yet. */
const NOMINAL_WIDTH = 1200;

/** Walk along the whole gallery, from an asset that was opened by its address. */
export async function alongAll(asset: Asset | undefined): Promise<Neighbours | undefined> {
  if (!asset) return undefined;
  const timeline = makeTimeline({});
  timeline.resize(NOMINAL_WIDTH);
  await timeline.refresh();
  const section = timeline.sections.find(({ day }) => day === asset.received_at?.slice(0, 10));
  while (section && !section.isSettled && !section.problem && !timeline.find(asset.id))
    await timeline.extend(section);
  return alongTimeline(timeline);
}

/** Walk along a list, as search results. */
export function alongList(ids: readonly string[]): Neighbours {
  const by = (step: number) => (id: string) => {
    const index = ids.indexOf(id);
    return Promise.resolve(index < 0 ? undefined : ids[index + step]);
  };
  return { previous: by(-1), next: by(1) };
}

/** How long changes are gathered before days are counted again: uploads come in bursts. */
const GATHER_MS = 400;

/** Keep a timeline up to date until the returned function is called, whichever page is shown meanwhile. */
function follow(timeline: Timeline, filters: Filters): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const refreshSoon = (): void => {
    timer ??= setTimeout(() => {
      timer = undefined;
      void timeline.refresh();
    }, GATHER_MS);
  };
  const stop = listen({
    reset: refreshSoon,
    changed: (change) => {
      if (leaves(change, filters)) timeline.remove(change.id);
      else if (timeline.find(change.id))
        void readAsset(change.id).then((asset) => timeline.patch(asset), ignore);
      refreshSoon();
    }
  });
  return () => {
    stop();
    clearTimeout(timer);
  };
}

function leaves(change: LiveChange, filters: Filters): boolean {
  return change.status !== (filters.status ?? 'ready');
}

/** A change that cannot be read now is seen with the next refresh. */
function ignore(): void {
  return undefined;
}
