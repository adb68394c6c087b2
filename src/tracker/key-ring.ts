/**
 * The keys that are good, by digest, and how many of them each holder has. Keys that were met are
 * remembered as they came, so that a known one costs a look-up instead of an HMAC. What is removed is
 * marked: what is remembered for it stands for nothing from that moment on.
 */
import type { InfoHash } from "../base/units.ts";
import type { TrackerKey } from "../protocol/control/access-values.ts";
import type { KeyBytes } from "../protocol/tracker/key.ts";
import type { AccessDecision } from "./announce-access.ts";
import { KeyPeers } from "./key-peers.ts";
import { KeyTable } from "./key-table.ts";

/** A key as it is looked up. */
export interface KnownKey extends TrackerKey {
  /** The very text that the Tracker asks with, so that to compare them costs nothing. */
  infoHash: InfoHash;
  readonly decision: AccessDecision;
  readonly peers: KeyPeers;
  isRemoved: boolean;
  /** Which peer came last from where, and until which second that need not be looked at again. */
  lastMark: number;
  restUntil: number;
}

/** Keys that are remembered as clients send them; with more it begins anew. */
const MAX_REMEMBERED = 2 ** 18;

export class KeyRing {
  readonly #keys = new Map<string, KnownKey>();
  /** How many good keys somebody has for a torrent: while there is one, it is let in. */
  readonly #counts = new Map<string, number>();
  /** By the key itself, as clients send it. */
  readonly #remembered: KeyTable<KnownKey>;

  /** `seed`: 32 random bits. */
  constructor(seed: number) {
    this.#remembered = new KeyTable(seed, MAX_REMEMBERED);
  }

  /** All of them. */
  values(): IterableIterator<KnownKey> {
    return this.#keys.values();
  }

  /** The key of these letters, if it was looked up before and is good still. */
  remembered(letters: string | KeyBytes): KnownKey | undefined {
    const known = this.#remembered.get(letters);
    return known?.isRemoved === true ? undefined : known;
  }

  /** The key of `text`, which has this digest; it is remembered from now on. */
  lookUp(text: string, digest: string): KnownKey | undefined {
    const known = this.#keys.get(digest);
    if (known === undefined) return undefined;
    this.#remembered.set(text, known);
    return known;
  }

  put(key: TrackerKey): void {
    const before = this.#keys.get(key.digest);
    const decision = { type: "allowed", principal: key.principal } as const;
    const peers = before?.peers ?? new KeyPeers();
    const fresh = { decision, peers, isRemoved: false, lastMark: 0, restUntil: 0 };
    this.#keys.set(key.digest, { ...key, ...fresh });
    if (before === undefined) this.#count(key, 1);
    else before.isRemoved = true;
  }

  /** @returns the key that was removed, when its holder has none left for the torrent. */
  remove(digest: string): TrackerKey | undefined {
    const key = this.#keys.get(digest);
    if (key === undefined) return undefined;
    this.#keys.delete(digest);
    key.isRemoved = true;
    return this.#count(key, -1) > 0 ? undefined : key;
  }

  /** @returns how many good keys the holder of `key` has for that torrent now. */
  #count({ infoHash, principal }: TrackerKey, change: 1 | -1): number {
    const holder = `${infoHash} ${principal}`;
    const count = (this.#counts.get(holder) ?? 0) + change;
    if (count > 0) this.#counts.set(holder, count);
    else this.#counts.delete(holder);
    return count;
  }
}
