/**
 * What a torrent asks of whoever decides which piece is offered to whom (the participation
 * controller of a SourceNode). Without one, every peer is shown all that we have.
 */
import type { Bitfield } from "../../base/bitfield.ts";
import type { Millis, PieceIndex } from "../../base/units.ts";
import type { FloorChange, PeerReport } from "../../protocol/wire/participation.ts";
import type { PeerKey } from "../peer-session/peer-session.ts";

/** A peer that connected. */
export interface ServedPeer {
  readonly key: PeerKey;
  /** 20 bytes. */
  readonly peerId: Uint8Array;
  readonly host: string;
  /** It names itself a SourceNode. */
  readonly isSourceNode: boolean;
  /** What the peer says that it has; kept up to date by the torrent. */
  readonly pieces: Bitfield;
}

/** What some peers are to be told of pieces with too few copies. */
export interface FloorNews {
  readonly peers: readonly PeerKey[];
  readonly change: FloorChange;
}

/** Told what peers say and get; says what to show them. */
export interface ServingController {
  handleJoined(now: Millis, peer: ServedPeer): void;
  /** `pieces` was filled from the peer's bitfield. */
  handlePieces(now: Millis, peer: PeerKey): void;
  handleHave(now: Millis, peer: PeerKey, piece: PieceIndex): void;
  /** It asked for one block of `piece`. */
  handleRequest(now: Millis, peer: PeerKey, piece: PieceIndex): void;
  /** Requests for so many blocks will not be answered: cancelled, or the peer was choked. */
  handleDropped(peer: PeerKey, blocks: number): void;
  /** One block of `piece`, `bytes` long, left for `peer`. */
  handleSent(now: Millis, peer: PeerKey, piece: PieceIndex, bytes: number): void;
  /** It says so of itself: a claim. */
  handleReport(peer: PeerKey, report: PeerReport): void;
  handleLeft(now: Millis, peer: PeerKey): void;
  handleTimeout(now: Millis): void;
  nextTimeout(): Millis | undefined;
  /** Whether `peer` may have `piece`. */
  isShown(peer: PeerKey, piece: PieceIndex): boolean;
  /** Peers to choke although there is room (true), and those that may ask again (false). */
  takeRests(): ReadonlyMap<PeerKey, boolean>;
  /** Pieces to show to peers now. */
  takeShows(): readonly { readonly peer: PeerKey; readonly piece: PieceIndex }[];
  /** What to tell peers that report. */
  takeFloorNews(): readonly FloorNews[];
}
