/** A clock that tests move: for code that meets real sockets, where virtual time cannot jump. */
import type { Millis } from "../../src/base/units.ts";
import type { Clock, Timer } from "../../src/ports/clock.ts";

/** A clock that stands still until it is moved. */
export class SteppedClock implements Clock {
  #now: Millis = 1000;
  readonly #pending = new Set<{ readonly dueAt: Millis; readonly callback: () => void }>();

  /** Timers that have not fired. */
  get pendingCount(): number {
    return this.#pending.size;
  }

  now(): Millis {
    return this.#now;
  }

  unixNow(): number {
    return this.#now;
  }

  setTimer(delayMs: Millis, callback: () => void): Timer {
    const timer = { dueAt: this.#now + delayMs, callback };
    this.#pending.add(timer);
    return { cancel: () => void this.#pending.delete(timer) };
  }

  /** Moves on by `durationMs`, then fires what is due. */
  advance(durationMs: Millis): void {
    this.#now += durationMs;
    const due = Array.from(this.#pending).filter((timer) => timer.dueAt <= this.#now);
    for (const timer of due) if (this.#pending.delete(timer)) timer.callback();
  }
}
