/** Rates of many counters, each over the last seconds: even, and exactly 0 when nothing moves. */
import type { UnixMillis } from "../../base/units.ts";

/** Whole pieces come at once: over less, a rate would jump. */
const WINDOW_MS = 3000;

interface Sample {
  readonly at: UnixMillis;
  readonly total: number;
}

export class RateMeter {
  #counters = new Map<string | number, Sample[]>();
  #seen = new Set<string | number>();

  /** How fast the counter `key`, which stands at `total` now, goes up: each second. */
  rate(key: string | number, at: UnixMillis, total: number): number {
    const samples = this.#counters.get(key) ?? [];
    this.#counters.set(key, samples);
    this.#seen.add(key);
    const last = samples.at(-1);
    // A counter that went back began anew; so did a clock.
    if (last !== undefined && (total < last.total || at < last.at)) samples.length = 0;
    samples.push({ at, total });
    while (samples.length > 2 && at - (samples[1] as Sample).at >= WINDOW_MS) samples.shift();
    const first = samples[0] as Sample;
    return at === first.at ? 0 : Math.round(((total - first.total) * 1000) / (at - first.at));
  }

  /** Forgets the counters that were not asked for since the last call. */
  forgetOthers(): void {
    for (const key of this.#counters.keys()) if (!this.#seen.has(key)) this.#counters.delete(key);
    this.#seen = new Set();
  }
}
