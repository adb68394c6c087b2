/** What the parts of a torrent share: its geometry, what we have, who is connected, what goes out. */
import { assert } from "../../base/assert.ts";
import { Bitfield } from "../../base/bitfield.ts";
import type { Random } from "../../base/random.ts";
import type { TokenBucket } from "../../base/token-bucket.ts";
import type { PieceIndex } from "../../base/units.ts";
import type { PeerAddress } from "../../ports/peer-transport.ts";
import type { BlockRef, PieceGeometry } from "../../protocol/metainfo/piece-geometry.ts";
import type { PeerMessage } from "../../protocol/wire/message.ts";
import type { ChokerOptions } from "../choking/choker.ts";
import type { ServingController } from "./serving.ts";
import type { CloseWhy, PeerKey, PeerSession } from "../peer-session/peer-session.ts";

/** What the runtime must do now, in order. */
export type TorrentOutput =
  /** Dial; answered by `handleLinkOpened` or `handleConnectFailed`. */
  | { readonly type: "connect"; readonly address: PeerAddress }
  | { readonly type: "close"; readonly peer: PeerKey; readonly why: CloseWhy }
  | { readonly type: "send"; readonly peer: PeerKey; readonly message: PeerMessage }
  | { readonly type: "request"; readonly peer: PeerKey; readonly blocks: readonly BlockRef[] }
  /** Answered by `handleBlocksSent`, or by the link's end. */
  | { readonly type: "send-blocks"; readonly peer: PeerKey; readonly blocks: readonly BlockRef[] }
  /** The piece is complete in its buffer: verify and store it; answered by `handleCommitted`. */
  | { readonly type: "commit"; readonly pieceIndex: PieceIndex }
  /** What was begun of the piece is given up: its buffer is free. */
  | { readonly type: "drop-piece"; readonly pieceIndex: PieceIndex }
  /** Get these adjacent blocks from a web seed; see `WebSeeds`. */
  | {
      readonly type: "fetch";
      readonly fetchId: number;
      readonly webSeed: number;
      readonly blocks: readonly BlockRef[];
    }
  | { readonly type: "cancel-fetch"; readonly fetchId: number }
  /** A piece was verified and stored. */
  | { readonly type: "piece-stored"; readonly pieceIndex: PieceIndex }
  /** The last missing piece was stored. */
  | { readonly type: "completed" };

/** How a torrent is played; every bound of it is here. */
export interface TorrentOptions {
  readonly choker: ChokerOptions;
  /** Connections at once. */
  readonly maxPeers: number;
  /** Dials under way at once. */
  readonly maxConnecting: number;
  /** Whether seeds stay connected to us when we are complete: a SourceNode watches them. */
  readonly keepsSeeds: boolean;
  /** Whether we dial peers that we hear of; a SourceNode waits for them. */
  readonly dialsPeers: boolean;
  /** Memory for pieces that are being fetched or verified, in bytes; at least 4 pieces are open. */
  readonly pieceBufferBytes: number;
  /** Ours, for the extension handshake; undefined when we do not listen. */
  readonly listenPort: number | undefined;
  readonly peerId: Uint8Array;
  /** Client name and version for the extension handshake. */
  readonly clientName: string;
  /** Decides what each peer is shown; undefined shows everything to everybody. */
  readonly serving: ServingController | undefined;
  /** We go when we have everything: SourceNodes hear of it. Default false. */
  readonly leavesWhenDone?: boolean;
  /** Shared by all torrents of a process. */
  readonly uploadLimit: TokenBucket;
  readonly downloadLimit: TokenBucket;
}

export class TorrentState {
  readonly geometry: PieceGeometry;
  readonly serving: ServingController | undefined;
  /** Verified pieces; shared with the role, written here. */
  readonly have: Bitfield;
  /** Pieces with too few copies in the swarm, as a SourceNode says; see source-talk.ts. */
  readonly belowFloor: Bitfield;
  readonly options: TorrentOptions;
  readonly random: Random;
  readonly peers = new Map<PeerKey, PeerSession>();
  #outputs: TorrentOutput[] = [];

  constructor(geometry: PieceGeometry, have: Bitfield, options: TorrentOptions, random: Random) {
    assert(have.size === geometry.pieceCount, "the set of pieces does not fit the torrent");
    this.geometry = geometry;
    this.serving = options.serving;
    this.have = have;
    this.belowFloor = new Bitfield(have.size);
    this.options = options;
    this.random = random;
  }

  output(output: TorrentOutput): void {
    this.#outputs.push(output);
  }

  send(session: PeerSession, message: PeerMessage): void {
    this.#outputs.push({ type: "send", peer: session.key, message });
  }

  /** All outputs since the last call. */
  takeOutputs(): readonly TorrentOutput[] {
    if (this.#outputs.length === 0) return none;
    const outputs = this.#outputs;
    this.#outputs = [];
    return outputs;
  }
}

const none: readonly TorrentOutput[] = Object.freeze([]);
