/** How fast something grew lately: over a window, so that it neither jumps nor lags. */
const WINDOW_MS = 5000;

/** Measures one thing that only grows. */
export class RateMeter {
  readonly #samples: (readonly [at: number, bytes: number])[] = [];

  /** Bytes per second up to now. `at` in milliseconds, never going back. */
  rateAt(at: number, bytes: number): number {
    this.#samples.push([at, bytes]);
    while (this.#samples.length > 2 && (this.#samples[1]?.[0] ?? at) < at - WINDOW_MS) {
      this.#samples.shift();
    }
    const [since, before] = this.#samples[0] ?? [at, bytes];
    return at > since ? Math.max(0, ((bytes - before) * 1000) / (at - since)) : 0;
  }
}
