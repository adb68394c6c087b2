/**
 * The peers that use one key, so that nobody plays a thousand peers with it from a thousand addresses
 * (T4). Few: they are looked through one by one, and nothing is made for one that is known.
 */
import { equalBytes } from "../base/bytes.ts";
import type { Millis } from "../base/units.ts";

/** How many peers a key is good for, and how long one counts that is not heard. */
export interface KeyPeersLimits {
  readonly maxPeers: number;
  readonly lifeMs: Millis;
}

interface KeyPeer {
  readonly peerId: Uint8Array;
  seenAt: Millis;
}

export class KeyPeers {
  readonly #peers: KeyPeer[] = [];

  /** Counts a peer in, or again. @returns false, counting nothing, when others are too many. */
  take(now: Millis, peerId: Uint8Array, { maxPeers, lifeMs }: KeyPeersLimits): boolean {
    for (const peer of this.#peers) {
      if (!equalBytes(peer.peerId, peerId)) continue;
      peer.seenAt = now;
      return true;
    }
    if (this.#peers.length >= maxPeers) this.#forgetUnheard(now - lifeMs);
    if (this.#peers.length >= maxPeers) return false;
    this.#peers.push({ peerId: peerId.slice(), seenAt: now });
    return true;
  }

  /** A peer is gone. */
  leave(peerId: Uint8Array): void {
    const index = this.#peers.findIndex((peer) => equalBytes(peer.peerId, peerId));
    if (index >= 0) this.#peers.splice(index, 1);
  }

  #forgetUnheard(since: Millis): void {
    for (let i = this.#peers.length - 1; i >= 0; i--) {
      if ((this.#peers[i] as KeyPeer).seenAt <= since) this.#peers.splice(i, 1);
    }
  }
}
