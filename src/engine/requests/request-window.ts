/**
 * How many blocks to have asked one peer for: enough to keep its link busy over the delay, not so
 * many that the queue at a slow peer holds blocks which others could give sooner.
 *
 * Starts like TCP: one block more for each that arrives, until the rate stops growing; then it
 * follows rate × (least delay seen + reserve).
 */
import { BLOCK_LENGTH, type Millis } from "../../base/units.ts";
import { RateMeter } from "./rate-meter.ts";

export interface RequestWindowOptions {
  /** Blocks asked for at once, at the start. 32 × 16 KiB cover 40 ms of 100 Mbit/s. */
  readonly initialBlocks: number;
  readonly minBlocks: number;
  /** 512 blocks are 8 MiB: 80 ms of 100 MB/s. */
  readonly maxBlocks: number;
  /** Queue kept beyond the delay, so that a late answer of ours does not idle the peer. */
  readonly reserveMs: number;
}

export const defaultRequestWindowOptions: RequestWindowOptions = Object.freeze({
  initialBlocks: 32,
  minBlocks: 4,
  maxBlocks: 512,
  reserveMs: 400,
});

/** The rate is compared this often to find the end of the start phase. */
const GROWTH_CHECK_MS = 500;

export class RequestWindow {
  readonly #options: RequestWindowOptions;
  readonly #rate: RateMeter;
  #maxBlocks: number;
  #blocks: number;
  #isStarting = true;
  #minDelayMs = Number.POSITIVE_INFINITY;
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

  /** A block asked for `delayMs` ago has arrived. */
  handleBlock(now: Millis, delayMs: Millis, bytes: number): void {
    this.#rate.add(now, bytes);
    if (delayMs < this.#minDelayMs) this.#minDelayMs = delayMs;
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
    const delayMs = Math.min(this.#minDelayMs, 2000) + this.#options.reserveMs;
    this.#blocks = Math.max(
      this.#options.minBlocks,
      Math.ceil((rate * delayMs) / 1000 / BLOCK_LENGTH),
    );
  }
}
