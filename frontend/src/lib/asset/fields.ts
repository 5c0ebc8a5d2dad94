/** Columns of an asset as people know them. */
import { count, formatBytes, formatMaker, formatTime } from '#lib/format/text.ts';

const NAMES: Partial<Record<string, string>> = {
  filename: 'File name',
  r2_key: 'Original',
  vector_key: 'Vector',
  mime_type: 'Type',
  caption: 'Caption',
  received_at: 'Received',
  captured_at: 'Taken',
  status: 'Status',
  asset_type: 'Kind',
  size_bytes: 'Size',
  sha256: 'SHA-256',
  width: 'Width',
  height: 'Height',
  duration_s: 'Duration',
  caption_by: 'Caption by',
  embedding_by: 'Embedding by',
  text_by: 'Text by',
  title: 'Title',
  description: 'Description',
  text: 'Text',
  tags: 'Tags',
  rating: 'Rating',
  placeholder: 'Placeholder',
  error_code: 'Error',
  error_message: 'Reason',
  attempts: 'Attempts'
};

export function nameOf(field: string): string {
  return NAMES[field] ?? field;
}

/** A value as text; nothing where there is none. */
export function show(field: string, value: unknown): string {
  if (value === null || value === undefined || value === '') return '';
  if (Array.isArray(value)) return value.join(', ');
  if (field.endsWith('_at')) return formatTime(String(value));
  if (field.endsWith('_by')) return formatMaker(String(value));
  if (field === 'size_bytes') return formatBytes(Number(value));
  if (field === 'rating') return count(Number(value), 'star');
  return String(value);
}

/** Fields that say little to people in a list of differences: keys, hashes, sizes of the file. */
const TECHNICAL = new Set([
  'r2_key',
  'vector_key',
  'sha256',
  'placeholder',
  'asset_type',
  'embedding_by',
  'received_at'
]);

export function isTechnical(field: string): boolean {
  return TECHNICAL.has(field);
}
