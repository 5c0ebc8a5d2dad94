/** Assets: reading, changing, and what became of them. One function for each thing the API can do. */
import { api, unwrap } from './client.ts';
import type { Asset, AssetEdit, BatchEdit, BatchOutcome, Day, Filters, Revision } from './types.ts';

/** Assets of one page of a day; as many as the API gives at once. */
const PAGE = 500;

export function listDays(filters: Filters, signal?: AbortSignal): Promise<{ total: number; days: Day[] }> {
  return unwrap(api.GET('/api/timeline', { params: { query: filters }, signal: signal ?? null }));
}

export async function listAssets(
  filters: Filters,
  cursor: string | null = null,
  signal?: AbortSignal,
  limit = PAGE
): Promise<{ items: Asset[]; cursor: string | null }> {
  const query = { ...filters, limit, ...(cursor === null ? {} : { cursor }) };
  const page = await unwrap(api.GET('/api/assets', { params: { query }, signal: signal ?? null }));
  return { items: page.items, cursor: page.next_cursor };
}

export function readAsset(id: string, signal?: AbortSignal): Promise<Asset> {
  return unwrap(
    api.GET('/api/assets/{asset_id}', { params: { path: { asset_id: id } }, signal: signal ?? null })
  );
}

export async function readHistory(id: string, signal?: AbortSignal): Promise<Revision[]> {
  const params = { path: { asset_id: id } };
  return (await unwrap(api.GET('/api/assets/{asset_id}/history', { params, signal: signal ?? null }))).items;
}

/** Change some fields of the revision that was seen; a newer one makes this fail with a conflict. */
export function editAsset(asset: Asset, edit: AssetEdit): Promise<Asset> {
  return unwrap(api.PATCH('/api/assets/{asset_id}', { params: matching(asset), body: edit }));
}

export function revertAsset(asset: Asset, revision: number): Promise<Asset> {
  return unwrap(api.POST('/api/assets/{asset_id}/revert', { params: matching(asset), body: { revision } }));
}

export function deleteAsset(id: string): Promise<Asset> {
  return unwrap(api.DELETE('/api/assets/{asset_id}', { params: { path: { asset_id: id } } }));
}

export function restoreAsset(id: string): Promise<Asset> {
  return unwrap(api.POST('/api/assets/{asset_id}/restore', { params: { path: { asset_id: id } } }));
}

/** The same on many; in portions as large as the API takes, one after the other. */
export async function editMany(edit: BatchEdit): Promise<BatchOutcome[]> {
  const outcomes: BatchOutcome[] = [];
  for (let start = 0; start < edit.ids.length; start += PORTION) {
    const body = { ...edit, ids: edit.ids.slice(start, start + PORTION) };
    outcomes.push(...(await unwrap(api.POST('/api/assets/batch', { body: body }))).outcomes);
  }
  return outcomes;
}

const PORTION = 1000;

function matching(asset: Asset): { path: { asset_id: string }; header: { 'if-match': string } } {
  return { path: { asset_id: asset.id }, header: { 'if-match': `"${String(asset.revision)}"` } };
}
