/** Searches: by words, by likeness to an asset, by a picture from outside. */
import { api, unwrap } from './client.ts';
import type { Filters, SearchAnswer, SearchQuery } from './types.ts';

export function search(query: SearchQuery, signal?: AbortSignal): Promise<SearchAnswer> {
  return unwrap(api.GET('/api/search', { params: { query }, signal: signal ?? null }));
}

export function searchByPicture(
  picture: Blob,
  query: Filters & { limit?: number },
  signal?: AbortSignal
): Promise<SearchAnswer> {
  return unwrap(
    api.POST('/api/search', {
      params: { query },
      body: { image: '' },
      bodySerializer: () => {
        const form = new FormData();
        form.append('image', picture);
        return form;
      },
      signal: signal ?? null
    })
  );
}
