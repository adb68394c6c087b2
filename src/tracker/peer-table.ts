/**
 * The peers of one swarm and one address family, in typed arrays: 32 bytes a peer (44 in IPv6) plus
 * an index of 5 to 11, and no object per peer. Rows are dense, seeds before leeches, so that counting
 * is free and any of either kind can be picked by number. Keys are compared four bytes at a time.
 *
 * A peer is its peer id at its address: nobody at another address can replace or remove it.
 * Row numbers are valid until the next `add`, `update` or `remove`.
 */
import type { IpBytes } from "../base/ip-address.ts";

/** What tells peers apart. */
export interface PeerKey {
  /** 20 bytes. */
  readonly peerId: Uint8Array;
  /** 4 or 16 bytes, as the table's family. */
  readonly address: IpBytes;
}

/** What an announce says about a peer. */
export interface PeerFacts {
  readonly port: number;
  readonly isSeed: boolean;
  /** When it announced, in ticks. */
  readonly tick: number;
}

/** Number of a peer's row, 0 ≤ row < `count`; seeds come first. */
type Row = number;

// A row: address | port (2) | flags (1) | unused (1) | tick (4) | peer id (20). Address and port lie
// together, big endian, as compact answers want them (BEP 23, BEP 7); all the rest is aligned.
const PORT_LENGTH = 2;
const PEER_ID_WORDS = 5;

const COMPLETED_FLAG = 1;
const EARLY_SHIFT = 1;

// Shared by all empty tables: a tracker may have many.
const noRows = new Int32Array(0);
const noBytes = new Uint8Array(0);

const MIN_CAPACITY = 4;
/** Of the index: longer probes beyond, wasted memory below. */
const MAX_LOAD = 0.75;

// What is searched for, as words in this machine's order; shared, since nothing here waits.
const sought = new Int32Array(4 + PEER_ID_WORDS);
const soughtBytes = new Uint8Array(sought.buffer);
/** Where the peer id stands in `sought`. */
const SOUGHT_ID = 4;

export class PeerTable {
  readonly #addressLength: 4 | 16;
  /** 1 or 4. */
  readonly #addressWords: number;
  /** 1 or 2: the address in IPv4, its /64 in IPv6. */
  readonly #networkWords: number;
  readonly #rowWords: number;
  /** Makes the index's collisions unpredictable to those who pick addresses. */
  readonly #hashSeed: number;
  #rows = noRows;
  /** The same memory. */
  #bytes = noBytes;
  /** Open addressing with linear probing: row + 1, or 0 where free. */
  #index = noRows;
  #count = 0;
  #seedCount = 0;

  constructor(addressLength: 4 | 16, hashSeed: number) {
    this.#addressLength = addressLength;
    this.#addressWords = addressLength / 4;
    this.#networkWords = addressLength === 4 ? 1 : 2;
    this.#rowWords = this.#addressWords + 2 + PEER_ID_WORDS;
    this.#hashSeed = hashSeed;
  }

  get count(): number {
    return this.#count;
  }

  /** Rows 0 ≤ row < `seedCount` are seeds, the rest leeches. */
  get seedCount(): number {
    return this.#seedCount;
  }

  /** Bytes that the table holds. */
  get byteLength(): number {
    return this.#rows.byteLength + this.#index.byteLength;
  }

  /** The row of `peer`, or −1. */
  find(peer: PeerKey): Row {
    if (this.#count === 0) return -1;
    this.#seek(peer);
    const rows = this.#rows;
    const index = this.#index;
    const mask = index.length - 1;
    const idAt = this.#addressWords + 2;
    for (let slot = this.#hash(sought, 0) & mask; ; slot = (slot + 1) & mask) {
      const row = (index[slot] as number) - 1;
      if (row < 0) return -1;
      const start = row * this.#rowWords;
      // Ids begin alike, with the client's name, and end at random.
      if (rows[start + idAt + 4] !== sought[SOUGHT_ID + 4]) continue;
      if (this.#isId(start + idAt) && this.#isAddress(start, this.#addressWords)) return row;
    }
  }

  /** Peers of the same network: the address in IPv4, its /64 in IPv6. */
  countOfNetwork(address: IpBytes): number {
    if (this.#count === 0) return 0;
    soughtBytes.set(address);
    const mask = this.#index.length - 1;
    let count = 0;
    for (let slot = this.#hash(sought, 0) & mask; ; slot = (slot + 1) & mask) {
      const row = (this.#index[slot] as number) - 1;
      if (row < 0) return count;
      if (this.#isAddress(row * this.#rowWords, this.#networkWords)) count++;
    }
  }

  /** Adds a peer that is not there yet. */
  add(peer: PeerKey, facts: PeerFacts): void {
    this.#fit(this.#count + 1);
    const row = this.#count++;
    this.#seek(peer);
    const start = row * this.#rowWords;
    for (let i = 0; i < this.#addressWords; i++) this.#rows[start + i] = sought[i] as number;
    this.#rows[start + this.#addressWords] = 0;
    const idAt = start + this.#addressWords + 2;
    for (let i = 0; i < PEER_ID_WORDS; i++) {
      this.#rows[idAt + i] = sought[SOUGHT_ID + i] as number;
    }
    this.#link(row);
    this.update(row, facts);
  }

  update(row: Row, { port, isSeed, tick }: PeerFacts): void {
    const portAt = 4 * row * this.#rowWords + this.#addressLength;
    this.#bytes[portAt] = port >> 8;
    this.#bytes[portAt + 1] = port;
    this.#rows[this.#tickAt(row)] = tick;
    if (isSeed && row >= this.#seedCount) this.#swap(row, this.#seedCount++);
    else if (!isSeed && row < this.#seedCount) this.#swap(row, --this.#seedCount);
  }

  remove(row: Row): void {
    let hole = row;
    if (hole < this.#seedCount) {
      this.#swap(hole, --this.#seedCount);
      hole = this.#seedCount;
    }
    this.#swap(hole, this.#count - 1);
    this.#unlink(this.#count - 1);
    this.#count--;
    this.#fit(this.#count);
  }

  /** The tick of the last announce (unsigned 32 bits). */
  tick(row: Row): number {
    return (this.#rows[this.#tickAt(row)] as number) >>> 0;
  }

  hasCompleted(row: Row): boolean {
    return ((this.#bytes[this.#flagsAt(row)] as number) & COMPLETED_FLAG) !== 0;
  }

  markCompleted(row: Row): void {
    this.#bytes[this.#flagsAt(row)] = (this.#bytes[this.#flagsAt(row)] as number) | COMPLETED_FLAG;
  }

  /** Announces in a row that came too early, 0 … 127. */
  earlyCount(row: Row): number {
    return (this.#bytes[this.#flagsAt(row)] as number) >> EARLY_SHIFT;
  }

  setEarlyCount(row: Row, count: number): void {
    const flags = this.#bytes[this.#flagsAt(row)] as number;
    this.#bytes[this.#flagsAt(row)] = (count << EARLY_SHIFT) | (flags & COMPLETED_FLAG);
  }

  /** Bytes of one peer in a compact answer: 6 or 18. */
  get compactLength(): number {
    return this.#addressLength + PORT_LENGTH;
  }

  /** Writes address and port at `offset` of `target`, as BEP 23 and BEP 7 have them. */
  writeCompact(row: Row, target: Uint8Array, offset: number): void {
    const bytes = this.#bytes;
    const start = 4 * row * this.#rowWords;
    const length = this.#addressLength + PORT_LENGTH;
    for (let i = 0; i < length; i++) target[offset + i] = bytes[start + i] as number;
  }

  hasId(row: Row, peerId: Uint8Array): boolean {
    const start = 4 * (row * this.#rowWords + this.#addressWords + 2);
    for (let i = 19; i >= 0; i--) if (this.#bytes[start + i] !== peerId[i]) return false;
    return true;
  }

  /** A copy of the 20 bytes. */
  peerId(row: Row): Uint8Array {
    const start = 4 * (row * this.#rowWords + this.#addressWords + 2);
    return this.#bytes.slice(start, start + 4 * PEER_ID_WORDS);
  }

  #flagsAt(row: Row): number {
    return 4 * row * this.#rowWords + this.#addressLength + PORT_LENGTH;
  }

  #tickAt(row: Row): number {
    return row * this.#rowWords + this.#addressWords + 1;
  }

  #seek({ address, peerId }: PeerKey): void {
    for (let i = 0; i < this.#addressLength; i++) soughtBytes[i] = address[i] as number;
    for (let i = 0; i < 20; i++) soughtBytes[4 * SOUGHT_ID + i] = peerId[i] as number;
  }

  /** Of the network alone, so that one probe passes all its peers and can count them. */
  #hash(words: Int32Array, start: number): number {
    let hash = this.#hashSeed;
    for (let i = start; i < start + this.#networkWords; i++) {
      hash = Math.imul(hash ^ (words[i] as number), 0x85ebca6b);
      hash ^= hash >>> 15;
      hash = Math.imul(hash, 0xc2b2ae35);
      hash ^= hash >>> 13;
    }
    return hash;
  }

  #isAddress(start: number, words: number): boolean {
    for (let i = 0; i < words; i++) if (this.#rows[start + i] !== sought[i]) return false;
    return true;
  }

  #isId(start: number): boolean {
    for (let i = 0; i < PEER_ID_WORDS; i++) {
      if (this.#rows[start + i] !== sought[SOUGHT_ID + i]) return false;
    }
    return true;
  }

  /** The slot of the index that names `row`, or the free one where a search for it ends. */
  #slotOf(row: Row): number {
    const mask = this.#index.length - 1;
    let slot = this.#hash(this.#rows, row * this.#rowWords) & mask;
    while (this.#index[slot] !== 0 && this.#index[slot] !== row + 1) slot = (slot + 1) & mask;
    return slot;
  }

  #link(row: Row): void {
    this.#index[this.#slotOf(row)] = row + 1;
  }

  /** Frees the slot of `row` and closes the gap that would end later searches too early. */
  #unlink(row: Row): void {
    const mask = this.#index.length - 1;
    let free = this.#slotOf(row);
    this.#index[free] = 0;
    for (let slot = (free + 1) & mask; this.#index[slot] !== 0; slot = (slot + 1) & mask) {
      const home = this.#hash(this.#rows, ((this.#index[slot] as number) - 1) * this.#rowWords);
      if (((slot - home) & mask) >= ((slot - free) & mask)) {
        this.#index[free] = this.#index[slot] as number;
        this.#index[slot] = 0;
        free = slot;
      }
    }
  }

  #swap(a: Row, b: Row): void {
    if (a === b) return;
    const slotOfA = this.#slotOf(a);
    const slotOfB = this.#slotOf(b);
    this.#index[slotOfA] = b + 1;
    this.#index[slotOfB] = a + 1;
    const aStart = a * this.#rowWords;
    const bStart = b * this.#rowWords;
    for (let i = 0; i < this.#rowWords; i++) {
      const word = this.#rows[aStart + i] as number;
      this.#rows[aStart + i] = this.#rows[bStart + i] as number;
      this.#rows[bStart + i] = word;
    }
  }

  /** Grows when `count` rows do not fit, and shrinks when they would fit four times over. */
  #fit(count: number): void {
    const capacity = this.#rows.length / this.#rowWords;
    if (count > capacity) this.#resize(Math.max(MIN_CAPACITY, Math.ceil(capacity * 1.25)));
    else if (capacity > MIN_CAPACITY && count < capacity / 4) {
      this.#resize(Math.max(MIN_CAPACITY, Math.ceil(count * 1.25)));
    }
  }

  #resize(capacity: number): void {
    const rows = new Int32Array(capacity * this.#rowWords);
    rows.set(this.#rows.subarray(0, this.#count * this.#rowWords));
    this.#rows = rows;
    this.#bytes = new Uint8Array(rows.buffer);
    const indexLength = 2 ** Math.ceil(Math.log2(capacity / MAX_LOAD));
    if (indexLength === this.#index.length) return;
    this.#index = new Int32Array(indexLength);
    for (let row = 0; row < this.#count; row++) this.#link(row);
  }
}
