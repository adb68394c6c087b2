/**
 * One upload in its staging area. Each file has one writer at a time and grows only at its end, so
 * that the bytes received are the offset to go on from.
 */
import { BtPublisherError } from "../base/errors.ts";
import { sizeText } from "../base/size-text.ts";
import type { Clock } from "../ports/clock.ts";
import type {
  ContentPlan,
  UploadBody,
  UploadFile,
  UploadStatus,
} from "../ports/content-service.ts";
import type { StagedFile, StagedUpload, StagingStore } from "../ports/content-storage.ts";

/** What uploads work with. */
export interface UploadDependencies {
  readonly staging: StagingStore;
  readonly clock: Clock;
  /** SHA-1 of `bytes`: 20 bytes. */
  readonly sha1: (bytes: Uint8Array) => Uint8Array;
}

/** One upload. */
export class Upload {
  readonly plan: ContentPlan;
  touchedAt: number;
  /** Set while it is being published: nothing may be appended. */
  isSealed = false;
  /** Set when its staging area goes away: writers give up. */
  isDropped = false;
  readonly #dependencies: UploadDependencies;
  readonly #receivedBytes: number[];
  /** By index: the files that somebody appends to; undefined until they are open. */
  readonly #writing = new Map<number, StagedFile | undefined>();

  constructor(staged: StagedUpload, dependencies: UploadDependencies) {
    this.plan = staged.plan;
    this.touchedAt = staged.touchedAt;
    this.#receivedBytes = [...staged.receivedBytes];
    this.#dependencies = dependencies;
  }

  get status(): UploadStatus {
    return {
      name: this.plan.name,
      receivedBytes: this.plan.files.map((_, i) => this.#received(i)),
    };
  }

  /** Bytes that are still to come. */
  get missingBytes(): number {
    return this.plan.files.reduce((sum, file, i) => sum + file.length - this.#received(i), 0);
  }

  get isWriting(): boolean {
    return this.#writing.size > 0;
  }

  /** The first file that is not complete. */
  get incompleteFile(): { readonly file: UploadFile; readonly receivedBytes: number } | undefined {
    const fileIndex = this.plan.files.findIndex((file, i) => file.length !== this.#received(i));
    const file = this.plan.files[fileIndex];
    return file && { file, receivedBytes: this.#received(fileIndex) };
  }

  /** As `ContentService.appendFile`. */
  async append(fileIndex: number, offset: number, body: UploadBody): Promise<void> {
    const planned = this.#assertAppendable(fileIndex, offset);
    this.#writing.set(fileIndex, undefined);
    try {
      await this.#touch();
      await this.#assertRoom(planned.length - offset);
      const file = await this.#dependencies.staging.openFile(this.plan, fileIndex);
      this.#writing.set(fileIndex, file);
      try {
        await this.#write(file, { fileIndex, offset, end: planned.length }, body);
      } finally {
        await file.close();
      }
    } finally {
      this.#writing.delete(fileIndex);
      await this.#touch();
    }
  }

  /** Empties a file of the plan whose bytes turned out wrong, to be uploaded again. */
  async reset(planned: UploadFile | undefined): Promise<void> {
    const fileIndex = this.plan.files.findIndex((each) => each === planned);
    if (fileIndex === -1) return;
    const file = await this.#dependencies.staging.openFile(this.plan, fileIndex);
    try {
      await file.truncate(0);
      this.#receivedBytes[fileIndex] = 0;
    } finally {
      await file.close();
    }
  }

  #assertAppendable(fileIndex: number, offset: number): UploadFile {
    const { name } = this.plan;
    const planned = this.plan.files[fileIndex];
    if (planned === undefined) throw usage(`the upload ${name} has no file number ${fileIndex}`);
    if (this.isSealed) throw conflict(`${name} is being published`, "SEALED");
    if (this.#writing.has(fileIndex)) {
      const message = `somebody else uploads file number ${fileIndex} of ${name}; wait for it`;
      throw conflict(message, "LOCKED");
    }
    const received = this.#received(fileIndex);
    if (offset !== received) {
      const message = `file number ${fileIndex} of ${name} has ${received} bytes; go on from there`;
      throw conflict(message, "OFFSET");
    }
    return planned;
  }

  /** Refuses before the transfer what the disk cannot take. */
  async #assertRoom(bytes: number): Promise<void> {
    const freeBytes = await this.#dependencies.staging.freeBytes();
    if (freeBytes < bytes) throw storageFull(this.plan.name, bytes, freeBytes);
  }

  async #write(
    file: StagedFile,
    range: { readonly fileIndex: number; readonly offset: number; readonly end: number },
    body: UploadBody,
  ): Promise<void> {
    const { fileIndex, end } = range;
    let arrivedBytes = range.offset;
    try {
      for await (const chunk of body) {
        if (this.isDropped) throw cancelled(this.plan.name);
        arrivedBytes += chunk.length;
        if (arrivedBytes > end) await this.#takeBack(file, range);
        await file.append(chunk);
        release(chunk);
        arrivedBytes += await this.#appendWaiting(file, body);
      }
    } finally {
      await this.#flush(file, fileIndex);
    }
  }

  /** What waits behind a chunk needs no memory of its own. @returns how many bytes came. */
  async #appendWaiting(file: StagedFile, body: UploadBody): Promise<number> {
    const { readWaiting } = body;
    if (readWaiting === undefined) return 0;
    return file.appendFrom((target) => (this.isDropped ? 0 : readWaiting(target)));
  }

  async #flush(file: StagedFile, fileIndex: number): Promise<void> {
    try {
      await file.flush();
    } finally {
      this.#receivedBytes[fileIndex] = file.length;
    }
    if (this.isDropped) throw cancelled(this.plan.name);
  }

  /** The body is another file than the plan's: nothing of it may stay. */
  async #takeBack(
    file: StagedFile,
    range: { readonly fileIndex: number; readonly offset: number; readonly end: number },
  ): Promise<never> {
    await file.truncate(range.offset);
    throw usage(`the body goes beyond the planned ${range.end} bytes; nothing of it was kept`);
  }

  async #touch(): Promise<void> {
    const { staging, clock } = this.#dependencies;
    this.touchedAt = clock.unixNow();
    await staging.touch(this.plan.name, this.touchedAt);
  }

  #received(fileIndex: number): number {
    return this.#writing.get(fileIndex)?.length ?? this.#receivedBytes[fileIndex] ?? 0;
  }
}

/**
 * Frees the memory of a chunk that was copied. A GiB of chunks left to the garbage collector makes it
 * look through the whole heap every few dozen MiB, which cost more than all the rest.
 */
function release({ buffer, byteOffset, byteLength }: Uint8Array): void {
  const isAlone = byteOffset === 0 && byteLength === buffer.byteLength;
  if (isAlone && buffer instanceof ArrayBuffer) buffer.transfer(0);
}

/** The disk cannot take `neededBytes` for the upload `name`. */
export function storageFull(
  name: string,
  neededBytes: number,
  freeBytes: number,
): BtPublisherError {
  const [needed, free] = [sizeText(neededBytes, "B"), sizeText(freeBytes, "B")];
  const message = `${name} needs ${needed}, and the disk has room for ${free}; free some space`;
  return new BtPublisherError("STORAGE_FULL", message, { detail: { neededBytes, freeBytes } });
}

/** The upload `name` was dropped. */
export function cancelled(name: string): BtPublisherError {
  return new BtPublisherError("CANCELLED", `the upload ${name} was cancelled`);
}

function usage(message: string): BtPublisherError {
  return new BtPublisherError("USAGE", message);
}

function conflict(message: string, reason: string): BtPublisherError {
  return new BtPublisherError("CONFLICT", message, { detail: { reason } });
}
