/**
 * Answers of a tracker over HTTP (BEP 3, 7, 23, 31, 48), bencoded. The compact answer to an
 * announce is the hot path and is written directly.
 */
import { infoHashBytes } from "../../base/bytes.ts";
import { formatIp } from "../../base/ip-address.ts";
import type { InfoHash, Millis } from "../../base/units.ts";
import { type BencodeInput, encodeBencode } from "../bencode/encode.ts";
import { COMPACT_IPV4_LENGTH, COMPACT_IPV6_LENGTH, splitCompact } from "./compact-peers.ts";
import type { AnnounceQuery } from "./http-query.ts";

/** Numbers of one swarm (BEP 48). */
export interface ScrapeCounts {
  /** Seeds. */
  readonly complete: number;
  /** Leeches. */
  readonly incomplete: number;
  /** Downloads ever completed. */
  readonly downloaded: number;
}

/** What to tell a peer that announced. */
export interface AnnounceAnswer {
  readonly intervalMs: Millis;
  readonly minIntervalMs: Millis;
  readonly counts: ScrapeCounts;
  /** IPv4 peers, 6 bytes each (BEP 23). */
  readonly compact4: Uint8Array;
  /** IPv6 peers, 18 bytes each (BEP 7). */
  readonly compact6: Uint8Array;
  /** Ids of the IPv4 peers, then of the IPv6 ones, as far as known; only `wantsPeerIds` needs them. */
  readonly peerIds: readonly (Uint8Array | undefined)[];
}

/** Encodes the answer in the form that the query asked for. */
export function encodeAnnounceAnswer(
  answer: AnnounceAnswer,
  form: Pick<AnnounceQuery, "isCompact" | "wantsPeerIds">,
): Uint8Array {
  if (form.isCompact) return encodeCompact(answer);
  return encodePlain(answer, form.wantsPeerIds ? answer.peerIds : []);
}

/**
 * A refusal, with the reason for people. `retryInMinutes` tells clients that know BEP 31 when to
 * come back.
 */
export function encodeFailure(reason: string, retryInMinutes?: number | "never"): Uint8Array {
  const failure = { "failure reason": reason };
  if (retryInMinutes === undefined) return encodeBencode(failure);
  return encodeBencode({ ...failure, "retry in": String(retryInMinutes) });
}

/** The answer to a scrape: the torrents that are known among those asked for. */
export function encodeScrapeAnswer(files: ReadonlyMap<InfoHash, ScrapeCounts>): Uint8Array {
  const entries = Array.from(files, ([infoHash, counts]): [Uint8Array, BencodeInput] => {
    const { complete, downloaded, incomplete } = counts;
    return [infoHashBytes(infoHash), { complete, downloaded, incomplete }];
  });
  return encodeBencode({ files: new Map(entries) });
}

/** BEP 23's form: peers as one string. */
function encodeCompact(answer: AnnounceAnswer): Uint8Array {
  const { counts, compact4, compact6 } = answer;
  const head =
    `d8:completei${counts.complete}e10:downloadedi${counts.downloaded}e` +
    `10:incompletei${counts.incomplete}e8:intervali${seconds(answer.intervalMs)}e` +
    `12:min intervali${seconds(answer.minIntervalMs)}e5:peers${compact4.length}:`;
  const between = compact6.length === 0 ? "" : `6:peers6${compact6.length}:`;
  const at4 = head.length;
  const at6 = at4 + compact4.length + between.length;
  const bytes = new Uint8Array(at6 + compact6.length + 1);
  writeAscii(bytes, 0, head);
  bytes.set(compact4, at4);
  writeAscii(bytes, at4 + compact4.length, between);
  bytes.set(compact6, at6);
  writeAscii(bytes, bytes.length - 1, "e");
  return bytes;
}

function writeAscii(bytes: Uint8Array, at: number, text: string): void {
  for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i);
}

/** BEP 3's first form: a dictionary for each peer. */
function encodePlain(
  answer: AnnounceAnswer,
  peerIds: readonly (Uint8Array | undefined)[],
): Uint8Array {
  const { complete, downloaded, incomplete } = answer.counts;
  const entries = [
    ...splitCompact(answer.compact4, COMPACT_IPV4_LENGTH),
    ...splitCompact(answer.compact6, COMPACT_IPV6_LENGTH),
  ];
  const peers = entries.map(({ address, port }, i): BencodeInput => {
    const peer = { ip: formatIp(address), port };
    const peerId = peerIds[i];
    return peerId === undefined ? peer : { ...peer, "peer id": peerId };
  });
  return encodeBencode({
    complete,
    downloaded,
    incomplete,
    interval: seconds(answer.intervalMs),
    "min interval": seconds(answer.minIntervalMs),
    peers,
  });
}

/** Whole seconds, rounded up: no client is asked to come early. */
function seconds(durationMs: Millis): number {
  return Math.ceil(durationMs / 1000);
}
