/** Random choice of a few among many, in a time that depends on the few only. */
import type { Random } from "../base/random.ts";

/**
 * Puts min(`count`, `bound`) distinct random integers n, 0 ≤ n < `bound`, into `chosen` and returns
 * how many; none when either is not positive. One from each of equal strata of a circle that begins
 * anywhere: each number is as likely as any other, nothing is looked at twice. `chosen` must have
 * room.
 */
export function sampleDistinct(
  bound: number,
  count: number,
  random: Random,
  chosen: Int32Array,
): number {
  const taken = Math.min(bound, count);
  if (taken <= 0) return 0;
  const start = taken === bound ? 0 : random.below(bound);
  let low = 0;
  for (let i = 0; i < taken; i++) {
    const high = Math.floor(((i + 1) * bound) / taken);
    const wide = high - low;
    const at = start + low + (wide === 1 ? 0 : random.below(wide));
    chosen[i] = at < bound ? at : at - bound;
    low = high;
  }
  return taken;
}
