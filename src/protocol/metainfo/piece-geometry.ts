/**
 * All piece arithmetic of a torrent in one place (BEP 3): pieces, blocks and byte offsets.
 * Content is the concatenation of the files in metainfo order; offsets are bytes into it.
 */
import { assert } from "../../base/assert.ts";
import { BLOCK_LENGTH, type PieceIndex } from "../../base/units.ts";

/** A block to request or serve: `length` bytes at `begin` inside piece `pieceIndex` (BEP 3). */
export interface BlockRef {
  readonly pieceIndex: PieceIndex;
  /** Byte offset inside the piece. */
  readonly begin: number;
  /** Bytes, normally BLOCK_LENGTH; the last block of the content may be shorter. */
  readonly length: number;
}

/** Sizes and positions of pieces and blocks. Immutable. */
export class PieceGeometry {
  /** Bytes of every piece but the last. */
  readonly pieceLength: number;
  /** Bytes of the whole content. */
  readonly contentLength: number;
  readonly pieceCount: number;

  constructor(pieceLength: number, contentLength: number) {
    assert(Number.isSafeInteger(pieceLength) && pieceLength > 0, `piece length ${pieceLength}`);
    assert(Number.isSafeInteger(contentLength) && contentLength >= 0, `length ${contentLength}`);
    this.pieceLength = pieceLength;
    this.contentLength = contentLength;
    this.pieceCount = Math.ceil(contentLength / pieceLength);
  }

  /** Bytes of piece `pieceIndex`. */
  lengthOf(pieceIndex: PieceIndex): number {
    assert(this.hasPiece(pieceIndex), `piece ${pieceIndex} of ${this.pieceCount}`);
    if (pieceIndex < this.pieceCount - 1) return this.pieceLength;
    return this.contentLength - (this.pieceCount - 1) * this.pieceLength;
  }

  /** Offset of the first byte of piece `pieceIndex` in the content. */
  offsetOf(pieceIndex: PieceIndex): number {
    return pieceIndex * this.pieceLength;
  }

  /** Blocks in piece `pieceIndex`. */
  blockCountOf(pieceIndex: PieceIndex): number {
    return Math.ceil(this.lengthOf(pieceIndex) / BLOCK_LENGTH);
  }

  /** The block number `blockIndex` of piece `pieceIndex`. */
  blockAt(pieceIndex: PieceIndex, blockIndex: number): BlockRef {
    const begin = blockIndex * BLOCK_LENGTH;
    const length = Math.min(BLOCK_LENGTH, this.lengthOf(pieceIndex) - begin);
    return { pieceIndex, begin, length };
  }

  hasPiece(pieceIndex: number): boolean {
    return Number.isInteger(pieceIndex) && pieceIndex >= 0 && pieceIndex < this.pieceCount;
  }

  /** Whether `block` (from the network) lies inside its piece and is not empty. */
  hasBlock(block: BlockRef): boolean {
    return (
      this.hasPiece(block.pieceIndex) &&
      block.length > 0 &&
      block.begin >= 0 &&
      block.begin + block.length <= this.lengthOf(block.pieceIndex)
    );
  }
}
