/**
 * The verified content of one torrent. Bytes go in by whole pieces, and only after they hashed to
 * what the metainfo says; so nothing that is read from a store was ever taken on trust.
 */
import type { Bitfield } from "../base/bitfield.ts";
import type { PieceIndex } from "../base/units.ts";

/** What became of a piece that was handed over. */
export type CommitResult =
  /** It matched and the operating system has it (not necessarily the disk: see `flush`). */
  | "stored"
  /** It did not match; nothing was written. */
  | "hash-mismatch";

export interface PieceStore {
  /**
   * A buffer of exactly the piece's length, to assemble a piece in. From a pool: give it back with
   * `commit` or `releaseBuffer`, then do not touch it again.
   */
  takeBuffer(pieceIndex: PieceIndex): Uint8Array;
  releaseBuffer(buffer: Uint8Array): void;
  /**
   * Hashes `buffer` (from `takeBuffer(pieceIndex)`), and stores it when it matches.
   * @throws BtPublisherError STORAGE_FULL, STORAGE_IO, ... when it matched but could not be written.
   */
  commit(pieceIndex: PieceIndex, buffer: Uint8Array): Promise<CommitResult>;
  /**
   * Fills `views`, one after the other, from content offset `offset` on. Undefined: done already, as
   * when the system has the bytes in memory. Rejects with STORAGE_IO.
   */
  read(offset: number, views: readonly Uint8Array[]): Promise<void> | undefined;
  /**
   * Hashes what is stored and returns the pieces that match. `pieces` undefined means all.
   * `onProgress` hears bytes done of bytes to do, at most a few times a second.
   * @throws BtPublisherError CANCELLED when `signal` aborts before all is hashed.
   */
  check(options?: {
    readonly pieces?: Bitfield;
    readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
    readonly signal?: { readonly aborted: boolean };
  }): Promise<Bitfield>;
  /** Returns once all that was committed before has reached the disk (fdatasync). */
  flush(): Promise<void>;
  /** Flushes and lets go of files and workers. No call may be open or follow. */
  close(): Promise<void>;
}
