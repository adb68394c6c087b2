/**
 * Answers of trackers over HTTP as a peer receives them (BEP 3, 7, 23, 48). Trackers are strangers:
 * what an answer claims is bounded, and a peer that cannot be dialled is left out.
 */
import { infoHashOf, latin1, parseUtf8 } from "../../base/bytes.ts";
import { fail, ok, type Result } from "../../base/errors.ts";
import { canonicalIp, formatIp } from "../../base/ip-address.ts";
import type { InfoHash, Millis } from "../../base/units.ts";
import { decodeBencode } from "../bencode/decode.ts";
import { BencodeDictionary, BencodeList } from "../bencode/value.ts";
import { COMPACT_IPV4_LENGTH, COMPACT_IPV6_LENGTH, splitCompact } from "./compact-peers.ts";
import type { ScrapeCounts } from "./announce.ts";

/** Where a tracker says that a peer listens. */
export interface TrackerPeer {
  /** An IPv4 or IPv6 address in canonical text; never a name. */
  readonly host: string;
  /** 1 … 65535. */
  readonly port: number;
}

/** What a tracker answered. */
export interface AnnounceResponse {
  /** 30 s … 24 h. */
  readonly intervalMs: Millis;
  /** 30 s … 24 h; undefined when the tracker does not say. */
  readonly minIntervalMs: Millis | undefined;
  /** Seeds and leeches, when the tracker says. */
  readonly complete: number | undefined;
  readonly incomplete: number | undefined;
  readonly peers: readonly TrackerPeer[];
  /** For people. */
  readonly warning: string | undefined;
}

/** Why an answer brings nothing: the tracker refused, or it cannot be read. */
export type TrackerAnswerErrorCode = "TRK_FAILURE" | "TRK_BAD_ANSWER";

/** Bytes of a tracker's answer that are read at all. */
export const MAX_TRACKER_ANSWER_LENGTH = 1024 * 1024;

/** Real answers are three deep and have some hundred values. */
const limits = { maxDepth: 8, maxTokens: 10_000 };

const MIN_INTERVAL_MS = 30_000;
const MAX_INTERVAL_MS = 24 * 60 * 60_000;
/** Peers that are taken from one answer: ten times what trackers give. */
const MAX_PEERS = 2000;
/** Characters of a reason or warning that are shown. */
const MAX_TEXT_LENGTH = 200;

/** Reads the body of an answer to an announce; a refusal's message is the tracker's reason. */
export function parseAnnounceAnswer(
  body: Uint8Array,
): Result<AnnounceResponse, TrackerAnswerErrorCode> {
  const answer = parseDictionary(body);
  if (!answer.ok) return answer;
  const dictionary = answer.value;
  const interval = dictionary.getInteger("interval");
  if (interval === undefined) return bad("has no interval");
  const peers = parsePeers(dictionary);
  if (peers === undefined) return bad("has a list of peers that cannot be read");
  return ok({
    intervalMs: clampInterval(interval),
    minIntervalMs: mapDefined(dictionary.getInteger("min interval"), clampInterval),
    complete: countOf(dictionary, "complete"),
    incomplete: countOf(dictionary, "incomplete"),
    peers,
    warning: mapDefined(dictionary.getBytes("warning message"), textForPeople),
  });
}

/** Reads the body of an answer to a scrape: the numbers of the torrents that the tracker knows. */
export function parseScrapeAnswer(
  body: Uint8Array,
): Result<ReadonlyMap<InfoHash, ScrapeCounts>, TrackerAnswerErrorCode> {
  const answer = parseDictionary(body);
  if (!answer.ok) return answer;
  const files = answer.value.getDictionary("files");
  if (files === undefined) return bad("has no files");
  const counts = new Map<InfoHash, ScrapeCounts>();
  for (const [hash, file] of files.entries()) {
    if (hash.length !== 20 || !(file instanceof BencodeDictionary)) continue;
    counts.set(infoHashOf(hash), {
      complete: countOf(file, "complete") ?? 0,
      incomplete: countOf(file, "incomplete") ?? 0,
      downloaded: countOf(file, "downloaded") ?? 0,
    });
  }
  return ok(counts);
}

type Failure = ReturnType<typeof fail<TrackerAnswerErrorCode>>;

function parseDictionary(body: Uint8Array): Result<BencodeDictionary, TrackerAnswerErrorCode> {
  const decoded = decodeBencode(body, limits);
  if (!decoded.ok) return bad(`cannot be read: ${decoded.message}`);
  if (!(decoded.value instanceof BencodeDictionary)) return bad("is no dictionary");
  const reason = decoded.value.getBytes("failure reason");
  if (reason !== undefined) return fail("TRK_FAILURE", textForPeople(reason));
  return ok(decoded.value);
}

function bad(what: string): Failure {
  return fail("TRK_BAD_ANSWER", `the tracker's answer ${what}`);
}

/** All peers in any of the three forms; undefined when a form is broken. */
function parsePeers(dictionary: BencodeDictionary): readonly TrackerPeer[] | undefined {
  const peers = dictionary.get("peers") ?? new Uint8Array(0);
  const peers6 = dictionary.get("peers6") ?? new Uint8Array(0);
  const list =
    peers instanceof BencodeList ? parsePlain(peers) : parseCompact(peers, COMPACT_IPV4_LENGTH);
  const list6 = parseCompact(peers6, COMPACT_IPV6_LENGTH);
  if (list === undefined || list6 === undefined) return undefined;
  return [...list, ...list6].slice(0, MAX_PEERS);
}

function parseCompact(value: unknown, length: 6 | 18): readonly TrackerPeer[] | undefined {
  if (!(value instanceof Uint8Array) || value.length % length !== 0) return undefined;
  return compactTrackerPeers(value, length);
}

/** The peers in `value`, those left out with whom nobody can be. */
export function compactTrackerPeers(value: Uint8Array, length: 6 | 18): readonly TrackerPeer[] {
  return splitCompact(value.subarray(0, MAX_PEERS * length), length).flatMap(({ address, port }) =>
    peerOf(formatIp(address), port),
  );
}

/** BEP 3's list of dictionaries. A name in place of an address is not looked up. */
function parsePlain(list: BencodeList): readonly TrackerPeer[] {
  const peers: TrackerPeer[] = [];
  for (const peer of list) {
    if (!(peer instanceof BencodeDictionary)) continue;
    peers.push(...peerOf(peer.getText("ip"), peer.getInteger("port")));
  }
  return peers;
}

/** The peer, unless nobody can be there. */
function peerOf(address: string | undefined, port: number | undefined): readonly TrackerPeer[] {
  const host = canonicalIp(address);
  const isPort = port !== undefined && port >= 1 && port <= 65_535;
  return host === undefined || host === "0.0.0.0" || host === "::" || !isPort
    ? []
    : [{ host, port }];
}

/** What a tracker says in seconds, within 30 s … 24 h. */
export function clampInterval(valueSeconds: number): Millis {
  return Math.min(MAX_INTERVAL_MS, Math.max(MIN_INTERVAL_MS, valueSeconds * 1000));
}

function countOf(dictionary: BencodeDictionary, key: string): number | undefined {
  const count = dictionary.getInteger(key);
  return count !== undefined && count >= 0 ? count : undefined;
}

/** A tracker's words, cut, and without control characters: they go to terminals and logs. */
export function textForPeople(bytes: Uint8Array): string {
  let end = Math.min(bytes.length, 4 * MAX_TEXT_LENGTH);
  while (end < bytes.length && (bytes[end] as number) >> 6 === 2) end--;
  const cut = bytes.subarray(0, end);
  const text = parseUtf8(cut) ?? latin1(cut);
  return text.replace(/[\p{Cc}\p{Cf}]/gu, "").slice(0, MAX_TEXT_LENGTH);
}

function mapDefined<From, To>(value: From | undefined, map: (value: From) => To): To | undefined {
  return value === undefined ? undefined : map(value);
}
