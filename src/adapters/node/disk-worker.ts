/**
 * A disk thread: carries out jobs one after the other, synchronously, since a blocking system call
 * is the cheapest one and nobody waits in this thread but the next job.
 */
import { parentPort, workerData } from "node:worker_threads";
import { assert } from "../../base/assert.ts";
import { BtPublisherError } from "../../base/errors.ts";
import { DescriptorCache } from "./disk-descriptors.ts";
import { createDiskJobRunner } from "./disk-job-runner.ts";
import type { DiskAnswer, DiskJob } from "./disk-jobs.ts";

/** What a disk thread is started with. */
export interface DiskWorkerData {
  /** Most files that it keeps open. */
  readonly maxOpenFiles: number;
}

const port = parentPort;
assert(port !== null, "disk-worker.ts runs in a worker thread");
const run = createDiskJobRunner(new DescriptorCache((workerData as DiskWorkerData).maxOpenFiles));

port.on("message", (jobs: readonly DiskJob[]) => {
  port.postMessage(jobs.map(answer));
});

function answer(job: DiskJob): DiskAnswer {
  try {
    return { ok: true, value: run(job) };
  } catch (error) {
    if (!(error instanceof BtPublisherError)) throw error;
    const { code, message, detail } = error;
    return { ok: false, failure: { code, message, detail } };
  }
}
