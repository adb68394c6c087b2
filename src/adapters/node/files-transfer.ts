/**
 * Sends a stretch of a file as the body of an HTTP answer. Two buffers take turns: one is read
 * while the other is being written. The file must look as it was published, when it is opened and
 * after each read; so nothing leaves that was not there when it was hashed.
 *
 * On the data path: callbacks and reused buffers, no promise and no object for each read. Reading
 * what is cached in the main thread costs half of what the thread pool does (0.30 against 0.58
 * CPU-s/GiB in all), since the bytes are still in this core's cache when they are written.
 */
import {
  closeSync,
  constants,
  fstatSync,
  open,
  openSync,
  read,
  readSync,
  type Stats,
} from "node:fs";
import type { ServerResponse } from "node:http";
import type { TokenBucket } from "../../base/token-bucket.ts";
import { BLOCK_LENGTH, type Millis } from "../../base/units.ts";
import type { FileStamp } from "../../ports/content-storage.ts";
import type { Clock, Timer } from "../../ports/clock.ts";
import type { FileBody } from "../../ports/files-door.ts";
import { diskError } from "./disk-error.ts";
import type { ReadPace } from "./disk-read-pace.ts";
import type { FilesBuffers } from "./files-buffers.ts";

/** Sizes of reads. Slow clients get small ones, so that a thousand of them hold 128 MiB at most. */
const MIN_READ = 64 * 1024;
const MAX_READ = 256 * 1024;
/** A write that took less makes the next read larger, one that took more makes it smaller. */
const QUICK_WRITE_MS = 10;
const SLOW_WRITE_MS = 100;
/** Reads and writes under way at once. */
const MAX_IN_FLIGHT = 2;
/** A client that takes nothing for this long is given up. */
const STALL_MS: Millis = 60_000;

const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** What transfers share. */
export interface TransferSurroundings {
  readonly clock: Clock;
  /** Shared with the other doors. */
  readonly uploadLimit: TokenBucket;
  readonly buffers: FilesBuffers;
  readonly pace: ReadPace;
}

/** Whether a file can be sent. */
export type OpenOutcome =
  | { readonly type: "opened"; readonly fd: number }
  /** Missing, or not as it was. */
  | { readonly type: "changed" }
  /** For a reason that has nothing to do with the content: too many open files, no permission. */
  | { readonly type: "failed"; readonly message: string };

/**
 * Opens the file of `body` and looks at it: at once when that likely takes no time (waking a thread
 * takes longer), else in another thread. The descriptor is the caller's.
 */
export function openFile(
  body: FileBody,
  pace: ReadPace,
  onOutcome: (outcome: OpenOutcome) => void,
): void {
  if (!pace.mayBlock) {
    open(body.path, OPEN_FLAGS, (error, fd) => onOutcome(outcomeOf(body, error, fd)));
    return;
  }
  const startedAt = performance.now();
  let outcome: OpenOutcome;
  try {
    outcome = outcomeOf(body, null, openSync(body.path, OPEN_FLAGS));
  } catch (error) {
    outcome = outcomeOf(body, error as NodeJS.ErrnoException, -1);
  }
  pace.heard(performance.now() - startedAt, 0);
  onOutcome(outcome);
}

/** What to make of an attempt to open the file of `body`. */
function outcomeOf(body: FileBody, error: NodeJS.ErrnoException | null, fd: number): OpenOutcome {
  if (error !== null) {
    const isGone = ["ENOENT", "ENOTDIR", "ELOOP", "ENXIO"].includes(error.code ?? "");
    const { message } = diskError(error, "open", body.path);
    return isGone ? { type: "changed" } : { type: "failed", message };
  }
  if (looksLike(fstatSync(fd), body.stamp)) return { type: "opened", fd };
  closeSync(fd);
  return { type: "changed" };
}

/** One body on its way. Owns the descriptor. */
export class FilesTransfer {
  readonly #fd: number;
  readonly #body: FileBody;
  readonly #response: ServerResponse;
  readonly #surroundings: TransferSurroundings;
  #position: number;
  #readLength = MIN_READ;
  #isReading = false;
  #writesInFlight = 0;
  #isEnded = false;
  #pause: Timer | undefined;
  #stall: Timer | undefined;
  #movedAt: Millis;

  /** The head must be written already. */
  constructor(
    fd: number,
    body: FileBody,
    response: ServerResponse,
    surroundings: TransferSurroundings,
  ) {
    this.#fd = fd;
    this.#body = body;
    this.#response = response;
    this.#surroundings = surroundings;
    this.#position = body.start;
    this.#movedAt = surroundings.clock.now();
  }

  /** Sends until the end, or until the connection closes. */
  start(): void {
    this.#response.once("close", () => this.#end());
    this.#watchForStall();
    this.#pump();
  }

  /** Reads on when there is something to read, a buffer's turn, and the rate allows it. */
  #pump(): void {
    if (this.#isEnded || this.#isReading || this.#pause !== undefined) return;
    if (this.#position === this.#body.end) {
      if (this.#writesInFlight === 0) this.#response.end();
      return;
    }
    if (this.#writesInFlight >= MAX_IN_FLIGHT) return;
    if (!this.#body.mayGoOn()) {
      this.#response.destroy();
      return;
    }
    const length = this.#allowedLength();
    if (length > 0) this.#read(length);
  }

  /**
   * Bytes to read now; 0 when the rate limit makes it wait, and then `#pump` is called again. As
   * the peers at the other doors: whoever finds any room goes on, by a block at least.
   */
  #allowedLength(): number {
    const { clock, uploadLimit } = this.#surroundings;
    const now = clock.now();
    const available = uploadLimit.available(now);
    if (available <= 0) {
      this.#pause = clock.setTimer(uploadLimit.readyAt(now, BLOCK_LENGTH) - now, () => {
        this.#pause = undefined;
        this.#pump();
      });
      return 0;
    }
    const allowed = Math.max(BLOCK_LENGTH, Math.floor(available));
    const length = Math.min(this.#readLength, this.#body.end - this.#position, allowed);
    uploadLimit.take(now, length);
    return length;
  }

  /** Reads `length` bytes and writes them: at once when they are likely cached, else by a thread. */
  #read(length: number): void {
    const { buffers, pace } = this.#surroundings;
    const buffer = buffers.take(this.#readLength);
    if (pace.mayBlock) return this.#readNow(buffer, length);
    this.#isReading = true;
    read(this.#fd, buffer, 0, length, this.#position, (error, bytes) => {
      this.#isReading = false;
      if (!this.#isEnded) return this.#handleRead(error ?? undefined, buffer, bytes);
      buffers.giveBack(buffer);
      this.#close();
    });
  }

  #readNow(buffer: Buffer, length: number): void {
    const startedAt = performance.now();
    let bytes = 0;
    try {
      bytes = readSync(this.#fd, buffer, 0, length, this.#position);
    } catch (error) {
      return this.#handleRead(error as Error, buffer, 0);
    }
    this.#surroundings.pace.heard(performance.now() - startedAt, bytes);
    this.#handleRead(undefined, buffer, bytes);
  }

  #handleRead(error: Error | undefined, buffer: Buffer, bytes: number): void {
    const isChanged = bytes === 0 || !looksLike(fstatSync(this.#fd), this.#body.stamp);
    if (error !== undefined || isChanged) {
      // The client sees a broken transfer, never wrong bytes.
      this.#response.destroy();
      if (error === undefined) this.#body.onChanged();
      else this.#body.onFailed(diskError(error, "read", this.#body.path).message);
      return;
    }
    this.#write(buffer, bytes);
    this.#pump();
  }

  #write(buffer: Buffer, length: number): void {
    const { clock, buffers } = this.#surroundings;
    const position = this.#position;
    const startedAt = clock.now();
    this.#position += length;
    this.#writesInFlight++;
    this.#response.write(buffer.subarray(0, length), (error) => {
      this.#writesInFlight--;
      // The system may still hold a buffer whose write failed: it is left to the collector.
      if (error !== null && error !== undefined) return;
      buffers.giveBack(buffer);
      this.#body.onSent(position, length);
      this.#movedAt = clock.now();
      this.#adapt(this.#movedAt - startedAt);
      this.#pump();
    });
  }

  #adapt(writeMs: Millis): void {
    if (writeMs < QUICK_WRITE_MS) this.#readLength = Math.min(MAX_READ, this.#readLength * 2);
    if (writeMs > SLOW_WRITE_MS) this.#readLength = Math.max(MIN_READ, this.#readLength / 2);
  }

  #watchForStall(): void {
    const { clock } = this.#surroundings;
    const delayMs = this.#movedAt + STALL_MS - clock.now();
    this.#stall = clock.setTimer(Math.max(0, delayMs), () => {
      // Waiting for the rate limit, or for the answer before on the same connection, is no stall.
      const isWaiting = this.#writesInFlight === 0 || this.#response.socket === null;
      if (isWaiting) this.#movedAt = clock.now();
      if (clock.now() - this.#movedAt >= STALL_MS) this.#response.destroy();
      else this.#watchForStall();
    });
  }

  #end(): void {
    this.#isEnded = true;
    this.#pause?.cancel();
    this.#stall?.cancel();
    if (!this.#isReading) this.#close();
  }

  #close(): void {
    closeSync(this.#fd);
  }
}

function looksLike(stats: Stats, stamp: FileStamp): boolean {
  return stats.isFile() && stats.size === stamp.length && stats.mtimeMs === stamp.modifiedAt;
}
