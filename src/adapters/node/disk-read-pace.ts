/**
 * Whether a file is read in the main thread or by the thread pool. What is in the page cache is read
 * at least cost synchronously. Measured (16 KiB views, CPU-s/GiB, sync against the pool with 1 and 4
 * reads in flight): reads of 16 KiB 0.23 against 2.22 and 0.88; 64 KiB 0.13, 0.80 and 0.38; 256 KiB
 * 0.15, 0.31 and 0.22; 1 MiB 0.12, 0.19 and 0.17. Nothing tells beforehand what is cached, so a slow
 * read is taken as the sign.
 */

/** A fifth of what the page cache gives here, so that a busy machine does not look like a disk. */
const FAST_BYTES_PER_MS = 1_000_000;
/** Half of what a fast SSD needs for a first byte that is not cached, and more than a system call. */
const FAST_BASE_MS = 0.1;
/** Reads that go to the pool after a slow one; doubles while each trial is slow again. */
const MIN_PENALTY = 16;
const MAX_PENALTY = 4096;

/** Decides whether a read may block the main thread: not for a while after one that was slow. */
export class ReadPace {
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
      this.#penalty = MIN_PENALTY;
      return;
    }
    this.#poolReadsLeft = this.#penalty;
    this.#penalty = Math.min(2 * this.#penalty, MAX_PENALTY);
  }
}
