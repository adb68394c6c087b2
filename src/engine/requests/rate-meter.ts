/** Mean rate over the last seconds, told the time. */
import type { Millis } from "../../base/units.ts";

/**
 * An exponentially weighted mean with time constant `windowMs`, corrected for its first seconds so
 * that it is right from the start instead of creeping up from 0.
 */
export class RateMeter {
  readonly #windowMs: number;
  #bytes = 0;
  #at: Millis;
  readonly #startedAt: Millis;
  #totalBytes = 0;

  constructor(now: Millis, windowMs = 5000) {
    this.#windowMs = windowMs;
    this.#at = now;
    this.#startedAt = now;
  }

  /** All bytes ever added. */
  get totalBytes(): number {
    return this.#totalBytes;
  }

  add(now: Millis, bytes: number): void {
    this.#decay(now);
    this.#bytes += bytes;
    this.#totalBytes += bytes;
  }

  bytesPerSecond(now: Millis): number {
    this.#decay(now);
    const age = now - this.#startedAt;
    const weight = this.#windowMs * (1 - Math.exp(-age / this.#windowMs));
    // In the first moments any answer is a guess: no more than the bytes over 100 ms.
    return (this.#bytes * 1000) / Math.max(weight, 100);
  }

  #decay(now: Millis): void {
    if (now <= this.#at) return;
    this.#bytes *= Math.exp(-(now - this.#at) / this.#windowMs);
    this.#at = now;
  }
}
