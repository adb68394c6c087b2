/**
 * Read buffers of the files door, reused: a buffer made for each read would cost more than the
 * read itself (its pages must be zeroed). Sizes are powers of two.
 */

/** Free memory that is kept: enough for 32 fast transfers at the largest size. */
const MAX_FREE_BYTES = 16 * 1024 * 1024;

/** Buffers by size. */
export class FilesBuffers {
  readonly #free = new Map<number, Buffer[]>();
  #freeBytes = 0;

  /** A buffer of exactly `size` bytes with anything in it. */
  take(size: number): Buffer {
    const buffer = this.#free.get(size)?.pop();
    if (buffer === undefined) return Buffer.allocUnsafeSlow(size);
    this.#freeBytes -= size;
    return buffer;
  }

  /** Only once nothing reads or writes it any more. */
  giveBack(buffer: Buffer): void {
    if (this.#freeBytes + buffer.length > MAX_FREE_BYTES) return;
    this.#freeBytes += buffer.length;
    const free = this.#free.get(buffer.length);
    if (free === undefined) this.#free.set(buffer.length, [buffer]);
    else free.push(buffer);
  }
}
