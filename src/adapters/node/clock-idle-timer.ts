/** A time limit for progress: cheap to renew, since one timer serves any number of renewals. */
import type { Millis } from "../../base/units.ts";
import type { Clock, Timer } from "../../ports/clock.ts";

/** Calls back when it was watching for a whole time-out without another call of `watch`. */
export class IdleTimer {
  readonly #clock: Clock;
  readonly #timeoutMs: Millis;
  readonly #onIdle: () => void;
  #timer: Timer | undefined;
  /** When it last began to watch; undefined while it rests. */
  #watchingSince: Millis | undefined;

  constructor(clock: Clock, timeoutMs: Millis, onIdle: () => void) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#onIdle = onIdle;
  }

  /** Begins to watch, or begins anew. */
  watch(): void {
    this.#watchingSince = this.#clock.now();
    this.#timer ??= this.#clock.setTimer(this.#timeoutMs, this.#check);
  }

  /** Stops watching until the next `watch`. */
  rest(): void {
    this.#watchingSince = undefined;
  }

  /** Stops for good, and lets go of the clock. */
  end(): void {
    this.rest();
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  readonly #check = (): void => {
    this.#timer = undefined;
    if (this.#watchingSince === undefined) return;
    const restMs = this.#watchingSince + this.#timeoutMs - this.#clock.now();
    if (restMs > 0) this.#timer = this.#clock.setTimer(restMs, this.#check);
    else this.#onIdle();
  };
}
