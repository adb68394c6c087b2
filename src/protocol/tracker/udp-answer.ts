/** Answers of a tracker over UDP (BEP 15), written straight into the packet that is sent. */
import type { AnnounceAnswer, ScrapeCounts } from "./announce.ts";
import { writeUint32 } from "../wire/big-endian.ts";
import type { AnswerMemory } from "./http-answer.ts";
import { udpActions, udpAnswerAt as at, udpRequestAt } from "./udp-packets.ts";

/** The longest answer: one datagram on every path. */
export const MAX_UDP_ANSWER_LENGTH = 1200;

/** An answer of `length` bytes to `request`, with its head; the rest is the caller's to write. */
export function beginUdpAnswer(
  request: Uint8Array,
  action: keyof typeof udpActions,
  length: number,
  memory: AnswerMemory,
): Uint8Array {
  const answer = memory.allocate(length);
  writeUint32(answer, at.action, udpActions[action]);
  for (let i = 0; i < 4; i++) {
    answer[at.transactionId + i] = request[udpRequestAt.transactionId + i] as number;
  }
  return answer;
}

/** Peers of one family, as many as one datagram holds. */
export function maxUdpPeers(addressLength: 4 | 16): number {
  return Math.floor((MAX_UDP_ANSWER_LENGTH - at.peers) / (addressLength + 2));
}

/** Answers an announce from an address of `addressLength` bytes with peers of its family. */
export function encodeUdpAnnounceAnswer(
  request: Uint8Array,
  answer: AnnounceAnswer,
  addressLength: 4 | 16,
  memory: AnswerMemory,
): Uint8Array {
  const isIpv4 = addressLength === 4;
  const count = isIpv4 ? answer.peerCount4 : answer.peerCount6;
  const length = at.peers + count * (addressLength + 2);
  const packet = beginUdpAnswer(request, "announce", length, memory);
  writeUint32(packet, at.interval, Math.ceil(answer.intervalMs / 1000));
  writeUint32(packet, at.leeches, answer.counts.incomplete);
  writeUint32(packet, at.seeds, answer.counts.complete);
  if (isIpv4) answer.writePeers4(packet, at.peers);
  else answer.writePeers6(packet, at.peers);
  return packet;
}

/** Answers a scrape: counts in the order of the hashes, zeros for what is unknown. */
export function encodeUdpScrapeAnswer(
  request: Uint8Array,
  counts: readonly (ScrapeCounts | undefined)[],
  memory: AnswerMemory,
): Uint8Array {
  const packet = beginUdpAnswer(request, "scrape", at.counts + 12 * counts.length, memory);
  for (const [i, entry] of counts.entries()) {
    writeUint32(packet, at.counts + 12 * i, entry?.complete ?? 0);
    writeUint32(packet, at.counts + 12 * i + 4, entry?.downloaded ?? 0);
    writeUint32(packet, at.counts + 12 * i + 8, entry?.incomplete ?? 0);
  }
  return packet;
}

/** Tells what was wrong with `request`, in ASCII. */
export function encodeUdpError(
  request: Uint8Array,
  message: string,
  memory: AnswerMemory,
): Uint8Array {
  const packet = beginUdpAnswer(request, "error", at.message + message.length, memory);
  memory.writeLatin1(packet, message, at.message);
  return packet;
}
