/** One file of the upload list, and what people are told of it. */
import { formatShare } from '#lib/format/text.ts';

/**
 * `waiting`, `sending`, `stored` (in the bucket, its job queued), `captioned` (in the catalogue), `searchable`;
 * or it ends as `duplicate`, `refused` (it was not taken) or `failed` (taken, but it could not be captioned).
 */
export type Stage =
  'waiting' | 'sending' | 'stored' | 'captioned' | 'searchable' | 'duplicate' | 'refused' | 'failed';

/** The way of a file that goes well, in order. */
export const WAY = ['sending', 'stored', 'captioned', 'searchable'] as const satisfies Stage[];

let made = 0;

export class UploadItem {
  readonly key = made++;
  stage: Stage = $state('waiting');
  /** Share of the bytes that were sent. */
  sent = $state(0);
  id: string | undefined = $state();
  caption = $state('');
  thumbnail: string | undefined = $state();
  /** What there is to say: a reason, a hint, a wait. */
  note = $state('');
  /** The content was deleted before and can be restored. */
  canRestore = $state(false);
  tries = 0;
  /** The catalogue's version that has its caption. */
  version = 0;
  readonly name: string;
  readonly size: number;

  constructor(readonly file: File) {
    this.name = file.name;
    this.size = file.size;
  }

  get isActive(): boolean {
    return ['waiting', 'sending', 'stored', 'captioned'].includes(this.stage);
  }

  /** Whether the server has not got it yet. */
  get isUnsent(): boolean {
    return this.stage === 'waiting' || this.stage === 'sending';
  }

  get isWrong(): boolean {
    return this.stage === 'refused' || this.stage === 'failed';
  }

  get status(): string {
    if (this.note && this.stage !== 'sending') return this.note;
    switch (this.stage) {
      case 'waiting':
        return 'Waiting';
      case 'sending':
        return this.sent < 1 ? `Sending, ${formatShare(this.sent)}` : 'Sent, being stored…';
      case 'stored':
        return 'Stored, being captioned…';
      case 'captioned':
        return 'Captioned, being indexed…';
      case 'searchable':
        return 'Searchable';
      case 'duplicate':
        return 'It was there already';
      case 'refused':
        return 'It was not taken';
      case 'failed':
        return 'It could not be captioned';
    }
  }
}
