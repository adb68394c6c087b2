/**
 * The buffers of pieces that are being assembled: taken from the store at the first block.
 *
 * Views of blocks are made once for each memory that the store gives out again and again, since
 * making a view takes longer than the rest of what is done for a block.
 */
import { assert } from "../base/assert.ts";
import { BLOCK_LENGTH, type PieceIndex } from "../base/units.ts";
import type { PieceStore } from "../ports/piece-store.ts";
import type { BlockRef } from "../protocol/metainfo/piece-geometry.ts";

/** A piece that is being assembled, and views of its whole blocks by their number. */
interface OpenBuffer {
  readonly bytes: Uint8Array;
  readonly blocks: (Uint8Array | undefined)[];
}

export class PieceBuffers {
  readonly #store: PieceStore;
  readonly #buffers = new Map<PieceIndex, OpenBuffer>();
  readonly #blocksOf = new WeakMap<ArrayBufferLike, (Uint8Array | undefined)[]>();

  constructor(store: PieceStore) {
    this.#store = store;
  }

  /** The place of `block` in its piece's buffer. */
  viewOf(block: BlockRef): Uint8Array {
    const { bytes, blocks } = this.#buffers.get(block.pieceIndex) ?? this.#take(block.pieceIndex);
    const { begin, length } = block;
    const number = begin / BLOCK_LENGTH;
    if (length !== BLOCK_LENGTH || !Number.isInteger(number)) {
      return bytes.subarray(begin, begin + length);
    }
    return (blocks[number] ??= bytes.subarray(begin, begin + length));
  }

  /** The buffer of a complete piece; it is the caller's now. */
  take(index: PieceIndex): Uint8Array {
    const buffer = this.#buffers.get(index);
    assert(buffer !== undefined, `piece ${index} has no buffer`);
    this.#buffers.delete(index);
    return buffer.bytes;
  }

  /** Gives back the buffer of a piece that is given up, if it has one. */
  release(index: PieceIndex): void {
    const buffer = this.#buffers.get(index);
    if (buffer === undefined) return;
    this.#buffers.delete(index);
    this.#store.releaseBuffer(buffer.bytes);
  }

  /** Gives back what was begun and never completed. */
  releaseAll(): void {
    for (const { bytes } of this.#buffers.values()) this.#store.releaseBuffer(bytes);
    this.#buffers.clear();
  }

  #take(index: PieceIndex): OpenBuffer {
    const bytes = this.#store.takeBuffer(index);
    // Only memory that is all the piece's is known by itself.
    const blocks = bytes.byteOffset === 0 ? (this.#blocksOf.get(bytes.buffer) ?? []) : [];
    this.#blocksOf.set(bytes.buffer, blocks);
    const buffer = { bytes, blocks };
    this.#buffers.set(index, buffer);
    return buffer;
  }
}
