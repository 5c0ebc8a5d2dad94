/** What runs: jobs, figures, models. */
import { api, unwrap } from './client.ts';
import type { Jobs, Models, Stats } from './types.ts';

export function readStats(signal?: AbortSignal): Promise<Stats> {
  return unwrap(api.GET('/api/stats', { signal: signal ?? null }));
}

export function readJobs(cursor: string | null = null, signal?: AbortSignal): Promise<Jobs> {
  const query = cursor === null ? {} : { cursor };
  return unwrap(api.GET('/api/jobs', { params: { query }, signal: signal ?? null }));
}

/** Queue failed work again: one asset's, or all; how much was queued. */
export async function retryJobs(id?: string): Promise<number> {
  const request =
    id === undefined
      ? api.POST('/api/jobs/retry')
      : api.POST('/api/jobs/{asset_id}/retry', { params: { path: { asset_id: id } } });
  return (await unwrap(request)).queued;
}

export function readModels(signal?: AbortSignal): Promise<Models> {
  return unwrap(api.GET('/api/models', { signal: signal ?? null }));
}
