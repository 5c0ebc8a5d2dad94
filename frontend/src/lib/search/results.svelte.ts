/**
 * One search at a time: asks, keeps the last answer on screen until the next has come, and explains failures.
 *
 * Made by the search page and the strip of similar pictures; `ask` may be called for every key pressed.
 */
import { explain, isAbort } from '#lib/api/problems.ts';
import type { SearchAnswer } from '#lib/api/types.ts';

export class Results {
  answer: SearchAnswer | undefined = $state.raw();
  isAsking = $state(false);
  problem = $state('');
  #controller: AbortController | undefined;

  async ask(request: (signal: AbortSignal) => Promise<SearchAnswer>): Promise<void> {
    this.#controller?.abort();
    const controller = new AbortController();
    this.#controller = controller;
    this.isAsking = true;
    try {
      const answer = await request(controller.signal);
      if (controller.signal.aborted) return;
      this.answer = answer;
      this.problem = '';
    } catch (error) {
      if (controller.signal.aborted || isAbort(error)) return;
      this.problem = explain(error);
    } finally {
      if (this.#controller === controller) this.isAsking = false;
    }
  }

  /** Forget everything, and whatever is still being asked. */
  clear(): void {
    this.#controller?.abort();
    this.answer = undefined;
    this.isAsking = false;
    this.problem = '';
  }
}
