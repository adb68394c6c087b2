/**
 * Waiting for others' answers where somebody waits for ours: for none long, and after one that did not
 * come in time for none at all, until the other side answers again.
 */
import type { Millis } from "../base/units.ts";
import type { Clock } from "../ports/clock.ts";

/** A page does not wait longer than this for somebody who does not answer. */
const PATIENCE_MS: Millis = 2_000;

/** How one other side is waited for. */
export class Waiting {
  readonly #clock: Clock;
  #isSilent = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What `answer` resolves with; undefined when it fails, or does not come in time. Never rejects. */
  async for<Answer>(answer: Promise<Answer>): Promise<Answer | undefined> {
    const heard = this.#hear(answer);
    if (this.#isSilent) return undefined;
    const late = Promise.withResolvers<undefined>();
    const timer = this.#clock.setTimer(PATIENCE_MS, () => {
      this.#isSilent = true;
      late.resolve(undefined);
    });
    const found = await Promise.race([heard, late.promise]);
    timer.cancel();
    return found;
  }

  async #hear<Answer>(answer: Promise<Answer>): Promise<Answer | undefined> {
    try {
      const found = await answer;
      this.#isSilent = false;
      return found;
    } catch {
      return undefined;
    }
  }
}
