/**
 * Where the ledger's entries are kept: append only, bounded by retention, one ledger for each
 * torrent. Losing the last second at a crash is allowed; inventing bytes is not.
 */
import type { InfoHash, UnixMillis } from "../base/units.ts";
import type { Door, LedgerEntry } from "./content-service.ts";

/** What one node received so far, by one door. */
export interface NodeBytes {
  readonly door: Door;
  /** As in `LedgerEntry`. */
  readonly peerId: string;
  /** As in `LedgerEntry`. */
  readonly address: string;
  readonly bytes: number;
}

/** Totals of one torrent's ledger since its publication, beyond what retention keeps of it. */
export interface LedgerSummary {
  readonly sentBytes: number;
  readonly bytesByDoor: Readonly<Record<Door, number>>;
  /** The nodes that received last, least recent first; bounded. */
  readonly nodes: readonly NodeBytes[];
  /** Bytes of the nodes that the bound left out. */
  readonly otherNodesBytes: number;
  /** Bytes sent of each piece; divided by the piece's length: its copies sent. */
  readonly pieceBytes: readonly number[];
}

/** What earlier runs left of one ledger. */
export interface StoredLedger {
  /** The summary saved last, if any. */
  readonly summary: LedgerSummary | undefined;
  /** The entries that were appended after it, oldest first. */
  readonly tail: AsyncIterable<LedgerEntry>;
}

/** All calls but the reading of an iterable come one after the other. */
export interface LedgerStore {
  load(infoHash: InfoHash): Promise<StoredLedger>;
  /**
   * Returns once the operating system has all `entries`.
   * @returns bytes written. @throws BtPublisherError STORAGE_FULL, STORAGE_IO: none counts as kept.
   */
  append(infoHash: InfoHash, entries: readonly LedgerEntry[]): Promise<number>;
  /** Saves totals that cover exactly the entries appended so far. @throws as `append`. */
  saveSummary(infoHash: InfoHash, summary: LedgerSummary): Promise<void>;
  /** Entries not older than `since`, oldest first, appended before the promise resolves. */
  read(infoHash: InfoHash, since: UnixMillis): Promise<AsyncIterable<LedgerEntry>>;
  /** Drops what retention no longer allows at `now`. @throws STORAGE_IO */
  expire(infoHash: InfoHash, now: UnixMillis): Promise<void>;
  /** Idempotent. @throws STORAGE_IO */
  remove(infoHash: InfoHash): Promise<void>;
  /** Removes all ledgers but those of `kept`: what a removal that was killed left. */
  prune(kept: ReadonlySet<InfoHash>): Promise<void>;
}
