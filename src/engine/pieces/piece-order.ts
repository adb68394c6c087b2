/**
 * How many peers have each piece, and the pieces still wanted in the order rarest first.
 *
 * The order is an array cut into buckets of equal availability; a HAVE moves one piece across one
 * bucket border, so that the cost grows with events and never with peers × pieces.
 * Peers that have everything are counted once, apart: they do not change the order.
 */
import { assert } from "../../base/assert.ts";
import type { Bitfield } from "../../base/bitfield.ts";
import type { Random } from "../../base/random.ts";
import type { PieceIndex } from "../../base/units.ts";

const ABSENT = -1;
/** Moving one piece costs as much as sorting so many. */
const MOVES_PER_SORT = 8;
/** How far it is looked for a preferred piece. */
const MAX_PREFERENCE_LOOKS = 256;

export class PieceOrder {
  readonly #random: Random;
  /** Peers with the piece, those with everything apart. */
  readonly #availability: Uint16Array;
  /** Wanted pieces by rising availability. */
  readonly #order: Uint32Array;
  readonly #position: Int32Array;
  /** `#bucketEnds[a]`: where the pieces of availability ≤ a end in `#order`. */
  #bucketEnds: number[] = [0];
  #seedCount = 0;
  #version = 0;

  /** All of 0 … pieceCount − 1 are known; none is wanted yet. */
  constructor(pieceCount: number, random: Random) {
    this.#random = random;
    this.#availability = new Uint16Array(pieceCount);
    this.#order = new Uint32Array(pieceCount);
    this.#position = new Int32Array(pieceCount).fill(ABSENT);
  }

  /** Wanted pieces in the order. */
  get wantedCount(): number {
    return this.#bucketEnds[this.#bucketEnds.length - 1] as number;
  }

  /** Wanted pieces that somebody has. */
  get availableWantedCount(): number {
    return this.#seedCount > 0 ? this.wantedCount : this.sharedWantedCount;
  }

  /** Wanted pieces that somebody has who lacks others. */
  get sharedWantedCount(): number {
    return this.wantedCount - (this.#bucketEnds[0] as number);
  }

  /** Peers that have everything. */
  get seedCount(): number {
    return this.#seedCount;
  }

  /** Peers that have piece `index`. */
  availabilityOf(index: PieceIndex): number {
    return (this.#availability[index] as number) + this.#seedCount;
  }

  /** The least `availabilityOf` over all pieces. Costs one pass over the pieces. */
  minAvailability(): number {
    let least = Number.POSITIVE_INFINITY;
    for (const count of this.#availability) if (count < least) least = count;
    return this.#availability.length === 0 ? this.#seedCount : least + this.#seedCount;
  }

  /** Grows when a piece is wanted that was not: who had nothing wanted may have something now. */
  get version(): number {
    return this.#version;
  }

  addSeed(): void {
    this.#seedCount++;
  }

  removeSeed(): void {
    assert(this.#seedCount > 0, "a seed leaves that never came");
    this.#seedCount--;
  }

  /** One more peer has piece `index`. */
  increment(index: PieceIndex): void {
    const level = this.#availability[index] as number;
    this.#availability[index] = level + 1;
    if (this.#position[index] === ABSENT) return;
    this.#growTo(level + 1);
    const last = (this.#bucketEnds[level] as number) - 1;
    this.#swap(this.#position[index] as number, last);
    this.#bucketEnds[level] = last;
    this.#shuffleIn(last, level + 1);
  }

  /** One peer less has piece `index`. */
  decrement(index: PieceIndex): void {
    const level = this.#availability[index] as number;
    assert(level > 0, `piece ${index} loses a holder that it never had`);
    this.#availability[index] = level - 1;
    if (this.#position[index] === ABSENT) return;
    const first = this.#bucketEnds[level - 1] as number;
    this.#swap(this.#position[index] as number, first);
    this.#bucketEnds[level - 1] = first + 1;
    this.#shuffleIn(first, level - 1);
  }

  /** One more peer has all of `pieces`. */
  incrementAll(pieces: Bitfield): void {
    if (this.#isFew(pieces)) for (const index of pieces) this.increment(index);
    else this.#changeAll(pieces, 1);
  }

  /** One peer less has all of `pieces`. */
  decrementAll(pieces: Bitfield): void {
    if (this.#isFew(pieces)) for (const index of pieces) this.decrement(index);
    else this.#changeAll(pieces, -1);
  }

  /** Piece `index` is wanted again, or for the first time. */
  want(index: PieceIndex): void {
    if (this.#position[index] !== ABSENT) return;
    this.#version++;
    const level = this.#availability[index] as number;
    this.#growTo(level);
    let hole = this.wantedCount;
    for (let bucket = this.#bucketEnds.length - 1; bucket > level; bucket--) {
      const first = this.#bucketEnds[bucket - 1] as number;
      // What lies in the hole of an empty bucket is a leftover, not a piece of the order.
      if (first !== hole) this.#place(this.#order[first] as number, hole);
      this.#bucketEnds[bucket] = (this.#bucketEnds[bucket] as number) + 1;
      hole = first;
    }
    this.#bucketEnds[level] = (this.#bucketEnds[level] as number) + 1;
    this.#place(index, hole);
    this.#shuffleIn(hole, level);
  }

  /** Piece `index` is not wanted any more, or is being fetched already. */
  unwant(index: PieceIndex): void {
    let hole = this.#position[index] as number;
    if (hole === ABSENT) return;
    this.#position[index] = ABSENT;
    for (
      let bucket = this.#availability[index] as number;
      bucket < this.#bucketEnds.length;
      bucket++
    ) {
      const last = (this.#bucketEnds[bucket] as number) - 1;
      if (last !== hole) this.#place(this.#order[last] as number, hole);
      this.#bucketEnds[bucket] = last;
      hole = last;
    }
  }

  isWanted(index: PieceIndex): boolean {
    return this.#position[index] !== ABSENT;
  }

  /** The rarest wanted piece among `pieces`, or undefined; of equally rare ones a `preferred` one. */
  rarestOf(pieces: Bitfield, preferred?: Bitfield): PieceIndex | undefined {
    if (pieces.isEmpty) return undefined;
    const end = this.wantedCount;
    for (let i = 0; i < end; i++) {
      const index = this.#order[i] as number;
      if (pieces.has(index)) return this.#preferredFrom(i, pieces, preferred) ?? index;
    }
    return undefined;
  }

  /** A piece in both sets, as rare as the one at `at` and not far behind it. */
  #preferredFrom(at: number, pieces: Bitfield, preferred?: Bitfield): PieceIndex | undefined {
    if (preferred === undefined || preferred.isEmpty) return undefined;
    const level = this.#availability[this.#order[at] as number] as number;
    const end = Math.min(this.#bucketEnds[level] as number, at + MAX_PREFERENCE_LOOKS);
    for (let i = at; i < end; i++) {
      const index = this.#order[i] as number;
      if (preferred.has(index) && pieces.has(index)) return index;
    }
    return undefined;
  }

  #isFew(pieces: Bitfield): boolean {
    return pieces.count * MOVES_PER_SORT < pieces.size;
  }

  #changeAll(pieces: Bitfield, by: 1 | -1): void {
    for (const index of pieces) {
      const level = (this.#availability[index] as number) + by;
      assert(level >= 0, `piece ${index} loses a holder that it never had`);
      this.#availability[index] = level;
    }
    this.#sort();
  }

  /** Sorts the order anew, by counting. Where pieces tie they stay as they were: by chance. */
  #sort(): void {
    const wanted = this.#order.slice(0, this.wantedCount);
    const counts: number[] = [0];
    for (const index of wanted) {
      const level = this.#availability[index] as number;
      while (counts.length <= level) counts.push(0);
      counts[level] = (counts[level] as number) + 1;
    }
    // Each bucket ends where the one before it does, until it is filled.
    let start = 0;
    this.#bucketEnds = counts.map((count) => {
      start += count;
      return start - count;
    });
    for (const index of wanted) {
      const level = this.#availability[index] as number;
      const at = this.#bucketEnds[level] as number;
      this.#place(index, at);
      this.#bucketEnds[level] = at + 1;
    }
  }

  /** Moves the piece at `at` to a random place of its bucket: ties are broken by chance. */
  #shuffleIn(at: number, level: number): void {
    const start = level === 0 ? 0 : (this.#bucketEnds[level - 1] as number);
    const end = this.#bucketEnds[level] as number;
    this.#swap(at, start + this.#random.below(end - start));
  }

  #growTo(level: number): void {
    while (this.#bucketEnds.length <= level) this.#bucketEnds.push(this.wantedCount);
  }

  #place(index: PieceIndex, at: number): void {
    this.#order[at] = index;
    this.#position[index] = at;
  }

  #swap(a: number, b: number): void {
    const first = this.#order[a] as number;
    this.#place(this.#order[b] as number, a);
    this.#place(first, b);
  }
}
