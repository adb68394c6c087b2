/** Random choice of a few among many, in a time that depends on the few only. */
import type { Random } from "../base/random.ts";

/**
 * A choice is made of runs of neighbours, since neighbours in number are neighbours in memory, and
 * fetching memory is most of the work of an answer: at least so many runs, none longer than this.
 */
const MIN_RUNS = 4;
const MAX_RUN = 16;

/** Runs of neighbouring numbers; filled anew for each choice. */
export class Runs {
  count = 0;
  /** Each run is `begins[i]` ≤ n < `ends[i]`. */
  readonly begins: Int32Array;
  readonly ends: Int32Array;
  #first = 0;
  #hole = 0;

  /** `capacity`: numbers of one choice. */
  constructor(capacity: number) {
    // The circle may be cut within one run, and the hole be in another.
    const most = Math.max(MIN_RUNS, Math.ceil(capacity / MAX_RUN)) + 2;
    this.begins = new Int32Array(most);
    this.ends = new Int32Array(most);
  }

  /** Begins a choice among the numbers from `first` on without `hole`; a smaller `hole` is none. */
  clear(first: number, hole: number): void {
    this.count = 0;
    this.#first = first;
    this.#hole = hole < first ? Number.MAX_SAFE_INTEGER : hole;
  }

  /** Adds those that are `begin`th to before `end`th of the numbers. */
  add(begin: number, end: number): void {
    const from = this.#first + begin;
    const to = this.#first + end;
    const hole = this.#hole;
    if (from >= hole) return this.#push(from + 1, to + 1);
    if (to <= hole) return this.#push(from, to);
    this.#push(from, hole);
    this.#push(hole + 1, to + 1);
  }

  #push(begin: number, end: number): void {
    this.begins[this.count] = begin;
    this.ends[this.count++] = end;
  }
}

/**
 * Adds min(`count`, `bound`) distinct random integers n, 0 ≤ n < `bound`, to `runs`; none when either
 * is not positive. They are runs of neighbours with random gaps between them, on a circle that begins
 * anywhere: each number is as likely as any other, nothing is looked at twice.
 */
export function sampleRuns(bound: number, count: number, random: Random, runs: Runs): void {
  const taken = Math.min(bound, count);
  if (taken <= 0) return;
  if (taken === bound) return runs.add(0, taken);
  const start = random.below(bound);
  const parts = Math.min(taken, Math.max(MIN_RUNS, Math.ceil(taken / MAX_RUN)));
  let filled = 0;
  let gap = 0;
  for (let part = 1; part <= parts; part++) {
    // Each run lies anywhere in its equal share of all gaps.
    const gapEnd = Math.floor(((bound - taken) * part) / parts);
    const end = Math.floor((taken * part) / parts);
    const shift = start + gap + random.below(gapEnd - gap + 1);
    addOnCircle(shift + filled, shift + end, bound, runs);
    filled = end;
    gap = gapEnd;
  }
}

function addOnCircle(begin: number, end: number, bound: number, runs: Runs): void {
  if (end <= bound) return runs.add(begin, end);
  if (begin >= bound) return runs.add(begin - bound, end - bound);
  runs.add(begin, bound);
  runs.add(0, end - bound);
}
