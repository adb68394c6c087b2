/**
 * The content of one torrent in files. What is written was hashed by the same disk thread in the
 * same job, from memory that nobody else touches; so nothing unverified ever reaches the disk.
 */
import { realpath } from "node:fs/promises";
import { join } from "node:path";
import { assert } from "../../base/assert.ts";
import { Bitfield } from "../../base/bitfield.ts";
import { equalBytes } from "../../base/bytes.ts";
import type { PieceIndex } from "../../base/units.ts";
import type { CommitResult, PieceStore } from "../../ports/piece-store.ts";
import { type Info, pieceHash } from "../../protocol/metainfo/metainfo.ts";
import { DiskBuffers } from "./disk-buffers.ts";
import { diskError } from "./disk-error.ts";
import { hashRuns } from "./disk-hash-runs.ts";
import type { FileRange, FileState } from "./disk-jobs.ts";
import { DiskLayout, pathsBelow } from "./disk-layout.ts";
import type { DiskPool } from "./disk-pool.ts";
import { makeFolders } from "./make-folders.ts";

/** Which content to open, where, and for what. */
export interface DiskPieceStoreOptions {
  readonly info: Info;
  /** The content is `directory/<name>`. Made when missing, in mode `download`. */
  readonly directory: string;
  /** What the content's file or folder is called there. Default: as in `info`. */
  readonly name?: string;
  /** `seed` never writes, and works on a read-only file system. */
  readonly mode: "download" | "seed";
  /** Cut files that are longer than the torrent's, instead of refusing them. Default false. */
  readonly overwrite?: boolean;
  readonly pool: DiskPool;
}

/**
 * Opens the files of `info` below `directory`. Files that exist are taken as they are: what they
 * hold is for `check` to say. Files are made as pieces come; empty ones at once.
 *
 * @throws BtPublisherError STORAGE_EXISTS for a file longer than the torrent's; STORAGE_PATH for a
 * symbolic link below `directory`; STORAGE_TYPE for what is no regular file; STORAGE_IO.
 */
export async function openDiskPieceStore(options: DiskPieceStoreOptions): Promise<DiskPieceStore> {
  const { info, directory, mode, pool } = options;
  // Somebody will read or write soon: a disk thread starts meanwhile.
  pool.warmUp(1);
  const base = await realDirectory(directory, mode);
  const paths = pathsBelow(info, options.name);
  const expected = info.files.flatMap(({ length }, i) => {
    const path = paths[i];
    return path === undefined ? [] : [{ path, length }];
  });
  const overwrite = mode === "download" && options.overwrite === true;
  const job = { type: "prepare", base, files: expected, mode, overwrite } as const;
  const states = await pool.run(job);
  const onDisk = new Map(states.map((state, i) => [expected[i]?.path, state.path]));
  const files = info.files.map(({ offset, length }, i) => ({
    path: onDisk.get(paths[i]),
    offset,
    length,
  }));
  return new DiskPieceStore(options, new DiskLayout(base, files));
}

/** See `openDiskPieceStore`, which makes it. */
export class DiskPieceStore implements PieceStore {
  /** The file or directory that is the whole content, as it is named on disk. */
  readonly path: string;
  readonly #info: Info;
  readonly #mode: "download" | "seed";
  readonly #pool: DiskPool;
  readonly #layout: DiskLayout;
  readonly #buffers: DiskBuffers;
  /** Paths of files that were written since they last reached the disk for certain. */
  #dirty = new Set<string>();
  #syncError: Error | undefined;
  /** What must succeed before the first write, until it has. */
  #prepare: (() => Promise<void>) | undefined;
  #preparing: Promise<void> | undefined;

  constructor(options: DiskPieceStoreOptions, layout: DiskLayout) {
    this.#info = options.info;
    this.#mode = options.mode;
    this.#pool = options.pool;
    this.#layout = layout;
    this.#buffers = new DiskBuffers(options.info.geometry.pieceLength);
    const [path = options.name ?? options.info.name] = layout.files.flatMap(
      (file) => file.path ?? [],
    );
    this.path = join(layout.base, path.split("/", 1)[0] as string);
  }

  takeBuffer(pieceIndex: PieceIndex): Uint8Array {
    return this.#buffers.take(this.#info.geometry.lengthOf(pieceIndex));
  }

  /**
   * Nothing is written before `prepare` has succeeded. It is begun at once, and begun again by the
   * next write when it failed, which fails with it.
   */
  writeAfter(prepare: () => Promise<void>): void {
    this.#prepare = prepare;
    this.#prepared().catch(() => undefined);
  }

  releaseBuffer(buffer: Uint8Array): void {
    this.#buffers.giveBack(buffer);
  }

  async commit(pieceIndex: PieceIndex, buffer: Uint8Array): Promise<CommitResult> {
    assert(this.#mode === "download", "a store that was opened to seed is not written");
    const { geometry } = this.#info;
    const length = geometry.lengthOf(pieceIndex);
    assert(buffer.length === length, `${buffer.length} bytes for piece ${pieceIndex} of ${length}`);
    const ranges = this.#layout.rangesOf(geometry.offsetOf(pieceIndex), length);
    try {
      if (this.#prepare !== undefined) await this.#prepared();
      const result = await this.#pool.run({
        type: "commit",
        base: this.#layout.base,
        ranges,
        buffer: this.#buffers.memoryOf(buffer),
        // A copy: a message takes a view's whole memory along, here all hashes of the torrent.
        digest: pieceHash(this.#info, pieceIndex).slice(),
      });
      if (result === "stored") this.#markDirty(ranges);
      return result;
    } finally {
      this.#buffers.giveBack(buffer);
    }
  }

  read(offset: number, views: readonly Uint8Array[]): Promise<void> | undefined {
    const length = views.reduce((sum, view) => sum + view.length, 0);
    const { contentLength } = this.#info.geometry;
    assert(offset >= 0 && offset + length <= contentLength, `read of ${length} at ${offset}`);
    const ranges = this.#layout.rangesOf(offset, length);
    const [range] = ranges;
    if (ranges.length === 1 && range !== undefined) return this.#readRange(range, views);
    return this.#readRanges(ranges, views);
  }

  async #readRanges(ranges: readonly FileRange[], views: readonly Uint8Array[]): Promise<void> {
    let rest = views;
    for (const range of ranges) {
      const [part, after] = splitViews(rest, range.length);
      await this.#readRange(range, part);
      rest = after;
    }
  }

  #readRange(range: FileRange, views: readonly Uint8Array[]): Promise<void> | undefined {
    const { path, position } = range;
    if (path !== undefined) {
      return this.#pool.reader.read({ base: this.#layout.base, path, position }, views);
    }
    for (const view of views) view.fill(0);
    return undefined;
  }

  async check(options: CheckOptions = {}): Promise<Bitfield> {
    const { geometry } = this.#info;
    const found = new Bitfield(geometry.pieceCount);
    await hashRuns(
      { pool: this.#pool, layout: this.#layout, geometry, ...options },
      (run, { digests, missing }) => {
        const isMissing = new Set(missing);
        for (let k = 0; k < run.count; k++) {
          const digest = digests.subarray(20 * k, 20 * k + 20);
          const pieceIndex = run.firstPiece + k;
          if (isMissing.has(k) || !equalBytes(digest, pieceHash(this.#info, pieceIndex))) continue;
          found.add(pieceIndex);
        }
      },
    );
    return found;
  }

  async flush(): Promise<void> {
    // The system reports a lost write once, and then forgets it; we do not.
    if (this.#syncError !== undefined) throw this.#syncError;
    const paths = [...this.#dirty];
    this.#dirty = new Set();
    try {
      await Promise.all(batches(paths, FILES_PER_SYNC).map((batch) => this.#sync(batch)));
    } catch (error) {
      this.#syncError = error as Error;
      throw error;
    }
  }

  async close(): Promise<void> {
    try {
      await this.flush();
    } finally {
      await this.#pool.release(this.path);
    }
  }

  /** How the files are on disk now, pad files left out, in content order. */
  async fileStates(): Promise<readonly FileState[]> {
    const paths = this.#layout.files.flatMap(({ path }) => (path === undefined ? [] : [path]));
    return this.#pool.run({ type: "stat", base: this.#layout.base, paths });
  }

  /** Resolves once there is nothing any more that must precede a write. */
  #prepared(): Promise<void> {
    this.#preparing ??= (this.#prepare?.() ?? Promise.resolve()).then(
      () => {
        this.#prepare = undefined;
      },
      (error: unknown) => {
        this.#preparing = undefined;
        throw error;
      },
    );
    return this.#preparing;
  }

  #sync(paths: readonly string[]): Promise<undefined> {
    return this.#pool.run({ type: "sync", base: this.#layout.base, paths });
  }

  #markDirty(ranges: readonly FileRange[]): void {
    for (const { path } of ranges) if (path !== undefined) this.#dirty.add(path);
  }
}

type CheckOptions = NonNullable<Parameters<PieceStore["check"]>[0]>;

/** Files that one job makes durable: so that a thread is not taken away for long. */
const FILES_PER_SYNC = 16;

async function realDirectory(directory: string, mode: "download" | "seed"): Promise<string> {
  try {
    if (mode === "download") await makeFolders(directory);
    return await realpath(directory);
  } catch (error) {
    throw diskError(error, mode === "download" ? "create" : "open", directory);
  }
}

/** `views` cut after their first `length` bytes. */
function splitViews(
  views: readonly Uint8Array[],
  length: number,
): [readonly Uint8Array[], readonly Uint8Array[]] {
  const before: Uint8Array[] = [];
  let left = length;
  for (const [i, view] of views.entries()) {
    if (left <= view.length) {
      before.push(view.subarray(0, left));
      return [before, [view.subarray(left), ...views.slice(i + 1)]];
    }
    before.push(view);
    left -= view.length;
  }
  return [before, []];
}

function batches<Item>(items: readonly Item[], size: number): Item[][] {
  const result: Item[][] = [];
  for (let i = 0; i < items.length; i += size) result.push(items.slice(i, i + size));
  return result;
}
