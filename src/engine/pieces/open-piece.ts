/** A piece that is being fetched: the state of each of its blocks, and who gave them. */
import type { PieceIndex } from "../../base/units.ts";

/** A block is in exactly one of these states. */
export const blockState = { free: 0, requested: 1, receiving: 2, received: 3 } as const;

/** Key of somebody who can give blocks: a peer (≥ 0) or a web seed (< 0). */
export type SourceKey = number;

export class OpenPiece {
  readonly index: PieceIndex;
  readonly blockCount: number;
  readonly states: Uint8Array;
  /** Open requests for each block, over all sources. */
  readonly requesters: Uint8Array;
  /** When each block was last requested. */
  readonly requestedAt: Float64Array;
  /** Everybody whose block is in the buffer. */
  readonly contributors = new Set<SourceKey>();
  freeCount: number;
  receivedCount = 0;
  /** Who fetches it first of all; others only join when there is nothing better to do. */
  owner: SourceKey | undefined;
  /** After a hash failure the piece comes from one source alone, so that the culprit shows. */
  readonly isExclusive: boolean;
  #firstFree = 0;
  readonly #withFree: Set<OpenPiece>;

  /** `withFree` is kept up to date: this piece is in it while it has free blocks. */
  constructor(
    index: PieceIndex,
    blockCount: number,
    options: { readonly isExclusive: boolean; readonly withFree: Set<OpenPiece> },
  ) {
    this.index = index;
    this.blockCount = blockCount;
    this.isExclusive = options.isExclusive;
    this.#withFree = options.withFree.add(this);
    this.freeCount = blockCount;
    this.states = new Uint8Array(blockCount);
    this.requesters = new Uint8Array(blockCount);
    this.requestedAt = new Float64Array(blockCount);
  }

  get isComplete(): boolean {
    return this.receivedCount === this.blockCount;
  }

  /** Takes the first free block, or undefined. */
  takeFree(now: number): number | undefined {
    if (this.freeCount === 0) return undefined;
    let block = this.#firstFree;
    while (this.states[block] !== blockState.free) block++;
    this.#firstFree = block + 1;
    this.states[block] = blockState.requested;
    this.#useFree();
    this.addRequester(block, now);
    return block;
  }

  addRequester(block: number, now: number): void {
    this.requesters[block] = (this.requesters[block] as number) + 1;
    this.requestedAt[block] = now;
  }

  /** One request for `block` is over without the block. Frees it when it was the last one. */
  dropRequester(block: number): void {
    this.#forgetRequester(block);
    if (this.requesters[block] === 0 && this.states[block] === blockState.requested) {
      this.#free(block);
    }
  }

  /** @returns false when the block is there already or is arriving from somebody else. */
  beginReceive(block: number): boolean {
    const state = this.states[block] as number;
    if (state >= blockState.receiving) return false;
    if (state === blockState.free) this.#useFree();
    this.states[block] = blockState.receiving;
    return true;
  }

  /** The source that was sending `block` is gone in the middle of it. */
  abortReceive(block: number): void {
    if (this.states[block] !== blockState.receiving) return;
    if ((this.requesters[block] as number) > 0) this.states[block] = blockState.requested;
    else this.#free(block);
  }

  /** The whole of `block` is in the buffer. */
  finishReceive(block: number, from: SourceKey): void {
    this.states[block] = blockState.received;
    this.receivedCount++;
    this.contributors.add(from);
  }

  #forgetRequester(block: number): void {
    const count = this.requesters[block] as number;
    if (count > 0) this.requesters[block] = count - 1;
  }

  #useFree(): void {
    this.freeCount--;
    if (this.freeCount === 0) this.#withFree.delete(this);
  }

  #free(block: number): void {
    this.states[block] = blockState.free;
    this.freeCount++;
    this.#withFree.add(this);
    if (block < this.#firstFree) this.#firstFree = block;
  }
}
