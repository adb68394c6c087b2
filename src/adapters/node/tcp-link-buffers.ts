/**
 * Buffers to read blocks into and send them from, shared by all links.
 *
 * Nobody ever waits for a buffer, since a few peers that take nothing could then stop everybody;
 * instead, when much is in use, buffers become small. So the memory is bounded by the limit below
 * plus two small buffers a link.
 */
import { BLOCK_LENGTH } from "../../base/units.ts";
import { PIECE_HEADER_LENGTH } from "../../protocol/wire/layout.ts";

const FRAMED_BLOCK_LENGTH = PIECE_HEADER_LENGTH + BLOCK_LENGTH;

/** A buffer for blocks with the 13 bytes before each. */
export class SendBuffer {
  readonly bytes: Uint8Array;
  /** Views of payloads of full blocks, made once: making one takes longer than writing a head. */
  readonly #payloads: Uint8Array[] = [];

  constructor(length: number) {
    // Not zeroed: every byte that is sent was written before.
    this.bytes = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
  }

  get length(): number {
    return this.bytes.length;
  }

  /** The `length` bytes from `at` on. */
  payloadAt(at: number, length: number): Uint8Array {
    const slot = (at - PIECE_HEADER_LENGTH) / FRAMED_BLOCK_LENGTH;
    if (length !== BLOCK_LENGTH || !Number.isInteger(slot)) {
      return this.bytes.subarray(at, at + length);
    }
    return (this.#payloads[slot] ??= this.bytes.subarray(at, at + length));
  }
}

/** Lengths of buffers: 4, 16 and 64 blocks. 64 fill a megabyte, after which writes gain no more. */
const bufferLengths = [4, 16, 64].map((blocks) => blocks * FRAMED_BLOCK_LENGTH);

/** Length of the longest buffer: what one frame can hold. */
export const MAX_FRAME_LENGTH = 64 * FRAMED_BLOCK_LENGTH;

/** In use beyond this, buffers are as small as they can be. */
const CROWDED_BYTES = 64 * MAX_FRAME_LENGTH;
/** Of what is left up to there, a buffer takes this part at most: lengths shrink by and by. */
const SHARE_OF_REST = 16;

/** Free buffers are kept for later up to this, so that a quiet server does not sit on memory. */
const MAX_FREE_BYTES = 32 * MAX_FRAME_LENGTH;

/** The buffers of one transport. */
export class SendBufferPool {
  readonly #free = new Map<number, SendBuffer[]>(bufferLengths.map((length) => [length, []]));
  #freeBytes = 0;
  /** Bytes of buffers that were taken and not yet returned. */
  #usedBytes = 0;

  /**
   * A buffer of at least `leastLength` bytes, and of `length` when memory allows.
   * `leastLength` ≤ `length`; at most a frame of the longest block.
   */
  take(length: number, leastLength: number): SendBuffer {
    const share = (CROWDED_BYTES - this.#usedBytes) / SHARE_OF_REST;
    const wanted = Math.max(leastLength, Math.min(length, share));
    const bufferLength = bufferLengths.find((each) => each >= wanted) ?? MAX_FRAME_LENGTH;
    this.#usedBytes += bufferLength;
    const buffer = this.#free.get(bufferLength)?.pop();
    if (buffer === undefined) return new SendBuffer(bufferLength);
    this.#freeBytes -= bufferLength;
    return buffer;
  }

  /** Takes back a buffer that nobody reads or writes any more. */
  release(buffer: SendBuffer): void {
    this.#usedBytes -= buffer.length;
    if (this.#freeBytes + buffer.length > MAX_FREE_BYTES) return;
    this.#freeBytes += buffer.length;
    this.#free.get(buffer.length)?.push(buffer);
  }

  /** Forgets a buffer that somebody may still read or write: it is never given out again. */
  discard(buffer: SendBuffer): void {
    this.#usedBytes -= buffer.length;
  }
}
