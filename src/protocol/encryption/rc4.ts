/**
 * RC4 as message stream encryption wants it: without the first 1024 bytes of its stream. It hides the
 * protocol from simple filters; nobody should take it for secrecy.
 */

const DROPPED_BYTES = 1024;

/** One direction of a stream. */
export class Rc4 {
  readonly #state = new Uint8Array(256);
  #i = 0;
  #j = 0;

  /** `key`: 1 to 256 bytes. */
  constructor(key: Uint8Array) {
    const state = this.#state;
    for (let i = 0; i < 256; i++) state[i] = i;
    for (let i = 0, j = 0; i < 256; i++) {
      const value = state[i] as number;
      j = (j + value + (key[i % key.length] as number)) & 255;
      state[i] = state[j] as number;
      state[j] = value;
    }
    this.apply(new Uint8Array(DROPPED_BYTES));
  }

  /** Encrypts or decrypts the next bytes, into `target` of the same length. @returns `target`. */
  apply(bytes: Uint8Array, target: Uint8Array = bytes): Uint8Array {
    const state = this.#state;
    const length = bytes.length;
    let i = this.#i;
    let j = this.#j;
    for (let at = 0; at < length; at++) {
      i = (i + 1) & 255;
      const a = state[i] as number;
      j = (j + a) & 255;
      const b = state[j] as number;
      state[i] = b;
      state[j] = a;
      target[at] = (bytes[at] as number) ^ (state[(a + b) & 255] as number);
    }
    this.#i = i;
    this.#j = j;
    return target;
  }
}
