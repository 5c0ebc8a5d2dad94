/** Whether the stream of changes is there. Set by `changes`, shown by the page: what is on screen may be old. */

/** A line that is back at once is nobody's concern. */
const PATIENCE_MS = 2000;

class Connection {
  isLost = $state(false);
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** It is there; whether it had been lost for long. */
  found(): boolean {
    const wasLost = this.isLost;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.isLost = false;
    return wasLost;
  }

  lost(): void {
    this.#timer ??= setTimeout(() => (this.isLost = true), PATIENCE_MS);
  }
}

export const connection = new Connection();
