/**
 * The peers of one swarm and one address family, in typed arrays: 32 bytes a peer (44 in IPv6) plus
 * an index of 5 to 11, and no object per peer. Rows are dense, seeds before leeches, so that counting
 * is free and any of either kind can be picked by number. What an answer needs of fifty peers lies
 * together, apart from what only the peer itself needs: fetching memory is most of the work.
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

// Of each row, `entries` has address and port as compact answers want them (BEP 23, BEP 7), `marks`
// a tag of the peer id and flags, and `records` the tick and the peer id.
const PEER_ID_LENGTH = 20;
const PEER_ID_WORDS = 5;
const RECORD_WORDS = 1 + PEER_ID_WORDS;
const MARKS = 2;

const COMPLETED_FLAG = 1;
const EARLY_SHIFT = 1;

// An entry of the index: the tag again, so that a search passes the peers of a crowded address
// without looking at their rows, and the row + 1; 0 where free.
const ROW_BITS = 24;
const ROW_MASK = (1 << ROW_BITS) - 1;

// Shared by all empty tables: a tracker may have many.
const noBytes = new Uint8Array(0);
const noPairs = new Uint16Array(0);
const noWords = new Int32Array(0);

const MIN_CAPACITY = 4;
/** Of the index: longer probes beyond, wasted memory below. */
const MAX_LOAD = 0.75;

// The id that is searched for, as words in this machine's order; shared, since nothing here waits.
const soughtId = new Int32Array(PEER_ID_WORDS);
const soughtBytes = new Uint8Array(soughtId.buffer);

// Entries of an answer, before they go there in one piece.
const gathered = new Uint16Array((18 / 2) * 200);
const gatheredBytes = new Uint8Array(gathered.buffer);

export class PeerTable {
  readonly #addressLength: 4 | 16;
  readonly #entryLength: 6 | 18;
  /** The address in IPv4, its /64 in IPv6. */
  readonly #networkLength: 4 | 8;
  /** Makes the index's collisions unpredictable to those who pick addresses. */
  readonly #hashSeed: number;
  #entries = noBytes;
  /** The same memory, two bytes at a time. */
  #entryPairs = noPairs;
  #marks = noBytes;
  #records = noWords;
  /** Open addressing with linear probing, by network. */
  #index = noWords;
  #count = 0;
  #seedCount = 0;

  constructor(addressLength: 4 | 16, hashSeed: number) {
    this.#addressLength = addressLength;
    this.#entryLength = addressLength === 4 ? 6 : 18;
    this.#networkLength = addressLength === 4 ? 4 : 8;
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
    const { byteLength } = this.#entries;
    return byteLength + this.#marks.byteLength + this.#records.byteLength + this.#index.byteLength;
  }

  /** The row of `peer`, or −1. */
  find(peer: PeerKey): Row {
    if (this.#count === 0) return -1;
    const { address } = peer;
    this.#seek(peer.peerId);
    const index = this.#index;
    const mask = index.length - 1;
    const tag = tagOf(soughtId, 0);
    for (let slot = this.#hash(address, 0) & mask; ; slot = (slot + 1) & mask) {
      const entry = index[slot] as number;
      if (entry === 0) return -1;
      if (entry >>> ROW_BITS !== tag) continue;
      const row = (entry & ROW_MASK) - 1;
      if (this.#isSoughtId(row) && this.#isAt(row, address, this.#addressLength)) return row;
    }
  }

  /** Peers of the same network: the address in IPv4, its /64 in IPv6. */
  countOfNetwork(address: IpBytes): number {
    if (this.#count === 0) return 0;
    const mask = this.#index.length - 1;
    let count = 0;
    for (let slot = this.#hash(address, 0) & mask; ; slot = (slot + 1) & mask) {
      const entry = this.#index[slot] as number;
      if (entry === 0) return count;
      if (this.#isAt((entry & ROW_MASK) - 1, address, this.#networkLength)) count++;
    }
  }

  /** Adds a peer that is not there yet and returns its row. */
  add({ address, peerId }: PeerKey, facts: PeerFacts): Row {
    this.#fit(this.#count + 1);
    const row = this.#count++;
    this.#entries.set(address, row * this.#entryLength);
    this.#seek(peerId);
    this.#records.set(soughtId, row * RECORD_WORDS + 1);
    this.#marks[row * MARKS] = tagOf(soughtId, 0);
    this.#marks[row * MARKS + 1] = 0;
    this.#link(row);
    return this.update(row, facts);
  }

  /** Returns the row, which changes when the peer became a seed or ceased to be one. */
  update(row: Row, { port, isSeed, tick }: PeerFacts): Row {
    const portAt = row * this.#entryLength + this.#addressLength;
    this.#entries[portAt] = port >> 8;
    this.#entries[portAt + 1] = port;
    this.#records[row * RECORD_WORDS] = tick;
    if (isSeed === row < this.#seedCount) return row;
    const target = isSeed ? this.#seedCount++ : --this.#seedCount;
    this.#swap(row, target);
    return target;
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
    return (this.#records[row * RECORD_WORDS] as number) >>> 0;
  }

  hasCompleted(row: Row): boolean {
    return ((this.#marks[row * MARKS + 1] as number) & COMPLETED_FLAG) !== 0;
  }

  markCompleted(row: Row): void {
    const at = row * MARKS + 1;
    this.#marks[at] = (this.#marks[at] as number) | COMPLETED_FLAG;
  }

  /** Announces in a row that came too early, 0 … 127. */
  earlyCount(row: Row): number {
    return (this.#marks[row * MARKS + 1] as number) >> EARLY_SHIFT;
  }

  setEarlyCount(row: Row, count: number): void {
    const at = row * MARKS + 1;
    this.#marks[at] = (count << EARLY_SHIFT) | ((this.#marks[at] as number) & COMPLETED_FLAG);
  }

  /** Bytes of one peer in a compact answer: 6 or 18. */
  get compactLength(): 6 | 18 {
    return this.#entryLength;
  }

  /**
   * Writes address and port of `count` ≤ 200 rows at `offset` of `target`, as BEP 23 and BEP 7 have
   * them.
   */
  writeCompact(rows: Int32Array, count: number, target: Uint8Array, offset: number): void {
    if (count === 0) return;
    const pairs = this.#entryPairs;
    const length = this.#entryLength / 2;
    let to = 0;
    for (let i = 0; i < count; i++) {
      const from = (rows[i] as number) * length;
      for (let k = 0; k < length; k++) gathered[to + k] = pairs[from + k] as number;
      to += length;
    }
    target.set(gatheredBytes.subarray(0, 2 * to), offset);
  }

  /** Keeps those of the first `count` of `rows` with another id, in order; returns how many. */
  withoutId(rows: Int32Array, count: number, peerId: Uint8Array): number {
    this.#seek(peerId);
    const tag = tagOf(soughtId, 0);
    let kept = 0;
    for (let i = 0; i < count; i++) {
      const row = rows[i] as number;
      if (this.#marks[row * MARKS] !== tag || !this.#isSoughtId(row)) rows[kept++] = row;
    }
    return kept;
  }

  /** A copy of the 20 bytes. */
  peerId(row: Row): Uint8Array {
    const start = row * RECORD_WORDS + 1;
    return new Uint8Array(this.#records.buffer, 4 * start, PEER_ID_LENGTH).slice();
  }

  #seek(peerId: Uint8Array): void {
    for (let i = 0; i < PEER_ID_LENGTH; i++) soughtBytes[i] = peerId[i] as number;
  }

  /** Of the network alone, so that one probe passes all its peers and can count them. */
  #hash(bytes: Uint8Array, start: number): number {
    let hash = this.#hashSeed;
    for (let at = start; at < start + this.#networkLength; at += 4) {
      const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
      const high = (bytes[at + 2] as number) | ((bytes[at + 3] as number) << 8);
      hash = Math.imul(hash ^ low ^ (high << 16), 0x85ebca6b);
      hash ^= hash >>> 15;
      hash = Math.imul(hash, 0xc2b2ae35);
      hash ^= hash >>> 13;
    }
    return hash;
  }

  #isAt(row: Row, address: IpBytes, length: number): boolean {
    const start = row * this.#entryLength;
    for (let i = 0; i < length; i++) if (this.#entries[start + i] !== address[i]) return false;
    return true;
  }

  #isSoughtId(row: Row): boolean {
    const start = row * RECORD_WORDS + 1;
    for (let i = 0; i < PEER_ID_WORDS; i++) {
      if (this.#records[start + i] !== soughtId[i]) return false;
    }
    return true;
  }

  /** The slot of the index that names `row`, or the free one where a search for it ends. */
  #slotOf(row: Row): number {
    const mask = this.#index.length - 1;
    const entry = this.#indexEntry(row);
    let slot = this.#hash(this.#entries, row * this.#entryLength) & mask;
    while (this.#index[slot] !== 0 && this.#index[slot] !== entry) slot = (slot + 1) & mask;
    return slot;
  }

  #indexEntry(row: Row): number {
    return ((this.#marks[row * MARKS] as number) << ROW_BITS) | (row + 1);
  }

  #link(row: Row): void {
    this.#index[this.#slotOf(row)] = this.#indexEntry(row);
  }

  /** Frees the slot of `row` and closes the gap that would end later searches too early. */
  #unlink(row: Row): void {
    const mask = this.#index.length - 1;
    let free = this.#slotOf(row);
    this.#index[free] = 0;
    for (let slot = (free + 1) & mask; this.#index[slot] !== 0; slot = (slot + 1) & mask) {
      const row = ((this.#index[slot] as number) & ROW_MASK) - 1;
      const home = this.#hash(this.#entries, row * this.#entryLength);
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
    swapRuns(this.#entries, a, b, this.#entryLength);
    swapRuns(this.#marks, a, b, MARKS);
    swapRuns(this.#records, a, b, RECORD_WORDS);
    this.#index[slotOfA] = this.#indexEntry(b);
    this.#index[slotOfB] = this.#indexEntry(a);
  }

  /** Grows when `count` rows do not fit, and shrinks when they would fit four times over. */
  #fit(count: number): void {
    const capacity = this.#marks.length / MARKS;
    if (count > capacity) this.#resize(Math.max(MIN_CAPACITY, Math.ceil(capacity * 1.5)));
    else if (capacity > MIN_CAPACITY && count < capacity / 4) {
      this.#resize(Math.max(MIN_CAPACITY, Math.ceil(count * 1.25)));
    }
  }

  #resize(capacity: number): void {
    const count = this.#count;
    const entries = new Uint8Array(capacity * this.#entryLength);
    const marks = new Uint8Array(capacity * MARKS);
    const records = new Int32Array(capacity * RECORD_WORDS);
    entries.set(this.#entries.subarray(0, count * this.#entryLength));
    marks.set(this.#marks.subarray(0, count * MARKS));
    records.set(this.#records.subarray(0, count * RECORD_WORDS));
    this.#entries = entries;
    this.#entryPairs = new Uint16Array(entries.buffer);
    this.#marks = marks;
    this.#records = records;
    const indexLength = 2 ** Math.ceil(Math.log2(capacity / MAX_LOAD));
    if (indexLength === this.#index.length) return;
    this.#index = new Int32Array(indexLength);
    for (let row = 0; row < count; row++) this.#link(row);
  }
}

function swapRuns(array: Uint8Array | Int32Array, a: Row, b: Row, length: number): void {
  for (let i = 0; i < length; i++) {
    const value = array[a * length + i] as number;
    array[a * length + i] = array[b * length + i] as number;
    array[b * length + i] = value;
  }
}

/** 8 bits of the id whose words begin at `at`; of its end, where ids differ. */
function tagOf(words: Int32Array, at: number): number {
  return Math.imul(words[at + PEER_ID_WORDS - 1] as number, 0x9e3779b1) >>> ROW_BITS;
}
