/** The thread of `hashFiles`: hashes its files one after the other and says how far it is. */
import { createHash } from "node:crypto";
import { closeSync, readSync } from "node:fs";
import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import { assert } from "../../base/assert.ts";
import { BtPublisherError } from "../../base/errors.ts";
import { changedWhileHashing, diskError } from "./disk-error.ts";
import type { DiskJobFailure, ExpectedFile } from "./disk-jobs.ts";
import { openContentFile } from "./disk-open.ts";

/** What the thread is started with. */
export interface HashFilesWork {
  readonly base: string;
  readonly files: readonly ExpectedFile[];
}

/** What the thread says: progress a few times a second, and in the end one of the others. */
export type HashFilesMessage =
  | { readonly type: "progress"; readonly doneBytes: number }
  | { readonly type: "done"; readonly digests: readonly Uint8Array[] }
  | { readonly type: "failed"; readonly failure: DiskJobFailure };

const CHUNK_LENGTH = 256 * 1024;
const PROGRESS_INTERVAL_MS = 250;

const port = parentPort;
assert(port !== null, "hash-files-worker.ts runs in a worker thread");
const chunk = Buffer.allocUnsafeSlow(CHUNK_LENGTH);
const work = workerData as HashFilesWork;
let doneBytes = 0;
let toldAt = 0;

try {
  say({ type: "done", digests: work.files.map(hashFile) });
} catch (error) {
  if (!(error instanceof BtPublisherError)) throw error;
  const { code, message, detail } = error;
  say({ type: "failed", failure: { code, message, detail } });
}

function hashFile({ path, length }: ExpectedFile): Uint8Array {
  const full = join(work.base, path);
  const fd = openContentFile(work.base, path, "read");
  if (fd === undefined) throw changedWhileHashing(full);
  try {
    const hasher = createHash("sha256");
    for (let left = length; left > 0; ) {
      const bytes = readSync(fd, chunk, 0, Math.min(left, CHUNK_LENGTH), length - left);
      if (bytes === 0) throw changedWhileHashing(full);
      hasher.update(chunk.subarray(0, bytes));
      left -= bytes;
      tellProgress(bytes);
    }
    return new Uint8Array(hasher.digest());
  } catch (error) {
    throw diskError(error, "read", full);
  } finally {
    closeSync(fd);
  }
}

function tellProgress(bytes: number): void {
  doneBytes += bytes;
  const now = performance.now();
  if (now - toldAt < PROGRESS_INTERVAL_MS) return;
  toldAt = now;
  say({ type: "progress", doneBytes });
}

function say(message: HashFilesMessage): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- A thread, not a window.
  port?.postMessage(message);
}
