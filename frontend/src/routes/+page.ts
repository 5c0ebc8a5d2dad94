import { readFilters } from '#lib/filters/filters.ts';
import { browsing } from '#lib/gallery/browsing.svelte.ts';
import type { PageLoad } from './$types';

export const load: PageLoad = ({ url }) => {
  const filters = readFilters(url.searchParams);
  return { filters, timeline: browsing.timelineOf(filters) };
};
