/** Random choice of a few among many, in a time that depends on the few only. */
import type { Random } from "../base/random.ts";

/**
 * A choice is made of runs of neighbours, since neighbours in number are neighbours in memory, and
 * fetching memory is most of the work of an answer: at least so many runs, none longer than this.
 */
const MIN_RUNS = 4;
const MAX_RUN = 16;

/**
 * Puts min(`count`, `bound`) distinct random integers n, 0 ≤ n < `bound`, into `chosen` and returns
 * how many; none when either is not positive. They are runs of neighbours with random gaps between
 * them, on a circle that begins anywhere: each number is as likely as any other, nothing is looked at
 * twice. `chosen` must have room.
 */
export function sampleDistinct(
  bound: number,
  count: number,
  random: Random,
  chosen: Int32Array,
): number {
  const taken = Math.min(bound, count);
  if (taken <= 0) return 0;
  if (taken === bound) {
    for (let i = 0; i < taken; i++) chosen[i] = i;
    return taken;
  }
  const start = random.below(bound);
  const runs = Math.min(taken, Math.max(MIN_RUNS, Math.ceil(taken / MAX_RUN)));
  let filled = 0;
  let gap = 0;
  for (let run = 1; run <= runs; run++) {
    // Each run lies anywhere in its equal share of all gaps.
    const gapEnd = Math.floor(((bound - taken) * run) / runs);
    const end = Math.floor((taken * run) / runs);
    const at = start + gap + random.below(gapEnd - gap + 1);
    for (; filled < end; filled++) {
      const number = at + filled;
      chosen[filled] = number < bound ? number : number - bound;
    }
    gap = gapEnd;
  }
  return taken;
}
