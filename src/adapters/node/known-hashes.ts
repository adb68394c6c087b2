/** What need not be read to hash content: what was hashed while it arrived, of files that are still the same. */
import { createHash } from "node:crypto";
import { Bitfield } from "../../base/bitfield.ts";
import type { ArrivedHashes } from "../../ports/content-storage.ts";
import type { PieceGeometry } from "../../protocol/metainfo/piece-geometry.ts";
import type { FileState } from "./disk-jobs.ts";

/** A file of the content, and how it looks now. */
export interface SeenFile {
  /** Bytes. */
  readonly length: number;
  readonly state: FileState;
}

/** What is known, and what is not. */
export interface KnownHashes {
  /** By file: SHA-256, 32 bytes; undefined when the file must be read. */
  readonly sha256: (Uint8Array | undefined)[];
  /** SHA-1 digests, 20 bytes a piece; zeros for `missing` ones. */
  readonly pieceHashes: Uint8Array;
  /** Pieces that must be read. */
  readonly missing: Bitfield;
}

/** What `arrived` spares for `files`, which are in content order and fill `geometry`. */
export function knownHashes(
  geometry: PieceGeometry,
  files: readonly SeenFile[],
  arrived: ArrivedHashes | undefined,
): KnownHashes {
  const missing = Bitfield.full(geometry.pieceCount);
  const pieceHashes = new Uint8Array(20 * geometry.pieceCount);
  let offset = 0;
  const sha256 = files.map(({ length, state }, i) => {
    const begin = offset;
    offset += length;
    if (length === 0) return createHash("sha256").digest();
    const known = arrived?.files[i];
    if (arrived === undefined || known === undefined) return undefined;
    const { stamp } = known;
    if (stamp.length !== state.size || stamp.modifiedAt !== state.mtimeMs) return undefined;
    for (const piece of piecesInside(geometry, begin, offset)) {
      if (arrived.pieceLength !== geometry.pieceLength || !arrived.pieces.has(piece)) continue;
      pieceHashes.set(arrived.pieceHashes.subarray(20 * piece, 20 * piece + 20), 20 * piece);
      missing.remove(piece);
    }
    return known.sha256;
  });
  return { sha256, pieceHashes, missing };
}

/** The pieces of which every byte lies between `begin` and `end`. */
function* piecesInside(geometry: PieceGeometry, begin: number, end: number): Iterable<number> {
  const { pieceLength, pieceCount, contentLength } = geometry;
  const last = end === contentLength ? pieceCount : Math.floor(end / pieceLength);
  for (let piece = Math.ceil(begin / pieceLength); piece < last; piece++) yield piece;
}
