/**
 * A map from 20 bytes to an object, for looking up the info hash of an announce where it lies in
 * the packet: no string is made of it. Open addressing with linear probing over one typed array.
 */

const KEY_WORDS = 5;
const MIN_SLOTS = 16;
/** Longer probes beyond. */
const MAX_LOAD = 0.5;

// The key that is looked for, as words in this machine's order; shared, since nothing here waits.
const sought = new Int32Array(KEY_WORDS);
const soughtBytes = new Uint8Array(sought.buffer);

export class HashIndex<Value> {
  readonly #seed: number;
  #keys = new Int32Array(MIN_SLOTS * KEY_WORDS);
  #values: (Value | undefined)[] = Array.from({ length: MIN_SLOTS }, () => undefined);
  #size = 0;

  /** `seed`: makes collisions unpredictable to those who choose the keys. */
  constructor(seed: number) {
    this.#seed = seed;
  }

  get size(): number {
    return this.#size;
  }

  /** The value of `key`: 20 bytes of `bytes` from `at` on. */
  get(bytes: Uint8Array, at = 0): Value | undefined {
    for (let i = 0; i < 4 * KEY_WORDS; i++) soughtBytes[i] = bytes[at + i] as number;
    return this.#values[this.#slot()];
  }

  set(key: Uint8Array, value: Value): void {
    soughtBytes.set(key);
    let slot = this.#slot();
    if (this.#values[slot] === undefined) {
      if (this.#size + 1 > MAX_LOAD * this.#values.length) {
        this.#resize(2 * this.#values.length);
        soughtBytes.set(key);
        slot = this.#slot();
      }
      this.#keys.set(sought, slot * KEY_WORDS);
      this.#size++;
    }
    this.#values[slot] = value;
  }

  delete(key: Uint8Array): void {
    soughtBytes.set(key);
    let free = this.#slot();
    if (this.#values[free] === undefined) return;
    this.#values[free] = undefined;
    this.#size--;
    // Close the gap that would end later searches too early.
    const mask = this.#values.length - 1;
    for (let slot = (free + 1) & mask; this.#values[slot] !== undefined; slot = (slot + 1) & mask) {
      const home = this.#home(this.#keys, slot * KEY_WORDS);
      if (((slot - home) & mask) < ((slot - free) & mask)) continue;
      this.#keys.copyWithin(free * KEY_WORDS, slot * KEY_WORDS, (slot + 1) * KEY_WORDS);
      this.#values[free] = this.#values[slot];
      this.#values[slot] = undefined;
      free = slot;
    }
  }

  #home(words: Int32Array, at: number): number {
    let hash = Math.imul(this.#seed ^ (words[at] as number), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 15) ^ (words[at + 1] as number), 0xc2b2ae35);
    return (hash ^ (hash >>> 13)) & (this.#values.length - 1);
  }

  /** Where `sought` is, or the free place where it would go. */
  #slot(): number {
    const mask = this.#values.length - 1;
    let slot = this.#home(sought, 0);
    while (this.#values[slot] !== undefined && !this.#isSought(slot)) slot = (slot + 1) & mask;
    return slot;
  }

  #isSought(slot: number): boolean {
    const at = slot * KEY_WORDS;
    for (let i = 0; i < KEY_WORDS; i++) if (this.#keys[at + i] !== sought[i]) return false;
    return true;
  }

  #resize(slots: number): void {
    const keys = this.#keys;
    const values = this.#values;
    this.#keys = new Int32Array(slots * KEY_WORDS);
    this.#values = Array.from({ length: slots }, () => undefined);
    for (const [slot, value] of values.entries()) {
      if (value === undefined) continue;
      for (let i = 0; i < KEY_WORDS; i++) sought[i] = keys[slot * KEY_WORDS + i] as number;
      const at = this.#slot();
      this.#keys.set(sought, at * KEY_WORDS);
      this.#values[at] = value;
    }
  }
}
