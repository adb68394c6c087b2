/** Hashes many pieces from disk on all disk threads: the basis of checking and of creating. */
import { setImmediate } from "node:timers/promises";
import type { Bitfield } from "../../base/bitfield.ts";
import { BtPublisherError } from "../../base/errors.ts";
import type { PieceGeometry } from "../../protocol/metainfo/piece-geometry.ts";
import { DescriptorCache } from "./disk-descriptors.ts";
import { createDiskJobRunner } from "./disk-job-runner.ts";
import type { HashedPieces, HashJob } from "./disk-jobs.ts";
import type { DiskLayout } from "./disk-layout.ts";
import type { DiskPool } from "./disk-pool.ts";

/** Consecutive pieces that one job hashes. */
export interface PieceRun {
  readonly firstPiece: number;
  readonly count: number;
}

/** Something that may be given up; an `AbortSignal` is one. */
export interface Abortable {
  readonly aborted: boolean;
}

/** Bytes done of bytes to do. */
export type ByteProgress = (doneBytes: number, totalBytes: number) => void;

/** A job's size: long enough that messages do not count, short enough to stop within milliseconds. */
const RUN_BYTES = 16 * 1024 * 1024;
/** Towards the end a job is this part of what is left, so that all threads end together. */
const PART_OF_REST = 1 / 8;
/** People look at it: four times a second. */
const PROGRESS_INTERVAL_MS = 250;

/** What to hash. */
export interface HashRunsOptions {
  readonly pool: DiskPool;
  readonly layout: DiskLayout;
  readonly geometry: PieceGeometry;
  /** Undefined means all. */
  readonly pieces?: Bitfield | undefined;
  readonly onProgress?: ByteProgress | undefined;
  readonly signal?: Abortable | undefined;
}

/**
 * Hashes pieces on all disk threads and hands over each run as it is done, in any order; no further
 * ones are begun after `enough`.
 * @throws BtPublisherError CANCELLED when `signal` aborts; STORAGE_IO, ... for what cannot be read.
 */
export async function hashRuns(
  options: HashRunsOptions,
  onHashed: (run: PieceRun, hashed: HashedPieces) => "enough" | undefined | void,
): Promise<void> {
  const { pool, layout, geometry, signal } = options;
  const runs = pieceRuns(geometry, options.pieces);
  const meter = new ProgressMeter(
    runs.reduce((sum, run) => sum + runLength(geometry, run), 0),
    options.onProgress,
  );
  const queue = runs.values();
  let isEnough = false;
  const lane = async (hash: (job: HashJob) => Promise<HashedPieces>): Promise<void> => {
    for (const run of queue) {
      if (isEnough) return;
      if (signal?.aborted === true) throw cancelled();
      const length = runLength(geometry, run);
      const ranges = layout.rangesOf(geometry.offsetOf(run.firstPiece), length);
      const { pieceLength } = geometry;
      const hashed = await hash({ type: "hash", base: layout.base, ranges, pieceLength });
      if (onHashed(run, hashed) === "enough") isEnough = true;
      meter.add(length);
    }
  };
  // One job in each thread's hands and one that waits for it.
  const lanes = Array.from({ length: 2 * pool.threads }, () => lane((job) => pool.run(job)));
  if (pool.hashesHere) lanes.push(hashHere(lane));
  await Promise.all(lanes);
  if (!isEnough) meter.end();
}

/** A lane in this thread, which looks at everything else between two jobs. */
async function hashHere(
  lane: (hash: (job: HashJob) => Promise<HashedPieces>) => Promise<void>,
): Promise<void> {
  const cache = new DescriptorCache(1);
  const run = createDiskJobRunner(cache);
  try {
    await lane(async (job) => {
      await setImmediate();
      return run(job) as HashedPieces;
    });
  } finally {
    cache.dropUnder("");
  }
}

/** Tells progress at most four times a second, and the end always. */
export class ProgressMeter {
  readonly #total: number;
  readonly #onProgress: ByteProgress | undefined;
  #done = 0;
  #toldAt = 0;

  constructor(totalBytes: number, onProgress: ByteProgress | undefined) {
    this.#total = totalBytes;
    this.#onProgress = onProgress;
  }

  add(bytes: number): void {
    this.#done += bytes;
    const now = performance.now();
    if (this.#done === this.#total || now - this.#toldAt < PROGRESS_INTERVAL_MS) return;
    this.#toldAt = now;
    this.#onProgress?.(this.#done, this.#total);
  }

  end(): void {
    this.#onProgress?.(this.#total, this.#total);
  }
}

/** The error of work that was given up on purpose. */
export function cancelled(): BtPublisherError {
  return new BtPublisherError("CANCELLED", "given up before it was done");
}

/** All pieces, or those in `pieces`, as runs of at most 16 MiB (at least one piece), the last ones short. */
function pieceRuns(geometry: PieceGeometry, pieces: Bitfield | undefined): PieceRun[] {
  const longest = Math.floor(RUN_BYTES / geometry.pieceLength);
  const runs: PieceRun[] = [];
  let left = pieces?.count ?? geometry.pieceCount;
  for (let firstPiece = 0; firstPiece < geometry.pieceCount; ) {
    const maxCount = Math.max(1, Math.min(longest, Math.floor(left * PART_OF_REST)));
    let count = 0;
    while (count < maxCount && firstPiece + count < geometry.pieceCount) {
      if (pieces !== undefined && !pieces.has(firstPiece + count)) break;
      count++;
    }
    if (count > 0) runs.push({ firstPiece, count });
    left -= count;
    firstPiece += Math.max(1, count);
  }
  return runs;
}

function runLength(geometry: PieceGeometry, run: PieceRun): number {
  const end = geometry.offsetOf(run.firstPiece + run.count);
  return Math.min(geometry.contentLength, end) - geometry.offsetOf(run.firstPiece);
}
