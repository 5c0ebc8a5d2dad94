/** What comes before and after the open asset in the list it was opened from. */
import { browsing } from '#lib/gallery/browsing.svelte.ts';

export class Walk {
  previous: string | undefined = $state();
  next: string | undefined = $state();

  /** Look around the asset; an answer that comes too late is dropped. */
  async look(id: string): Promise<void> {
    const { neighbours } = browsing;
    if (!neighbours) return;
    const [previous, next] = await Promise.all([neighbours.previous(id), neighbours.next(id)]);
    if (browsing.current !== id) return;
    this.previous = previous;
    this.next = next;
  }
}
