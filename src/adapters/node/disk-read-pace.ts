/**
 * Whether a file is read in the main thread or by the thread pool. What is in the page cache is read
 * at least cost synchronously. Measured (16 KiB views, CPU-s/GiB, sync against the pool with 1 and 4
 * reads in flight): reads of 16 KiB 0.23 against 2.22 and 0.88; 64 KiB 0.13, 0.80 and 0.38; 256 KiB
 * 0.15, 0.31 and 0.22; 1 MiB 0.12, 0.19 and 0.17. Nothing tells beforehand what is cached, so slow
 * reads are taken as the sign.
 */

/** A fifth of what the page cache gives here, so that a busy machine does not look like a disk. */
const FAST_BYTES_PER_MS = 1_000_000;
/** Half of what a fast SSD needs for a first byte that is not cached, and more than a system call. */
const FAST_BASE_MS = 0.1;
/** Reads that go to the pool after slow ones; doubles while each trial is slow again. */
const MIN_PENALTY = 16;
const MAX_PENALTY = 4096;

/** A slow read is forgotten after so many fast ones. */
const SLOW_READ_WEIGHT = 4;

/**
 * Decides whether a read may block the main thread: not for a while after two that were slow. One
 * alone says little: on a busy machine this thread was only not running for a moment.
 */
export class ReadPace {
  #suspicion = 0;
  #poolReadsLeft = 0;
  #penalty = MIN_PENALTY;

  /** Asked once before each read. */
  get mayBlock(): boolean {
    if (this.#poolReadsLeft === 0) return true;
    this.#poolReadsLeft--;
    return false;
  }

  /** A blocking read brought `bytes` in `elapsedMs`. */
  heard(elapsedMs: number, bytes: number): void {
    if (elapsedMs <= FAST_BASE_MS + bytes / FAST_BYTES_PER_MS) {
      this.#suspicion = Math.max(0, this.#suspicion - 1);
      if (this.#suspicion === 0) this.#penalty = MIN_PENALTY;
      return;
    }
    this.#suspicion = Math.min(this.#suspicion + SLOW_READ_WEIGHT, 2 * SLOW_READ_WEIGHT);
    if (this.#suspicion <= SLOW_READ_WEIGHT) return;
    this.#poolReadsLeft = this.#penalty;
    this.#penalty = Math.min(2 * this.#penalty, MAX_PENALTY);
  }
}
