/**
 * Seeded pseudo-random numbers, the only randomness that the core knows.
 * Not for secrets: tokens and keys come from the platform's generator.
 */

/** A source of random numbers; deterministic from its seed. */
export interface Random {
  /** The next 32 random bits, 0 ≤ value < 2^32. */
  nextUint32(): number;
  /** A random integer, 0 ≤ value < `bound`; `bound` from 1 to 2^32. */
  below(bound: number): number;
  /** A random number, 0 ≤ value < 1. */
  fraction(): number;
}

/** sfc32 (Chris Doty-Humphrey, PractRand): 128 bits of state, small and fast. */
class Sfc32 implements Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number) {
    this.#a = seed | 0;
    this.#b = Math.floor(seed / 2 ** 32) | 0;
    this.#c = 0x9e3779b9 | 0;
    for (let i = 0; i < 15; i++) this.nextUint32();
  }

  nextUint32(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    this.#c |= 0;
    return sum >>> 0;
  }

  below(bound: number): number {
    return Math.floor((this.nextUint32() / 2 ** 32) * bound);
  }

  fraction(): number {
    return this.nextUint32() / 2 ** 32;
  }
}

/** A generator that gives the same numbers for the same `seed` (an integer, 0 ≤ seed < 2^53). */
export function createRandom(seed: number): Random {
  return new Sfc32(seed);
}

/** Shuffles `items` in place (Fisher and Yates) and returns it. */
export function shuffle<Item>(items: Item[], random: Random): Item[] {
  for (let i = items.length - 1; i > 0; i--) {
    const k = random.below(i + 1);
    const item = items[i] as Item;
    items[i] = items[k] as Item;
    items[k] = item;
  }
  return items;
}

/** `count` random bytes, for peer ids and transaction ids (not secrets). */
export function randomBytes(count: number, random: Random): Uint8Array {
  const bytes = new Uint8Array(count);
  for (let i = 0; i < count; i++) bytes[i] = random.below(256);
  return bytes;
}
