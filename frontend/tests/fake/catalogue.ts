/**
 * The catalogue of the fake gallery: rows with revisions, filters, conflicts, and a stream of changes.
 *
 * It keeps the promises that the frontend relies on: newest first, cursors that stay valid, one winner of two
 * edits of a revision, an event for every change.
 */
import type { Asset, Change, Day, FieldChange, Revision } from '../../src/lib/api/types.ts';
import { idOf, instantOf, makeAsset, newAsset, PER_DAY } from './generated.ts';

export type Values = Partial<Asset>;
export type Published = Change & { eventId: string };

/** The asset that two people changed at once, as the second of them hears of it. */
export class ConflictError extends Error {
  readonly current: Asset;

  constructor(current: Asset) {
    super(`Revision ${String(current.revision)} came first.`);
    this.current = current;
  }
}

const IGNORED = new Set([
  'revision',
  'change_id',
  'schema_version',
  'event',
  'recorded_at',
  'actor',
  'attempts',
  'links',
  'id'
]);

export class FakeCatalogue {
  version = 1;
  /** The version that the index has. */
  indexed = 1;
  readonly listeners = new Set<(change: Published) => void>();
  readonly #uploaded: Asset[] = [];
  readonly #changed = new Map<string, Asset[]>();
  readonly #size: number;
  /** The first number of each day. */
  readonly #groups = new Map<string, number>();

  constructor(size: number) {
    this.#size = size;
    for (let number = 0; number < size; number += PER_DAY) this.#groups.set(dayOf(makeAsset(number)), number);
  }

  /** Every asset, or those that were generated for one day and all uploads; newest first. */
  *all(day: string | null = null): Generator<Asset> {
    for (const asset of this.#uploaded.toReversed()) yield this.#current(asset);
    const group = day === null ? undefined : this.#groups.get(day);
    const start = day === null ? 0 : (group ?? this.#size);
    const end = day === null ? this.#size : Math.min(this.#size, start + PER_DAY);
    for (let number = start; number < end; number++) yield this.#current(makeAsset(number));
  }

  /** The id of a generated asset, newest first. */
  idAt(number: number): string {
    return idOf(instantOf(number), number);
  }

  find(id: string): Asset | undefined {
    const changed = this.#changed.get(id)?.at(-1);
    if (changed) return changed;
    const uploaded = this.#uploaded.find((asset) => asset.id === id);
    if (uploaded) return uploaded;
    const number = Number.parseInt(id.slice(-12), 16);
    return number < this.#size && idOf(instantOf(number), number) === id ? makeAsset(number) : undefined;
  }

  select(params: URLSearchParams): Asset[] {
    const found: Asset[] = [];
    for (const asset of this.all()) if (passes(asset, params)) found.push(asset);
    return found;
  }

  page(params: URLSearchParams): { items: Asset[]; next_cursor: string | null } {
    const limit = Number(params.get('limit') ?? 100);
    const cursor = params.get('cursor');
    const items: Asset[] = [];
    for (const asset of this.all(params.get('day'))) {
      if ((cursor !== null && asset.id >= cursor) || !passes(asset, params)) continue;
      if (items.length === limit) return { items, next_cursor: items.at(-1)?.id ?? null };
      items.push(asset);
    }
    return { items, next_cursor: null };
  }

  days(params: URLSearchParams): { total: number; days: Day[] } {
    const days = new Map<string, Day>();
    let total = 0;
    for (const asset of this.all()) {
      if (!passes(asset, params)) continue;
      const day = dayOf(asset);
      const entry = days.get(day) ?? { day, count: 0, ratio_sum: 0 };
      entry.count += 1;
      entry.ratio_sum += (asset.width ?? 1) / (asset.height ?? 1);
      days.set(day, entry);
      total += 1;
    }
    return { total, days: [...days.values()] };
  }

  history(id: string): Revision[] {
    const first =
      this.#uploaded.find((asset) => asset.id === id) ?? makeAsset(Number.parseInt(id.slice(-12), 16));
    const rows = [first, ...(this.#changed.get(id) ?? [])];
    return rows
      .map((row, index) => ({
        revision: row.revision,
        event: row.event ?? 'enriched',
        actor: row.actor ?? '',
        recorded_at: row.recorded_at ?? '',
        changes: differences(rows[index - 1], row),
        row
      }))
      .reverse();
  }

  /** A new revision; `match` is the one it was made from, where that is asked for. */
  change(id: string, event: NonNullable<Asset['event']>, values: Values, match?: number): Asset | undefined {
    const current = this.find(id);
    if (!current) return undefined;
    if (match !== undefined && match !== current.revision) throw new ConflictError(current);
    const row: Asset = {
      ...current,
      ...values,
      ...('caption' in values ? { caption_by: 'person:anonymous' } : {}),
      revision: current.revision + 1,
      event,
      actor: 'person:anonymous',
      recorded_at: new Date().toISOString()
    };
    this.#changed.set(id, [...(this.#changed.get(id) ?? []), row]);
    this.publish(row);
    return row;
  }

  /** A captioned upload, after everything that was there. */
  add(filename: string, caption: string, values: Values = {}): Asset {
    const instant = Date.now();
    const id = idOf(instant, 0xf000_0000 + this.#uploaded.length);
    const asset = { ...newAsset({ id, instant, filename, caption, width: 1600, height: 1200 }), ...values };
    this.#uploaded.push(asset);
    return asset;
  }

  publish(row: Asset): void {
    this.version += 1;
    const { id, revision, status } = row;
    const change = {
      id,
      revision,
      status,
      event: row.event ?? 'enriched',
      eventId: `${String(this.version)}-0`
    };
    for (const listener of this.listeners) listener(change);
  }

  #current(asset: Asset): Asset {
    return this.#changed.get(asset.id)?.at(-1) ?? asset;
  }
}

export function dayOf(asset: Asset): string {
  return (asset.received_at ?? '').slice(0, 10);
}

function passes(asset: Asset, params: URLSearchParams): boolean {
  const ratio = (asset.width ?? 1) / (asset.height ?? 1);
  const shape = ratio > 1 ? 'landscape' : ratio < 1 ? 'portrait' : 'square';
  const is = (name: string, value: string | null): boolean => (params.get(name) ?? value) === value;
  return (
    (params.get('status') ?? 'ready') === asset.status &&
    is('type', asset.asset_type) &&
    is('mime', asset.mime_type) &&
    is('model', asset.embedding_by) &&
    is('orientation', shape) &&
    is('day', dayOf(asset)) &&
    dayOf(asset) >= (params.get('from') ?? '') &&
    dayOf(asset) <= (params.get('to') ?? '9') &&
    (asset.rating ?? 0) >= Number(params.get('rating') ?? 0) &&
    params.getAll('tag').every((tag) => asset.tags.includes(tag))
  );
}

function differences(before: Asset | undefined, after: Asset): FieldChange[] {
  return (Object.keys(after) as (keyof Asset)[])
    .filter((field) => !IGNORED.has(field))
    .filter((field) => JSON.stringify(before?.[field] ?? null) !== JSON.stringify(after[field] ?? null))
    .map((field) => ({ field, before: before?.[field] ?? null, after: after[field] }));
}
