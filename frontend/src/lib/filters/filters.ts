/**
 * Filters of lists and searches, as the address bar keeps them and as people read them.
 *
 * The names in the address are those of the API, so that a link says what it asks for. Pure; used by the
 * gallery, the search and the export.
 */
import type { Filters } from '#lib/api/types.ts';
import { formatBytes, formatDay, formatMaker } from '#lib/format/text.ts';

const TYPES = ['image', 'video', 'audio', 'document'] as const;
const STATUSES = ['ready', 'failed', 'deleted', 'pending'] as const;
const ORIENTATIONS = ['landscape', 'portrait', 'square'] as const;
const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** Parameters of an address, which a page may only read. */
export type Params = Pick<URLSearchParams, 'get' | 'getAll' | 'toString'>;

export interface Chip {
  name: keyof Filters;
  label: string;
  /** The one tag that this chip stands for. */
  value?: string;
}

/** The filters in an address; what makes no sense there is left out. */
export function readFilters(params: Params): Filters {
  const filters: Filters = {};
  const type = oneOf(TYPES, params.get('type'));
  if (type) filters.type = type;
  const status = oneOf(STATUSES, params.get('status'));
  if (status) filters.status = status;
  const orientation = oneOf(ORIENTATIONS, params.get('orientation'));
  if (orientation) filters.orientation = orientation;
  const tags = params.getAll('tag').filter(Boolean);
  if (tags.length > 0) filters.tag = [...new Set(tags)];
  for (const name of ['mime', 'model'] as const) {
    const text = params.get(name);
    if (text) filters[name] = text;
  }
  for (const name of ['from', 'to'] as const) {
    const day = params.get(name) ?? '';
    if (DAY.test(day)) filters[name] = day;
  }
  for (const name of ['min_bytes', 'max_bytes', 'rating'] as const) {
    const number = Number(params.get(name) ?? Number.NaN);
    if (Number.isInteger(number) && number > 0) filters[name] = number;
  }
  return filters;
}

/** The same filters as parameters of an address; other parameters of `base` are kept. */
export function writeFilters(filters: Filters, base: Params = new URLSearchParams()): URLSearchParams {
  const params = new URLSearchParams(base.toString());
  for (const name of NAMES) params.delete(name);
  for (const name of NAMES) {
    const value = filters[name];
    if (value === undefined || value === null) continue;
    for (const item of Array.isArray(value) ? value : [value]) params.append(name, String(item));
  }
  return params;
}

/** One chip for each thing that is asked for. */
export function chipsOf(filters: Filters): Chip[] {
  const chips: Chip[] = (filters.tag ?? []).map((tag) => ({ name: 'tag', label: `#${tag}`, value: tag }));
  for (const name of NAMES) {
    const value = filters[name];
    if (name === 'tag' || value === undefined || value === null) continue;
    chips.push({ name, label: LABELS[name]?.(value as never) ?? String(value) });
  }
  return chips;
}

/** The filters without what a chip stands for. */
export function withoutChip(filters: Filters, chip: Chip): Filters {
  const rest = { ...filters };
  const tags = rest.tag?.filter((tag) => tag !== chip.value) ?? [];
  if (chip.name === 'tag' && tags.length > 0) return { ...rest, tag: tags };
  Reflect.deleteProperty(rest, chip.name);
  return rest;
}

const LABELS: { [Name in keyof Filters]?: (value: NonNullable<Filters[Name]>) => string } = {
  type: (type) => capitalise(`${type}s`),
  status: capitalise,
  orientation: capitalise,
  mime: (mime) => mime.replace(/^\w+\//, '').toUpperCase(),
  model: (model) => `Model: ${formatMaker(model)}`,
  from: (day) => `From ${formatDay(day)}`,
  to: (day) => `Until ${formatDay(day)}`,
  min_bytes: (bytes) => `At least ${formatBytes(bytes)}`,
  max_bytes: (bytes) => `At most ${formatBytes(bytes)}`,
  rating: (stars) => (stars === 5 ? '5 stars' : `${String(stars)}+ stars`)
};

const NAMES = [
  'type',
  'mime',
  'orientation',
  'tag',
  'rating',
  'from',
  'to',
  'min_bytes',
  'max_bytes',
  'model',
  'status'
] as const satisfies (keyof Filters)[];

function oneOf<Choice extends string>(choices: readonly Choice[], text: string | null): Choice | undefined {
  return choices.find((choice) => choice === text);
}

function capitalise(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
