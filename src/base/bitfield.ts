/** A set of piece indices in the layout of BEP 3's bitfield: high bit of the first byte is piece 0. */
import { assert } from "./assert.ts";

/** A set of integers 0 ≤ index < `size`, one bit each, that knows how many it holds. */
export class Bitfield {
  readonly size: number;
  #bytes: Uint8Array;
  #count = 0;

  /** An empty set. */
  constructor(size: number) {
    this.size = size;
    this.#bytes = new Uint8Array(Math.ceil(size / 8));
  }

  /** All of 0 … size − 1. */
  static full(size: number): Bitfield {
    const set = new Bitfield(size);
    set.fill();
    return set;
  }

  /**
   * The set in `bytes` (copied), or undefined when the length is not ⌈size / 8⌉ or a spare bit is
   * set, both of which BEP 3 forbids.
   */
  static parse(bytes: Uint8Array, size: number): Bitfield | undefined {
    if (bytes.length !== Math.ceil(size / 8)) return undefined;
    const spare = bytes.length * 8 - size;
    if (spare > 0 && ((bytes[bytes.length - 1] as number) & ((1 << spare) - 1)) !== 0) {
      return undefined;
    }
    const set = new Bitfield(size);
    set.#bytes = bytes.slice();
    for (const byte of bytes) set.#count += bitCount(byte);
    return set;
  }

  get count(): number {
    return this.#count;
  }

  get isFull(): boolean {
    return this.#count === this.size;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  has(index: number): boolean {
    return ((this.#bytes[index >> 3] ?? 0) & (128 >> (index & 7))) !== 0;
  }

  /** Adds `index`. @returns whether it was missing. */
  add(index: number): boolean {
    assert(index >= 0 && index < this.size, `index ${index} outside a set of ${this.size}`);
    if (this.has(index)) return false;
    this.#bytes[index >> 3] = (this.#bytes[index >> 3] as number) | (128 >> (index & 7));
    this.#count++;
    return true;
  }

  /** Removes `index`. @returns whether it was there. */
  remove(index: number): boolean {
    if (!this.has(index)) return false;
    this.#bytes[index >> 3] = (this.#bytes[index >> 3] as number) & ~(128 >> (index & 7));
    this.#count--;
    return true;
  }

  fill(): void {
    this.#bytes.fill(255);
    const spare = this.#bytes.length * 8 - this.size;
    if (spare > 0) this.#bytes[this.#bytes.length - 1] = 255 & ~((1 << spare) - 1);
    this.#count = this.size;
  }

  clear(): void {
    this.#bytes.fill(0);
    this.#count = 0;
  }

  /** Becomes equal to `other`, which must have the same size. */
  copyFrom(other: Bitfield): void {
    assert(other.size === this.size, `a set of ${other.size} does not fit one of ${this.size}`);
    this.#bytes.set(other.#bytes);
    this.#count = other.#count;
  }

  clone(): Bitfield {
    const copy = new Bitfield(this.size);
    copy.#bytes = this.#bytes.slice();
    copy.#count = this.#count;
    return copy;
  }

  /** A copy in BEP 3's layout. */
  toBytes(): Uint8Array {
    return this.#bytes.slice();
  }

  /** The members in rising order. */
  *[Symbol.iterator](): IterableIterator<number> {
    for (let i = 0; i < this.#bytes.length; i++) {
      const byte = this.#bytes[i] as number;
      if (byte === 0) continue;
      for (let bit = 0; bit < 8; bit++) if ((byte & (128 >> bit)) !== 0) yield i * 8 + bit;
    }
  }
}

function bitCount(byte: number): number {
  let count = 0;
  for (let rest = byte; rest !== 0; rest &= rest - 1) count++;
  return count;
}
