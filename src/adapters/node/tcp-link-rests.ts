/**
 * Lets links rest for some milliseconds between small reads. The system acknowledges at each read of
 * what came packet by packet, and on a weak uplink acknowledgements are what limits the download:
 * with 1 Mbit/s up and 80 down it is a third quicker this way, and a tenth quicker than curl.
 */
import type { Millis } from "../../base/units.ts";

/** What rests: a link's socket. */
export interface Rester {
  pause(): void;
  resume(): void;
}

/** Nothing that a person or a request window would notice. */
const REST_MS: Millis = 5;
/** The rate of a link is measured over at least this. */
const MEASURE_MS: Millis = 100;
/** Bytes per second. Slower links bring a packet or two in a rest, which is not worth its cost. */
const LEAST_RATE = 1_000_000;
/** Bytes per second. Faster links fill the system's buffer in a rest, and would stand still. */
const MOST_RATE = 25_000_000;

/** The resting links of a transport: one timer wakes all. */
export class LinkRests {
  #resting: Rester[] = [];
  #isPlanned = false;

  /** Pauses `link` and resumes it a moment later. */
  rest(link: Rester): void {
    link.pause();
    this.#resting.push(link);
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    setTimeout(this.#wake, REST_MS);
  }

  readonly #wake = (): void => {
    this.#isPlanned = false;
    const links = this.#resting;
    this.#resting = [];
    for (const link of links) link.resume();
  };
}

/** How fast one link is read: whether rests are any good for it. */
export class ReadPace {
  #since: Millis;
  #bytes = 0;
  #isRestful = false;

  constructor(now: Millis) {
    this.#since = now;
  }

  /** `bytes` were read. @returns whether the link may rest now. */
  handleRead(now: Millis, bytes: number): boolean {
    this.#bytes += bytes;
    const elapsed = now - this.#since;
    if (elapsed >= MEASURE_MS) {
      const rate = (this.#bytes * 1000) / elapsed;
      this.#isRestful = rate >= LEAST_RATE && rate <= MOST_RATE;
      this.#since = now;
      this.#bytes = 0;
    }
    return this.#isRestful;
  }
}
