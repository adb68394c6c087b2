/**
 * Hashes content as it lies on disk: the SHA-1 of its pieces on all cores, and on request the
 * SHA-256 of each file at the same time. Content that changes meanwhile is refused.
 */
import { join } from "node:path";
import { PieceGeometry } from "../../protocol/metainfo/piece-geometry.ts";
import { changedWhileHashing } from "./disk-error.ts";
import { type Abortable, type ByteProgress, hashRuns } from "./disk-hash-runs.ts";
import type { ExpectedFile, FileState } from "./disk-jobs.ts";
import { DiskLayout } from "./disk-layout.ts";
import type { DiskPool } from "./disk-pool.ts";
import { hashFiles } from "./hash-files.ts";

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
  readonly withSha256?: boolean;
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
 * meanwhile; CANCELLED; STORAGE_IO.
 */
export async function hashContent(options: HashContentOptions): Promise<ContentHashes> {
  options.pool.warmUp();
  const before = await statAll(options);
  for (const [i, file] of options.files.entries()) {
    if (before[i]?.size !== file.length) throw changedWhileHashing(join(options.base, file.path));
  }
  const hashes = await hashAll(options);
  for (const [i, state] of (await statAll(options)).entries()) {
    if (!isSame(state, before[i] as FileState))
      throw changedWhileHashing(join(options.base, state.path));
  }
  return hashes;
}

/** Both kinds of hashes at once; when one fails, the other is given up. */
async function hashAll(options: HashContentOptions): Promise<ContentHashes> {
  let hasFailed = false;
  const signal: Abortable = {
    get aborted() {
      return hasFailed || options.signal?.aborted === true;
    },
  };
  const { withSha256 = false, onProgress } = options;
  const done = { sha1: 0, sha256: 0 };
  const tell = (kind: "sha1" | "sha256") => (doneBytes: number, totalBytes: number) => {
    done[kind] = doneBytes;
    onProgress?.(withSha256 ? Math.floor((done.sha1 + done.sha256) / 2) : doneBytes, totalBytes);
  };
  try {
    const [pieceHashes, sha256] = await Promise.all([
      hashAsPieces({ ...options, signal, onProgress: tell("sha1") }),
      withSha256 ? hashFiles({ ...options, signal, onProgress: tell("sha256") }) : [],
    ]);
    return { pieceHashes, sha256 };
  } finally {
    hasFailed = true;
  }
}

async function hashAsPieces(options: HashContentOptions): Promise<Uint8Array> {
  const { pool, base, files, pieceLength, onProgress, signal } = options;
  let contentLength = 0;
  const placed = files.map(({ path, length }) => {
    const offset = contentLength;
    contentLength += length;
    return { path, length, offset };
  });
  const geometry = new PieceGeometry(pieceLength, contentLength);
  const layout = new DiskLayout(base, placed);
  const pieceHashes = new Uint8Array(20 * geometry.pieceCount);
  await hashRuns({ pool, layout, geometry, onProgress, signal }, (run, hashed) => {
    const [first] = hashed.missing;
    if (first !== undefined) {
      const offset = geometry.offsetOf(run.firstPiece + first);
      const [range] = layout.rangesOf(offset, geometry.lengthOf(run.firstPiece + first));
      throw changedWhileHashing(join(base, range?.path ?? ""));
    }
    pieceHashes.set(hashed.digests, 20 * run.firstPiece);
  });
  return pieceHashes;
}

function statAll(options: HashContentOptions): Promise<readonly FileState[]> {
  const paths = options.files.map(({ path }) => path);
  return options.pool.run({ type: "stat", base: options.base, paths });
}

function isSame(a: FileState, b: FileState): boolean {
  return a.size === b.size && a.mtimeMs === b.mtimeMs && a.ino === b.ino;
}
