/**
 * A bound on how many completed downloads of one torrent one network can have counted. A peer that
 * stops is forgotten at once, so whoever completes, stops and completes again would raise the count
 * for ever; remembering all who ever completed would cost memory for each.
 *
 * Networks share slots by a keyed hash, in memory that does not grow. A slot that many honest networks
 * share counts too few rather than too many.
 */
import type { IpBytes } from "../base/ip-address.ts";
import type { Millis } from "../base/units.ts";

const SLOTS = 65_536;
const WINDOW_MS: Millis = 60 * 60 * 1000;
/** A large office behind one address that updates its machines. */
const MAX_PER_WINDOW = 100;

export class CompletionLimit {
  readonly #seed: number;
  readonly #counts = new Uint32Array(SLOTS);
  #window = 0;

  /** `seed`: makes it unpredictable who shares a slot with whom. */
  constructor(seed: number) {
    this.#seed = seed;
  }

  /**
   * Counts a download of the torrent with these 20 bytes by the network of `address` (IPv4 address,
   * IPv6 /48); false when it had too many within the hour.
   */
  admits(infoHash: Uint8Array, address: IpBytes, now: Millis): boolean {
    const window = Math.floor(now / WINDOW_MS);
    if (window !== this.#window) {
      this.#window = window;
      this.#counts.fill(0);
    }
    let hash = mix(this.#seed, infoHash, 8);
    hash = mix(hash, address, address.length === 4 ? 4 : 6);
    const slot = (hash ^ (hash >>> 16)) & (SLOTS - 1);
    const count = (this.#counts[slot] as number) + 1;
    this.#counts[slot] = count;
    return count <= MAX_PER_WINDOW;
  }
}

/** Mixes the first `length` of `bytes` into `seed`. */
function mix(seed: number, bytes: Uint8Array, length: number): number {
  let hash = seed;
  for (let i = 0; i < length; i++) {
    hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
    hash ^= hash >>> 15;
  }
  return hash;
}
