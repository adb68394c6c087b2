/**
 * `Idempotency-Key`: a request that makes something may be sent again when its answer was lost, and
 * is answered as the first one was, also after a restart; for an hour, and a bounded number of them.
 *
 * What is kept says nothing to whoever reads the database: answers are sealed with what only the
 * sender knows, the key, besides the server's own (docs/adr/0009-access-model.md).
 */
import type { Principal } from "../../access/principal.ts";
import { BtPublisherError } from "../../base/errors.ts";
import type { Millis } from "../../base/units.ts";
import type { CallStore, KeptCall } from "../../ports/call-store.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Secrets } from "../../ports/secrets.ts";

/** An answer as it was given first. */
export interface KeptAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** A request with a key. */
export interface KeyedCall {
  /** Keys of others are others. */
  readonly principal: Principal;
  /** What for: method and address. */
  readonly target: string;
  readonly key: string;
  readonly body: unknown;
}

/** What is needed to keep them. */
export interface IdempotentCallsDependencies {
  readonly store: CallStore;
  readonly secrets: Pick<Secrets, "keyedDigest" | "seal" | "unseal">;
  readonly clock: Clock;
}

const KEPT_MS: Millis = 60 * 60 * 1000;
const MAX_KEPT = 1000;
/** Longer answers are those of plans of very many files, which find the upload that they made. */
const MAX_ANSWER_LENGTH = 64 * 1024;
const KEY = /^[\x21-\x7e]{1,255}$/;

/** See the head of this file. */
export class IdempotentCalls {
  readonly #dependencies: IdempotentCallsDependencies;
  /** Those that are being answered, by id: the same ones join. */
  readonly #running = new Map<
    string,
    { readonly digest: string; readonly answer: Promise<KeptAnswer> }
  >();

  constructor(dependencies: IdempotentCallsDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * What `work` answers, or answered to the same call before; one that failed is done again.
   * @throws USAGE for a bad key; CONFLICT for one that came with another body, or whose work was cut
   * short by the end of the server.
   */
  async run(call: KeyedCall, work: () => Promise<KeptAnswer>): Promise<KeptAnswer> {
    if (!KEY.test(call.key)) {
      throw new BtPublisherError("USAGE", "Idempotency-Key: 1 to 255 printable characters");
    }
    const context = contextOf(call);
    const { secrets } = this.#dependencies;
    const id = secrets.keyedDigest("call", context);
    const digest = secrets.keyedDigest("call", `${context} ${JSON.stringify(call.body ?? null)}`);
    const running = this.#running.get(id);
    if (running !== undefined) {
      assertSame(running.digest, digest);
      return running.answer;
    }
    const answer = this.#once({ id, digest }, context, work);
    this.#running.set(id, { digest, answer });
    try {
      return await answer;
    } finally {
      this.#running.delete(id);
    }
  }

  async #once(
    call: Pick<KeptCall, "id" | "digest">,
    context: string,
    work: () => Promise<KeptAnswer>,
  ): Promise<KeptAnswer> {
    const { store, clock } = this.#dependencies;
    const startedAt = clock.unixNow();
    await store.prune({ before: startedAt - KEPT_MS, most: MAX_KEPT });
    const kept = await store.find(call.id);
    if (kept !== undefined) {
      assertSame(kept.digest, call.digest);
      return this.#opened(kept, context);
    }
    await store.begin({ ...call, startedAt });
    try {
      const answer = await work();
      await this.#keep(call.id, context, answer);
      return answer;
    } catch (error) {
      await store.remove(call.id);
      throw error;
    }
  }

  async #keep(id: string, context: string, answer: KeptAnswer): Promise<void> {
    const { store, secrets } = this.#dependencies;
    const text = JSON.stringify(answer);
    if (text.length > MAX_ANSWER_LENGTH) return store.remove(id);
    // The work is done: whoever asked must hear of it, also where it cannot be kept.
    await store.complete(id, secrets.seal(context, text)).catch(() => undefined);
  }

  #opened({ answer }: KeptCall, context: string): KeptAnswer {
    const text = answer && this.#dependencies.secrets.unseal(context, answer);
    if (text !== undefined) return JSON.parse(text) as KeptAnswer;
    const message =
      "the server stopped while it did this: look whether it was done; if not, use a new key";
    throw new BtPublisherError("CONFLICT", message, { detail: { reason: "UNKNOWN_OUTCOME" } });
  }
}

/** Names are given again to others, ids are not. */
function contextOf({ principal, target, key }: KeyedCall): string {
  const who = principal.type === "user" ? principal.user.id : principal.type;
  return `${who} ${target} ${key}`;
}

function assertSame(before: string, now: string): void {
  if (before === now) return;
  const message = "this Idempotency-Key came with another request before: use a new one";
  throw new BtPublisherError("CONFLICT", message, { detail: { reason: "IDEMPOTENCY_KEY" } });
}
