/**
 * The upload list: sends a few files at a time and follows each until it can be found.
 *
 * One for the whole page, so that the list survives navigation. The server's word counts at every step: a
 * file is captioned when the catalogue says so and searchable when the index has caught up.
 */
import { explain } from '#lib/api/problems.ts';
import type { Asset } from '#lib/api/types.ts';
import type { Listener } from '#lib/live/changes.ts';
import { UploadItem } from './item.svelte.ts';
import { SendError, type Send } from './sending.ts';

/** The server as the list needs it; tests give a fake. */
export interface UploadServer {
  send: Send;
  readAsset: (id: string) => Promise<Asset>;
  /** The catalogue's version, and the one the index has. */
  readVersions: () => Promise<{ catalogue: number; index: number }>;
  restore: (id: string) => Promise<Asset>;
  listen: (listener: Listener) => () => void;
  /** Wait so many milliseconds. */
  rest: (ms: number) => Promise<void>;
}

const PARALLEL = 3;
const MOST_TRIES = 6;
const INDEX_POLL_MS = 700;
/** Events can be missed while a connection is made anew: so often stored files are looked up. */
const LOOK_UP_MS = 5000;

export class Uploads {
  items: UploadItem[] = $state([]);
  readonly active = $derived(this.items.filter((item) => item.isActive).length);
  readonly unsent = $derived(this.items.filter((item) => item.isUnsent).length);
  readonly wrong = $derived(this.items.filter((item) => item.isWrong).length);
  #sending = 0;
  #watching = false;
  #indexing = false;
  readonly #server: UploadServer;

  constructor(server: UploadServer) {
    this.#server = server;
  }

  add(files: readonly File[]): void {
    this.items.push(...files.map((file) => new UploadItem(file)));
    this.#sendNext();
  }

  /** Try one that went wrong again. */
  retry(item: UploadItem): void {
    item.stage = 'waiting';
    item.note = '';
    item.tries = 0;
    this.#sendNext();
  }

  /** Take what is finished off the list. */
  clear(): void {
    this.items = this.items.filter((item) => item.isActive);
  }

  async restore(item: UploadItem): Promise<void> {
    if (item.id === undefined) return;
    try {
      this.#show(item, await this.#server.restore(item.id));
      item.canRestore = false;
      item.note = 'It was there already, deleted; now it is restored.';
    } catch (error) {
      item.note = explain(error);
    }
  }

  #sendNext(): void {
    while (this.#sending < PARALLEL) {
      const item = this.items.find((candidate) => candidate.stage === 'waiting' && candidate.note === '');
      if (!item) return;
      this.#sending += 1;
      void this.#sendOne(item).finally(() => {
        this.#sending -= 1;
        this.#sendNext();
      });
    }
  }

  async #sendOne(item: UploadItem): Promise<void> {
    item.stage = 'sending';
    item.sent = 0;
    try {
      const onprogress = (share: number): void => {
        item.sent = share;
      };
      const stored = await this.#server.send(item.file, onprogress, new AbortController().signal);
      item.id = stored.id;
      item.note = stored.hint ?? '';
      if (stored.status === 'deleted') {
        item.stage = 'duplicate';
        item.canRestore = true;
      } else if (stored.status === 'ready') {
        item.stage = 'duplicate';
        this.#show(item, await this.#server.readAsset(stored.id));
      } else {
        item.stage = 'stored';
        void this.#watch();
      }
    } catch (error) {
      this.#explainFailure(item, error);
    }
  }

  #explainFailure(item: UploadItem, error: unknown): void {
    const wait = error instanceof SendError ? error.retryAfter : undefined;
    item.tries += 1;
    if (wait === undefined || item.tries >= MOST_TRIES) {
      item.stage = 'refused';
      item.note = explain(error);
      return;
    }
    item.stage = 'waiting';
    item.note = `${explain(error)} Trying again in ${String(wait)} s.`;
    void this.#server.rest(wait * 1000).then(() => {
      item.note = '';
      this.#sendNext();
    });
  }

  /** Follow what is stored until the catalogue has it. */
  async #watch(): Promise<void> {
    if (this.#watching) return;
    this.#watching = true;
    const stop = this.#server.listen({
      changed: (change) => {
        const item = this.items.find((one) => one.id === change.id && one.stage === 'stored');
        if (item) void this.#lookUp(item, change.version);
      },
      reset: () => {
        for (const item of this.#storedItems()) void this.#lookUp(item);
      }
    });
    while (this.#storedItems().length > 0) {
      // The event may have come before the answer to the upload did; later on this is for missed events.
      for (const item of this.#storedItems().slice(0, 50)) await this.#lookUp(item);
      await this.#server.rest(LOOK_UP_MS);
    }
    stop();
    this.#watching = false;
  }

  #storedItems(): UploadItem[] {
    return this.items.filter((item) => item.stage === 'stored');
  }

  async #lookUp(item: UploadItem, version?: number): Promise<void> {
    if (item.id === undefined) return;
    try {
      const asset = await this.#server.readAsset(item.id);
      if (asset.status === 'pending' || item.stage !== 'stored') return;
      this.#show(item, asset);
      if (asset.status === 'failed') {
        item.stage = 'failed';
        item.note = asset.error_message ?? '';
        return;
      }
      item.version = version ?? (await this.#server.readVersions()).catalogue;
      item.stage = 'captioned';
      item.note = '';
      void this.#followIndex();
    } catch {
      // It is looked up again soon.
    }
  }

  #show(item: UploadItem, asset: Asset): void {
    item.caption = asset.caption ?? '';
    item.thumbnail = asset.links.thumbnails['256'];
  }

  /** Follow what is captioned until the index has it. */
  async #followIndex(): Promise<void> {
    if (this.#indexing) return;
    this.#indexing = true;
    for (;;) {
      const captioned = this.items.filter((item) => item.stage === 'captioned');
      if (captioned.length === 0) break;
      const indexed = await this.#server.readVersions().then(
        ({ index }) => index,
        () => 0
      );
      for (const item of captioned) if (item.version <= indexed) item.stage = 'searchable';
      await this.#server.rest(INDEX_POLL_MS);
    }
    this.#indexing = false;
  }
}
