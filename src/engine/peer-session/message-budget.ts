/** How much chatter one peer may cause: small messages beyond it close the connection. */
import type { Millis } from "../../base/units.ts";

/** Messages in one burst: a bitfield's worth of changes after a reconnect is well below. */
const BURST = 2000;
/** Messages per second for long. An honest peer sends a few, besides HAVEs of new pieces. */
const PER_SECOND = 100;

export class MessageBudget {
  #left = BURST;
  #at: Millis;

  constructor(now: Millis) {
    this.#at = now;
  }

  /** Counts one message. @returns false when the peer is over its budget. */
  spend(now: Millis, cost = 1): boolean {
    if (now > this.#at) {
      this.#left = Math.min(BURST, this.#left + ((now - this.#at) * PER_SECOND) / 1000);
      this.#at = now;
    }
    this.#left -= cost;
    return this.#left >= 0;
  }
}
