/**
 * Values by block number, in the order in which they came: what a `Map` does, made for blocks that
 * leave in about the order in which they came.
 *
 * A `Map` in steady coming and going replaces its table every few hundred entries, and an old table
 * holds on to the next one, with everything in it, until a full garbage collection. This one keeps
 * its arrays: no garbage, half the time.
 */
import { BLOCK_LENGTH } from "../../base/units.ts";

/** Counters of blocks by their number: a zero says that none of them is here. */
const BUCKETS = 1024;
/** Entries, gone ones included, before the first look at whether to make room. */
const FIRST_CAPACITY = 64;

/** A small ordered map; looking up what came long ago or never costs nothing, in between a pass. */
export class BlockTable<Value extends object> {
  readonly #numbers: number[] = [];
  /** Undefined once deleted. */
  readonly #values: (Value | undefined)[] = [];
  /** The entries are those from here … */
  #begin = 0;
  /** … up to here. */
  #end = 0;
  #size = 0;
  #capacity = FIRST_CAPACITY;
  #counts: Uint16Array | undefined;

  get size(): number {
    return this.#size;
  }

  has(number: number): boolean {
    return this.#find(number) >= 0;
  }

  get(number: number): Value | undefined {
    const at = this.#find(number);
    return at < 0 ? undefined : this.#values[at];
  }

  /** Adds an entry behind all others, or changes its value in place. Not while iterating. */
  set(number: number, value: Value): void {
    const at = this.#find(number);
    if (at >= 0) {
      this.#values[at] = value;
      return;
    }
    if (this.#end === this.#capacity) this.#makeRoom();
    this.#numbers[this.#end] = number;
    this.#values[this.#end] = value;
    this.#end++;
    this.#size++;
    this.#counts ??= new Uint16Array(BUCKETS);
    const bucket = bucketOf(number);
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1;
  }

  /** @returns whether it was there. */
  delete(number: number): boolean {
    const at = this.#find(number);
    if (at < 0) return false;
    this.#values[at] = undefined;
    this.#size--;
    const counts = this.#counts as Uint16Array;
    const bucket = bucketOf(number);
    counts[bucket] = (counts[bucket] as number) - 1;
    while (this.#begin < this.#end && this.#values[this.#begin] === undefined) this.#begin++;
    return true;
  }

  clear(): void {
    this.#values.fill(undefined);
    this.#counts?.fill(0);
    this.#begin = 0;
    this.#end = 0;
    this.#size = 0;
  }

  /** In the order of coming; entries may be deleted meanwhile. */
  *[Symbol.iterator](): Generator<[number, Value]> {
    for (let at = this.#begin; at < this.#end; at++) {
      const value = this.#values[at];
      if (value !== undefined) yield [this.#numbers[at] as number, value];
    }
  }

  /** As the iterator, without numbers. */
  *values(): Generator<Value> {
    for (const [, value] of this) yield value;
  }

  #find(number: number): number {
    if (this.#size === 0 || this.#counts?.[bucketOf(number)] === 0) return -1;
    for (let at = this.#begin; at < this.#end; at++) {
      if (this.#numbers[at] === number && this.#values[at] !== undefined) return at;
    }
    return -1;
  }

  /** Moves the entries together, to the front; more room when that does not give half of it. */
  #makeRoom(): void {
    let to = 0;
    for (let at = this.#begin; at < this.#end; at++) {
      const value = this.#values[at];
      if (value === undefined) continue;
      this.#values[at] = undefined;
      this.#numbers[to] = this.#numbers[at] as number;
      this.#values[to] = value;
      to++;
    }
    this.#begin = 0;
    this.#end = to;
    if (2 * to > this.#capacity) this.#capacity *= 2;
  }
}

function bucketOf(number: number): number {
  return (number / BLOCK_LENGTH) & (BUCKETS - 1);
}
