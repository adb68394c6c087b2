/**
 * A map from keys, as clients send them, to what they stand for. A key is looked up where it lies in a
 * packet: no text is made of it. Open addressing with linear probing over one typed array, a row of
 * which is a line of the processor's cache.
 */
import { KeyBytes } from "../protocol/tracker/key.ts";

const KEY_WORDS = 16;
/** Longer keys are nobody's. */
export const MAX_KEY_BYTES = 4 * KEY_WORDS;
const MIN_SLOTS = 16;
/** Longer probes beyond. */
const MAX_LOAD = 0.6;

// The key that is looked for, zeros behind, as words in this machine's order; shared, since nothing
// here waits.
const sought = new Int32Array(KEY_WORDS);
const soughtBytes = new Uint8Array(sought.buffer);

export class KeyTable<Value> {
  readonly #seed: number;
  readonly #maxSize: number;
  #rows = new Int32Array(MIN_SLOTS * KEY_WORDS);
  #values = emptyValues<Value>(MIN_SLOTS);
  #size = 0;

  /**
   * `seed`: makes collisions unpredictable to those who choose keys. With `maxSize` keys in it the table
   * begins anew.
   */
  constructor(seed: number, maxSize: number) {
    this.#seed = seed;
    this.#maxSize = maxSize;
  }

  get(key: string | KeyBytes): Value | undefined {
    return seek(key) ? this.#values[this.#slot()] : undefined;
  }

  /** Does nothing for a key that is too long. */
  set(key: string, value: Value): void {
    if (!seek(key)) return;
    let slot = this.#slot();
    if (this.#values[slot] === undefined) {
      if (this.#size === this.#maxSize) this.#begin(MIN_SLOTS);
      else if (this.#size + 1 > MAX_LOAD * this.#values.length) this.#grow();
      seek(key);
      slot = this.#slot();
      this.#rows.set(sought, slot * KEY_WORDS);
      this.#size++;
    }
    this.#values[slot] = value;
  }

  /** Where `sought` is, or the free place where it would go. */
  #slot(): number {
    const mask = this.#values.length - 1;
    let slot = hashOf(this.#seed) & mask;
    while (this.#values[slot] !== undefined && !this.#isSought(slot)) slot = (slot + 1) & mask;
    return slot;
  }

  #isSought(slot: number): boolean {
    const at = slot * KEY_WORDS;
    for (let i = 0; i < KEY_WORDS; i++) if (this.#rows[at + i] !== sought[i]) return false;
    return true;
  }

  #begin(slots: number): void {
    this.#rows = new Int32Array(slots * KEY_WORDS);
    this.#values = emptyValues(slots);
    this.#size = 0;
  }

  #grow(): void {
    const rows = this.#rows;
    const values = this.#values;
    const size = this.#size;
    this.#begin(2 * values.length);
    for (const [slot, value] of values.entries()) {
      if (value === undefined) continue;
      sought.set(rows.subarray(slot * KEY_WORDS, (slot + 1) * KEY_WORDS));
      const to = this.#slot();
      this.#rows.set(sought, to * KEY_WORDS);
      this.#values[to] = value;
    }
    this.#size = size;
  }
}

function emptyValues<Value>(slots: number): (Value | undefined)[] {
  return Array.from({ length: slots }, () => undefined);
}

/** Puts the key into `sought`; false when it is too long. */
function seek(key: string | KeyBytes): boolean {
  const length = key instanceof KeyBytes ? key.end - key.start : key.length;
  if (length > MAX_KEY_BYTES) return false;
  if (key instanceof KeyBytes) {
    for (let i = 0; i < length; i++) soughtBytes[i] = key.bytes[key.start + i] as number;
  } else {
    for (let i = 0; i < length; i++) soughtBytes[i] = key.charCodeAt(i);
  }
  for (let i = length; i < MAX_KEY_BYTES; i++) soughtBytes[i] = 0;
  return true;
}

/** Of `sought`. */
function hashOf(seed: number): number {
  let hash = seed;
  for (let i = 0; i < KEY_WORDS; i++) {
    hash = Math.imul(hash ^ (sought[i] as number), 0x85ebca6b);
    hash ^= hash >>> 15;
  }
  return hash;
}
