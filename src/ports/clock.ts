/** Time, as the runtime and the roles see it; the core is told the time instead. */
import type { Millis, UnixMillis } from "../base/units.ts";

/** A pending timer. */
export interface Timer {
  /** Does nothing when it has fired already. */
  cancel(): void;
}

export interface Clock {
  /** Monotonic; never goes back when somebody sets the wall clock. */
  now(): Millis;
  /** Wall clock, for logs and for people only. */
  unixNow(): UnixMillis;
  /** Calls `callback` once, not before `delayMs` from now (≥ 0). Never calls it synchronously. */
  setTimer(delayMs: Millis, callback: () => void): Timer;
}
