/**
 * Signed requests between an Announcer and a SourceNode: each proves the knowledge of the shared
 * service key for this method, target, body and moment, and can be used once.
 *
 *     Authorization: BTP1-HMAC-SHA256 time=<Unix ms>,nonce=<32 hex>,mac=<64 hex>
 *     X-Body-SHA256: <64 hex> or "streamed"
 *
 * The MAC is HMAC-SHA-256 over the scheme, method, target, time, nonce and body digest, one a line.
 * A streamed body is not covered: on a network that strangers can write to, use TLS.
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { UnixMillis } from "../../base/units.ts";
import type { Clock } from "../../ports/clock.ts";

const SCHEME = "BTP1-HMAC-SHA256";

/** How far two machines' clocks may be apart, and how long a nonce is remembered. */
const MAX_SKEW_MS = 60_000;

/** What is signed of a request. */
export interface SignedRequest {
  readonly method: string;
  /** Path and query as sent. */
  readonly target: string;
  /** As in X-Body-SHA256. */
  readonly bodyDigest: string;
}

/** Value of X-Body-SHA256 for a body that is sent while it is being made. */
export const STREAMED_BODY = "streamed";

/** Value of X-Body-SHA256 for a body that is known. */
export function bodyDigest(body: string | Uint8Array): string {
  return createHash("sha256").update(body).digest("hex");
}

/** Headers that sign `request` at `now`. */
export function signRequest(
  request: SignedRequest,
  key: Uint8Array,
  now: UnixMillis,
): { readonly authorization: string; readonly "x-body-sha256": string } {
  const time = String(Math.floor(now));
  const nonce = randomBytes(16).toString("hex");
  const mac = macOf(request, key, { time, nonce }).toString("hex");
  return {
    authorization: `${SCHEME} time=${time},nonce=${nonce},mac=${mac}`,
    "x-body-sha256": request.bodyDigest,
  };
}

/** Why a request is not let in; for the server's log and the client's error. */
export type Denial = "unsigned" | "wrong-key" | "clock-skew" | "replayed";

/** Checks signatures. Only nonces of genuine requests are remembered, so strangers cannot fill it. */
export class RequestVerifier {
  readonly #key: Uint8Array;
  readonly #clock: Clock;
  /** Nonces by the time they may be forgotten, oldest first. */
  readonly #seen = new Map<string, UnixMillis>();

  constructor(key: Uint8Array, clock: Clock) {
    this.#key = key;
    this.#clock = clock;
  }

  /** Undefined when `authorization` signs `request` and was not used before. */
  denialOf(request: SignedRequest, authorization: string | undefined): Denial | undefined {
    const parts = parseAuthorization(authorization ?? "");
    if (parts === undefined) return "unsigned";
    if (!timingSafeEqual(macOf(request, this.#key, parts), parts.mac)) return "wrong-key";
    const now = this.#clock.unixNow();
    if (Math.abs(now - Number(parts.time)) > MAX_SKEW_MS) return "clock-skew";
    this.#forget(now);
    if (this.#seen.has(parts.nonce)) return "replayed";
    this.#seen.set(parts.nonce, now + 2 * MAX_SKEW_MS);
    return undefined;
  }

  #forget(now: UnixMillis): void {
    for (const [nonce, until] of this.#seen) {
      if (until >= now) return;
      this.#seen.delete(nonce);
    }
  }
}

interface AuthorizationParts {
  readonly time: string;
  readonly nonce: string;
  readonly mac: Buffer;
}

function parseAuthorization(value: string): AuthorizationParts | undefined {
  const pattern = /^BTP1-HMAC-SHA256 time=(\d{1,15}),nonce=([0-9a-f]{32}),mac=([0-9a-f]{64})$/;
  const [, time, nonce, mac] = pattern.exec(value) ?? [];
  if (time === undefined || nonce === undefined || mac === undefined) return undefined;
  return { time, nonce, mac: Buffer.from(mac, "hex") };
}

function macOf(
  request: SignedRequest,
  key: Uint8Array,
  { time, nonce }: Pick<AuthorizationParts, "time" | "nonce">,
): Buffer {
  const lines = [SCHEME, request.method, request.target, time, nonce, request.bodyDigest];
  return createHmac("sha256", key).update(lines.join("\n")).digest();
}
