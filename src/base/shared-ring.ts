/**
 * Messages from one thread to another through shared memory, without a lock: a ring that one side
 * alone writes and the other alone reads. Full means full: what does not fit is refused, and the
 * memory never grows. Who wakes a reader that sleeps is the caller's to know.
 *
 *     words 0, 1    how much was written and read so far, in bytes, modulo 2^32
 *     word  2       1 while the reader sleeps
 *     bytes 64-     records: length, tag, bytes; each begins at a multiple of 8
 */

const WRITTEN = 0;
const READ = 1;
const SLEEPS = 2;
const DATA_AT = 64;
const HEAD_LENGTH = 8;
/** In place of a length: the next record is at the ring's beginning. */
const WRAPS = -1;

/** Memory for a ring of `capacity` bytes, a power of two of at least 64. */
export function createRingMemory(capacity: number): SharedArrayBuffer {
  return new SharedArrayBuffer(DATA_AT + capacity);
}

/** One side's view of a ring. A record is at most half as long as the ring. */
export class SharedRing {
  readonly #words: Int32Array;
  readonly #heads: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #capacity: number;

  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory, 0, DATA_AT / 4);
    this.#heads = new Int32Array(memory, DATA_AT);
    this.#bytes = new Uint8Array(memory, DATA_AT);
    this.#capacity = this.#bytes.length;
  }

  /**
   * Writer: adds a record of `prefix`, which takes `prefixLength` bytes, and `body`, with a 32-bit `tag`.
   * @returns false, having done nothing, when there is no room.
   */
  write(tag: number, prefix: Uint8Array, prefixLength: number, body: Uint8Array): boolean {
    const written = Atomics.load(this.#words, WRITTEN);
    const length = prefixLength + body.length;
    const size = sizeOf(length);
    const at = this.#placeOf(written);
    const left = this.#capacity - at;
    const skipped = size > left ? left : 0;
    if (this.#capacity - this.#used(written) < size + skipped) return false;
    if (skipped > 0) this.#heads[at / 4] = WRAPS;
    const start = skipped > 0 ? 0 : at;
    this.#heads[start / 4] = length;
    this.#heads[start / 4 + 1] = tag;
    const data = start + HEAD_LENGTH;
    for (let i = 0; i < prefix.length; i++) this.#bytes[data + i] = prefix[i] as number;
    this.#bytes.set(body, data + prefixLength);
    Atomics.store(this.#words, WRITTEN, (written + skipped + size) | 0);
    return true;
  }

  /** Writer: whether the reader sleeps and must be woken; says so once. */
  takeSleep(): boolean {
    return Atomics.compareExchange(this.#words, SLEEPS, 1, 0) === 1;
  }

  /** Reader: the length of the next record; -1 when there is none. */
  nextLength(): number {
    const read = Atomics.load(this.#words, READ);
    if (this.#isEmpty(read)) return -1;
    const at = this.#placeOf(read);
    const length = this.#heads[at / 4] as number;
    if (length !== WRAPS) return length;
    Atomics.store(this.#words, READ, (read + this.#capacity - at) | 0);
    return this.#heads[0] as number;
  }

  /** Reader: copies the record that `nextLength` told of to the beginning of `target`; returns its tag. */
  read(target: Uint8Array): number {
    const read = Atomics.load(this.#words, READ);
    const at = this.#placeOf(read);
    const length = this.#heads[at / 4] as number;
    const tag = this.#heads[at / 4 + 1] as number;
    const data = at + HEAD_LENGTH;
    target.set(this.#bytes.subarray(data, data + length));
    Atomics.store(this.#words, READ, (read + sizeOf(length)) | 0);
    return tag;
  }

  /** Reader: goes to sleep. @returns false when something came meanwhile: then it does not. */
  sleep(): boolean {
    Atomics.store(this.#words, SLEEPS, 1);
    if (this.#isEmpty(Atomics.load(this.#words, READ))) return true;
    // Either the writer woke us already, or nobody will: awake in both cases.
    Atomics.store(this.#words, SLEEPS, 0);
    return false;
  }

  #isEmpty(read: number): boolean {
    return Atomics.load(this.#words, WRITTEN) === read;
  }

  #used(written: number): number {
    return (written - Atomics.load(this.#words, READ)) >>> 0;
  }

  #placeOf(position: number): number {
    return (position >>> 0) % this.#capacity;
  }
}

function sizeOf(length: number): number {
  return HEAD_LENGTH + ((length + 7) & ~7);
}
