/** What a role gives the runtime to play one torrent, and what it hears from it. */
import type { Bitfield } from "../base/bitfield.ts";
import type { BtPublisherError } from "../base/errors.ts";
import type { InfoHash, PieceIndex } from "../base/units.ts";
import type { LinkCloseReason, PeerAddress } from "../ports/peer-transport.ts";
import type { PieceStore } from "../ports/piece-store.ts";
import type { Info } from "../protocol/metainfo/metainfo.ts";

/** Content of one torrent, ready to serve or to fill. */
export interface TorrentContent {
  readonly info: Info;
  readonly store: PieceStore;
  /** Pieces that are verified in `store`. The runtime keeps it up to date. */
  readonly have: Bitfield;
}

/** Bytes that left for one peer, told once per batch and piece: the ledger's food. */
export interface BlocksSent {
  /** 20 bytes. */
  readonly peerId: Uint8Array;
  readonly address: PeerAddress;
  readonly pieceIndex: PieceIndex;
  readonly bytes: number;
}

/** Live figures of one torrent. Rates are means over the last seconds. */
export interface TorrentFigures {
  readonly infoHash: InfoHash;
  readonly connections: number;
  readonly downloadedBytes: number;
  readonly uploadedBytes: number;
  readonly downloadBytesPerSecond: number;
  readonly uploadBytesPerSecond: number;
  /** Bytes of `downloadedBytes` that came from SourceNodes and web seeds. */
  readonly fromSourceBytes: number;
  /** Bytes of verified pieces. */
  readonly verifiedBytes: number;
  /** Live peers, sources apart, that hold the rarest piece. */
  readonly copies: number;
  /** Pieces that we lack, are not at, and some peer here has: without any, nobody can help us. */
  readonly offeredPieces: number;
  /**
   * Pieces of ours that would be missed if we left: nobody else here has them, or a SourceNode says
   * that they have too few copies; 0 when nobody here waits for any.
   */
  readonly solePieces: number;
}

/** A connection is over. */
export interface PeerClosed {
  readonly address: PeerAddress;
  readonly direction: "incoming" | "outgoing";
  readonly reason: LinkCloseReason;
}

/** What a torrent tells its role. All optional; called outside the data path's inner loops. */
export interface TorrentEvents {
  onBlocksSent?(event: BlocksSent): void;
  onPieceStored?(pieceIndex: PieceIndex): void;
  onComplete?(): void;
  onPeerClosed?(event: PeerClosed): void;
  /** The store failed: the torrent pauses and tries again by itself; `error` says why. */
  onStorageError?(error: BtPublisherError): void;
}
