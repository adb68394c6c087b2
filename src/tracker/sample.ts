/** Random choice of a few among many, in a time that depends on the few only. */
import type { Random } from "../base/random.ts";

/**
 * min(`count`, `bound`) distinct random integers n, 0 ≤ n < `bound`, every such set equally likely;
 * none when either is not positive. Robert Floyd's algorithm (Bentley, "A sample of brilliance",
 * CACM 1987); the search through the chosen is cheap while `count` is small.
 */
export function sampleDistinct(bound: number, count: number, random: Random): number[] {
  const chosen: number[] = [];
  for (let last = Math.max(0, bound - count); last < bound; last++) {
    const candidate = random.below(last + 1);
    chosen.push(chosen.includes(candidate) ? last : candidate);
  }
  return chosen;
}
