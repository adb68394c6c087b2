/**
 * The peers of one swarm and one address family, in typed arrays: about 32 bytes a peer (IPv4)
 * plus an index of 5 to 11, and no object per peer. Rows are dense, seeds before leeches, so that
 * counting is free and any of either kind can be picked by number.
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

// A row: address | port (2) | peer id (20) | flags (1) | tick (4) | padding. Address and port lie
// together, big endian, as compact answers want them (BEP 23, BEP 7).
const PORT_LENGTH = 2;
const PEER_ID_LENGTH = 20;
const rowLengths = { 4: 32, 16: 44 } as const;

const COMPLETED_FLAG = 1;
const EARLY_SHIFT = 1;

// Shared by all empty tables: a tracker may have many.
const noRows = new Uint8Array(0);
const noSlots = new Int32Array(0);

const MIN_CAPACITY = 4;
/** Of the index: longer probes beyond, wasted memory below. */
const MAX_LOAD = 0.75;

export class PeerTable {
  readonly #addressLength: 4 | 16;
  readonly #rowLength: number;
  /** Makes the index's collisions unpredictable to those who pick addresses. */
  readonly #hashSeed: number;
  #rows = noRows;
  /** Open addressing with linear probing: row + 1, or 0 where free. */
  #index = noSlots;
  #count = 0;
  #seedCount = 0;

  constructor(addressLength: 4 | 16, hashSeed: number) {
    this.#addressLength = addressLength;
    this.#rowLength = rowLengths[addressLength];
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
    const mask = this.#index.length - 1;
    for (let slot = this.#hash(peer.address, 0) & mask; ; slot = (slot + 1) & mask) {
      const row = (this.#index[slot] as number) - 1;
      if (row < 0) return -1;
      if (this.#isAt(row, peer.address, this.#addressLength) && this.hasId(row, peer.peerId)) {
        return row;
      }
    }
  }

  /** Peers of the same network: the address in IPv4, its /64 in IPv6. */
  countOfNetwork(address: IpBytes): number {
    if (this.#count === 0) return 0;
    const mask = this.#index.length - 1;
    const length = this.#networkLength;
    let count = 0;
    for (let slot = this.#hash(address, 0) & mask; ; slot = (slot + 1) & mask) {
      const row = (this.#index[slot] as number) - 1;
      if (row < 0) return count;
      if (this.#isAt(row, address, length)) count++;
    }
  }

  /** Adds a peer that is not there yet. */
  add(peer: PeerKey, facts: PeerFacts): void {
    this.#fit(this.#count + 1);
    const row = this.#count++;
    const start = row * this.#rowLength;
    this.#rows.fill(0, start, start + this.#rowLength);
    this.#rows.set(peer.address, start);
    this.#rows.set(peer.peerId, start + this.#addressLength + PORT_LENGTH);
    this.#link(row);
    this.update(row, facts);
  }

  update(row: Row, { port, isSeed, tick }: PeerFacts): void {
    const portStart = row * this.#rowLength + this.#addressLength;
    this.#rows[portStart] = port >> 8;
    this.#rows[portStart + 1] = port;
    const tickStart = this.#tickStart(row);
    for (let i = 0; i < 4; i++) this.#rows[tickStart + i] = tick >>> (24 - 8 * i);
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
    const start = this.#tickStart(row);
    let tick = 0;
    for (let i = 0; i < 4; i++) tick = (tick << 8) | (this.#rows[start + i] as number);
    return tick >>> 0;
  }

  hasCompleted(row: Row): boolean {
    return ((this.#rows[this.#flagsAt(row)] as number) & COMPLETED_FLAG) !== 0;
  }

  markCompleted(row: Row): void {
    this.#rows[this.#flagsAt(row)] = (this.#rows[this.#flagsAt(row)] as number) | COMPLETED_FLAG;
  }

  /** Announces in a row that came too early, 0 … 127. */
  earlyCount(row: Row): number {
    return (this.#rows[this.#flagsAt(row)] as number) >> EARLY_SHIFT;
  }

  setEarlyCount(row: Row, count: number): void {
    const flags = this.#rows[this.#flagsAt(row)] as number;
    this.#rows[this.#flagsAt(row)] = (count << EARLY_SHIFT) | (flags & COMPLETED_FLAG);
  }

  /** Bytes of one peer in a compact answer: 6 or 18. */
  get compactLength(): number {
    return this.#addressLength + PORT_LENGTH;
  }

  /** Writes address and port at `offset` of `target`, as BEP 23 and BEP 7 have them. */
  writeCompact(row: Row, target: Uint8Array, offset: number): void {
    const start = row * this.#rowLength;
    for (let i = 0; i < this.compactLength; i++) {
      target[offset + i] = this.#rows[start + i] as number;
    }
  }

  hasId(row: Row, peerId: Uint8Array): boolean {
    const start = row * this.#rowLength + this.compactLength;
    for (let i = 0; i < PEER_ID_LENGTH; i++) {
      if (this.#rows[start + i] !== peerId[i]) return false;
    }
    return true;
  }

  /** A copy of the 20 bytes. */
  peerId(row: Row): Uint8Array {
    const start = row * this.#rowLength + this.compactLength;
    return this.#rows.slice(start, start + PEER_ID_LENGTH);
  }

  #flagsAt(row: Row): number {
    return row * this.#rowLength + this.#addressLength + PORT_LENGTH + PEER_ID_LENGTH;
  }

  #tickStart(row: Row): number {
    return this.#flagsAt(row) + 1;
  }

  get #networkLength(): number {
    return this.#addressLength === 4 ? 4 : 8;
  }

  /** Of the network alone, so that one probe passes all its peers and can count them. */
  #hash(bytes: Uint8Array, start: number): number {
    let hash = this.#hashSeed;
    for (let i = start; i < start + this.#networkLength; i++) {
      hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
      hash ^= hash >>> 15;
    }
    hash = Math.imul(hash, 0x85ebca6b);
    return hash ^ (hash >>> 13);
  }

  #isAt(row: Row, address: IpBytes, length: number): boolean {
    const start = row * this.#rowLength;
    for (let i = 0; i < length; i++) if (this.#rows[start + i] !== address[i]) return false;
    return true;
  }

  /** The slot of the index that names `row`, or the free one where a search for it ends. */
  #slotOf(row: Row): number {
    const mask = this.#index.length - 1;
    let slot = this.#hash(this.#rows, row * this.#rowLength) & mask;
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
      const home = this.#hash(this.#rows, ((this.#index[slot] as number) - 1) * this.#rowLength);
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
    const aStart = a * this.#rowLength;
    const bStart = b * this.#rowLength;
    for (let i = 0; i < this.#rowLength; i++) {
      const byte = this.#rows[aStart + i] as number;
      this.#rows[aStart + i] = this.#rows[bStart + i] as number;
      this.#rows[bStart + i] = byte;
    }
  }

  /** Grows when `count` rows do not fit, and shrinks when they would fit four times over. */
  #fit(count: number): void {
    const capacity = this.#rows.length / this.#rowLength;
    if (count > capacity) this.#resize(Math.max(MIN_CAPACITY, Math.ceil(capacity * 1.25)));
    else if (capacity > MIN_CAPACITY && count < capacity / 4) {
      this.#resize(Math.max(MIN_CAPACITY, Math.ceil(count * 1.25)));
    }
  }

  #resize(capacity: number): void {
    const rows = new Uint8Array(capacity * this.#rowLength);
    rows.set(this.#rows.subarray(0, this.#count * this.#rowLength));
    this.#rows = rows;
    const indexLength = 2 ** Math.ceil(Math.log2(capacity / MAX_LOAD));
    if (indexLength === this.#index.length) return;
    this.#index = new Int32Array(indexLength);
    for (let row = 0; row < this.#count; row++) this.#link(row);
  }
}
