/**
 * Buffers to assemble pieces in, shared with disk threads without a copy. Used ones are kept, since
 * fresh memory costs a page fault each 4 KiB; but never more than a bounded amount of it.
 */
import { assert } from "../../base/assert.ts";

/**
 * Most memory that waits for its next use, unless two buffers are more. With half of it a disk that
 * stops now and then makes buffers be given up and made anew, faster than V8 collects them: 75 MiB.
 */
const MAX_IDLE_BYTES = 32 * 1024 * 1024;

/** Buffers of one length. */
export class DiskBuffers {
  readonly #byteLength: number;
  readonly #maxIdle: number;
  readonly #idle: SharedArrayBuffer[] = [];
  readonly #taken = new Set<SharedArrayBuffer>();

  constructor(byteLength: number) {
    this.#byteLength = byteLength;
    this.#maxIdle = Math.max(2, Math.floor(MAX_IDLE_BYTES / byteLength));
  }

  /** The first `length` bytes of a buffer; their contents are arbitrary. */
  take(length: number): Uint8Array {
    const memory = this.#idle.pop() ?? new SharedArrayBuffer(this.#byteLength);
    this.#taken.add(memory);
    return new Uint8Array(memory, 0, length);
  }

  /** The memory behind a taken `view`, which stays taken. */
  memoryOf(view: Uint8Array): SharedArrayBuffer {
    const memory = view.buffer as SharedArrayBuffer;
    assert(this.#taken.has(memory), "a buffer that was not taken from here, or was given back");
    return memory;
  }

  giveBack(view: Uint8Array): void {
    const memory = this.memoryOf(view);
    this.#taken.delete(memory);
    if (this.#idle.length < this.#maxIdle) this.#idle.push(memory);
  }
}
