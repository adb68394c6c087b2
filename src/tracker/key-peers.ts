/**
 * The peers that use one key, so that nobody plays a thousand peers with it from a thousand addresses
 * (T4). A peer is a mark of its id and a time: there is one of these for each key of each torrent, and
 * what an announce touches must be little.
 */
import type { Millis } from "../base/units.ts";

/** How many peers a key is good for, and how long one counts that is not heard. */
export interface KeyPeersLimits {
  readonly maxPeers: number;
  readonly lifeMs: Millis;
}

export class KeyPeers {
  /** A mark, and the second when it was seen, by turns. */
  readonly #marks: number[] = [];

  /** Counts a peer in, or again. @returns false, counting nothing, when others are too many. */
  take(now: Millis, mark: number, { maxPeers, lifeMs }: KeyPeersLimits): boolean {
    const marks = this.#marks;
    const second = Math.floor(now / 1000);
    let at = this.#find(mark);
    if (at === marks.length && at >= 2 * maxPeers) {
      this.#forgetUnheard(second - lifeMs / 1000);
      at = marks.length;
    }
    if (at >= 2 * maxPeers) return false;
    marks[at] = mark;
    marks[at + 1] = second;
    return true;
  }

  /** A peer is gone. */
  leave(mark: number): void {
    const at = this.#find(mark);
    if (at < this.#marks.length) this.#marks.splice(at, 2);
  }

  #find(mark: number): number {
    let at = 0;
    while (at < this.#marks.length && this.#marks[at] !== mark) at += 2;
    return at;
  }

  #forgetUnheard(since: number): void {
    for (let at = this.#marks.length - 2; at >= 0; at -= 2) {
      if ((this.#marks[at + 1] as number) <= since) this.#marks.splice(at, 2);
    }
  }
}

/**
 * 32 bits of `bytes`. With a `seed` that nobody knows, nobody makes two peer ids with one mark on purpose.
 */
export function markOf(bytes: Uint8Array, seed: number): number {
  let mark = seed | 0;
  for (let i = 0; i < bytes.length; i++) {
    mark = Math.imul(mark ^ (bytes[i] as number), 0x85ebca6b);
    mark ^= mark >>> 15;
  }
  return mark;
}
