/**
 * Slows down the guessing of passwords: each failure of an account, or from an address, makes the
 * next attempt wait longer. A right password that comes too early is refused as well, so that an
 * answer tells nothing; what is kept is bounded.
 */
import type { Millis } from "../base/units.ts";

/** So many failures are free: people mistype. */
const FREE_FAILURES = 5;
const FIRST_WAIT_MS = 1_000;
const MAX_WAIT_MS = 5 * 60_000;
/** After this long without a failure they are forgotten. */
const FORGET_MS = 15 * 60_000;
/** Accounts and addresses that are remembered; with more of them the oldest go. */
const MAX_REMEMBERED = 10_000;

interface Failures {
  readonly count: number;
  readonly at: Millis;
}

export class LoginThrottle {
  /** In the order of the last failure. */
  readonly #failures = new Map<string, Failures>();

  /** How long whoever is one of `subjects` must still wait; 0: may try now. */
  waitMs(now: Millis, subjects: readonly string[]): Millis {
    return Math.max(0, ...subjects.map((subject) => this.#readyAt(now, subject) - now));
  }

  /** An attempt failed. */
  handleFailure(now: Millis, subjects: readonly string[]): void {
    for (const subject of subjects) {
      const count = (this.#recent(now, subject)?.count ?? 0) + 1;
      this.#failures.delete(subject);
      this.#failures.set(subject, { count, at: now });
    }
    for (const [subject] of this.#failures) {
      if (this.#failures.size <= MAX_REMEMBERED) break;
      this.#failures.delete(subject);
    }
  }

  /** An attempt was right. */
  handleSuccess(subjects: readonly string[]): void {
    for (const subject of subjects) this.#failures.delete(subject);
  }

  #readyAt(now: Millis, subject: string): Millis {
    const failures = this.#recent(now, subject);
    if (failures === undefined || failures.count < FREE_FAILURES) return now;
    const doublings = Math.min(20, failures.count - FREE_FAILURES);
    return failures.at + Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** doublings);
  }

  #recent(now: Millis, subject: string): Failures | undefined {
    const failures = this.#failures.get(subject);
    return failures !== undefined && now - failures.at < FORGET_MS ? failures : undefined;
  }
}
