/**
 * The asking side of a tracker over WebSocket, for peers that listen for TCP. WebTorrent's messages know
 * peers by offers alone; a tracker of ours answers `compact` and `port` with addresses.
 */
import { infoHashBytes, latin1, latin1Bytes, utf8Bytes } from "../../base/bytes.ts";
import { fail, ok, type Result } from "../../base/errors.ts";
import type { InfoHash } from "../../base/units.ts";
import { COMPACT_IPV4_LENGTH, COMPACT_IPV6_LENGTH } from "./compact-peers.ts";
import {
  type AnnounceResponse,
  clampInterval,
  compactTrackerPeers,
  textForPeople,
  type TrackerAnswerErrorCode,
  type TrackerPeer,
} from "./http-parse-answer.ts";
import type { AnnounceParameters } from "./http-request.ts";
import { asciiJson } from "./ws-message.ts";

/** Announces. */
export function encodeWsAnnounce(parameters: AnnounceParameters): string {
  const { infoHash, peerId, port, uploaded, downloaded, left, event, numWant, key } = parameters;
  const ids = `"info_hash":${asciiJson(latin1(infoHashBytes(infoHash)))},"peer_id":${asciiJson(latin1(peerId))}`;
  const facts = { port, compact: 1, uploaded, downloaded, left, event, numwant: numWant, key };
  return `{"action":"announce",${ids},${JSON.stringify(facts).slice(1)}`;
}

/** Reads a message as the answer to an announce for `infoHash`; undefined: it is something else. */
export function readWsAnnounceAnswer(
  text: string,
  infoHash: InfoHash,
): Result<AnnounceResponse, TrackerAnswerErrorCode> | undefined {
  const message = parseFields(text);
  if (message?.["action"] !== "announce") return undefined;
  const reason = message["failure reason"];
  if (typeof reason === "string") return fail("TRK_FAILURE", forPeople(reason));
  if (message["info_hash"] !== latin1(infoHashBytes(infoHash))) return undefined;
  const { interval, complete, incomplete } = message;
  // An offer or an answer of another peer has none.
  if (typeof interval !== "number" || !Number.isFinite(interval)) return undefined;
  const peers = readPeers(message["peers"], COMPACT_IPV4_LENGTH);
  const peers6 = readPeers(message["peers6"] ?? "", COMPACT_IPV6_LENGTH);
  if (peers === undefined || peers6 === undefined) {
    return fail("TRK_BAD_ANSWER", "it names no peers by address, only by WebRTC");
  }
  const warning = message["warning message"];
  return ok({
    intervalMs: clampInterval(interval),
    minIntervalMs: undefined,
    complete: countOf(complete),
    incomplete: countOf(incomplete),
    peers: [...peers, ...peers6],
    warning: typeof warning === "string" ? forPeople(warning) : undefined,
  });
}

function parseFields(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isFields = typeof value === "object" && value !== null;
    return isFields ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}

function readPeers(value: unknown, length: 6 | 18): readonly TrackerPeer[] | undefined {
  const isPacked =
    typeof value === "string" && value.length % length === 0 && /^[\0-\xff]*$/.test(value);
  return isPacked ? compactTrackerPeers(latin1Bytes(value), length) : undefined;
}

function countOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 ? value : undefined;
}

function forPeople(text: string): string {
  return textForPeople(utf8Bytes(text));
}
