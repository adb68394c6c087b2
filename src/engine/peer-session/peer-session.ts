/**
 * One connected peer of one torrent: the four flags of BEP 3, what it has, what we asked it for and
 * what it asked us for. Holds state and checks what the peer says; decisions about several peers
 * (picking, choking, serving order) are the torrent's.
 */
import { Bitfield } from "../../base/bitfield.ts";
import type { Millis } from "../../base/units.ts";
import type { BlockRef, PieceGeometry } from "../../protocol/metainfo/piece-geometry.ts";
import { PARTICIPATION_EXTENSION } from "../../protocol/wire/participation.ts";
import { BlockTable } from "../requests/block-table.ts";
import { RateMeter } from "../requests/rate-meter.ts";
import { RequestWindow } from "../requests/request-window.ts";
import { MessageBudget } from "./message-budget.ts";

/** Names one connection within one torrent. Never used again. */
export type PeerKey = number;

/** What is known of a connection when it opens. */
export interface PeerSessionInfo {
  readonly key: PeerKey;
  readonly peerId: Uint8Array;
  /** The remote end of the connection. */
  readonly host: string;
  /** `addressKey` of it: only for outgoing connections is it where the peer listens. */
  readonly addressKey: string;
  readonly direction: "incoming" | "outgoing";
  readonly supportsFast: boolean;
  readonly supportsExtended: boolean;
  /** It names itself a SourceNode: for figures only, never for trust. */
  readonly isSourceNode: boolean;
}

/** A request of ours that is not answered yet. */
export interface OutstandingRequest {
  readonly block: BlockRef;
  readonly sentAt: Millis;
  /** Requests that were open before it. */
  readonly queuedBlocks: number;
  /** Whether the picker still counts it; not so after a snub, when others may be asked. */
  isCounted: boolean;
  /** We do not want it any more; with BEP 6 it is still answered. */
  isCancelled: boolean;
}

/** Requests of one peer that we queue at most; more are rejected. 512 × 16 KiB = 8 MiB. */
export const MAX_QUEUED_REQUESTS = 512;

/** The numbers under which peers send us extensions (BEP 10 leaves the choice to the receiver). */
export const UT_METADATA_ID = 1;
/** The same for our own extension. */
export const PARTICIPATION_ID = 2;
/** The extensions that we speak, with these numbers. */
export const OUR_EXTENSIONS: ReadonlyMap<string, number> = new Map([
  [PARTICIPATION_EXTENSION, PARTICIPATION_ID],
  ["ut_metadata", UT_METADATA_ID],
]);

export class PeerSession {
  readonly info: PeerSessionInfo;
  readonly connectedAt: Millis;
  amChoking = true;
  amInterested = false;
  peerChoking = true;
  peerInterested = false;

  /** What the peer has, as it says. */
  readonly pieces: Bitfield;
  /** Counted as a seed in the piece order, and not piece by piece. */
  isCountedAsSeed = false;
  /** It sent bitfield, have-all or have-none: once is enough. */
  saidPieces = false;
  /** Pieces that it has and we lack. */
  interestingCount = 0;

  readonly outstanding = new BlockTable<OutstandingRequest>();
  readonly window: RequestWindow;
  /** The block that is arriving now into the piece buffer. */
  receiving: BlockRef | undefined;
  isSnubbed = false;
  /** Times in a row that it rejected what it has, and until when it is not asked. */
  refusals = 0;
  refusesUntil: Millis = 0;
  /** When a block arrived last, or when we began to wait for one. */
  lastBlockAt: Millis;

  /** Requests of the peer by block number, oldest first. */
  readonly uploadQueue = new BlockTable<BlockRef>();
  /** Batches that the link is sending. */
  batchesInFlight = 0;
  /** When the link began with the oldest of them. */
  batchSince: Millis = 0;
  turnBytes = 0;
  /** Choked although there is room: the serving controller wants it so. */
  isRested = false;
  chokeChangedAt: Millis;

  readonly downloadRate: RateMeter;
  readonly uploadRate: RateMeter;
  readonly budget: MessageBudget;
  lastReceivedAt: Millis;
  lastSentAt: Millis;
  readonly #extensionIds = new Map<string, number>();
  clientName = "";
  /** Grows with good pieces and falls with bad ones that this peer gave blocks for. */
  trust = 0;
  /** Bytes that nobody had asked for, or that came too late. */
  wastedBytes = 0;

  constructor(info: PeerSessionInfo, geometry: PieceGeometry, now: Millis) {
    this.info = info;
    this.connectedAt = now;
    this.pieces = new Bitfield(geometry.pieceCount);
    this.window = new RequestWindow(now);
    this.downloadRate = new RateMeter(now);
    this.uploadRate = new RateMeter(now);
    this.budget = new MessageBudget(now);
    this.lastBlockAt = now;
    this.chokeChangedAt = now;
    this.lastReceivedAt = now;
    this.lastSentAt = now;
  }

  /** As the picker's `BlockSource`. */
  get key(): PeerKey {
    return this.info.key;
  }

  /** Ids that the peer gave the extensions that we speak, by name (BEP 10). */
  get extensionIds(): ReadonlyMap<string, number> {
    return this.#extensionIds;
  }

  /** A later handshake adds to the first one (BEP 10); names that we do not know are not kept. */
  learnExtensions(named: ReadonlyMap<string, number>): void {
    for (const name of OUR_EXTENSIONS.keys()) {
      const id = named.get(name);
      if (id !== undefined) this.#extensionIds.set(name, id);
    }
  }

  get isSeed(): boolean {
    return this.pieces.isFull;
  }

  /**
   * Requests to add now. Half of the window at least, or 64: one write then asks for much, and the
   * window is never less than half full.
   */
  get requestRoom(): number {
    const limit = this.isSnubbed ? 1 : this.window.blocks;
    const room = limit - this.outstanding.size;
    return room >= Math.min(64, Math.ceil(limit / 2)) ? room : 0;
  }
}

/** Number of a block over the whole torrent: the key of `outstanding`. */
export function blockNumber(geometry: PieceGeometry, block: BlockRef): number {
  return geometry.offsetOf(block.pieceIndex) + block.begin;
}

/** Why we close a connection; the name is what the logs show. */
export type CloseWhy =
  | "self"
  | "duplicate"
  | "too-many-peers"
  | "banned"
  | "bad-bitfield"
  | "bad-index"
  | "bad-request"
  | "flood"
  | "unexpected-message"
  | "unrequested-blocks"
  | "stalled"
  | "idle"
  | "both-seeds"
  | "stopped";
