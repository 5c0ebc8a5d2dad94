/** What became of a batch, in words. */
import type { BatchOutcome } from '#lib/api/types.ts';
import { count } from '#lib/format/text.ts';

export interface Told {
  text: string;
  changed: string[];
  /** Those that were not done, each with its reason. */
  failed: BatchOutcome[];
}

const REASONS: Record<BatchOutcome['status'], string> = {
  changed: '',
  unchanged: '',
  conflict: 'Others were changing it at the same time. Try again.',
  not_found: 'It is not there any more.',
  refused: 'It cannot be changed.'
};

export function tell(outcomes: BatchOutcome[]): Told {
  const changed = outcomes.filter((outcome) => outcome.status === 'changed').map((outcome) => outcome.id);
  const unchanged = outcomes.filter((outcome) => outcome.status === 'unchanged').length;
  const failed = outcomes.filter((outcome) => REASONS[outcome.status] !== '');
  const parts = [count(changed.length, 'picture')];
  if (unchanged > 0) parts.push(`${String(unchanged)} already so`);
  if (failed.length > 0) parts.push(`${String(failed.length)} not: ${reasonOf(failed[0])}`);
  return { text: `${parts.join(', ')}${failed.length > 0 ? '' : '.'}`, changed, failed };
}

function reasonOf(outcome: BatchOutcome | undefined): string {
  return outcome ? (outcome.reason ?? REASONS[outcome.status]) : '';
}
