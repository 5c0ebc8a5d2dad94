/**
 * A catalogue made from nothing but numbers: the same on every run, and as large as a test wants it.
 *
 * An asset is made when it is asked for, so that 100,000 of them cost nothing until they are looked at.
 */
import { rgbaToThumbHash } from 'thumbhash';
import type { Asset } from '../../src/lib/api/types.ts';

const THINGS = [
  'boat',
  'dog',
  'lighthouse',
  'bicycle',
  'guitar',
  'castle',
  'owl',
  'tractor',
  'candle',
  'violin'
];
const COLOURS = ['red', 'blue', 'green', 'orange', 'purple', 'grey', 'pink', 'yellow'];
const TAGS = ['summer', 'family', 'work', 'night', 'sea'];
const SIZES = [
  [3000, 2000],
  [2000, 3000],
  [4000, 3000],
  [1920, 1080],
  [2000, 2000],
  [3000, 2000]
] as const;
const NEWEST = Date.UTC(2026, 4, 3, 12);
const DAY_MS = 86_400_000;
export const PER_DAY = 36;

/** As long as such names are. */
export const MODEL = 'fake-clip-of-file-names@written-1-3200';

/** The age in days of the asset with this number; days are unevenly full, as in life. */
function ageOf(number: number): number {
  const day = Math.floor(number / PER_DAY);
  return day + Math.floor(day / 5) * 2;
}

/** A UUIDv7 of this instant: later assets sort behind earlier ones. */
export function idOf(instant: number, number: number): string {
  const time = instant.toString(16).padStart(12, '0');
  const rest = number.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${rest}`;
}

export function instantOf(number: number): number {
  const secondOfDay = 40_000 - (number % PER_DAY) * 600;
  return NEWEST - ageOf(number) * DAY_MS - 12 * 3_600_000 + secondOfDay * 1000;
}

export function pick<Item>(items: readonly Item[], number: number): Item {
  const item = items[Math.abs(number) % items.length];
  if (item === undefined) throw new Error('Nothing to pick from.');
  return item;
}

/** The asset with this number, newest first. */
export function makeAsset(number: number): Asset {
  const instant = instantOf(number);
  const [width, height] = pick(SIZES, (number * 2_654_435_761) % 97);
  const caption = `a ${pick(COLOURS, number * 3 + (number >> 4))} ${pick(THINGS, number * 7 + (number >> 3))}`;
  return newAsset({
    id: idOf(instant, number),
    instant,
    filename: `IMG_${String(number).padStart(5, '0')}.jpg`,
    caption,
    width,
    height,
    tags: number % 7 === 0 ? [pick(TAGS, number >> 2)] : []
  });
}

interface Facts {
  id: string;
  instant: number;
  filename: string;
  caption: string;
  width: number;
  height: number;
  tags?: string[];
}

/** A captioned asset with all its columns. */
export function newAsset({ id, instant, filename, caption, width, height, tags = [] }: Facts): Asset {
  const time = new Date(instant).toISOString();
  return {
    id,
    filename,
    caption,
    width,
    height,
    tags,
    r2_key: `assets/${id}.jpg`,
    vector_key: `vectors/${id}.json`,
    mime_type: 'image/jpeg',
    revision: 1,
    change_id: id,
    schema_version: 1,
    event: 'enriched',
    recorded_at: time,
    received_at: time,
    captured_at: null,
    actor: 'orchestrator',
    status: 'ready',
    asset_type: 'image',
    size_bytes: 48_213 + width,
    sha256: '0'.repeat(64),
    duration_s: null,
    caption_by: 'fake-blip@1',
    embedding_by: MODEL,
    text_by: null,
    title: null,
    description: null,
    text: null,
    rating: null,
    placeholder: placeholderOf(caption),
    error_code: null,
    error_message: null,
    attempts: 1,
    links: {
      original: `/api/assets/${id}/original`,
      thumbnails: { '256': `/api/assets/${id}/thumbnail/256`, '1024': `/api/assets/${id}/thumbnail/1024` },
      vector: `/api/assets/${id}/vector`
    }
  };
}

const HUES: Record<string, number> = {
  red: 0,
  blue: 220,
  green: 130,
  orange: 30,
  purple: 275,
  grey: 210,
  pink: 330,
  yellow: 50
};

/** The picture of an asset: its colour, and its number in the middle. */
export function drawAsset(asset: Asset, size: number): string {
  const hue = hueOf(asset.caption ?? '');
  const [width, height] = [asset.width ?? 300, asset.height ?? 200];
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" ` +
    `width="${Math.round((size * width) / Math.max(width, height))}">` +
    `<rect width="100%" height="100%" fill="hsl(${hue} 45% 55%)"/>` +
    `<circle cx="50%" cy="50%" r="${Math.min(width, height) / 4}" fill="hsl(${hue} 60% 85%)"/></svg>`
  );
}

function hueOf(caption: string): number {
  return HUES[caption.split(' ')[1] ?? ''] ?? 200;
}

const placeholders = new Map<number, string>();

function placeholderOf(caption: string): string {
  const hue = hueOf(caption);
  const known = placeholders.get(hue);
  if (known !== undefined) return known;
  const side = 8;
  const pixels = Array.from({ length: side * side }, (_, index) => {
    const light = 110 + (index % side) * 10;
    return [
      light + Math.cos((hue * Math.PI) / 180) * 60,
      light,
      light - Math.cos((hue * Math.PI) / 180) * 60,
      255
    ];
  }).flat();
  const hash = Buffer.from(rgbaToThumbHash(side, side, pixels)).toString('base64');
  placeholders.set(hue, hash);
  return hash;
}
