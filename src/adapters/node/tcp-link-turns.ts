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
    if (this.#isTickPlanned || this.#bytesLeft <= 0) return;
    this.#isTickPlanned = true;
    process.nextTick(this.#runTasks);
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
    this.#runTasks();
  };

  readonly #runTasks = (): void => {
    this.#isTickPlanned = false;
    const tasks = this.#tasks;
    let done = 0;
    // A task may plan another one.
    while (done < tasks.length && this.#bytesLeft > 0) tasks[done++]?.();
    tasks.splice(0, done);
  };
}
