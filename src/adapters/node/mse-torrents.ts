/**
 * Who may exchange keys with us, and for which torrent. A key exchange costs a third of a millisecond,
 * so nobody gets many a second.
 */
import { equalBytes, infoHashBytes } from "../../base/bytes.ts";
import type { InfoHash, Millis } from "../../base/units.ts";
import { acceptMse } from "../../protocol/encryption/accept-mse.ts";
import { type MseHandshake, mseHash } from "../../protocol/encryption/mse-handshake.ts";
import { mseCrypto } from "./mse-crypto.ts";

/** Key exchanges a second, of everybody: a tenth of a processor. */
const MAX_EXCHANGES = 300;
/** Of one host: more peers than anybody has behind one address begin at once. */
const MAX_EXCHANGES_PER_HOST = 32;
/** Hashes that are kept beyond those of the torrents that are here. */
const SPARE_HASHES = 64;

/** The encrypted door of one listener. */
export class MseTorrents {
  readonly #infoHashes: (host: string) => Iterable<InfoHash>;
  /** HASH('req2', info hash) of torrents that were here. */
  readonly #hashes = new Map<InfoHash, Uint8Array>();
  /** Exchanges of this second, by host. */
  readonly #exchanges = new Map<string, number>();
  #exchangeCount = 0;
  #second = 0;

  /** `infoHashes`: the torrents that a host may connect to, as `PeerTransport.listen`. */
  constructor(infoHashes: (host: string) => Iterable<InfoHash>) {
    this.#infoHashes = infoHashes;
  }

  /** A handshake with `host`, or undefined when it has had too many. */
  accept(host: string, now: Millis): MseHandshake | undefined {
    if (!this.#admits(host, now)) return undefined;
    return acceptMse(mseCrypto, (hidden) => this.#find(hidden, host));
  }

  #admits(host: string, now: Millis): boolean {
    const second = Math.floor(now / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#exchangeCount = 0;
      this.#exchanges.clear();
    }
    const count = (this.#exchanges.get(host) ?? 0) + 1;
    if (count > MAX_EXCHANGES_PER_HOST || this.#exchangeCount >= MAX_EXCHANGES) return false;
    this.#exchangeCount++;
    this.#exchanges.set(host, count);
    return true;
  }

  #find(hidden: Uint8Array, host: string): Uint8Array | undefined {
    let count = 0;
    let found: InfoHash | undefined;
    for (const infoHash of this.#infoHashes(host)) {
      count++;
      if (equalBytes(this.#hashOf(infoHash), hidden)) found = infoHash;
    }
    if (this.#hashes.size > 2 * count + SPARE_HASHES) this.#hashes.clear();
    return found === undefined ? undefined : infoHashBytes(found);
  }

  #hashOf(infoHash: InfoHash): Uint8Array {
    let hash = this.#hashes.get(infoHash);
    if (hash === undefined) {
      hash = mseHash(mseCrypto, "req2", infoHashBytes(infoHash));
      this.#hashes.set(infoHash, hash);
    }
    return hash;
  }
}
