/** Rates of the last minutes, as columns that a chart draws. */
import { createSignal } from "solid-js";
import type { LiveRates } from "../../protocol/api/live.ts";

/** How far back the chart goes. */
export const WINDOW_MS = 5 * 60_000;

/** The parts of a download rate, from the bottom of the stack up. */
export const rateParts = [
  { key: "bittorrent", name: "Server, BitTorrent" },
  { key: "http", name: "Server, HTTP" },
  { key: "webseed", name: "Server, web seed" },
  { key: "peers", name: "From other peers" },
] as const satisfies readonly { readonly key: keyof LiveRates; readonly name: string }[];

/** Samples, oldest first. The server says nothing while nothing changes: gaps are flat, not empty. */
export class RateHistory {
  readonly #samples: { readonly at: number; readonly rates: LiveRates }[] = [];
  readonly #version = createSignal(0);

  /** Adds what was true at `at` (Unix milliseconds). */
  add(at: number, rates: LiveRates): void {
    const last = this.#samples.at(-1);
    if (last !== undefined && at - last.at > 2000) {
      this.#samples.push({ at: at - 1, rates: last.rates });
    }
    this.#samples.push({ at, rates });
    while ((this.#samples[0]?.at ?? at) < at - WINDOW_MS) this.#samples.shift();
    const [, setVersion] = this.#version;
    setVersion((version) => version + 1);
  }

  /** Seconds, then for each part the sum of itself and those below: what a stacked chart draws. */
  stacked(): readonly (readonly number[])[] {
    const [version] = this.#version;
    version();
    const columns = rateParts.map((_, index) =>
      this.#samples.map(({ rates }) =>
        rateParts.slice(0, index + 1).reduce((sum, { key }) => sum + rates[key], 0),
      ),
    );
    return [this.#samples.map(({ at }) => at / 1000), ...columns];
  }
}
