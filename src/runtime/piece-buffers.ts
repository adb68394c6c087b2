/** The buffers of pieces that are being assembled: taken from the store at the first block. */
import { assert } from "../base/assert.ts";
import type { PieceIndex } from "../base/units.ts";
import type { PieceStore } from "../ports/piece-store.ts";
import type { BlockRef } from "../protocol/metainfo/piece-geometry.ts";

export class PieceBuffers {
  readonly #store: PieceStore;
  readonly #buffers = new Map<PieceIndex, Uint8Array>();

  constructor(store: PieceStore) {
    this.#store = store;
  }

  /** The place of `block` in its piece's buffer. */
  viewOf(block: BlockRef): Uint8Array {
    let buffer = this.#buffers.get(block.pieceIndex);
    if (buffer === undefined) {
      buffer = this.#store.takeBuffer(block.pieceIndex);
      this.#buffers.set(block.pieceIndex, buffer);
    }
    return buffer.subarray(block.begin, block.begin + block.length);
  }

  /** The buffer of a complete piece; it is the caller's now. */
  take(index: PieceIndex): Uint8Array {
    const buffer = this.#buffers.get(index);
    assert(buffer !== undefined, `piece ${index} has no buffer`);
    this.#buffers.delete(index);
    return buffer;
  }

  /** Gives back the buffer of a piece that is given up, if it has one. */
  release(index: PieceIndex): void {
    const buffer = this.#buffers.get(index);
    if (buffer === undefined) return;
    this.#buffers.delete(index);
    this.#store.releaseBuffer(buffer);
  }

  /** Gives back what was begun and never completed. */
  releaseAll(): void {
    for (const buffer of this.#buffers.values()) this.#store.releaseBuffer(buffer);
    this.#buffers.clear();
  }
}
