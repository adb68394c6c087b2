/** Time and randomness of the real world, for the ports of the core. */
import { getRandomValues } from "node:crypto";
import { createRandom, type Random } from "../../base/random.ts";
import type { Millis } from "../../base/units.ts";
import type { Clock, Timer } from "../../ports/clock.ts";

/** Longest delay of setTimeout; longer ones would fire at once. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** The machine's clock. Its timers keep the process alive until they fire or are cancelled. */
export function createSystemClock(): Clock {
  return {
    now: () => performance.now(),
    unixNow: () => Date.now(),
    setTimer: (delayMs, callback) => new SystemTimer(performance.now() + delayMs, callback),
  };
}

/** A generator seeded with 53 random bits of the operating system. Not for secrets. */
export function createSystemRandom(): Random {
  const [high, low] = getRandomValues(new Uint32Array(2)) as Uint32Array & [number, number];
  return createRandom((high >>> 11) * 2 ** 32 + low);
}

/** Node's timers count whole milliseconds and may fire a fraction too early: then it waits again. */
class SystemTimer implements Timer {
  readonly #dueAt: Millis;
  readonly #callback: () => void;
  #timeout: NodeJS.Timeout;

  constructor(dueAt: Millis, callback: () => void) {
    this.#dueAt = dueAt;
    this.#callback = callback;
    this.#timeout = this.#arm();
  }

  cancel(): void {
    clearTimeout(this.#timeout);
  }

  #arm(): NodeJS.Timeout {
    // On a busy machine it is due before it was set; Node warns of times that are negative.
    const leftMs = Math.max(0, Math.ceil(this.#dueAt - performance.now()));
    const delayMs = Math.min(MAX_DELAY_MS, leftMs);
    return setTimeout(() => {
      if (performance.now() >= this.#dueAt) this.#callback();
      else this.#timeout = this.#arm();
    }, delayMs);
  }
}
