/** Numbers, sizes and times as people read them. */

const NUMBER = new Intl.NumberFormat('en');
const SHARE = new Intl.NumberFormat('en', { style: 'percent', maximumFractionDigits: 0 });
const WHEN = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'short' });
const AGO = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const DAY = new Intl.DateTimeFormat('en', {
  weekday: 'long',
  day: 'numeric',
  month: 'long',
  timeZone: 'UTC'
});
const DAY_WITH_YEAR = new Intl.DateTimeFormat('en', {
  weekday: 'short',
  day: 'numeric',
  month: 'long',
  year: 'numeric',
  timeZone: 'UTC'
});
const MONTH = new Intl.DateTimeFormat('en', { month: 'short', year: 'numeric', timeZone: 'UTC' });

export function formatNumber(value: number): string {
  return NUMBER.format(value);
}

/** `1 picture`, `1,204 pictures`. */
export function count(value: number, one: string, many = `${one}s`): string {
  return `${NUMBER.format(value)} ${value === 1 ? one : many}`;
}

export function formatShare(value: number): string {
  return SHARE.format(value);
}

/** Bytes in the units that file managers show. */
export function formatBytes(bytes: number): string {
  const units = ['bytes', 'KB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  return `${value.toFixed(digits)} ${units[unit] ?? ''}`;
}

export function formatTime(instant: string): string {
  return WHEN.format(new Date(instant));
}

/** `5 minutes ago`, as seen from `now`. */
export function formatAgo(instant: string, now = Date.now()): string {
  const seconds = (Date.parse(instant) - now) / 1000;
  const steps: [number, Intl.RelativeTimeFormatUnit][] = [
    [60, 'second'],
    [3600, 'minute'],
    [86_400, 'hour'],
    [2_592_000, 'day'],
    [31_536_000, 'month'],
    [Number.POSITIVE_INFINITY, 'year']
  ];
  let size = 1;
  for (const [limit, unit] of steps) {
    if (Math.abs(seconds) < limit) return AGO.format(Math.round(seconds / size), unit);
    size = limit;
  }
  return formatTime(instant);
}

/** A day as a heading: `Today`, `Sunday, 3 May`, and with its year once that is past. */
export function formatDay(day: string, now = new Date()): string {
  const date = new Date(`${day}T00:00:00Z`);
  const today = now.toISOString().slice(0, 10);
  const yesterday = new Date(now.getTime() - 86_400_000).toISOString().slice(0, 10);
  if (day === today) return 'Today';
  if (day === yesterday) return 'Yesterday';
  return (day.slice(0, 4) === today.slice(0, 4) ? DAY : DAY_WITH_YEAR).format(date);
}

/** `2026-05` as `May 2026`. */
export function formatMonth(month: string): string {
  return MONTH.format(new Date(`${month}-01T00:00:00Z`));
}

/** Who made a value: a person's name, or a model without its long revision. */
export function formatMaker(maker: string | null | undefined): string {
  if (!maker) return '';
  if (maker.startsWith('person:')) return maker.slice('person:'.length);
  const [model = maker, revision = ''] = maker.split('@');
  const short = model.split('/').at(-1) ?? model;
  const isHash = /^[0-9a-f]{12,}$/.test(revision);
  return revision ? `${short} @ ${isHash ? revision.slice(0, 8) : revision}` : short;
}
