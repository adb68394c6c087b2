/**
 * Announces and scrapes over HTTP as a tracker receives them (BEP 3, 21, 23, 48): query strings to
 * values. Strict where a wrong value would do harm, and deaf to `ip`: a peer's address is that of
 * its connection.
 *
 * A hot path: no URL object is made, and the query is read once.
 */
import { infoHashOf } from "../../base/bytes.ts";
import { fail, ok, type Result } from "../../base/errors.ts";
import type { InfoHash, PeerId } from "../../base/units.ts";

/** What an announce can tell. Absent in the announces at regular intervals. */
export type AnnounceEvent = "started" | "stopped" | "completed";

/** A well-formed announce. */
export interface AnnounceQuery {
  readonly infoHash: InfoHash;
  readonly peerId: PeerId;
  /** 1 … 65535. */
  readonly port: number;
  /** Bytes, as the peer claims; 0 when it does not say. */
  readonly uploaded: number;
  readonly downloaded: number;
  /** Bytes; undefined when it does not say. */
  readonly left: number | undefined;
  readonly event: AnnounceEvent | undefined;
  /** Undefined when it leaves the number of peers to the tracker. */
  readonly numWant: number | undefined;
  /** Whether the answer may be compact: unless `compact=0` says otherwise. */
  readonly isCompact: boolean;
  /** Whether the answer needs the peers' ids: never a compact one. */
  readonly wantsPeerIds: boolean;
}

/** Hashes of one scrape that are answered; the rest is left out, as other trackers do. */
export const MAX_SCRAPE_HASHES = 100;

/** A query that is refused; the message is the failure reason to answer. */
type Refusal = ReturnType<typeof fail<"bad-query">>;

/** Parses what follows the question mark of an announce. Failure messages are for the answer. */
export function parseAnnounceQuery(query: string): Result<AnnounceQuery, "bad-query"> {
  const parameters = parametersOf(query);
  const hashText = parameters.get("info_hash");
  if (hashText === undefined) return fail("bad-query", "missing info_hash");
  const hash = parseBytes(hashText, 20);
  if (hash === undefined) return invalid("info_hash");
  const peerId = parseBytes(parameters.get("peer_id") ?? "", 20);
  if (peerId === undefined) return invalid("peer_id");
  const port = parseCount(parameters.get("port") ?? "");
  if (port === undefined || port < 1 || port > 65_535) return invalid("port");
  const uploaded = parseCount(parameters.get("uploaded") ?? "0");
  if (uploaded === undefined) return invalid("uploaded");
  const downloaded = parseCount(parameters.get("downloaded") ?? "0");
  if (downloaded === undefined) return invalid("downloaded");
  const leftText = parameters.get("left");
  const left = leftText === undefined ? undefined : parseCount(leftText);
  if (leftText !== undefined && left === undefined) return invalid("left");
  const event = parseEvent(parameters.get("event") ?? "");
  if (event === "unknown") return invalid("event");
  const numWantText = parameters.get("numwant") ?? "-1";
  const numWant = parseCount(numWantText);
  if (numWant === undefined && !/^-\d+$/.test(numWantText)) return invalid("numwant");
  const isCompact = parameters.get("compact") !== "0";
  const wantsPeerIds = !isCompact && parameters.get("no_peer_id") !== "1";
  return ok({
    infoHash: infoHashOf(hash),
    peerId,
    port,
    uploaded,
    downloaded,
    left,
    event,
    numWant,
    isCompact,
    wantsPeerIds,
  });
}

/** Parses what follows the question mark of a scrape: the hashes asked for, without repetitions. */
export function parseScrapeQuery(query: string): Result<readonly InfoHash[], "bad-query"> {
  const hashes = new Set<InfoHash>();
  for (const parameter of query.split("&")) {
    if (!parameter.startsWith("info_hash=")) continue;
    const hash = parseBytes(parameter.slice("info_hash=".length), 20);
    if (hash === undefined) return invalid("info_hash");
    hashes.add(infoHashOf(hash));
    if (hashes.size === MAX_SCRAPE_HASHES) break;
  }
  return hashes.size === 0 ? fail("bad-query", "full scrape disabled") : ok([...hashes]);
}

/** In no value, so that what is given twice is invalid: readers differ in which one they take. */
const REPEATED = "&";

function parametersOf(query: string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (const parameter of query.split("&")) {
    const equals = parameter.indexOf("=");
    if (equals < 0) continue;
    const name = parameter.slice(0, equals);
    parameters.set(name, parameters.has(name) ? REPEATED : parameter.slice(equals + 1));
  }
  return parameters;
}

function invalid(name: string): Refusal {
  return fail("bad-query", `invalid ${name}`);
}

/** A decimal integer, at most what a number holds exactly; undefined when it is none. */
function parseCount(text: string): number | undefined {
  return /^\d+$/.test(text) ? Math.min(Number(text), Number.MAX_SAFE_INTEGER) : undefined;
}

function parseEvent(text: string): AnnounceEvent | undefined | "unknown" {
  switch (text) {
    case "started":
    case "stopped":
    case "completed":
      return text;
    case "":
    // A peer that waits with part of the content, on purpose (BEP 21): nothing to do for us.
    case "paused":
      return undefined;
    default:
      return "unknown";
  }
}

const PERCENT = 0x25;

/** Exactly `length` bytes, escaped or not; a plus is a plus, for this is no HTML form. */
function parseBytes(text: string, length: number): Uint8Array | undefined {
  if (text.length < length || text.length > 3 * length) return undefined;
  const bytes = new Uint8Array(length);
  let filled = 0;
  for (let at = 0; at < text.length; at++) {
    let byte = text.charCodeAt(at);
    if (byte === PERCENT) {
      byte = 16 * hexDigit(text.charCodeAt(at + 1)) + hexDigit(text.charCodeAt(at + 2));
      at += 2;
    }
    if (filled === length || !(byte <= 255)) return undefined;
    bytes[filled++] = byte;
  }
  return filled === length ? bytes : undefined;
}

/** The value of a hexadecimal digit, NaN when it is none. */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : Number.NaN;
}
