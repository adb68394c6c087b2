/**
 * The Tracker's HTTP door: `/announce` and `/scrape` (BEP 3, 7, 23, 48), for any HTTP server. Paths
 * count exactly, letter by letter (HTP-34); other paths are somebody else's.
 */
import { utf8Bytes } from "../base/bytes.ts";
import { canonicalIp, type IpNetwork, parseIp } from "../base/ip-address.ts";
import { clientAddress } from "../protocol/http/client-address.ts";
import {
  encodeAnnounceAnswer,
  encodeFailure,
  encodeScrapeAnswer,
} from "../protocol/tracker/http-answer.ts";
import { parseAnnounceQuery, parseScrapeQuery } from "../protocol/tracker/http-query.ts";
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

  constructor(tracker: Tracker, options: TrackerHttpDoorOptions) {
    this.#tracker = tracker;
    this.#options = options;
  }

  /** The answer; undefined when the path is not the Tracker's. */
  answer(request: TrackerHttpRequest): TrackerHttpAnswer | undefined {
    const { method, target } = request;
    const queryAt = target.indexOf("?");
    const path = queryAt < 0 ? target : target.slice(0, queryAt);
    if (!isTrackerPath(path)) return undefined;
    if (method !== "GET") return textAnswer(405, "only GET", { allow: "GET" });
    if (target.length > maxTargetLengths[path]) return textAnswer(414, "URL too long");
    const query = queryAt < 0 ? "" : target.slice(queryAt + 1);
    if (path === "/scrape") return bencodedAnswer(this.#scrape(query));
    const asker = this.#askerOf(request);
    if (asker === undefined) return textAnswer(400, "the proxy sent no usable X-Forwarded-For");
    return bencodedAnswer(this.#announce(query, asker));
  }

  #announce(query: string, asker: Asker): Uint8Array {
    const announce = parseAnnounceQuery(query);
    if (!announce.ok) return encodeFailure(announce.message);
    const verdict = this.#tracker.announce(announce.value, asker);
    if (verdict.type === "refused") return encodeFailure(verdict.reason);
    return encodeAnnounceAnswer(verdict.answer, announce.value);
  }

  #scrape(query: string): Uint8Array {
    const infoHashes = parseScrapeQuery(query);
    if (!infoHashes.ok) return encodeFailure(infoHashes.message);
    return encodeScrapeAnswer(this.#tracker.scrape(infoHashes.value));
  }

  #askerOf({ socketAddress, localAddress, forwardedFor }: TrackerHttpRequest): Asker | undefined {
    const client = clientAddress(socketAddress, forwardedFor, this.#options.trustedProxies);
    if (client === undefined) return undefined;
    const { address, isForwarded } = client;
    const reachedAt = isForwarded ? undefined : parseIp(canonicalIp(localAddress) ?? "");
    return { address, reachedAt };
  }
}

function isTrackerPath(path: string): path is TrackerPath {
  return path === "/announce" || path === "/scrape";
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
