/** What is searched for, as the address keeps it: `/search?q=red+boat&mode=text&tag=summer`. */
import type { SearchMode } from '#lib/api/types.ts';
import type { Params } from '#lib/filters/filters.ts';

export interface Question {
  q: string;
  mode: SearchMode;
  /** An asset whose like is sought. */
  like: string;
  /** A picture from outside is sought; it lies in `pictureQuery`, for no address can hold it. */
  byPicture: boolean;
}

export const MODES: [SearchMode, string, string][] = [
  ['hybrid', 'Best of both', 'By meaning and by words, fused'],
  ['semantic', 'Meaning', 'By what the picture shows'],
  ['text', 'Words', 'By words in captions, names, tags and text']
];

export function readQuestion(params: Params): Question {
  const mode = MODES.find(([name]) => name === params.get('mode'))?.[0] ?? 'hybrid';
  const q = (params.get('q') ?? '').trim();
  return { q, mode, like: params.get('like') ?? '', byPicture: params.get('by') === 'picture' };
}

/** The address of a search by words; filters of the page it is typed on are kept. */
export function searchUrl(q: string, params: Params): string {
  const next = new URLSearchParams(params.toString());
  for (const name of ['q', 'like', 'by', 'edit']) next.delete(name);
  if (q.trim() === '') {
    next.delete('mode');
    return next.size > 0 ? `/?${next.toString()}` : '/';
  }
  next.set('q', q);
  return `/search?${next.toString()}`;
}
