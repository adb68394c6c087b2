/**
 * One announce and its answer, whichever way they travel. Both are made once and filled anew each
 * time: a tracker reads and answers a hundred thousand of them a second.
 */
import type { Millis } from "../../base/units.ts";

/** What an announce can tell. Absent in the announces at regular intervals. */
export type AnnounceEvent = "started" | "stopped" | "completed";

/** A well-formed announce. Parsers fill it; who keeps a part of it copies that part. */
export class Announce {
  /** 20 bytes. */
  readonly infoHash: Uint8Array = new Uint8Array(20);
  /** 20 bytes. */
  readonly peerId: Uint8Array = new Uint8Array(20);
  /** 1 … 65535. */
  port = 0;
  /** Bytes, as the peer claims; 0 when it does not say. */
  uploaded = 0;
  downloaded = 0;
  /** Bytes; undefined when it does not say. */
  left: number | undefined = undefined;
  event: AnnounceEvent | undefined = undefined;
  /** Undefined when it leaves the number of peers to the tracker. */
  numWant: number | undefined = undefined;
  /** Whether the answer may be compact: unless `compact=0` says otherwise (HTTP only). */
  isCompact = true;
  /** Whether the answer needs the peers' ids: never a compact one. */
  wantsPeerIds = false;
  /** Whether the answer has room for peers of the other address family (not over UDP). */
  wantsBothFamilies = true;
}

/** Numbers of one swarm (BEP 48). */
export interface ScrapeCounts {
  /** Seeds. */
  readonly complete: number;
  /** Leeches. */
  readonly incomplete: number;
  /** Downloads ever completed. */
  readonly downloaded: number;
}

/** What to tell a peer that announced; valid until the next announce. */
export interface AnnounceAnswer {
  readonly intervalMs: Millis;
  readonly minIntervalMs: Millis;
  readonly counts: ScrapeCounts;
  readonly peerCount4: number;
  readonly peerCount6: number;
  /** Writes the IPv4 peers, 6 bytes each (BEP 23), from `at` on. */
  writePeers4(target: Uint8Array, at: number): void;
  /** Writes the IPv6 peers, 18 bytes each (BEP 7), from `at` on. */
  writePeers6(target: Uint8Array, at: number): void;
  /** Ids of the IPv4 peers, then of the IPv6 ones, as far as known; for plain answers. */
  peerIds(): readonly (Uint8Array | undefined)[];
}

/** Bytes of an info hash, and of a peer id. */
export const HASH_LENGTH = 20;

/** The longest key that is looked at: what stands behind `/announce/` in an announce URL. */
export const MAX_KEY_LENGTH = 128;
