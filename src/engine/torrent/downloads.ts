/**
 * Gets pieces: interest, requests, arriving blocks, verification, and who is to blame for a bad
 * piece. A piece counts only once the store has verified it.
 */
import { BLOCK_LENGTH, type Millis, type PieceIndex } from "../../base/units.ts";
import type { BlockRef } from "../../protocol/metainfo/piece-geometry.ts";
import {
  blockNumber,
  type CloseWhy,
  type OutstandingRequest,
  type PeerSession,
} from "../peer-session/peer-session.ts";
import type { SourceKey } from "../pieces/open-piece.ts";
import { PiecePicker } from "../pieces/piece-picker.ts";
import type { TorrentState } from "./torrent-state.ts";

/** A peer that lets us wait this long for a block loses its requests to others. */
const SNUB_AFTER_MS = 15_000;
/** In the middle of a block nobody else can send it: after this the connection ends. */
const STALL_AFTER_MS = 30_000;
/** A peer that owes us blocks for this long is let go. */
const GIVE_UP_AFTER_MS = 60_000;
/** A peer that rejects what it offered is asked again after this, doubled each time. */
const FIRST_REFUSAL_MS = 1000;
const LONGEST_REFUSAL_MS = 60_000;
/**
 * In the endgame a block is asked for again when its first request is this old: longer than the
 * queues that we keep at peers, or most would come twice.
 */
const ENDGAME_AGE_MS = 1500;
/** ... or this old, when the peer is so slow that it would come much later still. */
const LATE_AGE_MS = 300;
/** A peer below this is banned: four bad pieces, or fewer good ones than bad (as libtorrent). */
const BAN_BELOW_TRUST = -6;
const MAX_TRUST = 8;
/** What one peer may send for nothing: answers that crossed our cancels, twice a full window. */
const MAX_WASTED_BYTES = 16 * 1024 * 1024;
/**
 * Complete pieces that wait to be stored. More would not make the disk faster; less memory stays in
 * the processor's caches, where the next payload is copied to at twice the speed.
 */
const MAX_COMMITTING_BYTES = 16 * 1024 * 1024;
/** After a failed write the store gets this long before pieces are asked for again. */
const STORE_RETRY_MS = 5000;

/** How the downloads reach what they do not own. */
export interface DownloadsOwner {
  ban(session: PeerSession, now: Millis): void;
  /** A web seed (key < 0) alone gave a bad piece. */
  banWebSeed(key: SourceKey, now: Millis): void;
  /** Blocks became free: web seeds may take them. */
  fillWebSeeds(now: Millis): void;
}

export class Downloads {
  readonly #state: TorrentState;
  readonly #owner: DownloadsOwner;
  readonly picker: PiecePicker;
  #downloadedBytes = 0;
  #wastedBytes = 0;
  #committingCount = 0;
  readonly #maxCommitting: number;
  #fromSourceBytes = 0;
  #pausedUntil: Millis | undefined;
  #resumeAt: Millis | undefined;

  constructor(state: TorrentState, owner: DownloadsOwner) {
    this.#state = state;
    this.#owner = owner;
    const { geometry, have, options, random } = state;
    const maxOpenPieces = Math.max(4, Math.floor(options.pieceBufferBytes / geometry.pieceLength));
    this.#maxCommitting = Math.max(2, Math.floor(MAX_COMMITTING_BYTES / geometry.pieceLength));
    this.picker = new PiecePicker(geometry, have, random, {
      maxOpenPieces,
      preferred: state.belowFloor,
      onGivenUp: (pieceIndex) => state.output({ type: "drop-piece", pieceIndex }),
    });
  }

  /** Payload bytes that were wanted and arrived. */
  get downloadedBytes(): number {
    return this.#downloadedBytes;
  }

  /** Payload bytes that arrived for nothing. */
  get wastedBytes(): number {
    return this.#wastedBytes;
  }

  /** `downloadedBytes` that SourceNodes and web seeds gave. */
  get fromSourceBytes(): number {
    return this.#fromSourceBytes;
  }

  /** The disk failed, or has enough to do: nothing is asked for. */
  get isPaused(): boolean {
    return this.#pausedUntil !== undefined || this.#committingCount >= this.#maxCommitting;
  }

  nextTimeout(): Millis | undefined {
    return earliest(this.#pausedUntil, this.#resumeAt);
  }

  handleTimeout(now: Millis): void {
    if (this.#pausedUntil !== undefined && now >= this.#pausedUntil) {
      this.#pausedUntil = undefined;
      this.fillAll(now);
    }
    if (this.#resumeAt !== undefined && now >= this.#resumeAt) {
      this.#resumeAt = undefined;
      this.fillAll(now);
    }
  }

  /** The peer said that it has piece `index`. */
  handleHave(now: Millis, session: PeerSession, index: PieceIndex): void {
    if (!session.pieces.add(index)) return;
    this.#state.serving?.handleHave(now, session.key, index);
    if (!session.isCountedAsSeed) this.picker.order.increment(index);
    if (this.#state.have.has(index)) return;
    session.interestingCount++;
    this.#updateInterest(now, session);
  }

  /** The peer said all at once what it has; `session.pieces` is filled already. */
  handleAllPieces(now: Millis, session: PeerSession): void {
    const { have } = this.#state;
    if (session.pieces.isFull) {
      session.isCountedAsSeed = true;
      this.picker.order.addSeed();
      session.interestingCount = have.size - have.count;
    } else {
      this.picker.order.incrementAll(session.pieces);
      for (const index of session.pieces) if (!have.has(index)) session.interestingCount++;
    }
    this.#state.serving?.handlePieces(now, session.key);
    this.#updateInterest(now, session);
  }

  handleUnchoke(now: Millis, session: PeerSession): void {
    session.lastBlockAt = now;
    this.fill(now, session);
  }

  /** Without BEP 6 a choke voids our requests; with it the peer answers each one. */
  handleChoke(now: Millis, session: PeerSession): void {
    session.window.restart(now);
    this.picker.disown(session.key);
    if (!session.info.supportsFast) this.#withdrawAll(session);
    this.fillAll(now);
  }

  handleReject(now: Millis, session: PeerSession, block: BlockRef): CloseWhy | undefined {
    const number = blockNumber(this.#state.geometry, block);
    const request = session.outstanding.get(number);
    if (request === undefined) return session.budget.spend(now, 10) ? undefined : "flood";
    this.#withdraw(session, number, request);
    if (!session.peerChoking && !request.isCancelled) this.#handleRefusal(now, session);
    return undefined;
  }

  /** It unchoked us and rejects all the same: others get a chance before it is asked again. */
  #handleRefusal(now: Millis, session: PeerSession): void {
    if (now >= session.refusesUntil) {
      const restMs = FIRST_REFUSAL_MS * 2 ** Math.min(session.refusals, 10);
      session.refusals++;
      session.refusesUntil = now + Math.min(LONGEST_REFUSAL_MS, restMs);
      this.picker.disown(session.key);
    }
    this.fillAll(now);
  }

  /** A block begins to arrive. @returns whether its payload is wanted in the piece buffer. */
  wantsBlock(session: PeerSession, block: BlockRef): boolean {
    const asked = session.outstanding.get(blockNumber(this.#state.geometry, block))?.block;
    if (asked?.pieceIndex !== block.pieceIndex || asked.length !== block.length) return false;
    if (!this.picker.beginReceive(block)) return false;
    session.receiving = block;
    return true;
  }

  /** The whole of `block` arrived; `wasKept` as `wantsBlock` said. */
  handleBlock(
    now: Millis,
    session: PeerSession,
    block: BlockRef,
    wasKept: boolean,
  ): CloseWhy | undefined {
    const number = blockNumber(this.#state.geometry, block);
    const request = session.outstanding.get(number);
    if (request !== undefined) {
      this.#withdraw(session, number, request);
      session.window.handleBlock(now, now - request.sentAt, request.queuedBlocks, block.length);
    }
    // What arrives is paid for; what was only asked for has been given back.
    this.#state.options.downloadLimit.take(now, block.length);
    session.lastBlockAt = now;
    session.isSnubbed = false;
    session.refusals = 0;
    if (!wasKept) return this.#waste(session, block.length);
    session.receiving = undefined;
    session.downloadRate.add(now, block.length);
    if (session.info.isSourceNode) this.#fromSourceBytes += block.length;
    this.finishBlock(block, session.key);
    return undefined;
  }

  /** A wanted block is in the piece buffer, from a peer or a web seed. */
  finishBlock(block: BlockRef, from: SourceKey): void {
    this.#downloadedBytes += block.length;
    if (from < 0) this.#fromSourceBytes += block.length;
    if (this.picker.hasOtherRequesters(block)) this.#cancelElsewhere(block, from);
    if (this.picker.finishReceive(block, from)) {
      this.#committingCount++;
      this.#state.output({ type: "commit", pieceIndex: block.pieceIndex });
    }
  }

  /** What the store made of a complete piece. */
  handleCommitted(
    now: Millis,
    index: PieceIndex,
    result: "stored" | "hash-mismatch" | "failed",
  ): void {
    this.#committingCount--;
    if (result === "stored") this.#handleStored(now, index);
    else if (result === "hash-mismatch") this.#handleMismatch(now, index);
    else {
      this.picker.closeUnstored(index);
      this.#pausedUntil = now + STORE_RETRY_MS;
    }
  }

  handleLinkClosed(now: Millis, session: PeerSession): void {
    if (session.isCountedAsSeed) this.picker.order.removeSeed();
    else this.picker.order.decrementAll(session.pieces);
    if (session.receiving !== undefined) this.picker.abortReceive(session.receiving);
    session.receiving = undefined;
    this.picker.disown(session.key);
    this.#withdrawAll(session);
    this.fillAll(now);
  }

  /** Once a second: finds peers that let us wait. @returns why the connection must end. */
  checkProgress(now: Millis, session: PeerSession): CloseWhy | undefined {
    if (session.outstanding.size === 0) return undefined;
    const waitedMs = now - session.lastBlockAt;
    if (session.receiving !== undefined && waitedMs > STALL_AFTER_MS) return "stalled";
    // It lost our requests, or will never answer: a new connection begins with a clean slate.
    if (waitedMs > GIVE_UP_AFTER_MS) return "stalled";
    if (waitedMs > SNUB_AFTER_MS && !session.isSnubbed) {
      session.isSnubbed = true;
      session.window.restart(now);
      this.picker.disown(session.key);
      // Late answers are still welcome, so the requests stay known; others may ask for them too.
      for (const request of session.outstanding.values()) this.#release(request);
      this.fillAll(now);
    }
    return undefined;
  }

  /** Asks every peer that has room for more. */
  fillAll(now: Millis): void {
    if (this.#state.have.isFull) return;
    for (const session of this.#state.peers.values()) this.fill(now, session);
    this.#owner.fillWebSeeds(now);
  }

  /** Asks `session` for as much as its window, the rate limit and the picker allow. */
  fill(now: Millis, session: PeerSession): void {
    if (session.peerChoking || !session.amInterested || this.isPaused) return;
    if (now < session.refusesUntil) return;
    const room = Math.min(session.requestRoom, this.#blocksAllowed(now));
    if (room <= 0) return;
    const blocks = this.picker.pick(session, room, now);
    if (blocks.length < room) this.#addEndgame(now, session, { blocks, room });
    if (blocks.length === 0) return;
    if (session.outstanding.size === 0) session.lastBlockAt = now;
    for (const block of blocks) {
      const number = blockNumber(this.#state.geometry, block);
      const queuedBlocks = session.outstanding.size;
      session.outstanding.set(number, {
        block,
        sentAt: now,
        queuedBlocks,
        isCounted: true,
        isCancelled: false,
      });
      this.#state.options.downloadLimit.take(now, block.length);
    }
    this.#state.output({ type: "request", peer: session.key, blocks });
  }

  #addEndgame(
    now: Millis,
    session: PeerSession,
    to: { readonly blocks: BlockRef[]; readonly room: number },
  ): void {
    if (this.picker.order.availableWantedCount > 0) return;
    const late = this.#lateSessions(now);
    const extra = this.picker.pickEndgame(session, {
      count: to.room - to.blocks.length,
      now,
      mayAskToo: (block, requestedAt) => {
        const number = blockNumber(this.#state.geometry, block);
        if (session.outstanding.has(number)) return false;
        if (now - requestedAt >= ENDGAME_AGE_MS) return true;
        return (
          now - requestedAt >= LATE_AGE_MS && late.some((each) => each.outstanding.has(number))
        );
      },
    });
    to.blocks.push(...extra);
  }

  /** Peers that will need longer for what they were asked for than we would wait in the endgame. */
  #lateSessions(now: Millis): readonly PeerSession[] {
    const late: PeerSession[] = [];
    for (const session of this.#state.peers.values()) {
      const bytes = session.outstanding.size * BLOCK_LENGTH;
      const mostBytes = (session.window.bytesPerSecond(now) * ENDGAME_AGE_MS) / 1000;
      if (bytes > 2 * mostBytes) late.push(session);
    }
    return late;
  }

  #blocksAllowed(now: Millis): number {
    const limit = this.#state.options.downloadLimit;
    const blocks = Math.floor(limit.available(now) / BLOCK_LENGTH);
    if (blocks <= 0) this.#resumeAt = limit.readyAt(now, BLOCK_LENGTH);
    return blocks;
  }

  #handleStored(now: Millis, index: PieceIndex): void {
    this.picker.closeStored(index, (key) => {
      const session = this.#state.peers.get(key);
      if (session !== undefined) session.trust = Math.min(MAX_TRUST, session.trust + 1);
    });
    this.#state.have.add(index);
    for (const session of this.#state.peers.values()) {
      this.#state.send(session, { type: "have", pieceIndex: index });
      if (!session.pieces.has(index)) continue;
      session.interestingCount--;
      this.#updateInterest(now, session);
    }
    this.#state.output({ type: "piece-stored", pieceIndex: index });
    if (this.#state.have.isFull) this.#state.output({ type: "completed" });
    else this.fillAll(now);
  }

  /** Who gave blocks of a bad piece alone is banned at once; of several, all lose trust. */
  #handleMismatch(now: Millis, index: PieceIndex): void {
    const contributors = this.picker.closeMismatch(index);
    const isAlone = contributors.length === 1;
    for (const key of contributors) {
      if (key < 0) {
        if (isAlone) this.#owner.banWebSeed(key, now);
        continue;
      }
      const session = this.#state.peers.get(key);
      if (session === undefined) continue;
      session.trust -= 2;
      if (isAlone || session.trust < BAN_BELOW_TRUST) this.#owner.ban(session, now);
    }
    this.fillAll(now);
  }

  #cancelElsewhere(block: BlockRef, from: SourceKey): void {
    const number = blockNumber(this.#state.geometry, block);
    for (const session of this.#state.peers.values()) {
      if (session.key === from || !session.outstanding.has(number)) continue;
      this.#state.send(session, { type: "cancel", block });
      (session.outstanding.get(number) as OutstandingRequest).isCancelled = true;
      // With BEP 6 the peer still answers, by the block or a reject; without it nothing may come.
      if (!session.info.supportsFast) {
        this.#withdraw(session, number, session.outstanding.get(number) as OutstandingRequest);
      }
    }
  }

  #withdraw(session: PeerSession, number: number, request: OutstandingRequest): void {
    session.outstanding.delete(number);
    this.#release(request);
  }

  #withdrawAll(session: PeerSession): void {
    for (const request of session.outstanding.values()) this.#release(request);
    session.outstanding.clear();
  }

  #release(request: OutstandingRequest): void {
    if (!request.isCounted) return;
    request.isCounted = false;
    this.#state.options.downloadLimit.giveBack(request.block.length);
    this.picker.release(request.block);
  }

  #updateInterest(now: Millis, session: PeerSession): void {
    const isInterested = session.interestingCount > 0;
    if (session.amInterested !== isInterested) {
      session.amInterested = isInterested;
      this.#state.send(session, { type: isInterested ? "interested" : "not-interested" });
    }
    if (isInterested) this.fill(now, session);
  }

  #waste(session: PeerSession, bytes: number): CloseWhy | undefined {
    this.#wastedBytes += bytes;
    session.wastedBytes += bytes;
    return session.wastedBytes > MAX_WASTED_BYTES ? "unrequested-blocks" : undefined;
  }
}

function earliest(a: Millis | undefined, b: Millis | undefined): Millis | undefined {
  if (a === undefined) return b;
  return b === undefined ? a : Math.min(a, b);
}
