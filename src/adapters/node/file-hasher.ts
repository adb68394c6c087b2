/**
 * Hashes one file of an upload while its bytes arrive: the SHA-256 of the whole, and the SHA-1 of
 * each piece that lies in this file alone.
 */
import { createHash, type Hash } from "node:crypto";
import { concatBytes } from "../../base/bytes.ts";

/** Where a file lies in its content, and how that is cut into pieces. All in bytes. */
export interface FilePlace {
  /** Of the file's first byte in the content. */
  readonly offset: number;
  /** Of the file. */
  readonly length: number;
  readonly contentLength: number;
  readonly pieceLength: number;
}

/** What came out of some bytes. */
export interface FileDigests {
  /** The number in the content of the first piece that ended; meaningless when none did. */
  readonly firstPiece: number;
  /** SHA-1 digests of consecutive pieces, 20 bytes each. */
  readonly pieceHashes: Uint8Array;
  /** 32 bytes, once the file is complete and was hashed from its first byte on. */
  readonly sha256: Uint8Array | undefined;
}

/** Both hashes take in so many bytes in turns, which the second finds in the processor's cache. */
const STEP_BYTES = 256 * 1024;

/** See the head of this file. */
export class FileHasher {
  readonly #place: FilePlace;
  readonly #sha256: Hash | undefined;
  /** The piece at `position`, when it lies in this file and was hashed from its first byte on. */
  #piece: Hash | undefined;
  #position: number;

  /** Begins at byte `position` of the file: what lies before it will not be hashed. */
  constructor(place: FilePlace, position: number) {
    this.#place = place;
    this.#position = position;
    this.#sha256 = position === 0 ? createHash("sha256") : undefined;
  }

  /** Bytes of the file that it is at. */
  get position(): number {
    return this.#position;
  }

  /** Takes in the next bytes; together never more than the file has. */
  update(bytes: Uint8Array): FileDigests {
    const pieceHashes: Uint8Array[] = [];
    let firstPiece = 0;
    for (let done = 0; done < bytes.length; ) {
      const piece = this.#pieceHere();
      const part = bytes.subarray(done, done + Math.min(STEP_BYTES, piece.end - this.#position));
      this.#piece?.update(part);
      this.#sha256?.update(part);
      this.#position += part.length;
      done += part.length;
      if (this.#position < piece.end || this.#piece === undefined) continue;
      if (pieceHashes.length === 0) firstPiece = piece.index;
      pieceHashes.push(this.#piece.digest());
      this.#piece = undefined;
    }
    const isComplete = this.#position === this.#place.length;
    const sha256 = isComplete ? this.#sha256?.digest() : undefined;
    return { firstPiece, pieceHashes: concatBytes(pieceHashes), sha256 };
  }

  /** The piece at `position`, and where in this file it ends; begins to hash it at its first byte. */
  #pieceHere(): { readonly index: number; readonly end: number } {
    const { offset, length, contentLength, pieceLength } = this.#place;
    const index = Math.floor((offset + this.#position) / pieceLength);
    const begin = index * pieceLength - offset;
    const end = Math.min((index + 1) * pieceLength, contentLength) - offset;
    if (begin === this.#position && end <= length) this.#piece = createHash("sha1");
    return { index, end };
  }
}
