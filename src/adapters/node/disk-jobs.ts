/**
 * What the disk threads are asked and what they answer. A job is one message for a large piece of
 * work, so that a message's cost (about 20 µs) does not count.
 */
import type { ErrorCode, ErrorDetail } from "../../base/errors.ts";
import type { CommitResult } from "../../ports/piece-store.ts";

/** A stretch of one file, or of nothing at all: a pad file, which reads as zeros (BEP 47). */
export interface FileRange {
  /** Path below the job's `base`, elements joined by "/"; undefined for a pad file. */
  readonly path: string | undefined;
  /** Byte offset in the file. */
  readonly position: number;
  /** Bytes. */
  readonly length: number;
}

/** Hashes a piece, compares it, and writes it when it matches. */
export interface CommitJob {
  readonly type: "commit";
  /** The real path of the directory that nothing may leave. */
  readonly base: string;
  /** The piece's place on disk; the lengths add up to the piece's length. */
  readonly ranges: readonly FileRange[];
  /** Holds the piece from its first byte on; may be longer. */
  readonly buffer: SharedArrayBuffer;
  /** The 20 bytes that the piece must hash to. */
  readonly digest: Uint8Array;
}

/** Hashes consecutive pieces from disk. */
export interface HashJob {
  readonly type: "hash";
  readonly base: string;
  /** The pieces' place on disk; only the last piece of all may be shorter than `pieceLength`. */
  readonly ranges: readonly FileRange[];
  readonly pieceLength: number;
}

/** Digests of a `HashJob`'s pieces. */
export interface HashedPieces {
  /** SHA-1 digests, 20 bytes a piece; meaningless for a missing piece. */
  readonly digests: Uint8Array;
  /** Numbers (from 0 in this job) of pieces that are not all there: file missing or too short. */
  readonly missing: readonly number[];
}

/** Opens a file to read from; answers a descriptor that the asker owns, or undefined: no such file. */
export interface OpenJob {
  readonly type: "open";
  readonly base: string;
  readonly path: string;
}

/** A file that a torrent speaks of. */
export interface ExpectedFile {
  readonly path: string;
  readonly length: number;
}

/** Looks at a torrent's files before work begins, and makes them ready for it. */
export interface PrepareJob {
  readonly type: "prepare";
  readonly base: string;
  readonly files: readonly ExpectedFile[];
  /** `download`: empty files are made here, as no piece ever writes to them. */
  readonly mode: "download" | "seed";
  /** Cut files that are longer than expected, instead of refusing them. */
  readonly overwrite: boolean;
}

/** How a file was found. */
export interface FileState {
  /** Its path on disk: the expected one, or the same in another Unicode form. */
  readonly path: string;
  /** Bytes; undefined when there is no such file. */
  readonly size: number | undefined;
  /** Last modification, milliseconds since the epoch with a fraction; 0 when there is none. */
  readonly mtimeMs: number;
  /** The file system's number of the file; 0 when there is none. */
  readonly ino: number;
}

/** Looks at files; changes nothing. What is no regular file, or behind a link, is no file. */
export interface StatJob {
  readonly type: "stat";
  readonly base: string;
  readonly paths: readonly string[];
}

/** Has files reach the disk (fdatasync). */
export interface SyncJob {
  readonly type: "sync";
  readonly base: string;
  readonly paths: readonly string[];
}

/** Lets go of the descriptors of everything at and below `path` (absolute; "" is everything). */
export interface ReleaseJob {
  readonly type: "release";
  readonly path: string;
}

/** What a disk thread can be asked. */
export type DiskJob = CommitJob | HashJob | OpenJob | PrepareJob | StatJob | SyncJob | ReleaseJob;

/** What each job is answered with. */
export interface DiskJobResults {
  readonly commit: CommitResult;
  readonly hash: HashedPieces;
  readonly open: number | undefined;
  readonly prepare: readonly FileState[];
  readonly stat: readonly FileState[];
  readonly sync: undefined;
  readonly release: undefined;
}

/** A failed job, as it crosses the thread. */
export interface DiskJobFailure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly detail: ErrorDetail;
}

/** One answer for each job, in the order of the jobs. */
export type DiskAnswer =
  | { readonly ok: true; readonly value: DiskJobResults[keyof DiskJobResults] }
  | { readonly ok: false; readonly failure: DiskJobFailure };
