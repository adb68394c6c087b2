/**
 * One file that is being uploaded: gathers what comes from the network, and hands it to the thread
 * that writes and hashes it, so much at a time that whoever sends faster has to wait.
 */
import type { FileHandle } from "node:fs/promises";
import { assert } from "../../base/assert.ts";
import { BtPublisherError } from "../../base/errors.ts";
import type { ReadWaiting } from "../../ports/content-service.ts";
import type { FileStamp, StagedFile } from "../../ports/content-storage.ts";
import { copyIntoSharedMemory } from "./copy-bytes.ts";
import { diskError } from "./disk-error.ts";
import type { StagingHashes } from "./staging-hashes.ts";
import type { StagingAnswer } from "./staging-worker.ts";
import { SLAB_BYTES, type StagingWriter, type WritableFile } from "./staging-writer.ts";

/** Slabs of one file that are written or wait for it, besides the one that is being filled. */
const MAX_WRITES = 2;

/** What a file is opened with. */
export interface StagedFileOptions {
  readonly path: string;
  /** Taken over. */
  readonly handle: FileHandle;
  readonly fileIndex: number;
  readonly hashes: StagingHashes;
  readonly writer: StagingWriter;
}

/** Opens a file to be appended to. @throws STORAGE_IO */
export async function openStagedFile(options: StagedFileOptions): Promise<StagedFile> {
  try {
    return new ArrivingFile(options, await stampOf(options));
  } catch (error) {
    await options.handle.close();
    throw error;
  }
}

class ArrivingFile implements StagedFile {
  readonly #options: StagedFileOptions;
  /** Bytes that the plan gives the file. */
  readonly #plannedLength: number;
  #writable: WritableFile;
  #length: number;
  /** Bytes with those that are not written yet. */
  #end: number;
  #slab: Uint8Array | undefined;
  /** Bytes in `#slab`. */
  #filled = 0;
  /** Oldest first. They never reject: what goes wrong is in `#failure`. */
  readonly #writes: Promise<void>[] = [];
  #failure: unknown;

  constructor(options: StagedFileOptions, stamp: FileStamp) {
    this.#options = options;
    this.#plannedLength = options.hashes.placeOf(options.fileIndex).length;
    this.#length = stamp.length;
    this.#end = stamp.length;
    this.#writable = this.#open(stamp);
  }

  get length(): number {
    return this.#length;
  }

  async append(bytes: Uint8Array): Promise<void> {
    assert(this.#end + bytes.length <= this.#plannedLength, "more bytes than the plan has");
    for (let taken = 0; taken < bytes.length; ) {
      const room = await this.#room();
      const part = bytes.subarray(taken, taken + room.length);
      copyIntoSharedMemory(part, room, 0);
      this.#fill(part.length);
      taken += part.length;
    }
  }

  async appendFrom(read: ReadWaiting): Promise<number> {
    const begin = this.#end;
    while (this.#end < this.#plannedLength) {
      const room = await this.#room();
      const length = read(room);
      this.#fill(length);
      if (length < room.length) break;
    }
    return this.#end - begin;
  }

  async flush(): Promise<void> {
    if (this.#filled > 0) this.#send();
    await Promise.all(this.#writes);
    if (this.#failure !== undefined) throw this.#failure;
  }

  async truncate(length: number): Promise<void> {
    const { handle, hashes, fileIndex, path } = this.#options;
    await Promise.all(this.#writes);
    this.#dropSlab();
    this.#writable.close(false);
    hashes.drop(fileIndex);
    try {
      await handle.truncate(length);
      this.#length = length;
      this.#failure = undefined;
    } catch (cause) {
      throw diskError(cause, "write", path);
    } finally {
      this.#end = this.#length;
      this.#writable = this.#open({ length: this.#length, modifiedAt: 0 });
    }
  }

  async close(): Promise<void> {
    const { handle, hashes, fileIndex } = this.#options;
    await Promise.all(this.#writes);
    this.#dropSlab();
    try {
      if (this.#failure === undefined) hashes.end(fileIndex, await stampOf(this.#options));
      else hashes.drop(fileIndex);
    } finally {
      this.#writable.close(this.#length < this.#plannedLength && hashes.knows(fileIndex));
      await handle.close();
    }
  }

  /** Has the thread go on at the end of the file, which looks like `stamp`. */
  #open(stamp: FileStamp): WritableFile {
    const { path, handle, fileIndex, hashes, writer } = this.#options;
    const file = hashes.begin(fileIndex, stamp, writer.newFile());
    const place = hashes.placeOf(fileIndex);
    return writer.open({ file, fd: handle.fd, path, position: stamp.length, place });
  }

  /** Memory for what comes next, once there is some: never more than the plan has left. */
  async #room(): Promise<Uint8Array> {
    while (this.#writes.length >= MAX_WRITES) await this.#writes[0];
    if (this.#failure !== undefined) throw this.#failure;
    this.#slab ??= this.#writable.takeSlab();
    const planned = this.#filled + this.#plannedLength - this.#end;
    return this.#slab.subarray(this.#filled, Math.min(SLAB_BYTES, planned));
  }

  /** The first `length` bytes of the room hold what came. */
  #fill(length: number): void {
    this.#filled += length;
    this.#end += length;
    if (this.#filled === SLAB_BYTES) this.#send();
  }

  /** Forgets what was not sent. */
  #dropSlab(): void {
    if (this.#slab !== undefined) this.#writable.giveBack(this.#slab);
    this.#slab = undefined;
    this.#filled = 0;
  }

  #send(): void {
    const [slab, length] = [this.#slab as Uint8Array, this.#filled];
    this.#slab = undefined;
    this.#filled = 0;
    const write = this.#writable
      .write(slab, length)
      .then((answer) => this.#take(answer))
      .catch((error: unknown) => {
        this.#failure ??= error;
      })
      .finally(() => {
        void this.#writes.shift();
      });
    this.#writes.push(write);
  }

  #take({ bytes, digests, failure }: StagingAnswer): void {
    const { hashes, fileIndex } = this.#options;
    this.#length += bytes;
    if (digests !== undefined) hashes.add(fileIndex, digests);
    if (failure === undefined) return;
    const { code, message, detail } = failure;
    throw new BtPublisherError(code, message, { detail });
  }
}

async function stampOf({ handle, path }: StagedFileOptions): Promise<FileStamp> {
  try {
    const { size, mtimeMs } = await handle.stat();
    return { length: size, modifiedAt: mtimeMs };
  } catch (cause) {
    throw diskError(cause, "inspect", path);
  }
}
