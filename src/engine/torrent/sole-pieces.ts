/**
 * Which pieces would leave the swarm with us, as far as we see: nobody connected has them, and
 * somebody connected waits for them.
 */
import type { PieceIndex } from "../../base/units.ts";

/** What a peer must tell for it. */
export interface WaitingPeer {
  readonly peerInterested: boolean;
}

/**
 * How many of our pieces nobody else has; 0 when nobody is interested in them.
 * `availabilityOf`: peers and web seeds that have a piece, ourselves apart.
 */
export function countSolePieces(
  peers: Iterable<WaitingPeer>,
  have: Iterable<PieceIndex>,
  availabilityOf: (index: PieceIndex) => number,
): number {
  let isAwaited = false;
  for (const { peerInterested } of peers) isAwaited ||= peerInterested;
  if (!isAwaited) return 0;
  let count = 0;
  for (const index of have) if (availabilityOf(index) === 0) count++;
  return count;
}
