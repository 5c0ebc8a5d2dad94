/** Which assets are selected, and what a click, a shift-click or a key does to that. */
import { SvelteSet } from 'svelte/reactivity';

export class Selection {
  readonly ids = new SvelteSet<string>();
  /** Where a range begins. */
  #anchor: string | undefined;

  get size(): number {
    return this.ids.size;
  }

  has(id: string): boolean {
    return this.ids.has(id);
  }

  toggle(id: string): void {
    if (!this.ids.delete(id)) this.ids.add(id);
    this.#anchor = id;
  }

  /** Everything from the last one toggled to this one; `between` tells what lies there, ends included. */
  extendTo(id: string, between: (from: string, to: string) => string[]): void {
    const range = this.#anchor === undefined ? [id] : between(this.#anchor, id);
    for (const other of range) this.ids.add(other);
    this.#anchor = id;
  }

  add(ids: Iterable<string>): void {
    for (const id of ids) this.ids.add(id);
  }

  clear(): void {
    this.ids.clear();
    this.#anchor = undefined;
  }
}
