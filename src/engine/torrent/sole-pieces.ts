/**
 * Which pieces the swarm would miss if we left: nobody connected has them, or a SourceNode says that
 * they have too few copies; and somebody connected waits.
 */
import type { Bitfield } from "../../base/bitfield.ts";
import type { PieceIndex } from "../../base/units.ts";

/** What a peer must tell for it. */
export interface WaitingPeer {
  readonly peerInterested: boolean;
}

/** What we and others have. */
export interface SharedPieces {
  readonly have: Iterable<PieceIndex>;
  /** Pieces with too few copies, as a SourceNode says. */
  readonly belowFloor: Bitfield;
  /** Peers and web seeds that have a piece, ourselves apart. */
  readonly availabilityOf: (index: PieceIndex) => number;
}

/** How many of our pieces would be missed; 0 when nobody connected is interested in any. */
export function countSolePieces(
  peers: Iterable<WaitingPeer>,
  { have, belowFloor, availabilityOf }: SharedPieces,
): number {
  let isAwaited = false;
  for (const { peerInterested } of peers) isAwaited ||= peerInterested;
  if (!isAwaited) return 0;
  let count = 0;
  for (const index of have) if (belowFloor.has(index) || availabilityOf(index) === 0) count++;
  return count;
}
