/** A rate limit that is told the time. */
import type { Millis } from "./units.ts";

/**
 * Tokens (bytes) flow in at `rateBytesPerSecond` up to `burstBytes`. `take` may overdraw once, so
 * that a block larger than the burst still passes; the debt is paid before the next one.
 */
export class TokenBucket {
  #rate: number | undefined;
  #burst: number;
  #tokens: number;
  #at: Millis | undefined;

  /** `rateBytesPerSecond` undefined means unlimited: then nothing is ever counted. */
  constructor(rateBytesPerSecond: number | undefined, burstBytes?: number) {
    this.#rate = rateBytesPerSecond;
    this.#burst = burstBytes ?? defaultBurst(rateBytesPerSecond);
    this.#tokens = this.#burst;
  }

  get rateBytesPerSecond(): number | undefined {
    return this.#rate;
  }

  setRate(rateBytesPerSecond: number | undefined): void {
    this.#rate = rateBytesPerSecond;
    this.#burst = defaultBurst(rateBytesPerSecond);
    this.#tokens = Math.min(this.#tokens, this.#burst);
  }

  /** Bytes that may go now; Infinity when unlimited. */
  available(now: Millis): number {
    if (this.#rate === undefined) return Number.POSITIVE_INFINITY;
    if (this.#at !== undefined && now > this.#at) {
      this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#at) * this.#rate) / 1000);
    }
    this.#at = now;
    return this.#tokens;
  }

  take(now: Millis, bytes: number): void {
    if (this.#rate === undefined) return;
    this.available(now);
    this.#tokens -= bytes;
  }

  /** What was taken and not used. */
  giveBack(bytes: number): void {
    if (this.#rate !== undefined) this.#tokens = Math.min(this.#burst, this.#tokens + bytes);
  }

  /** When at least `bytes` (at most the burst) can go; `now` when they can already. */
  readyAt(now: Millis, bytes: number): Millis {
    if (this.#rate === undefined) return now;
    const missing = Math.min(bytes, this.#burst) - this.available(now);
    return missing <= 0 ? now : now + (missing * 1000) / this.#rate;
  }
}

/** 50 ms of the rate, at least one block: short enough for even pacing, long enough for few wake-ups. */
function defaultBurst(rateBytesPerSecond: number | undefined): number {
  return Math.max(16 * 1024, (rateBytesPerSecond ?? 0) * 0.05);
}
