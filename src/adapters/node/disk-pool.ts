/**
 * The process's disk threads, shared by all stores: they hash, write, check and open, so that the
 * main thread never waits for a disk. Threads start when there is work and never keep the process
 * alive by themselves.
 */
import { availableParallelism } from "node:os";
import type { Worker } from "node:worker_threads";
import { BtPublisherError } from "../../base/errors.ts";
import type { DiskAnswer, DiskJob, DiskJobResults } from "./disk-jobs.ts";
import { prepareFiles, statFiles } from "./disk-prepare.ts";
import { DiskReader } from "./disk-reader.ts";
import { startThread } from "./disk-thread.ts";
import type { DiskWorkerData } from "./disk-worker.ts";

/** Bounds of a pool. */
export interface DiskPoolOptions {
  /** Disk threads at most, 1 … 64. Default: the cores, at most 4 (more only queue at the disk). */
  readonly threads?: number;
  /** Content files open at most, all torrents together; at least 16. Default 128. */
  readonly maxOpenFiles?: number;
  /**
   * The thread that has the pool hashes pieces too, in place of one of the others, and is there
   * before them: for commands that do nothing else. Default false.
   */
  readonly hashesHere?: boolean;
}

interface Task {
  readonly job: DiskJob;
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
}

interface Thread {
  readonly worker: Worker;
  /** Jobs that it was given, as they were given, oldest first; it answers in this order. */
  readonly batches: (readonly Task[])[];
}

/** So few files are looked at sooner than a disk thread starts (40 ms), and somebody waits. */
const FEW_FILES = 16;
/** Two a thread: one in work, one that is there when it ends; the rest can still be reordered. */
const BATCHES_PER_THREAD = 2;
/** A message costs a tenth of what hashing and storing a piece of 1 MiB does, on both sides. */
const COMMITS_PER_BATCH = 4;

/** Disk threads and open files, one pool for a process. */
export class DiskPool {
  /** Reads content in the main thread, from files that disk threads open. */
  readonly reader: DiskReader;
  /** Whether whoever has many pieces to hash should do a part of it in this thread. */
  readonly hashesHere: boolean;
  readonly #maxThreads: number;
  readonly #threadData: DiskWorkerData;
  readonly #threads = new Set<Thread>();
  readonly #waiting: Task[] = [];

  constructor(options: DiskPoolOptions = {}) {
    const maxOpenFiles = options.maxOpenFiles ?? 128;
    this.hashesHere = options.hashesHere ?? false;
    const threads = options.threads ?? Math.min(4, availableParallelism());
    this.#maxThreads = Math.max(1, this.hashesHere ? threads - 1 : threads);
    // Half for reading, and the other half shared by the threads.
    this.#threadData = {
      maxOpenFiles: Math.max(1, Math.floor(maxOpenFiles / 2 / this.#maxThreads)),
    };
    this.reader = new DiskReader(Math.ceil(maxOpenFiles / 2), (base, path) =>
      this.run({ type: "open", base, path }),
    );
  }

  /** Disk threads at most: as many jobs at once make sense. */
  get threads(): number {
    return this.#maxThreads;
  }

  /**
   * Has a disk thread carry out `job`; a look at few files is done here, at once.
   * @throws BtPublisherError what the file system refused.
   */
  run<Job extends DiskJob>(job: Job): Promise<DiskJobResults[Job["type"]]> {
    return new Promise((resolve, reject) => {
      if (job.type === "stat" && job.paths.length <= FEW_FILES) {
        return resolve(statFiles(job) as never);
      }
      if (job.type === "prepare" && job.files.length <= FEW_FILES) {
        return resolve(prepareFiles(job) as never);
      }
      const task: Task = { job, resolve, reject };
      // Somebody waits for bytes behind an open; it takes microseconds, a hash takes milliseconds.
      if (job.type === "open") this.#waiting.unshift(task);
      else this.#waiting.push(task);
      this.#dispatch();
    });
  }

  /** Starts `threads` of the threads now (some 40 ms), since work is about to come. Default: all. */
  warmUp(threads = this.#maxThreads): void {
    while (this.#threads.size < Math.min(threads, this.#maxThreads)) this.#startThread();
  }

  /** Lets go of all descriptors at and below `path` (absolute; "" is everything). */
  async release(path: string): Promise<void> {
    this.reader.release(path);
    const jobs = [...this.#threads].map(
      (thread) =>
        new Promise<undefined>((resolve, reject) => {
          this.#give(thread, [{ job: { type: "release", path }, resolve, reject }]);
        }),
    );
    await Promise.all(jobs);
  }

  /** Ends all threads. No job may be open or follow. */
  async close(): Promise<void> {
    await this.release("");
    const threads = [...this.#threads];
    this.#threads.clear();
    await Promise.all(threads.map(({ worker }) => worker.terminate()));
  }

  #dispatch(): void {
    for (let i = 0; i < this.#waiting.length; ) {
      const task = this.#waiting[i] as Task;
      const thread = task.job.type === "commit" ? this.#freeWriter() : this.#freeThread();
      if (thread === undefined) {
        i++;
        continue;
      }
      this.#give(thread, task.job.type === "commit" ? this.#takeCommits(i) : this.#take(i));
    }
  }

  #take(index: number): Task[] {
    return this.#waiting.splice(index, 1);
  }

  /** The waiting commits from `index` on, up to a batch. */
  #takeCommits(index: number): Task[] {
    const batch: Task[] = [];
    for (let i = index; i < this.#waiting.length && batch.length < COMMITS_PER_BATCH; ) {
      if (this.#waiting[i]?.job.type === "commit") batch.push(...this.#take(i));
      else i++;
    }
    return batch;
  }

  /**
   * All pieces are stored by one thread: two that write one file only wait, spinning, for each
   * other at its inode, and one hashes and writes 1 GB/s.
   */
  #freeWriter(): Thread | undefined {
    const [writer = this.#startThread()] = this.#threads;
    return writer.batches.length < BATCHES_PER_THREAD ? writer : undefined;
  }

  /** An idle thread, else a new one, else the one with least to do, unless all have enough. */
  #freeThread(): Thread | undefined {
    let free: Thread | undefined;
    for (const thread of this.#threads) {
      if (free === undefined || thread.batches.length < free.batches.length) free = thread;
    }
    const isIdle = free !== undefined && free.batches.length === 0;
    if (!isIdle && this.#threads.size < this.#maxThreads) return this.#startThread();
    return free !== undefined && free.batches.length < BATCHES_PER_THREAD ? free : undefined;
  }

  #startThread(): Thread {
    const worker = startThread("disk-worker", this.#threadData);
    const thread: Thread = { worker, batches: [] };
    worker.on("message", (answers: readonly DiskAnswer[]) => this.#settle(thread, answers));
    worker.on("error", (error: Error) => this.#fail(thread, error));
    worker.unref();
    this.#threads.add(thread);
    return thread;
  }

  #give(thread: Thread, batch: readonly Task[]): void {
    if (thread.batches.length === 0) thread.worker.ref();
    thread.batches.push(batch);
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- A thread, not a window.
    thread.worker.postMessage(batch.map(({ job }) => job));
  }

  #settle(thread: Thread, answers: readonly DiskAnswer[]): void {
    const batch = thread.batches.shift() as readonly Task[];
    if (thread.batches.length === 0) thread.worker.unref();
    this.#dispatch();
    for (const [i, task] of batch.entries()) {
      const answer = answers[i] as DiskAnswer;
      if (answer.ok) task.resolve(answer.value as never);
      else {
        const { code, message, detail } = answer.failure;
        task.reject(new BtPublisherError(code, message, { detail }));
      }
    }
  }

  /** A thread broke: a bug of ours, or no memory. Its jobs fail; the next job starts another one. */
  #fail(thread: Thread, cause: Error): void {
    this.#threads.delete(thread);
    for (const task of thread.batches.flat()) {
      task.reject(
        new BtPublisherError("INTERNAL", `a disk thread failed: ${cause.message}`, { cause }),
      );
    }
    this.#dispatch();
  }
}
