/**
 * A bound on how often each network is answered in a second, in memory that does not grow: networks
 * share slots by a keyed hash, so that strangers from everywhere cost nothing.
 */
import type { IpBytes } from "../base/ip-address.ts";
import type { Millis } from "../base/units.ts";

const SLOTS = 16_384;

export class NetworkRate {
  readonly #perSecond: number;
  readonly #seed: number;
  readonly #counts = new Uint32Array(SLOTS);
  #second = 0;

  /** `seed`: makes it unpredictable who shares a slot with whom. */
  constructor(perSecond: number, seed: number) {
    this.#perSecond = perSecond;
    this.#seed = seed;
  }

  /** Counts one more of the network of `address` (IPv4 /24, IPv6 /48); false when it had too many. */
  admits(address: IpBytes, now: Millis): boolean {
    const second = Math.floor(now / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#counts.fill(0);
    }
    let hash = this.#seed;
    const length = address.length === 4 ? 3 : 6;
    for (let i = 0; i < length; i++) {
      hash = Math.imul(hash ^ (address[i] as number), 0x01000193);
      hash ^= hash >>> 15;
    }
    const slot = (hash ^ (hash >>> 9)) & (SLOTS - 1);
    const count = (this.#counts[slot] as number) + 1;
    this.#counts[slot] = count;
    return count <= this.#perSecond;
  }
}
