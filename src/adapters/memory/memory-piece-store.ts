/** A PieceStore in memory, for the simulated world, tests and examples. */
import { Bitfield } from "../../base/bitfield.ts";
import { equalBytes } from "../../base/bytes.ts";
import { BtPublisherError } from "../../base/errors.ts";
import type { PieceIndex } from "../../base/units.ts";
import type { CommitResult, PieceStore } from "../../ports/piece-store.ts";
import { type Info, pieceHash } from "../../protocol/metainfo/metainfo.ts";

/** What a store in memory is made of. */
export interface MemoryPieceStoreOptions {
  /** SHA-1 of bytes: the core has no hash of its own. */
  readonly sha1: (bytes: Uint8Array) => Uint8Array;
  /** Content to start with (not verified); default: zeros, nothing had. */
  readonly content?: Uint8Array;
}

export class MemoryPieceStore implements PieceStore {
  readonly #info: Info;
  readonly #sha1: (bytes: Uint8Array) => Uint8Array;
  /** The whole content, as far as it is there. */
  readonly content: Uint8Array;

  constructor(info: Info, options: MemoryPieceStoreOptions) {
    this.#info = info;
    this.#sha1 = options.sha1;
    this.content = options.content ?? new Uint8Array(info.geometry.contentLength);
  }

  takeBuffer(pieceIndex: PieceIndex): Uint8Array {
    return new Uint8Array(this.#info.geometry.lengthOf(pieceIndex));
  }

  releaseBuffer(_buffer: Uint8Array): void {}

  async commit(pieceIndex: PieceIndex, buffer: Uint8Array): Promise<CommitResult> {
    if (!equalBytes(this.#sha1(buffer), pieceHash(this.#info, pieceIndex))) return "hash-mismatch";
    this.content.set(buffer, this.#info.geometry.offsetOf(pieceIndex));
    return "stored";
  }

  async read(offset: number, views: readonly Uint8Array[]): Promise<void> {
    let at = offset;
    for (const view of views) {
      if (at + view.length > this.content.length) {
        throw new BtPublisherError("STORAGE_IO", `no content at ${at}`);
      }
      view.set(this.content.subarray(at, at + view.length));
      at += view.length;
    }
  }

  async check(
    options: {
      readonly pieces?: Bitfield;
      readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
      readonly signal?: { readonly aborted: boolean };
    } = {},
  ): Promise<Bitfield> {
    const { geometry } = this.#info;
    const matching = new Bitfield(geometry.pieceCount);
    const pieces = [...(options.pieces ?? Bitfield.full(geometry.pieceCount))];
    const totalBytes = pieces.reduce((sum, index) => sum + geometry.lengthOf(index), 0);
    let doneBytes = 0;
    for (const index of pieces) {
      if (options.signal?.aborted === true) {
        throw new BtPublisherError("CANCELLED", "stopped while checking");
      }
      const offset = geometry.offsetOf(index);
      const piece = this.content.subarray(offset, offset + geometry.lengthOf(index));
      if (equalBytes(this.#sha1(piece), pieceHash(this.#info, index))) matching.add(index);
      doneBytes += piece.length;
      options.onProgress?.(doneBytes, totalBytes);
    }
    return matching;
  }

  async flush(): Promise<void> {}

  async close(): Promise<void> {}
}
