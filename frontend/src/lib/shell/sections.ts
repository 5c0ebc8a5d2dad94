/** The gallery's pages, in the order they are offered. */
import ChartColumn from '@lucide/svelte/icons/chart-column';
import Images from '@lucide/svelte/icons/images';
import ListChecks from '@lucide/svelte/icons/list-checks';
import Upload from '@lucide/svelte/icons/upload';
import type { Component } from 'svelte';

export interface PageLink {
  path: string;
  name: string;
  icon: Component;
}

export const PAGES: PageLink[] = [
  { path: '/', name: 'Gallery', icon: Images },
  { path: '/upload', name: 'Upload', icon: Upload },
  { path: '/insights', name: 'Insights', icon: ChartColumn },
  { path: '/jobs', name: 'Jobs', icon: ListChecks }
];

/** Which of them a path belongs to. */
export function pageOf(pathname: string): string {
  const other = PAGES.find((page) => page.path !== '/' && pathname.startsWith(page.path));
  return other?.path ?? '/';
}
