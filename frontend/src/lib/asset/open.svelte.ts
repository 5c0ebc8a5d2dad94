/**
 * The asset that is open: its current row, its history, and changes to it.
 *
 * Every change names the revision it was made from. Where somebody else was faster, a change of other fields
 * is made again on theirs; a change of the same fields is a conflict that a person decides.
 */
import { SvelteMap } from 'svelte/reactivity';
import { ApiError, conflictOf, explain } from '#lib/api/problems.ts';
import type { Asset, AssetEdit, Revision } from '#lib/api/types.ts';

/** The server as an open asset needs it; tests give a fake. */
export interface AssetServer {
  read: (id: string, signal?: AbortSignal) => Promise<Asset>;
  history: (id: string, signal?: AbortSignal) => Promise<Revision[]>;
  edit: (asset: Asset, edit: AssetEdit) => Promise<Asset>;
  revert: (asset: Asset, revision: number) => Promise<Asset>;
  remove: (id: string) => Promise<Asset>;
  restore: (id: string) => Promise<Asset>;
}

export interface Conflict {
  edit: AssetEdit;
  /** The asset as it is now. */
  current: Asset;
}

type Field = keyof AssetEdit;

export class OpenAsset {
  asset: Asset | undefined = $state.raw();
  history: Revision[] | undefined = $state.raw();
  problem = $state('');
  historyProblem = $state('');
  isMissing = $state(false);
  conflict: Conflict | undefined = $state.raw();
  /** Which fields are being saved. */
  readonly saving = new SvelteMap<Field, number>();
  #controller: AbortController | undefined;
  readonly #server: AssetServer;

  constructor(server: AssetServer) {
    this.#server = server;
  }

  /** Open another asset. */
  async open(id: string): Promise<void> {
    this.asset = this.asset?.id === id ? this.asset : undefined;
    this.history = undefined;
    this.conflict = undefined;
    this.isMissing = false;
    await this.reload(id);
  }

  /** Read the asset and its history again. */
  async reload(id: string): Promise<void> {
    this.#controller?.abort();
    const { signal } = (this.#controller = new AbortController());
    try {
      const asset = await this.#server.read(id, signal);
      if (signal.aborted) return;
      this.asset = asset;
      this.problem = '';
    } catch (error) {
      if (signal.aborted) return;
      this.isMissing = error instanceof ApiError && error.status === 404;
      this.problem = explain(error);
      return;
    }
    await this.#readHistory(id, signal);
  }

  /** Save fields that were edited from `base`. Whether it worked; if not, `conflict` or the thrown error says why. */
  async save(edit: AssetEdit, base: Asset): Promise<boolean> {
    const fields = Object.keys(edit) as Field[];
    for (const field of fields) this.saving.set(field, (this.saving.get(field) ?? 0) + 1);
    try {
      this.#adopt(await this.#server.edit(base, edit));
      this.conflict = undefined;
      return true;
    } catch (error) {
      const current = conflictOf(error)?.current;
      if (!current) throw error;
      return await this.#meetConflict(edit, base, current);
    } finally {
      for (const field of fields) this.saving.delete(field);
    }
  }

  /** Decide a conflict: mine over theirs, or theirs. */
  async decide(isMine: boolean): Promise<void> {
    const { conflict } = this;
    this.conflict = undefined;
    if (!conflict) return;
    if (isMine) await this.save(conflict.edit, conflict.current);
    else this.#adopt(conflict.current);
  }

  async revert(revision: number): Promise<void> {
    const { asset } = this;
    if (!asset) return;
    try {
      this.#adopt(await this.#server.revert(asset, revision));
    } catch (error) {
      // The newest state is what a revert goes out from, whoever made it.
      const current = conflictOf(error)?.current;
      if (!current) throw error;
      this.#adopt(await this.#server.revert(current, revision));
    }
  }

  async remove(): Promise<void> {
    if (this.asset) this.#adopt(await this.#server.remove(this.asset.id));
  }

  async restore(): Promise<void> {
    if (this.asset) this.#adopt(await this.#server.restore(this.asset.id));
  }

  async #meetConflict(edit: AssetEdit, base: Asset, current: Asset): Promise<boolean> {
    const isSameField = (Object.keys(edit) as Field[]).some(
      (field) => JSON.stringify(base[field] ?? null) !== JSON.stringify(current[field] ?? null)
    );
    if (!isSameField) return await this.save(edit, current);
    this.conflict = { edit, current };
    return false;
  }

  #adopt(asset: Asset): void {
    this.asset = asset;
    this.#controller?.abort();
    this.#controller = new AbortController();
    void this.#readHistory(asset.id, this.#controller.signal);
  }

  async #readHistory(id: string, signal: AbortSignal): Promise<void> {
    try {
      const history = await this.#server.history(id, signal);
      if (signal.aborted) return;
      this.history = history;
      this.historyProblem = '';
    } catch (error) {
      if (!signal.aborted) this.historyProblem = explain(error);
    }
  }
}
