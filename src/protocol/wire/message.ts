/**
 * Peer messages as values (BEP 3, BEP 6 fast extension, BEP 10 extension protocol).
 *
 * Requests, and blocks with their payload, are not in this union: they are the fast path and
 * travel in batches (`PeerLink.sendRequests`, `PeerLink.sendBlocks`), without one object per
 * message where it can be helped.
 */
import type { PeerId, PieceIndex } from "../../base/units.ts";
import type { BlockRef } from "../metainfo/piece-geometry.ts";

/** The 68 bytes that open a connection (BEP 3), with the reserved bits that we know. */
export interface Handshake {
  /** 20 bytes. */
  readonly infoHash: Uint8Array;
  readonly peerId: PeerId;
  /** BEP 6: reserved[7] & 0x04. */
  readonly supportsFast: boolean;
  /** BEP 10: reserved[5] & 0x10. */
  readonly supportsExtended: boolean;
}

/** Every message but `request` and `piece`. */
export type PeerMessage =
  | { readonly type: "keep-alive" }
  | { readonly type: "choke" }
  | { readonly type: "unchoke" }
  | { readonly type: "interested" }
  | { readonly type: "not-interested" }
  | { readonly type: "have"; readonly pieceIndex: PieceIndex }
  /** Raw bytes: only the receiver knows the piece count that they must fit. */
  | { readonly type: "bitfield"; readonly bytes: Uint8Array }
  | { readonly type: "have-all" }
  | { readonly type: "have-none" }
  | { readonly type: "cancel"; readonly block: BlockRef }
  | { readonly type: "reject"; readonly block: BlockRef }
  | { readonly type: "suggest"; readonly pieceIndex: PieceIndex }
  | { readonly type: "allowed-fast"; readonly pieceIndex: PieceIndex }
  | { readonly type: "port"; readonly port: number }
  /** BEP 10: `id` 0 is the extension handshake, others as the receiver numbered them. */
  | { readonly type: "extended"; readonly id: number; readonly payload: Uint8Array };

/** Why the bytes of a peer cannot be understood: the connection must be closed. */
export type WireViolation =
  /** Not a BitTorrent handshake. */
  | { readonly code: "bad-protocol" }
  /** A length prefix above the limit. */
  | { readonly code: "message-too-large"; readonly length: number }
  /** A message of known id with an impossible length, or a request for an impossible length. */
  | { readonly code: "bad-length"; readonly id: number; readonly length: number };
