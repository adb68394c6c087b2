/** Peers as trackers pack them: an address and a port, 6 bytes (BEP 23) or 18 (BEP 7). */
import type { IpBytes } from "../../base/ip-address.ts";
import { readUint16 } from "../wire/big-endian.ts";

/** Bytes of an IPv4 peer. */
export const COMPACT_IPV4_LENGTH = 6;
/** Bytes of an IPv6 peer. */
export const COMPACT_IPV6_LENGTH = 18;

/** One packed peer, read. */
export interface CompactPeer {
  /** A view of 4 or 16 bytes. */
  readonly address: IpBytes;
  /** 0 … 65535. */
  readonly port: number;
}

/** The peers in `bytes`, `length` bytes each; bytes left over at the end are no peer. */
export function splitCompact(
  bytes: Uint8Array,
  length: typeof COMPACT_IPV4_LENGTH | typeof COMPACT_IPV6_LENGTH,
): readonly CompactPeer[] {
  const peers: CompactPeer[] = [];
  for (let end = length; end <= bytes.length; end += length) {
    const address = bytes.subarray(end - length, end - 2);
    peers.push({ address, port: readUint16(bytes, end - 2) });
  }
  return peers;
}
