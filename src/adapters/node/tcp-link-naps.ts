/**
 * Lets the event loop of a peer sleep for some milliseconds after each small read. Slow links bring
 * their data packet by packet, and waking up for each costs many times what handling it does: half
 * of all processor time of a download at 160 Mbit/s from four peers. The system also acknowledges at
 * each read, and on a weak uplink acknowledgements are what limits the download.
 *
 * The whole loop sleeps, because it wakes for a packet of a paused socket, too. So this is for
 * processes only that have nothing else to do.
 */
import type { Millis } from "../../base/units.ts";
import type { Clock } from "../../ports/clock.ts";

/** Nothing that a person or a request window would notice. */
const NAP_MS: Millis = 10;
/** The traffic of all links is measured over at least this. */
const MEASURE_MS: Millis = 100;
/** Reads in that time. Fewer wake-ups are not worth any delay. */
const LEAST_READS = 5;
/** Bytes per second, both directions. More would fill the system's buffers during a nap. */
const MOST_RATE = 25_000_000;

/** How busy the links are, all together: whether naps are any good. */
export class LoopPace {
  #since: Millis;
  #reads = 0;
  #bytes = 0;
  #mayNap = false;

  constructor(now: Millis) {
    this.#since = now;
  }

  /** `bytes` were read. @returns whether the loop may nap now. */
  handleRead(now: Millis, bytes: number): boolean {
    this.#reads++;
    this.#bytes += bytes;
    const elapsed = now - this.#since;
    if (elapsed >= MEASURE_MS) {
      const areReadsMany = this.#reads * MEASURE_MS >= LEAST_READS * elapsed;
      this.#mayNap = areReadsMany && this.#bytes * 1000 <= MOST_RATE * elapsed;
      this.#since = now;
      this.#reads = 0;
      this.#bytes = 0;
    }
    return this.#mayNap;
  }

  /** `bytes` were handed to the system. */
  handleWrite(bytes: number): void {
    this.#bytes += bytes;
  }
}

/** The naps of one process, for the links of a transport. */
export class LoopNaps {
  readonly #clock: Clock;
  readonly #pace: LoopPace;
  readonly #sleep: (ms: Millis) => void;
  #isPlanned = false;

  constructor(clock: Clock, sleep: (ms: Millis) => void = sleepFor) {
    this.#clock = clock;
    this.#pace = new LoopPace(clock.now());
    this.#sleep = sleep;
  }

  /** A link read `bytes`: when all that is ready now has been handled, the loop may nap. */
  handleRead(bytes: number): void {
    if (!this.#pace.handleRead(this.#clock.now(), bytes) || this.#isPlanned) return;
    this.#isPlanned = true;
    setImmediate(this.#nap);
  }

  /** A link handed `bytes` to the system. */
  handleWrite(bytes: number): void {
    this.#pace.handleWrite(bytes);
  }

  readonly #nap = (): void => {
    this.#isPlanned = false;
    this.#sleep(NAP_MS);
  };
}

const neverNotified = new Int32Array(new SharedArrayBuffer(4));

function sleepFor(ms: Millis): void {
  Atomics.wait(neverNotified, 0, 0, ms);
}
