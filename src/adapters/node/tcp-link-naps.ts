/**
 * Lets the event loop of a peer sleep for some milliseconds after small reads. Slow links bring their
 * data packet by packet, and waking up for each costs many times what handling it does. The system
 * also acknowledges at each read, and on a weak uplink acknowledgements are what limits the download.
 *
 * The whole loop sleeps, because it wakes for a packet of a paused socket, too. So this is for
 * processes only that have nothing else to do.
 */
import type { Millis } from "../../base/units.ts";
import type { Clock } from "../../ports/clock.ts";

/** Nothing that a person or a request window would notice. */
const NAP_MS: Millis = 10;
/**
 * When nearly all comes over one link: its sender waits for acknowledgements, and a download with
 * 1 Mbit/s up took 3 % longer with naps of 10 ms.
 */
const SINGLE_LINK_NAP_MS: Millis = 3;
/** That much is nearly all. */
const SINGLE_LINK_PART = 2 / 3;
/** The traffic is measured over at least this; before, nobody naps. */
const MEASURE_MS: Millis = 100;
/** Reads in that time. Fewer wake-ups are not worth any delay. */
const LEAST_READS = 5;
/** Bytes per second of all links, both directions. More would fill the system's buffers. */
const MOST_RATE = 25_000_000;

/** How long naps should be, by what the links bring. */
export class NapLength {
  #since: Millis;
  #napMs: Millis = 0;
  #reads = 0;
  #readBytes = 0;
  #writtenBytes = 0;
  readonly #bytesOf = new Map<object, number>();

  constructor(now: Millis) {
    this.#since = now;
  }

  /** `link` read `bytes`. @returns how long the loop may sleep now; 0: not at all. */
  handleRead(now: Millis, link: object, bytes: number): Millis {
    this.#reads++;
    this.#readBytes += bytes;
    this.#bytesOf.set(link, (this.#bytesOf.get(link) ?? 0) + bytes);
    if (now - this.#since >= MEASURE_MS) this.#measure(now);
    return this.#napMs;
  }

  /** `bytes` were handed to the system: who sends much must not sleep either. */
  handleWrite(bytes: number): void {
    this.#writtenBytes += bytes;
  }

  #measure(now: Millis): void {
    const elapsed = now - this.#since;
    const areReadsFew = this.#reads * MEASURE_MS < LEAST_READS * elapsed;
    const bytes = this.#readBytes + this.#writtenBytes;
    const isFast = bytes * 1000 > MOST_RATE * elapsed;
    const isSingle = Math.max(...this.#bytesOf.values()) > SINGLE_LINK_PART * this.#readBytes;
    const napMs = isSingle ? SINGLE_LINK_NAP_MS : NAP_MS;
    this.#napMs = areReadsFew || isFast ? 0 : napMs;
    this.#since = now;
    this.#reads = 0;
    this.#readBytes = 0;
    this.#writtenBytes = 0;
    this.#bytesOf.clear();
  }
}

/** The naps of one process, for the links of a transport. */
export class LoopNaps {
  readonly #clock: Clock;
  readonly #length: NapLength;
  readonly #sleep: (ms: Millis) => void;
  #plannedMs: Millis = 0;

  /** `sleep` stops the thread. */
  constructor(clock: Clock, sleep: (ms: Millis) => void = sleepFor) {
    this.#clock = clock;
    this.#length = new NapLength(clock.now());
    this.#sleep = sleep;
  }

  /** `link` read `bytes`: when all that is ready now has been handled, the loop may nap. */
  handleRead(link: object, bytes: number): void {
    const napMs = this.#length.handleRead(this.#clock.now(), link, bytes);
    if (napMs === 0 || this.#plannedMs > 0) return;
    this.#plannedMs = napMs;
    setImmediate(this.#nap);
  }

  /** A link handed `bytes` to the system. */
  handleWrite(bytes: number): void {
    this.#length.handleWrite(bytes);
  }

  readonly #nap = (): void => {
    this.#sleep(this.#plannedMs);
    this.#plannedMs = 0;
  };
}

const neverNotified = new Int32Array(new SharedArrayBuffer(4));

function sleepFor(ms: Millis): void {
  Atomics.wait(neverNotified, 0, 0, ms);
}
