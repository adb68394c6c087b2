/**
 * Answers of a tracker over HTTP (BEP 3, 7, 23, 31, 48), bencoded. The compact answer to an
 * announce is the hot path and is written directly.
 */
import { infoHashBytes } from "../../base/bytes.ts";
import { formatIp } from "../../base/ip-address.ts";
import type { InfoHash, Millis } from "../../base/units.ts";
import { type BencodeInput, encodeBencode } from "../bencode/encode.ts";
import type { Announce, AnnounceAnswer, ScrapeCounts } from "./announce.ts";
import { COMPACT_IPV4_LENGTH, COMPACT_IPV6_LENGTH, splitCompact } from "./compact-peers.ts";

/** How to make and fill the bytes of an answer; platforms have faster ways than the plain one. */
export interface AnswerMemory {
  /** `length` bytes, whatever is in them. */
  allocate(length: number): Uint8Array;
  /** Puts `text`, all of it below 256, into `target` from `at` on. */
  writeLatin1(target: Uint8Array, text: string, at: number): void;
}

/** Plain JavaScript's way. */
export const plainMemory: AnswerMemory = {
  allocate: (length) => new Uint8Array(length),
  writeLatin1(target, text, at) {
    for (let i = 0; i < text.length; i++) target[at + i] = text.charCodeAt(i);
  },
};

/** What goes before a body of `bodyLength` bytes. */
export type AnswerHead = (bodyLength: number) => string;
const noHead: AnswerHead = () => "";

/** Encodes the answer in the form that the query asked for. */
export function encodeAnnounceAnswer(
  answer: AnnounceAnswer,
  form: Pick<Announce, "isCompact" | "wantsPeerIds">,
): Uint8Array {
  if (form.isCompact) return encodeCompactAnswer(answer, noHead, plainMemory);
  return encodePlain(answer, form.wantsPeerIds ? answer.peerIds() : []);
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

/** BEP 23's form, peers as one string, behind the head that its length gives: in one piece. */
export function encodeCompactAnswer(
  answer: AnnounceAnswer,
  head: AnswerHead,
  memory: AnswerMemory,
): Uint8Array {
  const { counts, peerCount4, peerCount6 } = answer;
  const length4 = peerCount4 * COMPACT_IPV4_LENGTH;
  const length6 = peerCount6 * COMPACT_IPV6_LENGTH;
  const front =
    `d8:completei${counts.complete}e10:downloadedi${counts.downloaded}e` +
    `10:incompletei${counts.incomplete}e8:intervali${seconds(answer.intervalMs)}e` +
    `12:min intervali${seconds(answer.minIntervalMs)}e5:peers${length4}:`;
  const between = length6 === 0 ? "" : `6:peers6${length6}:`;
  const text = head(front.length + length4 + between.length + length6 + 1) + front;
  const at4 = text.length;
  const at6 = at4 + length4 + between.length;
  const bytes = memory.allocate(at6 + length6 + 1);
  memory.writeLatin1(bytes, text, 0);
  answer.writePeers4(bytes, at4);
  if (length6 > 0) {
    memory.writeLatin1(bytes, between, at4 + length4);
    answer.writePeers6(bytes, at6);
  }
  bytes[at6 + length6] = END;
  return bytes;
}

/** The letter e. */
const END = 0x65;

/** BEP 3's first form: a dictionary for each peer. */
function encodePlain(
  answer: AnnounceAnswer,
  peerIds: readonly (Uint8Array | undefined)[],
): Uint8Array {
  const { complete, downloaded, incomplete } = answer.counts;
  const compact4 = new Uint8Array(answer.peerCount4 * COMPACT_IPV4_LENGTH);
  const compact6 = new Uint8Array(answer.peerCount6 * COMPACT_IPV6_LENGTH);
  answer.writePeers4(compact4, 0);
  answer.writePeers6(compact6, 0);
  const entries = [
    ...splitCompact(compact4, COMPACT_IPV4_LENGTH),
    ...splitCompact(compact6, COMPACT_IPV6_LENGTH),
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
