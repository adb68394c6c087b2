/**
 * Shares each turn of the event loop among links: with hundreds of fast peers, all that could be
 * read and written at once would take a large part of a second, and everything else would wait.
 */

/**
 * Bytes read from disk or handed to the system in one turn, all links together: some 2 ms of work.
 * Two frames read and written, so that one fast peer never notices.
 */
const TURN_BYTES = 4 * 1024 * 1024;

/** Work of all links of a transport, in the order in which it was planned. */
export class LoopTurns {
  #bytesLeft = TURN_BYTES;
  readonly #tasks: (() => void)[] = [];
  #isTickPlanned = false;
  #isTurnPlanned = false;

  /** Runs `task` later: at the end of this tick, or when this turn has done enough, in the next. */
  plan(task: () => void): void {
    this.#tasks.push(task);
    this.#planTick();
  }

  /** So many bytes were read or handed to the system. */
  spend(bytes: number): void {
    this.#bytesLeft -= bytes;
    if (this.#isTurnPlanned) return;
    this.#isTurnPlanned = true;
    setImmediate(this.#beginTurn);
  }

  readonly #beginTurn = (): void => {
    this.#isTurnPlanned = false;
    this.#bytesLeft = TURN_BYTES;
    this.#planTick();
  };

  /** One task a tick: the buffer that it wrote is free again for the next one, and still cached. */
  readonly #runTask = (): void => {
    this.#isTickPlanned = false;
    if (this.#bytesLeft <= 0) return;
    this.#tasks.shift()?.();
    this.#planTick();
  };

  #planTick(): void {
    if (this.#isTickPlanned || this.#tasks.length === 0 || this.#bytesLeft <= 0) return;
    this.#isTickPlanned = true;
    process.nextTick(this.#runTask);
  }
}
