/**
 * `Idempotency-Key`: a request that makes something may be sent again when its answer was lost, and
 * is answered as the first one was. Kept in memory, for an hour and a bounded number of requests.
 */
import { createHash } from "node:crypto";
import { BtPublisherError } from "../../base/errors.ts";
import type { Millis } from "../../base/units.ts";
import type { Clock } from "../../ports/clock.ts";

/** An answer as it was given first. */
export interface KeptAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** A request with a key. */
export interface KeyedCall {
  /** Who asks, and what for: keys of others are others. */
  readonly scope: string;
  readonly key: string;
  readonly body: unknown;
}

const KEPT_MS: Millis = 60 * 60 * 1000;
const MAX_KEPT = 1000;
const KEY = /^[\x21-\x7e]{1,255}$/;

/** See the head of this file. */
export class IdempotentCalls {
  readonly #clock: Clock;
  /** Oldest first. */
  readonly #kept = new Map<
    string,
    { readonly digest: string; readonly at: Millis; readonly answer: Promise<KeptAnswer> }
  >();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * What `work` answers, or answered to the same call before; one that failed is done again.
   * @throws USAGE for a bad key; CONFLICT for one that came with another body.
   */
  run(call: KeyedCall, work: () => Promise<KeptAnswer>): Promise<KeptAnswer> {
    if (!KEY.test(call.key)) {
      throw new BtPublisherError("USAGE", "Idempotency-Key: 1 to 255 printable characters");
    }
    const now = this.#clock.now();
    this.#forget(now);
    const id = `${call.scope} ${call.key}`;
    const digest = createHash("sha256")
      .update(JSON.stringify(call.body ?? null))
      .digest("hex");
    const known = this.#kept.get(id);
    if (known === undefined) {
      const answer = work();
      this.#kept.set(id, { digest, at: now, answer });
      answer.catch(() => this.#kept.delete(id));
      return answer;
    }
    if (known.digest === digest) return known.answer;
    const message = "this Idempotency-Key came with another request before: use a new one";
    throw new BtPublisherError("CONFLICT", message, { detail: { reason: "IDEMPOTENCY_KEY" } });
  }

  #forget(now: Millis): void {
    for (const [id, { at }] of this.#kept) {
      if (now - at < KEPT_MS && this.#kept.size < MAX_KEPT) return;
      this.#kept.delete(id);
    }
  }
}
