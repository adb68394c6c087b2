/**
 * What a torrent asks of whoever decides which piece is offered to whom (the participation
 * controller of a SourceNode). Without one, every peer is shown all that we have.
 */
import type { Bitfield } from "../../base/bitfield.ts";
import type { Millis, PieceIndex } from "../../base/units.ts";
import type { PeerKey } from "../peer-session/peer-session.ts";

/** Told what peers say and get; says what to show them. */
export interface ServingController {
  /** `pieces`: what the peer says that it has; kept up to date by the torrent. */
  handleJoined(now: Millis, peer: PeerKey, pieces: Bitfield): void;
  /** `pieces` was filled from the peer's bitfield. */
  handlePieces(now: Millis, peer: PeerKey): void;
  handleHave(now: Millis, peer: PeerKey, piece: PieceIndex): void;
  handleRequest(peer: PeerKey, piece: PieceIndex): void;
  /** `bytes` of `piece` left for `peer`. */
  handleSent(now: Millis, peer: PeerKey, piece: PieceIndex, bytes: number): void;
  handleLeft(now: Millis, peer: PeerKey): void;
  handleTimeout(now: Millis): void;
  nextTimeout(): Millis | undefined;
  /** Whether `peer` may have `piece`. */
  isShown(peer: PeerKey, piece: PieceIndex): boolean;
  /** Pieces to show to peers now. */
  takeShows(): readonly { readonly peer: PeerKey; readonly piece: PieceIndex }[];
}
