/**
 * HTTP servers that hold the whole content (BEP 19), as sources of blocks beside peers. Each is
 * asked for runs of adjacent pieces, a few at a time, so that the link never waits for a request;
 * one that is busy rests as long as it says, a failing one longer and longer.
 */
import { Bitfield } from "../../base/bitfield.ts";
import type { Millis } from "../../base/units.ts";
import type { BlockRef } from "../../protocol/metainfo/piece-geometry.ts";
import type { BlockSource } from "../pieces/piece-picker.ts";
import { RateMeter } from "../requests/rate-meter.ts";
import type { Downloads } from "../torrent/downloads.ts";
import type { TorrentState } from "../torrent/torrent-state.ts";

/** Fetches of one web seed at once: the next is on its way while one arrives. */
const MIN_FETCHES = 2;
/** A long fast path carries more by several connections. */
const MAX_FETCHES = 4;
/** All its fetches together are what arrives in about this time: a slow server holds few pieces. */
const FETCH_MS = 1000;
const MIN_RUN_BYTES = 256 * 1024;
/** More would not be faster, and what is under way when the disk falls behind must find memory. */
const MAX_RUN_BYTES = 4 * 1024 * 1024;
const SHORTEST_REST_MS = 1000;
const FIRST_REST_MS = 2000;
const LONGEST_REST_MS = 5 * 60_000;

/** How a fetch ended. */
export type FetchOutcome =
  | { readonly type: "done" }
  /** `retryAfterMs` is the server's own wish (503 with Retry-After). */
  | { readonly type: "failed"; readonly retryAfterMs: Millis | undefined };

interface Fetch {
  readonly seed: WebSeed;
  readonly blockCount: number;
  /** Blocks that have not arrived. */
  readonly missing: Set<BlockRef>;
  receiving: BlockRef | undefined;
}

interface WebSeed extends BlockSource {
  readonly rate: RateMeter;
  readonly fetches: Set<number>;
  /** Half of a fetch arrived, so there is an answer to hurry for. */
  hasAnswered: boolean;
  failures: number;
  restsUntil: Millis | undefined;
  isGone: boolean;
}

export class WebSeeds {
  readonly #state: TorrentState;
  readonly #downloads: Downloads;
  readonly #seeds: readonly WebSeed[];
  readonly #fetches = new Map<number, Fetch>();
  #nextFetchId = 1;
  #resumeAt: Millis | undefined;

  /** `count` web seeds, numbered from 0; number n has the source key −1 − n. */
  constructor(state: TorrentState, downloads: Downloads, count: number, now: Millis) {
    this.#state = state;
    this.#downloads = downloads;
    this.#seeds = Array.from({ length: count }, (_, number) => ({
      key: -1 - number,
      pieces: Bitfield.full(state.geometry.pieceCount),
      rate: new RateMeter(now),
      fetches: new Set<number>(),
      hasAnswered: false,
      failures: 0,
      restsUntil: undefined,
      isGone: false,
    }));
    for (let i = 0; i < count; i++) downloads.picker.order.addSeed();
  }

  /** Web seeds that may be asked now or later. */
  get usableCount(): number {
    return this.#seeds.filter((seed) => !seed.isGone).length;
  }

  bytesPerSecond(now: Millis): number {
    return this.#seeds.reduce((sum, seed) => sum + seed.rate.bytesPerSecond(now), 0);
  }

  nextTimeout(): Millis | undefined {
    let next = this.#resumeAt;
    for (const { restsUntil } of this.#seeds) {
      if (restsUntil !== undefined && (next === undefined || restsUntil < next)) next = restsUntil;
    }
    return next;
  }

  handleTimeout(now: Millis): void {
    const next = this.nextTimeout();
    if (next === undefined || now < next) return;
    for (const seed of this.#seeds) {
      if (seed.restsUntil !== undefined && now >= seed.restsUntil) seed.restsUntil = undefined;
    }
    this.#resumeAt = undefined;
    this.fill(now);
  }

  /** Gives every idle web seed something to fetch. */
  fill(now: Millis): void {
    if (this.#downloads.isPaused || this.#state.have.isFull) return;
    for (const seed of this.#seeds) {
      while (this.#canFetch(now, seed) && this.#startFetch(now, seed));
    }
  }

  /** A block of fetch `fetchId` begins to arrive. @returns whether its bytes are wanted. */
  wantsBlock(fetchId: number, block: BlockRef): boolean {
    const fetch = this.#fetches.get(fetchId);
    if (fetch === undefined || !this.#downloads.picker.beginReceive(block)) return false;
    fetch.receiving = block;
    return true;
  }

  /** The whole of `block` (an object of the fetch) arrived; `wasKept` as `wantsBlock` said. */
  handleBlock(now: Millis, fetchId: number, block: BlockRef, wasKept: boolean): void {
    const fetch = this.#fetches.get(fetchId);
    if (fetch === undefined) return;
    fetch.receiving = undefined;
    fetch.missing.delete(block);
    fetch.seed.rate.add(now, block.length);
    this.#downloads.picker.release(block);
    if (wasKept) this.#downloads.finishBlock(block, fetch.seed.key);
    if (fetch.seed.hasAnswered || fetch.missing.size * 2 > fetch.blockCount) return;
    fetch.seed.hasAnswered = true;
    this.fill(now);
  }

  handleFetchEnd(now: Millis, fetchId: number, outcome: FetchOutcome): void {
    const fetch = this.#fetches.get(fetchId);
    if (fetch === undefined) return;
    const { seed } = fetch;
    this.#drop(fetchId);
    if (outcome.type === "failed") {
      this.#rest(now, seed, outcome.retryAfterMs);
    } else {
      seed.failures = 0;
      seed.hasAnswered = true;
    }
    this.#downloads.fillAll(now);
  }

  /** The web seed with source key `key` gave a bad piece: its content is another one. */
  ban(key: number): void {
    const seed = this.#seeds.find((candidate) => candidate.key === key);
    if (seed === undefined || seed.isGone) return;
    seed.isGone = true;
    seed.restsUntil = undefined;
    this.#downloads.picker.order.removeSeed();
    this.#downloads.picker.disown(seed.key);
    for (const fetchId of seed.fetches) {
      this.#state.output({ type: "cancel-fetch", fetchId });
      this.#drop(fetchId);
    }
  }

  /** Ends all fetches, for good. */
  stop(): void {
    for (const fetchId of this.#fetches.keys()) {
      this.#state.output({ type: "cancel-fetch", fetchId });
    }
    this.#fetches.clear();
    for (const seed of this.#seeds) seed.isGone = true;
  }

  #canFetch(now: Millis, seed: WebSeed): boolean {
    if (seed.isGone || seed.restsUntil !== undefined) return false;
    if (seed.fetches.size >= this.#fetchesAllowed(now, seed)) return false;
    const limit = this.#state.options.downloadLimit;
    if (limit.available(now) > 0) return true;
    this.#resumeAt = limit.readyAt(now, 1);
    return false;
  }

  /** The first piece shall come soon, so it comes alone; then as many as the server is fast. */
  #fetchesAllowed(now: Millis, seed: WebSeed): number {
    if (!seed.hasAnswered) return 1;
    const wanted = Math.ceil(this.#wantedBytes(now, seed) / MAX_RUN_BYTES);
    return Math.min(MAX_FETCHES, Math.max(MIN_FETCHES, wanted));
  }

  /** Bytes that shall be under way. */
  #wantedBytes(now: Millis, seed: WebSeed): number {
    return (seed.rate.bytesPerSecond(now) * FETCH_MS) / 1000;
  }

  #startFetch(now: Millis, seed: WebSeed): boolean {
    const share = this.#wantedBytes(now, seed) / this.#fetchesAllowed(now, seed);
    const runBytes = seed.hasAnswered
      ? Math.min(MAX_RUN_BYTES, Math.max(MIN_RUN_BYTES, share))
      : MIN_RUN_BYTES;
    const blocks = this.#downloads.picker.pickRun(seed, runBytes, now);
    if (blocks.length === 0) return false;
    const fetchId = this.#nextFetchId++;
    const missing = new Set(blocks);
    this.#fetches.set(fetchId, { seed, blockCount: missing.size, missing, receiving: undefined });
    seed.fetches.add(fetchId);
    let bytes = 0;
    for (const block of blocks) bytes += block.length;
    this.#state.options.downloadLimit.take(now, bytes);
    this.#state.output({ type: "fetch", fetchId, webSeed: -1 - seed.key, blocks });
    return true;
  }

  /** Fetch `fetchId` is over: what has not arrived is free for others. */
  #drop(fetchId: number): void {
    const fetch = this.#fetches.get(fetchId);
    if (fetch === undefined) return;
    this.#fetches.delete(fetchId);
    fetch.seed.fetches.delete(fetchId);
    if (fetch.receiving !== undefined) this.#downloads.picker.abortReceive(fetch.receiving);
    for (const block of fetch.missing) {
      this.#downloads.picker.release(block);
      this.#state.options.downloadLimit.giveBack(block.length);
    }
  }

  /** A server that says when to come back is busy, not broken: it gets its wish, and no more. */
  #rest(now: Millis, seed: WebSeed, retryAfterMs: Millis | undefined): void {
    const backoffMs = Math.min(LONGEST_REST_MS, FIRST_REST_MS * 2 ** Math.min(seed.failures, 10));
    if (retryAfterMs === undefined) seed.failures++;
    // Not all at once: a busy server is busy because of many.
    const jitter = 1 + this.#state.random.fraction() / 2;
    seed.restsUntil = now + Math.max(SHORTEST_REST_MS, retryAfterMs ?? backoffMs) * jitter;
    seed.hasAnswered = false;
    this.#downloads.picker.disown(seed.key);
  }
}
