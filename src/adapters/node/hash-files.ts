/**
 * SHA-256 of whole files, in a thread of its own: a file's hash cannot be divided, so one large
 * file would keep a disk thread from everybody else for minutes.
 */
import { BtPublisherError } from "../../base/errors.ts";
import { type Abortable, type ByteProgress, cancelled } from "./disk-hash-runs.ts";
import type { ExpectedFile } from "./disk-jobs.ts";
import { startThread } from "./disk-thread.ts";
import type { HashFilesMessage, HashFilesWork } from "./hash-files-worker.ts";

/** What to hash. */
export interface HashFilesOptions {
  /** The directory that `files` lie below: a real path. */
  readonly base: string;
  readonly files: readonly ExpectedFile[];
  readonly onProgress?: ByteProgress | undefined;
  readonly signal?: Abortable | undefined;
}

/**
 * The SHA-256 of each file, 32 bytes each.
 * @throws BtPublisherError STORAGE_CHANGED when a file is shorter than given; CANCELLED; STORAGE_IO.
 */
export async function hashFiles(options: HashFilesOptions): Promise<readonly Uint8Array[]> {
  const { base, files, onProgress, signal } = options;
  const workerData: HashFilesWork = {
    base,
    files: files.map(({ path, length }) => ({ path, length })),
  };
  const worker = startThread("hash-files-worker", workerData);
  const totalBytes = files.reduce((sum, { length }) => sum + length, 0);
  try {
    return await new Promise((resolve, reject) => {
      worker.on("error", (cause: Error) => {
        reject(new BtPublisherError("INTERNAL", `hashing failed: ${cause.message}`, { cause }));
      });
      worker.on("message", (message: HashFilesMessage) => {
        if (message.type === "done") resolve(message.digests);
        else if (message.type === "failed") {
          const { code, message: text, detail } = message.failure;
          reject(new BtPublisherError(code, text, { detail }));
        } else if (signal?.aborted === true) reject(cancelled());
        else onProgress?.(message.doneBytes, totalBytes);
      });
    });
  } finally {
    await worker.terminate();
  }
}
