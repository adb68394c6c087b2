/**
 * Answers requests: checks them, queues them, and gives the link batches of blocks.
 *
 * Batches are as long as the peer is fast, so that one read and one write serve many blocks, while
 * little is committed to a slow peer; with a rate limit all waiting peers take turns at it.
 */
import { TokenBucket } from "../../base/token-bucket.ts";
import { BLOCK_LENGTH, type Millis, type PieceIndex } from "../../base/units.ts";
import type { BlockRef } from "../../protocol/metainfo/piece-geometry.ts";
import {
  blockNumber,
  type CloseWhy,
  MAX_QUEUED_REQUESTS,
  type PeerSession,
} from "../peer-session/peer-session.ts";
import { RateMeter } from "../requests/rate-meter.ts";
import type { TorrentState } from "./torrent-state.ts";

/** Batches that a link may have open: one on its way and one to follow without a gap. */
const MAX_BATCHES_IN_FLIGHT = 2;
const MIN_BATCH_BLOCKS = 4;
/** The least for who downloads too: on a weak uplink each block holds up his own requests. */
const MIN_BATCH_BLOCKS_OF_LEECH = 1;
/** 64 × 16 KiB: 1 MiB in one write costs the least per byte. */
const MAX_BATCH_BLOCKS = 64;
/** A batch is what the peer takes in this time. */
const BATCH_MS = 100;
/**
 * Batches of all peers together that may be under way: so much time of the uplink, at least two. On
 * a weak uplink more of them would only hold up our own requests and each other.
 */
const UNDER_WAY_MS = 1000;
const MIN_BATCHES_UNDER_WAY = 2;
/** A batch that takes longer waits for its peer, not for our uplink: it must not stop the others. */
const STUCK_MS = 2000;
/** A request longer than this is not answered: all clients in use ask for 16 KiB. */
const MAX_REQUEST_LENGTH = BLOCK_LENGTH;

export class Uploads {
  readonly #state: TorrentState;
  /** Peers with requests to answer, in the order of their turns. */
  readonly #waiting = new Set<PeerSession>();
  /** Peers with batches under way. */
  readonly #sending = new Set<PeerSession>();
  /** What this torrent gives at most, besides the limit that all share. */
  readonly #cap = new TokenBucket(undefined);
  #resumeAt: Millis | undefined;
  #uploadedBytes = 0;
  readonly #rate: RateMeter;

  constructor(state: TorrentState, now: Millis) {
    this.#state = state;
    this.#rate = new RateMeter(now);
  }

  /** Payload bytes that left for the network. */
  get uploadedBytes(): number {
    return this.#uploadedBytes;
  }

  /** Bytes per second to all peers together. */
  bytesPerSecond(now: Millis): number {
    return this.#rate.bytesPerSecond(now);
  }

  /** Gives no more than so many bytes per second from now on; undefined: no cap. */
  setCap(bytesPerSecond: number | undefined): void {
    if (bytesPerSecond !== this.#cap.rateBytesPerSecond) this.#cap.setRate(bytesPerSecond);
  }

  /** When the rate limit lets the next block go. */
  nextTimeout(): Millis | undefined {
    return this.#resumeAt;
  }

  handleTimeout(now: Millis): void {
    if (this.#resumeAt !== undefined && now >= this.#resumeAt) this.serve(now);
  }

  /** @returns why the connection must end, or undefined. */
  handleRequests(
    now: Millis,
    session: PeerSession,
    blocks: readonly BlockRef[],
  ): CloseWhy | undefined {
    for (const block of blocks) {
      if (this.#isServable(session, block)) {
        const key = blockNumber(this.#state.geometry, block);
        if (session.uploadQueue.has(key)) continue;
        session.uploadQueue.set(key, block);
        this.#state.serving?.handleRequest(now, session.key, block.pieceIndex);
        continue;
      }
      if (block.length === 0 || block.length > 131_072) return "bad-request";
      // Ordinary clients ask a little after a choke; who goes on asking for nonsense is cut off.
      const isInside = this.#state.geometry.hasBlock(block);
      if (!session.budget.spend(now, isInside ? 1 : 4)) return "flood";
      if (session.info.supportsFast) this.#state.send(session, { type: "reject", block });
      else if (!isInside) return "bad-request";
    }
    if (session.uploadQueue.size > 0) {
      this.#waiting.add(session);
      this.serve(now);
    }
    return undefined;
  }

  /** The peer does not want `block` any more. */
  handleCancel(session: PeerSession, block: BlockRef): void {
    const key = blockNumber(this.#state.geometry, block);
    if (!session.uploadQueue.delete(key)) return;
    this.#state.serving?.handleDropped(session.key, 1);
    if (session.info.supportsFast) this.#state.send(session, { type: "reject", block });
  }

  /** The oldest batch of `session` has left for the network. */
  handleBlocksSent(now: Millis, session: PeerSession, blocks: readonly BlockRef[]): void {
    let bytes = 0;
    for (const { pieceIndex, length } of blocks) {
      bytes += length;
      this.#state.serving?.handleSent(now, session.key, pieceIndex, length);
    }
    session.batchesInFlight--;
    session.batchSince = now;
    if (session.batchesInFlight === 0) this.#sending.delete(session);
    this.#rate.add(now, bytes);
    session.turnBytes += bytes;
    session.uploadRate.add(now, bytes);
    session.lastSentAt = now;
    this.#uploadedBytes += bytes;
    if (session.uploadQueue.size > 0) this.#waiting.add(session);
    this.serve(now);
  }

  /** We choke the peer: its queue is void (BEP 3), and BEP 6 wants that said. */
  dropQueue(session: PeerSession): void {
    if (session.info.supportsFast) {
      for (const block of session.uploadQueue.values()) {
        this.#state.send(session, { type: "reject", block });
      }
    }
    this.forget(session);
  }

  forget(session: PeerSession): void {
    this.#state.serving?.handleDropped(session.key, session.uploadQueue.size);
    session.uploadQueue.clear();
    this.#waiting.delete(session);
  }

  /** Its batches under way will not be told as sent. */
  handleLinkClosed(now: Millis, session: PeerSession): void {
    session.batchesInFlight = 0;
    this.#sending.delete(session);
    this.forget(session);
    this.serve(now);
  }

  /** Hands out batches while peers wait and the rate limit allows. */
  serve(now: Millis): void {
    const limit = this.#state.options.uploadLimit;
    this.#resumeAt = undefined;
    // Each round ends with a peer served or out of the set, so this ends.
    for (const session of this.#waiting) {
      if (session.batchesInFlight >= MAX_BATCHES_IN_FLIGHT || session.uploadQueue.size === 0) {
        this.#waiting.delete(session);
        continue;
      }
      if (!this.#mayStartBatch(now)) {
        this.#resumeAt = now + STUCK_MS;
        return;
      }
      const available = Math.min(limit.available(now), this.#cap.available(now));
      if (available <= 0) {
        const readyAt = this.#cap.readyAt(now, BLOCK_LENGTH);
        this.#resumeAt = Math.max(limit.readyAt(now, BLOCK_LENGTH), readyAt);
        return;
      }
      const bytes = this.#sendBatch(now, session, available / this.#waiting.size);
      limit.take(now, bytes);
      this.#cap.take(now, bytes);
      this.#waiting.delete(session);
      if (session.uploadQueue.size > 0) this.#waiting.add(session);
    }
  }

  #mayStartBatch(now: Millis): boolean {
    // A source has no requests of its own to hold up, and offers no more than its uplink sends.
    if (this.#state.serving !== undefined) return true;
    const batchBytes = MIN_BATCH_BLOCKS * BLOCK_LENGTH;
    const byRate = (this.#rate.bytesPerSecond(now) * UNDER_WAY_MS) / 1000 / batchBytes;
    let room = Math.max(MIN_BATCHES_UNDER_WAY, Math.ceil(byRate));
    for (const { batchesInFlight, batchSince } of this.#sending) {
      if (now - batchSince < STUCK_MS) room -= batchesInFlight;
    }
    return room > 0;
  }

  #sendBatch(now: Millis, session: PeerSession, availableBytes: number): number {
    const rate = session.uploadRate.bytesPerSecond(now);
    const byRate = Math.ceil((rate * BATCH_MS) / 1000 / BLOCK_LENGTH);
    const least = this.#state.have.isFull ? MIN_BATCH_BLOCKS : MIN_BATCH_BLOCKS_OF_LEECH;
    const most = Math.max(1, Math.floor(availableBytes / BLOCK_LENGTH));
    const count = Math.min(most, Math.max(least, Math.min(byRate, MAX_BATCH_BLOCKS)));
    const blocks = this.#takeQueued(session, count);
    if (session.batchesInFlight++ === 0) session.batchSince = now;
    this.#sending.add(session);
    this.#state.output({ type: "send-blocks", peer: session.key, blocks });
    return blocks.reduce((sum, { length }) => sum + length, 0);
  }

  /**
   * The oldest requests; when we are complete and may be about to leave, those for pieces with too few
   * copies first. In the midst of a download that order would only make pieces complete later.
   */
  #takeQueued(session: PeerSession, count: number): readonly BlockRef[] {
    const { belowFloor, have } = this.#state;
    const blocks: BlockRef[] = [];
    const take = (isFirst: (piece: PieceIndex) => boolean): void => {
      for (const [key, block] of session.uploadQueue) {
        if (blocks.length >= count) return;
        if (!isFirst(block.pieceIndex)) continue;
        session.uploadQueue.delete(key);
        blocks.push(block);
      }
    };
    if (have.isFull && !belowFloor.isEmpty) take((piece) => belowFloor.has(piece));
    take(() => true);
    return blocks;
  }

  #isServable(session: PeerSession, block: BlockRef): boolean {
    return (
      !session.amChoking &&
      block.length <= MAX_REQUEST_LENGTH &&
      this.#state.geometry.hasBlock(block) &&
      this.#state.have.has(block.pieceIndex) &&
      (this.#state.serving?.isShown(session.key, block.pieceIndex) ?? true) &&
      session.uploadQueue.size < MAX_QUEUED_REQUESTS
    );
  }
}
