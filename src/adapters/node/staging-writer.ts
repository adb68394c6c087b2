/**
 * The thread that writes and hashes uploads, from here: started when something is uploaded, and
 * ended some time after the last, since a thread holds 10 MiB.
 */
import type { Worker } from "node:worker_threads";
import { BtPublisherError } from "../../base/errors.ts";
import type { Millis } from "../../base/units.ts";
import { DiskBuffers } from "./disk-buffers.ts";
import { startThread } from "./disk-thread.ts";
import type { StagingAnswer, StagingJob } from "./staging-worker.ts";

/** Bytes that are written and hashed at a time: a message costs as much as hashing 16 KiB. */
export const SLAB_BYTES = 1024 * 1024;
/** An uploader whose connection broke is back by then; later ones have their hashes made again. */
const IDLE_MS: Millis = 30_000;
/** Its heap holds little more than its modules. */
const LIMITS = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 };

interface Waiting {
  readonly resolve: (answer: StagingAnswer) => void;
  readonly reject: (error: Error) => void;
}

interface Thread {
  readonly worker: Worker;
  readonly slabs: DiskBuffers;
  /** Writes that were not answered yet, oldest first; it answers in this order. */
  readonly waiting: Waiting[];
}

/** See the head of this file. */
export class StagingWriter {
  readonly #idleMs: Millis;
  #thread: Thread | undefined;
  #openFiles = 0;
  #lastFile = 0;
  #idleTimer: NodeJS.Timeout | undefined;

  /** The thread ends `idleMs` after the last file was closed. */
  constructor(idleMs: Millis = IDLE_MS) {
    this.#idleMs = idleMs;
  }

  /** Whether it has its thread. */
  get isRunning(): boolean {
    return this.#thread !== undefined;
  }

  /** A number for a file that never had one before. */
  newFile(): number {
    return ++this.#lastFile;
  }

  /** A file may be written from here on. */
  open(file: Omit<StagingJob & { type: "open" }, "type">): WritableFile {
    clearTimeout(this.#idleTimer);
    this.#openFiles++;
    const thread = (this.#thread ??= this.#start());
    tell(thread, { type: "open", ...file });
    return {
      takeSlab: () => thread.slabs.take(SLAB_BYTES),
      giveBack: (slab) => thread.slabs.giveBack(slab),
      write: (slab, length) => this.#write(thread, { file: file.file, slab, length }),
      close: (goesOn) => {
        tell(thread, { type: "close", file: file.file, goesOn });
        this.#openFiles--;
        if (this.#openFiles === 0) this.#endLater();
      },
    };
  }

  /** Ends the thread. No file may be open. */
  async close(): Promise<void> {
    clearTimeout(this.#idleTimer);
    const thread = this.#thread;
    this.#thread = undefined;
    await thread?.worker.terminate();
  }

  #write(
    thread: Thread,
    { file, slab, length }: { file: number; slab: Uint8Array; length: number },
  ): Promise<StagingAnswer> {
    if (this.#thread !== thread) return Promise.reject(broken());
    return new Promise<StagingAnswer>((resolve, reject) => {
      if (thread.waiting.length === 0) thread.worker.ref();
      thread.waiting.push({ resolve, reject });
      tell(thread, { type: "write", file, slab: thread.slabs.memoryOf(slab), length });
    }).finally(() => thread.slabs.giveBack(slab));
  }

  #start(): Thread {
    const worker = startThread("staging-worker", undefined, LIMITS);
    const thread: Thread = { worker, slabs: new DiskBuffers(SLAB_BYTES), waiting: [] };
    worker.on("message", (answer: StagingAnswer) => {
      thread.waiting.shift()?.resolve(answer);
      if (thread.waiting.length === 0) worker.unref();
    });
    worker.on("error", (cause: Error) => {
      if (this.#thread === thread) this.#thread = undefined;
      for (const { reject } of thread.waiting.splice(0)) reject(broken(cause));
    });
    worker.unref();
    return thread;
  }

  #endLater(): void {
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => void this.close(), this.#idleMs);
    this.#idleTimer.unref();
  }
}

/** A file that the thread writes. */
export interface WritableFile {
  /** Memory for `SLAB_BYTES`, with arbitrary contents; must go into `write` or `giveBack`. */
  takeSlab(): Uint8Array;
  giveBack(slab: Uint8Array): void;
  /** Appends the first `length` bytes of `slab`, which may not be used any more. */
  write(slab: Uint8Array, length: number): Promise<StagingAnswer>;
  /** `goesOn` says whether its hashes may go on later. Everything must be answered. */
  close(goesOn: boolean): void;
}

function tell({ worker }: Thread, job: StagingJob): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- A thread, not a window.
  worker.postMessage(job);
}

/** A bug of ours, or no memory. */
function broken(cause?: Error): BtPublisherError {
  const reason = cause?.message ?? "it has ended";
  return new BtPublisherError("INTERNAL", `the thread that writes uploads failed: ${reason}`, {
    cause,
  });
}
