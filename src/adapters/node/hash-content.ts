/**
 * Hashes content as it lies on disk: the SHA-1 of its pieces on all cores, and on request the
 * SHA-256 of each file at the same time. Content that changes meanwhile is refused.
 */
import { join } from "node:path";
import type { Bitfield } from "../../base/bitfield.ts";
import type { ArrivedHashes } from "../../ports/content-storage.ts";
import { findWrongPiece, hashMismatch } from "../../protocol/metainfo/kept-info.ts";
import type { Info } from "../../protocol/metainfo/metainfo.ts";
import { PieceGeometry } from "../../protocol/metainfo/piece-geometry.ts";
import { changedWhileHashing } from "./disk-error.ts";
import { type Abortable, type ByteProgress, hashRuns } from "./disk-hash-runs.ts";
import type { ExpectedFile, FileState } from "./disk-jobs.ts";
import { DiskLayout } from "./disk-layout.ts";
import type { DiskPool } from "./disk-pool.ts";
import { hashFiles } from "./hash-files.ts";
import { type KnownHashes, knownHashes } from "./known-hashes.ts";

/** What to hash, and how. */
export interface HashContentOptions {
  readonly pool: DiskPool;
  /** The directory that `files` lie below: a real path. */
  readonly base: string;
  /** In content order; together at least one byte. */
  readonly files: readonly ExpectedFile[];
  /** Bytes. */
  readonly pieceLength: number;
  /** Whether to compute the SHA-256 of each file too. Default false. */
  readonly withSha256?: boolean | undefined;
  /** Is not read again, as far as files look as they did then. Default: nothing. */
  readonly arrived?: ArrivedHashes | undefined;
  /** The pieces must be those of this info, whose geometry is that of `files`. Default: whatever they are. */
  readonly kept?: Info | undefined;
  readonly onProgress?: ByteProgress | undefined;
  readonly signal?: Abortable | undefined;
}

/** What content hashes to. */
export interface ContentHashes {
  /** SHA-1 digests, 20 bytes a piece. */
  readonly pieceHashes: Uint8Array;
  /** SHA-256 digests by file, 32 bytes each; none when not asked for. */
  readonly sha256: readonly Uint8Array[];
}

/**
 * Hashes `files` as one content.
 * @throws BtPublisherError STORAGE_CHANGED when a file is not as long as given, or changes
 * meanwhile; HASH_MISMATCH; CANCELLED; STORAGE_IO.
 */
export async function hashContent(options: HashContentOptions): Promise<ContentHashes> {
  // For what is missing of an upload, often nothing, threads that come with the work are early enough.
  if (options.arrived === undefined) options.pool.warmUp();
  const before = await statAll(options);
  for (const [i, file] of options.files.entries()) {
    if (before[i]?.size !== file.length) throw changedWhileHashing(join(options.base, file.path));
  }
  const hashes = await hashAll(options, before);
  for (const [i, state] of (await statAll(options)).entries()) {
    if (!isSame(state, before[i] as FileState))
      throw changedWhileHashing(join(options.base, state.path));
  }
  return hashes;
}

/** Both kinds of hashes at once; when one fails, the other is given up. */
async function hashAll(
  options: HashContentOptions,
  states: readonly FileState[],
): Promise<ContentHashes> {
  const { files, pieceLength, arrived, withSha256 = false, onProgress } = options;
  const contentLength = files.reduce((sum, { length }) => sum + length, 0);
  const geometry = new PieceGeometry(pieceLength, contentLength);
  const seen = files.map(({ length }, i) => ({ length, state: states[i] as FileState }));
  const known = knownHashes(geometry, seen, arrived);
  let hasFailed = false;
  const signal: Abortable = {
    get aborted() {
      return hasFailed || options.signal?.aborted === true;
    },
  };
  const done = { sha1: 0, sha256: 0 };
  const tell = (kind: "sha1" | "sha256") => (doneBytes: number, totalBytes: number) => {
    done[kind] = contentLength - totalBytes + doneBytes;
    const sum = withSha256 ? Math.floor((done.sha1 + done.sha256) / 2) : done.sha1;
    onProgress?.(sum, contentLength);
  };
  try {
    const [pieceHashes, sha256] = await Promise.all([
      hashPieces({ ...options, signal, onProgress: tell("sha1") }, geometry, known),
      withSha256 ? hashWhole({ ...options, signal, onProgress: tell("sha256") }, known) : [],
    ]);
    return { pieceHashes, sha256 };
  } finally {
    hasFailed = true;
  }
}

/** The SHA-1 of each piece: what is known, and what is missing from disk. */
async function hashPieces(
  options: HashContentOptions,
  geometry: PieceGeometry,
  { pieceHashes, missing }: KnownHashes,
): Promise<Uint8Array> {
  const { pool, base, files, kept, onProgress, signal } = options;
  assertKept(kept, pieceHashes, missing);
  if (missing.isEmpty) return pieceHashes;
  let offset = 0;
  const placed = files.map(({ path, length }) => {
    offset += length;
    return { path, length, offset: offset - length };
  });
  const layout = new DiskLayout(base, placed);
  const runs = { pool, layout, geometry, pieces: missing, onProgress, signal };
  let wrongPiece = Number.POSITIVE_INFINITY;
  await hashRuns(runs, (run, hashed) => {
    const [first] = hashed.missing;
    if (first !== undefined) {
      const begin = geometry.offsetOf(run.firstPiece + first);
      const [range] = layout.rangesOf(begin, geometry.lengthOf(run.firstPiece + first));
      throw changedWhileHashing(join(base, range?.path ?? ""));
    }
    pieceHashes.set(hashed.digests, 20 * run.firstPiece);
    const wrong = kept && findWrongPiece(kept, hashed.digests, run.firstPiece);
    if (wrong === undefined) return undefined;
    // Runs before this one may still be in work: the first wrong piece of all is told.
    wrongPiece = Math.min(wrongPiece, wrong);
    return "enough";
  });
  if (kept !== undefined && wrongPiece < Number.POSITIVE_INFINITY)
    throw hashMismatch(kept, wrongPiece);
  return pieceHashes;
}

/** @throws HASH_MISMATCH when a piece that is known already is not the kept one. */
function assertKept(kept: Info | undefined, pieceHashes: Uint8Array, missing: Bitfield): void {
  if (kept === undefined) return;
  for (let piece = 0; piece < kept.geometry.pieceCount; piece++) {
    if (missing.has(piece)) continue;
    const digest = pieceHashes.subarray(20 * piece, 20 * piece + 20);
    if (findWrongPiece(kept, digest, piece) !== undefined) throw hashMismatch(kept, piece);
  }
}

/** The SHA-256 of each file: what is known, and what is missing from disk. */
async function hashWhole(
  options: HashContentOptions,
  known: KnownHashes,
): Promise<readonly Uint8Array[]> {
  const files = options.files.filter((_, i) => known.sha256[i] === undefined);
  const found = (files.length === 0 ? [] : await hashFiles({ ...options, files })).values();
  return known.sha256.map((digest) => digest ?? (found.next().value as Uint8Array));
}

function statAll(options: HashContentOptions): Promise<readonly FileState[]> {
  const paths = options.files.map(({ path }) => path);
  return options.pool.run({ type: "stat", base: options.base, paths });
}

function isSame(a: FileState, b: FileState): boolean {
  return a.size === b.size && a.mtimeMs === b.mtimeMs && a.ino === b.ino;
}
