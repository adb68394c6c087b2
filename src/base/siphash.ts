/**
 * SipHash-2-4 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012): a keyed hash of 64
 * bits for short messages, in 32-bit halves. For connection ids and the like, where an HMAC for each
 * packet would cost more than the packet.
 */

// "somepseudorandomlygeneratedbytes", in words.
const initial = Int32Array.of(
  0x70736575,
  0x736f6d65,
  0x6e646f6d,
  0x646f7261,
  0x6e657261,
  0x6c796765,
  0x79746573,
  0x74656462,
);

/** A keyed hash. The last result is in `high` and `low`. */
export class SipHash {
  /** The halves of the last hash, as signed 32-bit integers. */
  high = 0;
  low = 0;
  readonly #key: Int32Array;
  // v0 … v3 of the paper, low half first.
  readonly #v = new Int32Array(8);

  /** `key`: 16 secret bytes. @throws RangeError for another length. */
  constructor(key: Uint8Array) {
    if (key.length !== 16) throw new RangeError(`a SipHash key has 16 bytes, not ${key.length}`);
    this.#key = Int32Array.from({ length: 4 }, (_, i) => readWord(key, 4 * i, key.length));
  }

  /** Hashes the first `length` bytes of `message`. */
  hash(message: Uint8Array, length: number): void {
    const v = this.#v;
    for (let i = 0; i < 8; i++) v[i] = (this.#key[i & 3] as number) ^ (initial[i] as number);
    let at = 0;
    for (; at + 8 <= length; at += 8) {
      this.#absorb(readWord(message, at, length), readWord(message, at + 4, length));
    }
    this.#absorb(readWord(message, at, length), readWord(message, at + 4, length) | (length << 24));
    v[4] = (v[4] as number) ^ 0xff;
    for (let i = 0; i < 4; i++) round(v);
    this.low = fold(v, 0);
    this.high = fold(v, 1);
  }

  #absorb(low: number, high: number): void {
    const v = this.#v;
    v[6] = (v[6] as number) ^ low;
    v[7] = (v[7] as number) ^ high;
    round(v);
    round(v);
    v[0] = (v[0] as number) ^ low;
    v[1] = (v[1] as number) ^ high;
  }
}

/** The four words of one half, joined. */
function fold(v: Int32Array, half: 0 | 1): number {
  let word = 0;
  for (let i = half; i < 8; i += 2) word ^= v[i] as number;
  return word;
}

/** Four bytes, the first one lowest; zeros from `end` on. */
function readWord(bytes: Uint8Array, at: number, end: number): number {
  let word = 0;
  for (let i = 0; i < 4 && at + i < end; i++) word |= (bytes[at + i] as number) << (8 * i);
  return word;
}

function round(v: Int32Array): void {
  let a0 = v[0] as number;
  let a1 = v[1] as number;
  let b0 = v[2] as number;
  let b1 = v[3] as number;
  let c0 = v[4] as number;
  let c1 = v[5] as number;
  let d0 = v[6] as number;
  let d1 = v[7] as number;
  let low: number;

  low = (a0 + b0) | 0;
  a1 = (a1 + b1 + carry(low, a0)) | 0;
  a0 = low;
  low = (b0 << 13) | (b1 >>> 19);
  b1 = ((b1 << 13) | (b0 >>> 19)) ^ a1;
  b0 = low ^ a0;
  low = a1;
  a1 = a0;
  a0 = low;

  low = (c0 + d0) | 0;
  c1 = (c1 + d1 + carry(low, c0)) | 0;
  c0 = low;
  low = (d0 << 16) | (d1 >>> 16);
  d1 = ((d1 << 16) | (d0 >>> 16)) ^ c1;
  d0 = low ^ c0;

  low = (a0 + d0) | 0;
  a1 = (a1 + d1 + carry(low, a0)) | 0;
  a0 = low;
  low = (d0 << 21) | (d1 >>> 11);
  d1 = ((d1 << 21) | (d0 >>> 11)) ^ a1;
  d0 = low ^ a0;

  low = (c0 + b0) | 0;
  c1 = (c1 + b1 + carry(low, c0)) | 0;
  c0 = low;
  low = (b0 << 17) | (b1 >>> 15);
  b1 = ((b1 << 17) | (b0 >>> 15)) ^ c1;
  b0 = low ^ c0;
  low = c1;
  c1 = c0;
  c0 = low;

  v[0] = a0;
  v[1] = a1;
  v[2] = b0;
  v[3] = b1;
  v[4] = c0;
  v[5] = c1;
  v[6] = d0;
  v[7] = d1;
}

/** 1 when adding to `before` wrapped round to `sum`, both as unsigned 32 bits. */
function carry(sum: number, before: number): 0 | 1 {
  return sum >>> 0 < before >>> 0 ? 1 : 0;
}
