/**
 * How many blocks to have asked one peer for: enough to keep its link busy over the delay, not so
 * many that the queue at a slow peer holds blocks which others could give sooner.
 *
 * Starts like TCP: one block more for each that arrives, until the rate stops growing; then it
 * follows rate × delay, and a reserve. The delay is what a block took beyond the time for those asked
 * for before it; on a weak uplink it grows with our own uploads, so the least one ever seen would
 * starve the window, and with it the rate, and with that the window.
 */
import { BLOCK_LENGTH, type Millis } from "../../base/units.ts";
import { RateMeter } from "./rate-meter.ts";

/** Bounds and aims of the window. */
export interface RequestWindowOptions {
  /** Blocks asked for at once, at the start. 32 × 16 KiB cover 40 ms of 100 Mbit/s. */
  readonly initialBlocks: number;
  readonly minBlocks: number;
  /** 512 blocks are 8 MiB: 80 ms of 100 MB/s. */
  readonly maxBlocks: number;
  /**
   * Queue kept beyond the delay. Much less and a weak uplink, where requests wait behind our own
   * uploads, starves; much more and slow peers hold blocks that others could give sooner.
   */
  readonly reserveMs: number;
  /**
   * That queue is at most this long: a fast peer refills it soon, and pieces that are assembled in
   * few buffers stay in the processor's caches.
   */
  readonly maxReserveBlocks: number;
  /**
   * ... but lasts this long, up to twice the length: the fastest peers then always hold a full
   * batch to answer with one read and one write.
   */
  readonly leastReserveMs: number;
}

/** Values for links from 1 Mbit/s to 10 Gbit/s. */
export const defaultRequestWindowOptions: RequestWindowOptions = Object.freeze({
  initialBlocks: 32,
  minBlocks: 4,
  maxBlocks: 512,
  reserveMs: 1500,
  maxReserveBlocks: 128,
  leastReserveMs: 20,
});

/** A delay is believed up to this, and smoothed over so many blocks. */
const MAX_DELAY_MS = 4000;
const DELAY_SMOOTHING = 8;
/** The rate is compared this often to find the end of the start phase. */
const GROWTH_CHECK_MS = 500;

export class RequestWindow {
  readonly #options: RequestWindowOptions;
  readonly #rate: RateMeter;
  #maxBlocks: number;
  #blocks: number;
  #isStarting = true;
  #delayMs = 0;
  #checkedAt: Millis;
  #checkedRate = 0;

  constructor(now: Millis, options: RequestWindowOptions = defaultRequestWindowOptions) {
    this.#options = options;
    this.#maxBlocks = options.maxBlocks;
    this.#blocks = options.initialBlocks;
    this.#rate = new RateMeter(now, 1500);
    this.#checkedAt = now;
  }

  /** Blocks that may be outstanding now. */
  get blocks(): number {
    return Math.max(1, Math.min(this.#blocks, this.#maxBlocks));
  }

  /** The peer said how many requests it queues (`reqq`, BEP 10). */
  limitTo(maxBlocks: number): void {
    this.#maxBlocks = Math.min(this.#options.maxBlocks, Math.max(1, maxBlocks));
  }

  bytesPerSecond(now: Millis): number {
    return this.#rate.bytesPerSecond(now);
  }

  /** A block of `bytes` has arrived, asked for `waitedMs` ago behind `queuedBlocks` others. */
  handleBlock(now: Millis, waitedMs: Millis, queuedBlocks: number, bytes: number): void {
    this.#rate.add(now, bytes);
    const queueMs = (queuedBlocks * BLOCK_LENGTH * 1000) / this.#rate.bytesPerSecond(now);
    const delayMs = Math.min(MAX_DELAY_MS, Math.max(0, waitedMs - queueMs));
    this.#delayMs += (delayMs - this.#delayMs) / DELAY_SMOOTHING;
    if (this.#isStarting) this.#blocks++;
    if (now - this.#checkedAt >= GROWTH_CHECK_MS) this.#follow(now);
  }

  /** The peer choked us or let us wait: begin small again. */
  restart(now: Millis): void {
    this.#isStarting = true;
    this.#blocks = Math.max(
      this.#options.minBlocks,
      Math.min(this.#blocks, this.#options.initialBlocks),
    );
    this.#checkedAt = now;
    this.#checkedRate = 0;
  }

  #follow(now: Millis): void {
    const rate = this.#rate.bytesPerSecond(now);
    if (this.#isStarting && rate > this.#checkedRate * 1.1) {
      this.#checkedAt = now;
      this.#checkedRate = rate;
      return;
    }
    this.#isStarting = false;
    this.#checkedAt = now;
    const { minBlocks, reserveMs, maxReserveBlocks, leastReserveMs } = this.#options;
    const blocksPerMs = rate / 1000 / BLOCK_LENGTH;
    const longest = Math.max(maxReserveBlocks, blocksPerMs * leastReserveMs);
    const reserve = Math.min(longest, 2 * maxReserveBlocks, blocksPerMs * reserveMs);
    this.#blocks = Math.max(minBlocks, Math.ceil(blocksPerMs * this.#delayMs + reserve));
  }
}
