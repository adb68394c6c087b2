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
  if (taken === bound) {
    for (let i = 0; i < taken; i++) chosen[i] = i;
    return taken;
  }
  const start = random.below(bound);
  const width = bound / taken;
  // A generator of its own for what is drawn many times: numbers of Numerical Recipes.
  let state = random.nextUint32() | 0;
  let low = 0;
  for (let i = 1; i <= taken; i++) {
    const high = i === taken ? bound : Math.floor(i * width);
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    const at = start + low + Math.floor((high - low) * (state >>> 0) * 2 ** -32);
    chosen[i - 1] = at < bound ? at : at - bound;
    low = high;
  }
  return taken;
}
