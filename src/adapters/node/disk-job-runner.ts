/** Carries out disk jobs, synchronously: the body of a disk thread. */
import { fdatasyncSync, fstatSync, writeSync } from "node:fs";
import { join } from "node:path";
import { equalBytes } from "../../base/bytes.ts";
import { BtPublisherError } from "../../base/errors.ts";
import type { CommitResult } from "../../ports/piece-store.ts";
import { Descriptor, type DescriptorCache } from "./disk-descriptors.ts";
import { diskError } from "./disk-error.ts";
import { hashPieces, isZero, sha1 } from "./disk-hash.ts";
import type {
  CommitJob,
  DiskJob,
  DiskJobResults,
  FileRange,
  ReleaseJob,
  SyncJob,
} from "./disk-jobs.ts";
import { type FileAccess, openContentFile, statContentFile } from "./disk-open.ts";
import { prepareFiles, statFiles } from "./disk-prepare.ts";

type Handlers = {
  readonly [Type in DiskJob["type"]]: (
    job: Extract<DiskJob, { type: Type }>,
  ) => DiskJobResults[Type];
};

/**
 * A function that carries out one job, with `cache` for the files it opens.
 * It throws BtPublisherError for what the file system refuses.
 */
export function createDiskJobRunner(
  cache: DescriptorCache,
): (job: DiskJob) => DiskJobResults[DiskJob["type"]] {
  const openToRead = (base: string, path: string) => openCached(cache, base, path, "read");
  const handlers: Handlers = {
    commit: (job) => commit(job, cache),
    hash: (job) => hashPieces(job, openToRead),
    open: (job) => openContentFile(job.base, job.path, "read"),
    prepare: prepareFiles,
    stat: statFiles,
    sync: (job) => sync(job, cache),
    release: (job) => release(job, cache),
  };
  return (job) => (handlers[job.type] as (job: DiskJob) => DiskJobResults[DiskJob["type"]])(job);
}

/** The open file at `path` below `base`; undefined when there is none to read. */
function openCached(
  cache: DescriptorCache,
  base: string,
  path: string,
  access: FileAccess,
): Descriptor | undefined {
  const full = join(base, path);
  const cached = cache.get(full);
  if (cached !== undefined && (access === "read" || cached.access === "write")) return cached;
  const fd = openContentFile(base, path, access);
  if (fd === undefined) return undefined;
  const descriptor = new Descriptor(fd, access);
  cache.add(full, descriptor);
  return descriptor;
}

function commit(job: CommitJob, cache: DescriptorCache): CommitResult {
  const parts = partsOf(job);
  const length = parts.reduce((sum, part) => sum + part.bytes.length, 0);
  if (!equalBytes(sha1(new Uint8Array(job.buffer, 0, length)), job.digest)) return "hash-mismatch";
  // Pad files are not stored. A piece with something in them could never be served again, so it is
  // refused like a wrong one; only a malicious .torrent asks for such a piece.
  if (parts.some(({ range, bytes }) => range.path === undefined && !isZero(bytes))) {
    return "hash-mismatch";
  }
  for (const { range, bytes } of parts) {
    if (range.path === undefined) continue;
    const { fd } = openCached(cache, job.base, range.path, "write") as Descriptor;
    writeFully(fd, bytes, range.position, join(job.base, range.path));
  }
  return "stored";
}

/** The piece's bytes, cut along its files. */
function partsOf(job: CommitJob): { readonly range: FileRange; readonly bytes: Uint8Array }[] {
  let offset = 0;
  return job.ranges.map((range) => {
    const bytes = new Uint8Array(job.buffer, offset, range.length);
    offset += range.length;
    return { range, bytes };
  });
}

function writeFully(fd: number, bytes: Uint8Array, position: number, path: string): void {
  try {
    for (let done = 0; done < bytes.length; ) {
      done += writeSync(fd, bytes, done, bytes.length - done, position + done);
    }
  } catch (error) {
    throw diskError(error, "write", path);
  }
}

function sync(job: SyncJob, cache: DescriptorCache): undefined {
  for (const path of job.paths) {
    const full = join(job.base, path);
    try {
      const descriptor = openCached(cache, job.base, path, "read");
      if (descriptor === undefined || !isAt(descriptor, job.base, path)) throw vanished(full);
      fdatasyncSync(descriptor.fd);
    } catch (error) {
      cache.drop(full);
      throw diskError(error, "sync", full);
    }
  }
}

/** Whether the open file is still the one at `path`: not deleted, moved or replaced. */
function isAt(descriptor: Descriptor, base: string, path: string): boolean {
  const written = fstatSync(descriptor.fd);
  const there = statContentFile(base, path, new Set());
  return there !== undefined && there.ino === written.ino && there.dev === written.dev;
}

function release(job: ReleaseJob, cache: DescriptorCache): undefined {
  cache.dropUnder(job.path);
}

function vanished(path: string): BtPublisherError {
  return new BtPublisherError(
    "STORAGE_CHANGED",
    `${JSON.stringify(path)} was deleted or replaced while it was being written; start again`,
    { detail: { path } },
  );
}
