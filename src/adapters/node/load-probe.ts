/** The load of this process, as Node measures it. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { LoadProbe } from "../../ports/load-probe.ts";

/** How often the event loop's delay is looked at: a timer, so that idle processes hardly wake. */
const RESOLUTION_MS = 50;
/** What getrusage(2) counts reads from storage in, on Linux. */
const STORAGE_BLOCK_BYTES = 512;

/** A probe that runs until it is closed. It does not keep the process alive. */
export function createLoadProbe(): LoadProbe {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delays.enable();
  let usedBefore = process.cpuUsage();
  let sampledAt = performance.now();
  let blocksBefore = process.resourceUsage().fsRead;
  return {
    sample: () => {
      const used = process.cpuUsage(usedBefore);
      const now = performance.now();
      const cpuFraction = (used.user + used.system) / 1000 / Math.max(1, now - sampledAt);
      usedBefore = process.cpuUsage();
      sampledAt = now;
      // The histogram is in nanoseconds, NaN when empty, and counts the resolution itself.
      const eventLoopDelayMs = Math.max(0, (delays.mean || 0) / 1e6 - RESOLUTION_MS);
      delays.reset();
      const blocks = process.resourceUsage().fsRead;
      const storageReadBytes = (blocks - blocksBefore) * STORAGE_BLOCK_BYTES;
      blocksBefore = blocks;
      return { cpuFraction, eventLoopDelayMs, storageReadBytes };
    },
    close: () => {
      delays.disable();
    },
  };
}
