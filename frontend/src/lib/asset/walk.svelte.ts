/** What comes before and after the open asset in the list it was opened from. */
import type { Asset } from '#lib/api/types.ts';
import { alongAll, browsing } from '#lib/gallery/browsing.svelte.ts';

export class Walk {
  previous: string | undefined = $state();
  next: string | undefined = $state();

  /**
   * Look around the asset; an answer that comes too late is dropped.
   *
   * Who came by a link came from no list: then the whole gallery is the list, once `opened` has the asset.
   */
  async look(id: string, opened: Promise<Asset | undefined>): Promise<void> {
    const neighbours = (browsing.neighbours ??= await alongAll(await opened));
    if (!neighbours) return;
    const [previous, next] = await Promise.all([neighbours.previous(id), neighbours.next(id)]);
    if (browsing.current !== id) return;
    this.previous = previous;
    this.next = next;
  }
}
