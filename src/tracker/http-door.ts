/**
 * The Tracker's HTTP door: `/announce` and `/scrape` (BEP 3, 7, 23, 48), with or without a key behind
 * (`/announce/KEY`), for any HTTP server. Paths count exactly, letter by letter (HTP-34); other paths
 * are somebody else's.
 */
import { latin1Bytes, utf8Bytes } from "../base/bytes.ts";
import { canonicalIp, type IpNetwork, parseIp } from "../base/ip-address.ts";
import { clientAddress } from "../protocol/http/client-address.ts";
import { Announce } from "../protocol/tracker/announce.ts";
import {
  type AnswerHead,
  type AnswerMemory,
  encodeAnnounceAnswer,
  encodeCompactAnswer,
  encodeFailure,
  encodeScrapeAnswer,
} from "../protocol/tracker/http-answer.ts";
import { parseScrapeQuery, readAnnounceQuery } from "../protocol/tracker/http-query.ts";
import { ACCESS_DENIED } from "./announce-access.ts";
import { isKey } from "../protocol/tracker/key.ts";
import type { Asker } from "./sources.ts";
import type { Tracker } from "./tracker.ts";

/** A request, as an HTTP server has it. */
export interface TrackerHttpRequest {
  readonly method: string;
  /** The request target as it came: path and query, nothing unescaped. */
  readonly target: string;
  /** Both ends of the connection. */
  readonly socketAddress: string | undefined;
  readonly localAddress: string | undefined;
  /** The X-Forwarded-For header, several joined by commas. */
  readonly forwardedFor: string | undefined;
}

/** What to answer; header names are lower case. */
export interface TrackerHttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** The query of an announce, where it lies. */
export interface AnnounceTarget {
  readonly bytes: Uint8Array;
  /** Behind the question mark. */
  readonly start: number;
  readonly end: number;
  readonly key: string | undefined;
}

/** Settings of the door. */
export interface TrackerHttpDoorOptions {
  /** Whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly IpNetwork[];
}

/** Longest targets: of an announce with room for many extra parameters, of a scrape of 100 hashes. */
const maxTargetLengths = { "/announce": 4096, "/scrape": 8192 } as const;
type TrackerPath = keyof typeof maxTargetLengths;

/** Turns requests into announces and scrapes, and what comes of them into answers. */
export class TrackerHttpDoor {
  readonly #tracker: Tracker;
  readonly #options: TrackerHttpDoorOptions;
  readonly #announce = new Announce();

  constructor(tracker: Tracker, options: TrackerHttpDoorOptions) {
    this.#tracker = tracker;
    this.#options = options;
  }

  /** The answer; undefined when the path is not the Tracker's. */
  answer(request: TrackerHttpRequest): TrackerHttpAnswer | undefined {
    const { method, target } = request;
    const queryAt = target.indexOf("?");
    const route = routeOf(queryAt < 0 ? target : target.slice(0, queryAt));
    if (route === undefined) return undefined;
    const { path, key } = route;
    if (method !== "GET") return textAnswer(405, "only GET", { allow: "GET" });
    if (key !== undefined && !isKey(key)) return bencodedAnswer(encodeFailure(ACCESS_DENIED));
    if (target.length > maxTargetLengths[path]) return textAnswer(414, "URL too long");
    const bytes = latin1Bytes(queryAt < 0 ? "" : target.slice(queryAt + 1));
    const asker = this.#askerOf(request);
    if (asker === undefined) return textAnswer(400, "the proxy sent no usable X-Forwarded-For");
    if (path === "/scrape") return bencodedAnswer(this.#scrape(bytes, key, asker));
    const end = bytes.length;
    return bencodedAnswer(this.announce({ bytes, start: 0, end, key }, asker));
  }

  /**
   * The body that answers an announce; with `framing` it stands behind a head, in the platform's
   * own memory. For HTTP servers that read requests themselves.
   */
  announce(
    { bytes, start, end, key }: AnnounceTarget,
    asker: Asker,
    framing?: { readonly head: AnswerHead; readonly memory: AnswerMemory },
  ): Uint8Array {
    const announce = this.#announce;
    const failure = readAnnounceQuery(bytes, start, end, announce);
    const verdict = failure === undefined && this.#tracker.announce(announce, asker, key);
    if (verdict !== false && verdict.type === "answered" && announce.isCompact && framing) {
      return encodeCompactAnswer(verdict.answer, framing.head, framing.memory);
    }
    const body = bodyOf(verdict, failure, announce);
    return framing === undefined ? body : framed(body, framing.head, framing.memory);
  }

  #scrape(query: Uint8Array, key: string | undefined, { address }: Asker): Uint8Array {
    const infoHashes = parseScrapeQuery(query);
    if (!infoHashes.ok) return encodeFailure(infoHashes.message);
    const asker = { address, peerId: undefined };
    return encodeScrapeAnswer(this.#tracker.scrapeFor(infoHashes.value, key, asker));
  }

  #askerOf({ socketAddress, localAddress, forwardedFor }: TrackerHttpRequest): Asker | undefined {
    const client = clientAddress(socketAddress, forwardedFor, this.#options.trustedProxies);
    if (client === undefined) return undefined;
    const { address, isForwarded } = client;
    const reachedAt = isForwarded ? undefined : parseIp(canonicalIp(localAddress) ?? "");
    return { address, reachedAt };
  }
}

function bodyOf(
  verdict: false | ReturnType<Tracker["announce"]>,
  failure: string | undefined,
  announce: Announce,
): Uint8Array {
  if (verdict === false) return encodeFailure(failure as string);
  if (verdict.type === "refused") return encodeFailure(verdict.reason);
  return encodeAnnounceAnswer(verdict.answer, announce);
}

function framed(body: Uint8Array, head: AnswerHead, memory: AnswerMemory): Uint8Array {
  const text = head(body.length);
  const whole = memory.allocate(text.length + body.length);
  memory.writeLatin1(whole, text, 0);
  whole.set(body, text.length);
  return whole;
}

/** The door's path and the key behind it; undefined for what is not the Tracker's. */
function routeOf(path: string): { path: TrackerPath; key: string | undefined } | undefined {
  for (const own of ["/announce", "/scrape"] as const) {
    if (path === own) return { path: own, key: undefined };
    if (path.startsWith(`${own}/`) && path.length > own.length + 1) {
      return { path: own, key: path.slice(own.length + 1) };
    }
  }
  return undefined;
}

/** Clients read refusals only in answers with status 200. */
function bencodedAnswer(body: Uint8Array): TrackerHttpAnswer {
  return answerOf(200, body, { "content-type": "text/plain", "cache-control": "no-store" });
}

function textAnswer(
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): TrackerHttpAnswer {
  return answerOf(status, utf8Bytes(`${text}\n`), { "content-type": "text/plain", ...headers });
}

function answerOf(
  status: number,
  body: Uint8Array,
  headers: Readonly<Record<string, string>>,
): TrackerHttpAnswer {
  return { status, headers: { ...headers, "content-length": String(body.length) }, body };
}
