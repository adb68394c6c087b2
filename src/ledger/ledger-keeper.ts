/**
 * Keeps the ledgers of all publications: writes what they gathered every half second, and holds
 * back what cannot be written. Losing the ledger never stops serving: a failed write is counted,
 * told once, and tried again with the next one; only a bounded number of entries waits in memory.
 */
import type { InfoHash, Millis, UnixMillis } from "../base/units.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { LedgerEntry } from "../ports/content-service.ts";
import type { LedgerStore } from "../ports/ledger-store.ts";
import type { PieceGeometry } from "../protocol/metainfo/piece-geometry.ts";
import { Ledger } from "./ledger.ts";

/** How often, and how much. */
export interface LedgerKeeperOptions {
  /** Pause between two writes; with the write itself, at most 1 s is lost at a kill -9. */
  readonly flushIntervalMs: number;
  /** Entries of one torrent that wait in memory while the disk is full: about 2 MB. */
  readonly maxUnwrittenEntries: number;
  /** Pause between two looks for entries that retention no longer allows. */
  readonly expireIntervalMs: number;
  /** Bytes of entries between two saved summaries: what a start after a kill -9 must read again. */
  readonly summaryIntervalBytes: number;
}

const defaultOptions: LedgerKeeperOptions = {
  flushIntervalMs: 500,
  maxUnwrittenEntries: 10_000,
  expireIntervalMs: 3_600_000,
  summaryIntervalBytes: 4 * 1024 * 1024,
};

/** What the keeper works with. */
export interface LedgerKeeperDependencies {
  readonly clock: Clock;
  readonly store: LedgerStore;
  /** Hears the first of a row of failures of one ledger. */
  readonly onFailure: (infoHash: InfoHash, cause: unknown) => void;
}

interface KeptLedger {
  readonly ledger: Ledger;
  /** Taken, but not in the store. */
  unwritten: readonly LedgerEntry[];
  unsummarisedBytes: number;
  isFailing: boolean;
}

/** All ledgers of a SourceNode. */
export class LedgerKeeper {
  /** Writes that failed since the start. */
  failedWrites = 0;
  /** Entries that were dropped for good because the store failed for too long. */
  lostEntries = 0;
  readonly #dependencies: LedgerKeeperDependencies;
  readonly #options: LedgerKeeperOptions;
  readonly #kept = new Map<InfoHash, KeptLedger>();
  /** Writers run one after the other, as the store's contract asks. */
  #last: Promise<void> = Promise.resolve();
  #timer: Timer | undefined;
  #expireAt: Millis;
  #isClosed = false;

  constructor(dependencies: LedgerKeeperDependencies, options: Partial<LedgerKeeperOptions> = {}) {
    this.#dependencies = dependencies;
    this.#options = { ...defaultOptions, ...options };
    this.#expireAt = dependencies.clock.now() + this.#options.expireIntervalMs;
    this.#arm();
  }

  /** The ledger of a torrent, with the totals of earlier runs; the same object when open already. */
  async open(infoHash: InfoHash, geometry: PieceGeometry): Promise<Ledger> {
    const known = this.#kept.get(infoHash);
    if (known !== undefined) return known.ledger;
    const ledger = new Ledger(infoHash, geometry);
    const kept = { ledger, unwritten: [], unsummarisedBytes: 0, isFailing: false };
    this.#kept.set(infoHash, kept);
    await this.#inTurn(() => this.#restore(ledger)).catch((cause: unknown) => {
      this.#dependencies.onFailure(infoHash, cause);
    });
    return ledger;
  }

  /** Entries not older than `since`, oldest first, up to the moment of the call. */
  async *read(infoHash: InfoHash, since: UnixMillis): AsyncIterable<LedgerEntry> {
    // In one turn, so that no entry moves from memory to the store between the two.
    const { stored, unwritten } = await this.#inTurn(async () => {
      const kept = this.#kept.get(infoHash);
      if (kept !== undefined) await this.#write(kept);
      const stored = await this.#dependencies.store.read(infoHash, since);
      return { stored, unwritten: kept?.unwritten ?? [] };
    });
    yield* stored;
    for (const entry of unwritten) if (entry.at >= since) yield entry;
  }

  /** Writes all that was gathered. Never rejects. */
  flush(): Promise<void> {
    return this.#inTurn(async () => {
      for (const kept of this.#kept.values()) await this.#write(kept);
      await this.#expire();
    });
  }

  /** Forgets a ledger, and deletes what is stored of it. Never rejects: `prune` tries again. */
  remove(infoHash: InfoHash): Promise<void> {
    return this.#inTurn(async () => {
      this.#kept.delete(infoHash);
      await this.#dependencies.store.remove(infoHash);
    }).catch((cause: unknown) => {
      this.#dependencies.onFailure(infoHash, cause);
    });
  }

  /** Deletes what is stored of torrents that are not open. Never rejects. */
  prune(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#dependencies.store.prune(new Set(this.#kept.keys()));
    }).catch(() => undefined);
  }

  /** Writes everything, summaries too. Nothing may be added afterwards. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.flush();
    await this.#inTurn(async () => {
      for (const kept of this.#kept.values()) await this.#saveSummary(kept, 0);
    });
  }

  async #restore(ledger: Ledger): Promise<void> {
    const stored = await this.#dependencies.store.load(ledger.infoHash);
    if (stored.summary !== undefined) ledger.restoreSummary(stored.summary);
    for await (const entry of stored.tail) ledger.restoreEntry(entry);
  }

  #arm(): void {
    this.#timer = this.#dependencies.clock.setTimer(this.#options.flushIntervalMs, () => {
      void this.flush().then(() => {
        if (!this.#isClosed) this.#arm();
      });
    });
  }

  async #write(kept: KeptLedger): Promise<void> {
    const { ledger } = kept;
    const taken = ledger.takeEntries(Math.floor(this.#dependencies.clock.unixNow()));
    const entries = kept.unwritten.length === 0 ? taken : [...kept.unwritten, ...taken];
    if (entries.length === 0) return;
    try {
      kept.unsummarisedBytes += await this.#dependencies.store.append(ledger.infoHash, entries);
      kept.unwritten = [];
      kept.isFailing = false;
    } catch (cause) {
      this.#holdBack(kept, entries, cause);
      return;
    }
    await this.#saveSummary(kept, this.#options.summaryIntervalBytes);
  }

  async #expire(): Promise<void> {
    const { clock, store, onFailure } = this.#dependencies;
    if (clock.now() < this.#expireAt) return;
    this.#expireAt = clock.now() + this.#options.expireIntervalMs;
    for (const infoHash of this.#kept.keys()) {
      await store.expire(infoHash, clock.unixNow()).catch((cause: unknown) => {
        onFailure(infoHash, cause);
      });
    }
  }

  #holdBack(kept: KeptLedger, entries: readonly LedgerEntry[], cause: unknown): void {
    const excess = Math.max(0, entries.length - this.#options.maxUnwrittenEntries);
    kept.unwritten = entries.slice(excess);
    this.lostEntries += excess;
    this.failedWrites++;
    if (!kept.isFailing) this.#dependencies.onFailure(kept.ledger.infoHash, cause);
    kept.isFailing = true;
  }

  /** A summary must cover exactly what the store has: not while entries wait in memory. */
  async #saveSummary(kept: KeptLedger, fromBytes: number): Promise<void> {
    if (kept.unwritten.length > 0 || kept.unsummarisedBytes <= fromBytes) return;
    try {
      await this.#dependencies.store.saveSummary(kept.ledger.infoHash, kept.ledger.summary());
      kept.unsummarisedBytes = 0;
    } catch {
      // The entries themselves are safe; the next one covers them too.
      this.failedWrites++;
    }
  }

  #inTurn<Value>(work: () => Promise<Value>): Promise<Value> {
    const result = this.#last.then(work);
    this.#last = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }
}
