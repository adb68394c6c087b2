/** Offers: which piece is shown to which peer, and why. */
import type { PieceIndex } from "../base/units.ts";
import type { Downloader } from "./downloader.ts";

/** Which rule made an offer. */
export type GrantReason = "owed" | "never-sent" | "floor" | "again" | "starving" | "help";

/** An offer to make: the peer is shown the piece. */
export interface Show {
  readonly peer: number;
  readonly piece: PieceIndex;
  readonly reason: GrantReason;
}

/** An offer before it is made. */
export interface Offer {
  readonly peer: Downloader;
  readonly piece: PieceIndex;
  readonly reason: GrantReason;
}

/** Pieces that are shown to one peer at once, when it may have everything. */
const MAX_MORE = 1024;

/** Shows `peer` more of what it lacks, first pieces first, without an offer that is waited for. */
export function showMore(peer: Downloader, reason: GrantReason): readonly Show[] {
  const shows: Show[] = [];
  if (peer.shown.isFull) return shows;
  for (let piece = 0; piece < peer.pieces.size && shows.length < MAX_MORE; piece++) {
    if (peer.pieces.has(piece) || !peer.shown.add(piece)) continue;
    shows.push({ peer: peer.key, piece, reason });
  }
  return shows;
}
