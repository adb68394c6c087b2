/**
 * Which blocks to ask whom for: rarest first, whole pieces from one source where possible, and the
 * last blocks from several at once (endgame).
 *
 * Invariant: every piece is had, open, or wanted (in the order). Open pieces hold memory; their
 * number is bounded by `maxOpenPieces`.
 */
import { assert } from "../../base/assert.ts";
import type { Bitfield } from "../../base/bitfield.ts";
import type { Random } from "../../base/random.ts";
import { BLOCK_LENGTH, type Millis, type PieceIndex } from "../../base/units.ts";
import type { BlockRef, PieceGeometry } from "../../protocol/metainfo/piece-geometry.ts";
import { blockState, OpenPiece, type SourceKey } from "./open-piece.ts";
import { PieceOrder } from "./piece-order.ts";

/** Somebody to ask for blocks, as the picker sees them. */
export interface BlockSource {
  readonly key: SourceKey;
  readonly pieces: Bitfield;
}

/** Requests for one block in the endgame, at most: the first asked and one that may be quicker. */
const MAX_ENDGAME_REQUESTERS = 2;

export class PiecePicker {
  readonly order: PieceOrder;
  readonly #geometry: PieceGeometry;
  readonly #have: Bitfield;
  readonly #maxOpenPieces: number;
  readonly #preferred: Bitfield | undefined;
  readonly #onGivenUp: (index: PieceIndex) => void;
  readonly #open = new Map<PieceIndex, OpenPiece>();
  /** Open pieces with free blocks. */
  readonly #withFree = new Set<OpenPiece>();
  /** The piece that each source works on. */
  readonly #current = new Map<SourceKey, OpenPiece>();
  /** Pieces that failed their hash: fetched again from one source alone. */
  readonly #suspect = new Set<PieceIndex>();
  /**
   * Sources that had no wanted piece, as of a version of the order and a count of their pieces: so
   * that a peer that can help with nothing is not looked at, piece by piece, at every event.
   */
  readonly #barren = new Map<SourceKey, { readonly version: number; readonly count: number }>();

  /** `have` is shared with the owner and only read here. */
  constructor(
    geometry: PieceGeometry,
    have: Bitfield,
    random: Random,
    options: {
      readonly maxOpenPieces: number;
      /** Of equally rare pieces these come first; shared with the owner and only read here. */
      readonly preferred?: Bitfield;
      /** A begun piece was closed: its buffer is free. */
      readonly onGivenUp?: (index: PieceIndex) => void;
    },
  ) {
    this.#onGivenUp = options.onGivenUp ?? (() => {});
    this.#geometry = geometry;
    this.#have = have;
    this.#maxOpenPieces = options.maxOpenPieces;
    this.#preferred = options.preferred;
    this.order = new PieceOrder(geometry.pieceCount, random);
    for (let index = 0; index < geometry.pieceCount; index++) {
      if (!have.has(index)) this.order.want(index);
    }
  }

  get openCount(): number {
    return this.#open.size;
  }

  isOpen(index: PieceIndex): boolean {
    return this.#open.has(index);
  }

  /** Up to `count` blocks to request from `source` now; they count as requested. */
  pick(source: BlockSource, count: number, now: Millis): BlockRef[] {
    const blocks: BlockRef[] = [];
    while (blocks.length < count) {
      const piece = this.#pieceFor(source);
      if (piece === undefined) break;
      this.#takeFrom(piece, { blocks, count, now });
    }
    return blocks;
  }

  /**
   * A run of adjacent, untouched pieces for a source that answers byte ranges (a web seed): from
   * the rarest wanted piece on, at most `maxBytes` but at least one piece. Empty when there is none.
   */
  pickRun(source: BlockSource, maxBytes: number, now: Millis): BlockRef[] {
    const blocks: BlockRef[] = [];
    const first = this.#pieceFor(source);
    if (first === undefined) return blocks;
    this.#takeAdjacent(first, { blocks, count: Number.POSITIVE_INFINITY, now });
    let index = first.index + 1;
    let bytes = blocks.length * BLOCK_LENGTH;
    while (this.#endsPiece(blocks.at(-1)) && this.#canOpen(source, index)) {
      bytes += this.#geometry.lengthOf(index);
      if (bytes > maxBytes) break;
      this.#takeFrom(this.#openFor(source, index), {
        blocks,
        count: Number.POSITIVE_INFINITY,
        now,
      });
      index++;
    }
    return blocks;
  }

  /**
   * When every piece to be had is open and asked for: up to `count` blocks that others were asked
   * for and that `mayAskToo` allows, by when they were asked; they count as requested twice.
   */
  pickEndgame(
    source: BlockSource,
    options: {
      readonly count: number;
      readonly now: Millis;
      readonly mayAskToo: (block: BlockRef, requestedAt: Millis) => boolean;
    },
  ): BlockRef[] {
    const blocks: BlockRef[] = [];
    if (this.order.availableWantedCount > 0) return blocks;
    for (const piece of this.#open.values()) {
      if (piece.isExclusive || !source.pieces.has(piece.index)) continue;
      for (let block = 0; block < piece.blockCount; block++) {
        if (blocks.length >= options.count) return blocks;
        if (piece.states[block] !== blockState.requested) continue;
        if ((piece.requesters[block] as number) >= MAX_ENDGAME_REQUESTERS) continue;
        const ref = this.#geometry.blockAt(piece.index, block);
        if (!options.mayAskToo(ref, piece.requestedAt[block] as number)) continue;
        piece.addRequester(block, options.now);
        blocks.push(ref);
      }
    }
    return blocks;
  }

  /** A request ended without its block: choke, reject, time-out, cancel or a closed link. */
  release(block: BlockRef): void {
    this.#open.get(block.pieceIndex)?.dropRequester(block.begin / BLOCK_LENGTH);
  }

  /** `source` leaves, is choked or snubbed: its pieces are free for others to finish. */
  disown(source: SourceKey): void {
    this.#current.delete(source);
    this.#barren.delete(source);
    for (const piece of this.#open.values()) if (piece.owner === source) piece.owner = undefined;
  }

  /** A block begins to arrive. @returns whether its bytes are wanted. */
  beginReceive(block: BlockRef): boolean {
    return this.#open.get(block.pieceIndex)?.beginReceive(block.begin / BLOCK_LENGTH) ?? false;
  }

  abortReceive(block: BlockRef): void {
    this.#open.get(block.pieceIndex)?.abortReceive(block.begin / BLOCK_LENGTH);
  }

  /** A wanted block arrived whole. @returns whether its piece is complete now. */
  finishReceive(block: BlockRef, from: SourceKey): boolean {
    const piece = this.#open.get(block.pieceIndex);
    assert(piece !== undefined, `block of piece ${block.pieceIndex}, which is not open`);
    piece.finishReceive(block.begin / BLOCK_LENGTH, from);
    return piece.isComplete;
  }

  /** Whether somebody else was asked for `block` too. */
  hasOtherRequesters(block: BlockRef): boolean {
    const piece = this.#open.get(block.pieceIndex);
    return piece !== undefined && (piece.requesters[block.begin / BLOCK_LENGTH] as number) > 0;
  }

  /** The piece is verified and stored. `onContributor` hears who gave blocks of it. */
  closeStored(index: PieceIndex, onContributor: (key: SourceKey) => void): void {
    for (const key of this.#close(index).contributors) onContributor(key);
    this.#suspect.delete(index);
  }

  /** The piece did not match its hash. @returns everybody whose blocks were in it. */
  closeMismatch(index: PieceIndex): readonly SourceKey[] {
    const piece = this.#close(index);
    this.#suspect.add(index);
    this.order.want(index);
    return [...piece.contributors];
  }

  /** The piece was good but could not be stored: it is wanted again. */
  closeUnstored(index: PieceIndex): void {
    this.#close(index);
    this.order.want(index);
  }

  #close(index: PieceIndex): OpenPiece {
    const piece = this.#open.get(index);
    assert(piece !== undefined, `piece ${index} is not open`);
    this.#open.delete(index);
    this.#withFree.delete(piece);
    for (const [source, current] of this.#current) {
      if (current === piece) this.#current.delete(source);
    }
    return piece;
  }

  /** The piece that `source` should work on next, in the order of the cases below. */
  #pieceFor(source: BlockSource): OpenPiece | undefined {
    const current = this.#current.get(source.key);
    if (current !== undefined && current.freeCount > 0) return current;
    // A piece that nobody works on any more holds memory and is nearly there: finish it first.
    const orphan = this.#openWithFree(
      source,
      ({ owner }) => owner === undefined || owner === source.key,
    );
    if (orphan !== undefined) return this.#own(source, orphan);
    const hasRoom = this.#open.size < this.#maxOpenPieces;
    // Only pieces with free blocks can be joined or given up.
    if (!hasRoom && this.#withFree.size === 0) return undefined;
    const rarest = this.#rarestOf(source);
    if (rarest !== undefined && (hasRoom || this.#giveUpOne())) {
      return this.#openFor(source, rarest);
    }
    return this.#openWithFree(source, (piece) => !piece.isExclusive);
  }

  #rarestOf(source: BlockSource): PieceIndex | undefined {
    const { version } = this.order;
    const { count } = source.pieces;
    const barren = this.#barren.get(source.key);
    if (barren?.version === version && barren.count === count) return undefined;
    const rarest = this.order.rarestOf(source.pieces, this.#preferred);
    if (rarest === undefined) this.#barren.set(source.key, { version, count });
    return rarest;
  }

  /**
   * Closes a piece that nobody works on and that nobody is asked for, so that it does not keep
   * others from being fetched: those who have it may be gone for good. @returns whether there was one.
   */
  #giveUpOne(): boolean {
    let least: OpenPiece | undefined;
    for (const piece of this.#withFree) {
      if (piece.owner !== undefined) continue;
      if (piece.freeCount + piece.receivedCount < piece.blockCount) continue;
      if (least === undefined || piece.receivedCount < least.receivedCount) least = piece;
    }
    if (least === undefined) return false;
    this.#close(least.index);
    this.order.want(least.index);
    this.#onGivenUp(least.index);
    return true;
  }

  #openWithFree(
    source: BlockSource,
    accepts: (piece: OpenPiece) => boolean,
  ): OpenPiece | undefined {
    for (const piece of this.#withFree) {
      if (accepts(piece) && source.pieces.has(piece.index)) return piece;
    }
    return undefined;
  }

  /** Whether the next piece would follow without a gap. */
  #endsPiece(block: BlockRef | undefined): boolean {
    if (block === undefined) return false;
    return block.begin + block.length === this.#geometry.lengthOf(block.pieceIndex);
  }

  #canOpen(source: BlockSource, index: PieceIndex): boolean {
    return (
      this.#geometry.hasPiece(index) &&
      this.order.isWanted(index) &&
      source.pieces.has(index) &&
      this.#open.size < this.#maxOpenPieces
    );
  }

  #openFor(source: BlockSource, index: PieceIndex): OpenPiece {
    assert(!this.#have.has(index), `piece ${index} is there already`);
    this.order.unwant(index);
    const blockCount = this.#geometry.blockCountOf(index);
    const isExclusive = this.#suspect.has(index);
    const piece = new OpenPiece(index, blockCount, { isExclusive, withFree: this.#withFree });
    this.#open.set(index, piece);
    return this.#own(source, piece);
  }

  #own(source: BlockSource, piece: OpenPiece): OpenPiece {
    piece.owner = source.key;
    this.#current.set(source.key, piece);
    return piece;
  }

  #takeFrom(piece: OpenPiece, into: { blocks: BlockRef[]; count: number; now: Millis }): void {
    while (into.blocks.length < into.count) {
      const block = piece.takeFree(into.now);
      if (block === undefined) return;
      into.blocks.push(this.#geometry.blockAt(piece.index, block));
    }
  }

  /** Takes free blocks of `piece` as long as each follows the one before. */
  #takeAdjacent(piece: OpenPiece, into: { blocks: BlockRef[]; count: number; now: Millis }): void {
    let next: number | undefined;
    while (piece.freeCount > 0) {
      if (next !== undefined && piece.states[next] !== blockState.free) return;
      const block = piece.takeFree(into.now) as number;
      into.blocks.push(this.#geometry.blockAt(piece.index, block));
      next = block + 1;
    }
  }
}
