/**
 * The 68 bytes that open a connection (BEP 3):
 *
 * | offset | length | what                                                        |
 * |--------|--------|-------------------------------------------------------------|
 * | 0      | 20     | 19, "BitTorrent protocol"                                   |
 * | 20     | 8      | reserved bits: BEP 10 is [5] & 0x10, BEP 6 is [7] & 0x04    |
 * | 28     | 20     | info hash                                                   |
 * | 48     | 20     | peer id                                                     |
 */
import { latin1Bytes } from "../../base/bytes.ts";
import type { Handshake } from "./message.ts";

/** Bytes of a handshake. */
export const HANDSHAKE_LENGTH = 68;

const protocol = latin1Bytes("\x13BitTorrent protocol");

const EXTENDED_AT = 25;
const EXTENDED_BIT = 0x10;
const FAST_AT = 27;
const FAST_BIT = 0x04;
const INFO_HASH_AT = 28;
const PEER_ID_AT = 48;

/** The 68 bytes of `handshake`. */
export function encodeHandshake(handshake: Handshake): Uint8Array {
  const bytes = new Uint8Array(HANDSHAKE_LENGTH);
  bytes.set(protocol);
  if (handshake.supportsExtended) bytes[EXTENDED_AT] = EXTENDED_BIT;
  if (handshake.supportsFast) bytes[FAST_AT] = FAST_BIT;
  bytes.set(handshake.infoHash, INFO_HASH_AT);
  bytes.set(handshake.peerId, PEER_ID_AT);
  return bytes;
}

/**
 * Whether `bytes`, the first that arrived, can be the beginning of a handshake. Ask after each
 * read: a web browser, TLS or encrypted peers are recognised by their first bytes.
 */
export function isHandshakeBeginning(bytes: Uint8Array): boolean {
  const length = Math.min(bytes.length, protocol.length);
  for (let i = 0; i < length; i++) if (bytes[i] !== protocol[i]) return false;
  return true;
}

/**
 * The handshake in the first 68 bytes of `bytes` (copied), or undefined when there are fewer or
 * they are no handshake. Reserved bits that we do not know are ignored.
 */
export function parseHandshake(bytes: Uint8Array): Handshake | undefined {
  if (bytes.length < HANDSHAKE_LENGTH || !isHandshakeBeginning(bytes)) return undefined;
  return {
    infoHash: bytes.slice(INFO_HASH_AT, PEER_ID_AT),
    peerId: bytes.slice(PEER_ID_AT, HANDSHAKE_LENGTH),
    supportsFast: ((bytes[FAST_AT] as number) & FAST_BIT) !== 0,
    supportsExtended: ((bytes[EXTENDED_AT] as number) & EXTENDED_BIT) !== 0,
  };
}
