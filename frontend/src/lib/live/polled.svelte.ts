/**
 * A value that is read again and again while a page is open, and at once when something changes.
 *
 * What was read stays on screen while it is read again; a failure is told beside it.
 */
import { explain, isAbort } from '#lib/api/problems.ts';
import { listen } from './changes.ts';

const AFTER_CHANGE_MS = 500;

export class Polled<Value> {
  value: Value | undefined = $state.raw();
  problem = $state('');
  isReading = $state(false);
  #controller: AbortController | undefined;
  readonly #read: (signal: AbortSignal) => Promise<Value>;

  constructor(read: (signal: AbortSignal) => Promise<Value>) {
    this.#read = read;
  }

  async refresh(): Promise<void> {
    this.#controller?.abort();
    const controller = (this.#controller = new AbortController());
    this.isReading = true;
    try {
      const value = await this.#read(controller.signal);
      if (controller.signal.aborted) return;
      this.value = value;
      this.problem = '';
    } catch (error) {
      if (!controller.signal.aborted && !isAbort(error)) this.problem = explain(error);
    } finally {
      if (this.#controller === controller) this.isReading = false;
    }
  }

  /** Keep it fresh until the returned function is called. */
  start(everyMs: number): () => void {
    void this.refresh();
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') void this.refresh();
    }, everyMs);
    let soon: ReturnType<typeof setTimeout> | undefined;
    const refreshSoon = (): void => {
      soon ??= setTimeout(() => {
        soon = undefined;
        void this.refresh();
      }, AFTER_CHANGE_MS);
    };
    const stop = listen({ changed: refreshSoon, reset: refreshSoon });
    return () => {
      stop();
      clearInterval(timer);
      clearTimeout(soon);
      this.#controller?.abort();
    };
  }
}
