/** The catalogue's figures in the shape that charts want. Pure. */
import type { Stats } from '#lib/api/types.ts';
import { formatMaker, formatMonth } from '#lib/format/text.ts';

export interface Bar {
  name: string;
  /** The whole name where `name` is short. */
  whole: string;
  value: number;
}

const MOST_MONTHS = 24;

/** Pictures per month, oldest first; months without any are there too, so that time is evenly spaced. */
export function byMonth(stats: Stats): Bar[] {
  const counts = new Map<string, number>();
  for (const { month, count } of stats.by_month) counts.set(month, (counts.get(month) ?? 0) + count);
  const months = [...counts.keys()].sort();
  const [first, last] = [months[0], months.at(-1)];
  if (!first || !last) return [];
  return monthsBetween(first, last)
    .slice(-MOST_MONTHS)
    .map((month) => ({ name: formatMonth(month), whole: month, value: counts.get(month) ?? 0 }));
}

/** The largest first; what is beyond `most` is one bar together. */
export function ranked(
  counts: Record<string, number>,
  naming: (name: string) => string = String,
  most = 8
): Bar[] {
  const bars = Object.entries(counts)
    .filter(([, value]) => value > 0)
    .map(([name, value]) => ({ name: naming(name), whole: name, value }))
    .sort((a, b) => b.value - a.value);
  const rest = bars.slice(most).reduce((sum, bar) => sum + bar.value, 0);
  const shown = bars.slice(0, most);
  return rest > 0 ? [...shown, { name: 'Others', whole: 'Others', value: rest }] : shown;
}

export function nameOfMime(mime: string): string {
  return mime.replace(/^\w+\//, '').toUpperCase();
}

export function nameOfModel(model: string): string {
  return formatMaker(model) || 'None';
}

/** `too_many_pixels` as `Too many pixels`. */
export function nameOfCode(code: string): string {
  const words = code.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function monthsBetween(first: string, last: string): string[] {
  const months: string[] = [];
  const [year = 0, month = 1] = first.split('-').map(Number);
  for (let step = 0; ; step++) {
    const date = new Date(Date.UTC(year, month - 1 + step, 1));
    const name = date.toISOString().slice(0, 7);
    months.push(name);
    if (name >= last) return months;
  }
}
