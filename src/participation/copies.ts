/**
 * How many peers outside the source hold each piece, by evidence: claims of strangers do not count.
 * A histogram keeps the minimum at hand, so that a HAVE costs the same in a swarm of any size.
 */
import type { Bitfield } from "../base/bitfield.ts";
import type { PieceIndex } from "../base/units.ts";

export class Copies {
  readonly #counts: Uint16Array;
  /** `#piecesWith[n]`: pieces that n peers hold. */
  readonly #piecesWith: number[];

  constructor(pieceCount: number) {
    this.#counts = new Uint16Array(pieceCount);
    this.#piecesWith = [pieceCount];
  }

  of(piece: PieceIndex): number {
    return this.#counts[piece] as number;
  }

  /** @returns how many hold it now. */
  add(piece: PieceIndex): number {
    return this.#set(piece, this.of(piece) + 1);
  }

  /** @returns how many still hold it. */
  remove(piece: PieceIndex): number {
    return this.#set(piece, this.of(piece) - 1);
  }

  addAll(pieces: Bitfield): void {
    for (const piece of pieces) this.add(piece);
  }

  removeAll(pieces: Bitfield): void {
    for (const piece of pieces) this.remove(piece);
  }

  /** The copies of the swarm: those of its rarest piece. */
  get least(): number {
    return Math.max(
      0,
      this.#piecesWith.findIndex((count) => count > 0),
    );
  }

  /** Pieces that fewer than `floor` peers hold. */
  countBelow(floor: number): number {
    let count = 0;
    for (let n = 0; n < floor; n++) count += this.#piecesWith[n] ?? 0;
    return count;
  }

  /** The first piece that fewer than `floor` peers hold. */
  firstBelow(floor: number): PieceIndex | undefined {
    if (this.countBelow(floor) === 0) return undefined;
    const index = this.#counts.findIndex((count) => count < floor);
    return index < 0 ? undefined : index;
  }

  #set(piece: PieceIndex, count: number): number {
    const before = this.of(piece);
    this.#piecesWith[before] = (this.#piecesWith[before] ?? 0) - 1;
    this.#piecesWith[count] = (this.#piecesWith[count] ?? 0) + 1;
    this.#counts[piece] = count;
    return count;
  }
}
