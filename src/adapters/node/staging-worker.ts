/**
 * The thread that writes what is uploaded, and hashes it right after: the bytes are still in the
 * processor's cache, and publishing need not read them again. No digest ever stands for bytes that
 * were not written.
 */
import { writeSync } from "node:fs";
import { parentPort } from "node:worker_threads";
import { assert } from "../../base/assert.ts";
import type { DiskJobFailure } from "./disk-jobs.ts";
import { diskError } from "./disk-error.ts";
import { type FileDigests, FileHasher, type FilePlace } from "./file-hasher.ts";

/** What the thread is told. Only `write` is answered, in the order of the jobs. */
export type StagingJob =
  | {
      /** A file begins, or goes on where it was when it was closed. */
      readonly type: "open";
      /** Chosen by the asker. */
      readonly file: number;
      /** Stays the asker's. */
      readonly fd: number;
      /** For messages. */
      readonly path: string;
      /** Bytes that the file has. */
      readonly position: number;
      readonly place: FilePlace;
    }
  | {
      /** Appends the first `length` bytes of `slab`. After a failure all of the file's fail alike. */
      readonly type: "write";
      readonly file: number;
      readonly slab: SharedArrayBuffer;
      readonly length: number;
    }
  | {
      readonly type: "close";
      readonly file: number;
      /** Whether its hashes may go on later. */
      readonly goesOn: boolean;
    };

/** Answers a `write`. */
export interface StagingAnswer {
  /** Bytes that were written and hashed. */
  readonly bytes: number;
  /** Undefined when nothing was written. */
  readonly digests: FileDigests | undefined;
  /** Why not all bytes were written. */
  readonly failure: DiskJobFailure | undefined;
}

interface WorkFile {
  hasher: FileHasher;
  fd: number;
  path: string;
  failure: DiskJobFailure | undefined;
}

/** Files whose hashes wait to go on; the oldest are given up, and read again when published. */
const MAX_WAITING = 256;

const port = parentPort;
assert(port !== null, "staging-worker.ts runs in a worker thread");
const open = new Map<number, WorkFile>();
/** By file, oldest first. */
const waiting = new Map<number, FileHasher>();

port.on("message", (job: StagingJob) => {
  if (job.type === "write") port.postMessage(write(job));
  else if (job.type === "open") openFile(job);
  else close(job);
});

function openFile({ file, fd, path, position, place }: StagingJob & { type: "open" }): void {
  const begun = waiting.get(file);
  waiting.delete(file);
  const hasher = begun?.position === position ? begun : new FileHasher(place, position);
  open.set(file, { hasher, fd, path, failure: undefined });
}

function close({ file, goesOn }: StagingJob & { type: "close" }): void {
  const { hasher } = open.get(file) as WorkFile;
  open.delete(file);
  if (!goesOn) return;
  waiting.set(file, hasher);
  for (const oldest of waiting.keys()) {
    if (waiting.size <= MAX_WAITING) break;
    waiting.delete(oldest);
  }
}

function write({ file, slab, length }: StagingJob & { type: "write" }): StagingAnswer {
  const work = open.get(file) as WorkFile;
  const bytes = work.failure === undefined ? append(work, new Uint8Array(slab, 0, length)) : 0;
  const digests = bytes > 0 ? work.hasher.update(new Uint8Array(slab, 0, bytes)) : undefined;
  return { bytes, digests, failure: work.failure };
}

/** @returns how many bytes were written; the rest failed. */
function append(work: WorkFile, bytes: Uint8Array): number {
  const { fd, path, hasher } = work;
  let done = 0;
  try {
    while (done < bytes.length) {
      done += writeSync(fd, bytes, done, bytes.length - done, hasher.position + done);
    }
  } catch (cause) {
    const { code, message, detail } = diskError(cause, "write", path);
    work.failure = { code, message, detail };
  }
  return done;
}
