/** The peers of an answer: SourceNodes first, then those of the swarm. */
import { concatBytes } from "../base/bytes.ts";
import {
  COMPACT_IPV4_LENGTH,
  COMPACT_IPV6_LENGTH,
  type CompactPeer,
} from "../protocol/tracker/compact-peers.ts";
import type { PeerSample } from "./swarm.ts";

export interface PeerList {
  /** IPv4 peers, 6 bytes each (BEP 23). */
  readonly compact4: Uint8Array;
  /** IPv6 peers, 18 bytes each (BEP 7). */
  readonly compact6: Uint8Array;
  /** Of the IPv4 peers, then of the IPv6 ones; undefined for a SourceNode, whose id nobody told. */
  readonly peerIds: readonly (Uint8Array | undefined)[];
}

/** Joins `sources` and `sample`; no sample is an empty one. */
export function listPeers(
  sources: readonly CompactPeer[],
  sample: PeerSample | undefined,
): PeerList {
  const sources4 = sources.filter(({ address }) => address.length === 4);
  const sources6 = sources.filter(({ address }) => address.length === 16);
  const none: readonly Uint8Array[] = [];
  const { compact4, compact6, peerIds4 = none, peerIds6 = none } = sample ?? {};
  return {
    compact4: joinCompact(sources4, COMPACT_IPV4_LENGTH, compact4),
    compact6: joinCompact(sources6, COMPACT_IPV6_LENGTH, compact6),
    peerIds: [
      ...sources4.map(() => undefined),
      ...peerIds4,
      ...sources6.map(() => undefined),
      ...peerIds6,
    ],
  };
}

function joinCompact(
  sources: readonly CompactPeer[],
  length: number,
  rest: Uint8Array = new Uint8Array(0),
): Uint8Array {
  if (sources.length === 0) return rest;
  const packed = new Uint8Array(sources.length * length);
  for (const [i, { address, port }] of sources.entries()) {
    packed.set(address, i * length);
    packed[(i + 1) * length - 2] = port >> 8;
    packed[(i + 1) * length - 1] = port;
  }
  return concatBytes([packed, rest]);
}
