/**
 * Requests over UDP as a tracker receives them (BEP 15, with BEP 41's options): bytes to values. The
 * address in an announce is ignored: a peer's address is that of its packets.
 */
import { latin1, latin1Bytes } from "../../base/bytes.ts";
import { readUint32 } from "../wire/big-endian.ts";
import { type Announce, HASH_LENGTH } from "./announce.ts";
import type { KeyBytes } from "./key.ts";
import {
  CONNECT_MAGIC_HIGH,
  CONNECT_MAGIC_LOW,
  udpActions,
  udpEvents,
  udpLengths,
  udpOptions,
  udpRequestAt as at,
} from "./udp-packets.ts";

/** What a packet is. */
export type UdpRequestType = "connect" | "announce" | "scrape";

/** Hashes of one scrape that are answered: BEP 15's "about 74", and one datagram. */
export const MAX_UDP_SCRAPE_HASHES = 70;
/** Longer packets are none of ours: 98 bytes and a long URL. */
const MAX_PACKET_LENGTH = 2048;
/** Of BEP 41's URL data, all options together. */
const MAX_URL_LENGTH = 1024;

/** What `packet` asks for; undefined for what is to be ignored. */
export function udpRequestType(packet: Uint8Array): UdpRequestType | undefined {
  if (packet.length < udpLengths.connect || packet.length > MAX_PACKET_LENGTH) return undefined;
  switch (readUint32(packet, at.action)) {
    case udpActions.connect: {
      const isMagic =
        readUint32(packet, 0) === CONNECT_MAGIC_HIGH && readUint32(packet, 4) === CONNECT_MAGIC_LOW;
      return isMagic ? "connect" : undefined;
    }
    case udpActions.announce:
      return packet.length >= udpLengths.announce ? "announce" : undefined;
    case udpActions.scrape:
      return "scrape";
    default:
      return undefined;
  }
}

/** Reads an announce of at least 98 bytes into `announce`; returns the error to answer, if any. */
export function readUdpAnnounce(packet: Uint8Array, announce: Announce): string | undefined {
  for (let i = 0; i < HASH_LENGTH; i++) {
    announce.infoHash[i] = packet[at.infoHash + i] as number;
    announce.peerId[i] = packet[at.peerId + i] as number;
  }
  announce.downloaded = readCount(packet, at.downloaded) ?? 0;
  announce.uploaded = readCount(packet, at.uploaded) ?? 0;
  announce.left = readCount(packet, at.left);
  const event = readUint32(packet, at.event);
  if (event >= udpEvents.length) return "invalid event";
  announce.event = udpEvents[event];
  const numWant = readUint32(packet, at.numWant);
  announce.numWant = numWant > 0x7fff_ffff ? undefined : numWant;
  announce.port = ((packet[at.port] as number) << 8) | (packet[at.port + 1] as number);
  announce.isCompact = true;
  announce.wantsPeerIds = false;
  return announce.port === 0 ? "invalid port" : undefined;
}

const QUESTION_MARK = 0x3f;
const KEYED = latin1Bytes("/announce/");

/**
 * Finds the key in the options of an announce (BEP 41) as nearly all clients say it: one option with
 * the whole path, no query, nothing behind it. False for all others, which `readUdpUrl` reads.
 */
export function findUdpKey(packet: Uint8Array, key: KeyBytes): boolean {
  const start = at.options + 2;
  const end = start + (packet[at.options + 1] ?? 0);
  if (packet[at.options] !== udpOptions.urlData || end <= start + KEYED.length) return false;
  const isLast = end === packet.length || packet[end] === udpOptions.end;
  if (!isLast || end > packet.length) return false;
  for (let i = 0; i < KEYED.length; i++) if (packet[start + i] !== KEYED[i]) return false;
  const keyAt = start + KEYED.length;
  for (let i = keyAt; i < end; i++) if (packet[i] === QUESTION_MARK) return false;
  key.bytes = packet;
  key.start = keyAt;
  key.end = end;
  return true;
}

/**
 * The path and query of the announce URL that an announce was made for (BEP 41), undefined when its
 * options say none. What is cut off or unknown is left out.
 */
export function readUdpUrl(packet: Uint8Array): string | undefined {
  let url: string | undefined;
  for (let i: number = at.options; i < packet.length; ) {
    const option = packet[i++];
    if (option === udpOptions.end) break;
    if (option === udpOptions.nop) continue;
    const length = packet[i++];
    if (length === undefined || i + length > packet.length) break;
    if (option === udpOptions.urlData) {
      url = ((url ?? "") + latin1(packet.subarray(i, i + length))).slice(0, MAX_URL_LENGTH);
    }
    i += length;
  }
  return url;
}

/** The info hashes that a scrape asks for, 1 … 70; undefined when it is malformed. */
export function readUdpScrape(packet: Uint8Array): readonly Uint8Array[] | undefined {
  const length = packet.length - at.hashes;
  if (length === 0 || length % HASH_LENGTH !== 0) return undefined;
  const count = Math.min(length / HASH_LENGTH, MAX_UDP_SCRAPE_HASHES);
  return Array.from({ length: count }, (_, i) => {
    const start = at.hashes + i * HASH_LENGTH;
    return packet.subarray(start, start + HASH_LENGTH);
  });
}

/** A 64-bit number, at most what a number holds exactly; undefined when it is negative. */
function readCount(packet: Uint8Array, offset: number): number | undefined {
  const high = readUint32(packet, offset);
  if (high > 0x7fff_ffff) return undefined;
  return Math.min(high * 2 ** 32 + readUint32(packet, offset + 4), Number.MAX_SAFE_INTEGER);
}
