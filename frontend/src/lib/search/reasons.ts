/** Why a result is there, in words. */
import type { Matched } from '#lib/api/types.ts';
import { formatShare } from '#lib/format/text.ts';

export interface Reason {
  kind: 'text' | 'semantic';
  /** Short enough for the grid. */
  short: string;
  long: string;
}

const FIELDS: Partial<Record<string, string>> = {
  caption: 'caption',
  filename: 'file name',
  tags: 'tags',
  title: 'title',
  description: 'description',
  text: 'text in the file'
};

/** The reasons of one result, words before likeness: they are the easier to check. */
export function reasonsOf(matched: Matched, sought: 'words' | 'picture'): Reason[] {
  const reasons: Reason[] = [];
  const { text, semantic } = matched;
  if (text) {
    const fields = text.fields.map(({ field, words }) => `${list(words)} in its ${FIELDS[field] ?? field}`);
    const words = [...new Set(text.fields.flatMap((field) => field.words.map((word) => word.toLowerCase())))];
    reasons.push({
      kind: 'text',
      short: words.length > 0 ? words.map((word) => `“${word}”`).join(' ') : 'Its words match',
      long: `${fields.length > 0 ? fields.join('; ') : 'Its words match'} (number ${String(text.rank)} by words)`
    });
  }
  if (semantic) {
    const likeness = formatShare(Math.max(0, semantic.similarity));
    const what = sought === 'words' ? 'looks like what was asked for' : 'looks like the picture';
    reasons.push({
      kind: 'semantic',
      short: `${likeness} alike`,
      long: `It ${what}: ${likeness} alike (number ${String(semantic.rank)} by meaning)`
    });
  }
  return reasons;
}

function list(words: string[]): string {
  return words.map((word) => `“${word}”`).join(', ');
}
