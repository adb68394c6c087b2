/** What is known of one upload without reading it: the digests that came while it arrived. */
import { Bitfield } from "../../base/bitfield.ts";
import { unwrap } from "../../base/errors.ts";
import type { ContentPlan } from "../../ports/content-service.ts";
import type { ArrivedFile, ArrivedHashes, FileStamp } from "../../ports/content-storage.ts";
import { choosePieceLength } from "../../protocol/metainfo/create.ts";
import { matchKeptFiles, parseKeptInfo } from "../../protocol/metainfo/kept-info.ts";
import { sha1 } from "./disk-hash.ts";
import type { FileDigests, FilePlace } from "./file-hasher.ts";

interface KnownFile {
  /** Under which the thread hashes it. */
  readonly number: number;
  /** Undefined while it is open. */
  stamp: FileStamp | undefined;
  sha256: Uint8Array | undefined;
}

/** See the head of this file. */
export class StagingHashes {
  readonly #plan: ContentPlan;
  readonly #contentLength: number;
  readonly #pieceLength: number;
  readonly #pieces: Bitfield;
  readonly #pieceHashes: Uint8Array;
  readonly #files = new Map<number, KnownFile>();
  /** Files in the order that they have in the torrent. */
  readonly #order: readonly number[];
  /** Offsets in the content, by file. */
  readonly #offsets: readonly number[];

  constructor(plan: ContentPlan) {
    this.#plan = plan;
    const { order, pieceLength } = shapeOf(plan);
    this.#order = order;
    const offsets = plan.files.map(() => 0);
    let contentLength = 0;
    for (const fileIndex of order) {
      offsets[fileIndex] = contentLength;
      contentLength += this.#fileAt(fileIndex).length;
    }
    this.#offsets = offsets;
    this.#contentLength = contentLength;
    this.#pieceLength = pieceLength ?? choosePieceLength(contentLength);
    const pieceCount = Math.ceil(contentLength / this.#pieceLength);
    this.#pieces = new Bitfield(pieceCount);
    this.#pieceHashes = new Uint8Array(20 * pieceCount);
  }

  /** What publishing needs to know. */
  get arrived(): ArrivedHashes {
    const files = this.#order.map((i): ArrivedFile | undefined => {
      const file = this.#files.get(i);
      return file?.stamp && { stamp: file.stamp, sha256: file.sha256 };
    });
    const [pieceLength, pieces] = [this.#pieceLength, this.#pieces];
    return { pieceLength, files, pieces, pieceHashes: this.#pieceHashes };
  }

  /** Where file number `fileIndex` lies. */
  placeOf(fileIndex: number): FilePlace {
    const { length } = this.#fileAt(fileIndex);
    const offset = this.#offsets[fileIndex] as number;
    const [contentLength, pieceLength] = [this.#contentLength, this.#pieceLength];
    return { offset, length, contentLength, pieceLength };
  }

  /**
   * Somebody begins to append to a file that looks like `stamp`. What was known of it stays when
   * it looks as it did then. @returns the number under which it is hashed: `newNumber`, or the one
   * under which that began.
   */
  begin(fileIndex: number, stamp: FileStamp, newNumber: number): number {
    const known = this.#files.get(fileIndex);
    const isSame =
      known?.stamp?.length === stamp.length && known.stamp.modifiedAt === stamp.modifiedAt;
    if (known !== undefined && isSame) {
      known.stamp = undefined;
      return known.number;
    }
    this.drop(fileIndex);
    this.#files.set(fileIndex, { number: newNumber, stamp: undefined, sha256: undefined });
    return newNumber;
  }

  /** Bytes of a file were written, and led to `digests`. */
  add(fileIndex: number, { firstPiece, pieceHashes, sha256 }: FileDigests): void {
    const known = this.#files.get(fileIndex);
    if (known === undefined) return;
    known.sha256 = sha256;
    this.#pieceHashes.set(pieceHashes, 20 * firstPiece);
    for (let i = 0; 20 * i < pieceHashes.length; i++) this.#pieces.add(firstPiece + i);
  }

  /** Nobody appends to the file any more, which looks like `stamp`. */
  end(fileIndex: number, stamp: FileStamp): void {
    const known = this.#files.get(fileIndex);
    if (known !== undefined) known.stamp = stamp;
  }

  /** Whether something is known of a file. */
  knows(fileIndex: number): boolean {
    return this.#files.has(fileIndex);
  }

  /** Forgets all of a file. */
  drop(fileIndex: number): void {
    if (!this.#files.delete(fileIndex)) return;
    const { offset, length, pieceLength } = this.placeOf(fileIndex);
    const end = Math.ceil((offset + length) / pieceLength);
    for (let piece = Math.floor(offset / pieceLength); piece < end; piece++) {
      this.#pieces.remove(piece);
    }
  }

  #fileAt(fileIndex: number): ContentPlan["files"][number] {
    const file = this.#plan.files[fileIndex];
    if (file === undefined) throw new RangeError(`no file number ${fileIndex}`);
    return file;
  }
}

/** The order of the files and the length of pieces, as far as a kept info dictionary says them. */
function shapeOf(plan: ContentPlan): {
  readonly order: readonly number[];
  readonly pieceLength: number | undefined;
} {
  const { keptInfo, files } = plan;
  if (keptInfo === undefined) return { order: [...files.keys()], pieceLength: undefined };
  const info = unwrap(parseKeptInfo(keptInfo, sha1));
  return { order: unwrap(matchKeptFiles(info, plan)), pieceLength: info.geometry.pieceLength };
}
