/**
 * Requests that came with an `Idempotency-Key`, and how they were answered. Neither keys nor answers
 * come here in clear: an answer may hold a secret that is told once.
 */
import type { UnixMillis } from "../base/units.ts";

/** One request. */
export interface KeptCall {
  /** Keyed digest of who asked for what, and with which key. Hexadecimal, as is `digest`. */
  readonly id: string;
  /** The same of the whole request, its body included. */
  readonly digest: string;
  readonly startedAt: UnixMillis;
  /** Sealed. Undefined: it was begun, and it is not known what came of it. */
  readonly answer: Uint8Array | undefined;
}

/** Durable: what resolved survives a crash. */
export interface CallStore {
  find(id: string): Promise<KeptCall | undefined>;
  /** Records a request before anything is done for it; replaces one of that id. */
  begin(call: Omit<KeptCall, "answer">): Promise<void>;
  /** Does nothing when there is no such request. */
  complete(id: string, answer: Uint8Array): Promise<void>;
  /** Idempotent. */
  remove(id: string): Promise<void>;
  /** Removes those begun before `before`, and of the others the oldest until `most` are left. */
  prune(limits: { readonly before: UnixMillis; readonly most: number }): Promise<void>;
}
