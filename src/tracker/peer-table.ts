/**
 * The peers of one swarm and one address family, in pages that all swarms share: 32 bytes a peer (44
 * in IPv6) plus an index of 6 to 8, and no object per peer. Rows are dense, seeds before leeches, so
 * that counting is free and any of either kind can be picked by number. What an answer needs of a
 * page's peers lies together at its beginning: fetching memory is most of the work.
 *
 * A peer is its peer id at its address: nobody at another address can replace or remove it.
 * Row numbers are valid until the next `add`, `update` or `remove`.
 */
import type { IpBytes } from "../base/ip-address.ts";
import type { Page, Segment } from "./page-slab.ts";
import {
  PAGE_ROWS,
  PAGE_SLOTS,
  type PageLayout,
  PEER_ID_LENGTH,
  type PeerPages,
  ROW_SHIFT,
  SLOT_SHIFT,
} from "./peer-pages.ts";
import type { Runs } from "./sample.ts";

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

/** Where rows are gathered; there must be room. */
export interface GatheredRows {
  readonly rows: Int32Array;
  /** Addresses and ports, as they stand in an answer. */
  readonly compact: Uint16Array;
}

/** Number of a peer's row, 0 ≤ row < `count`; seeds come first. */
type Row = number;

const PAGE_MASK = PAGE_ROWS - 1;
const PEER_ID_WORDS = PEER_ID_LENGTH / 4;

const COMPLETED_FLAG = 1;
const EARLY_SHIFT = 1;

// A slot of the index: the tag again, so that a search passes the peers of a crowded address
// without looking at their rows, and the row + 1; 0 where free.
const ROW_BITS = 24;
const ROW_MASK = (1 << ROW_BITS) - 1;
const PARTS = 8;
const SLOT_MASK = PAGE_SLOTS - 1;
// How full an index may be and is made; searches are longer beyond, memory wasted below.
const MAX_LOAD = 0.7;
const NEW_LOAD = 0.5;
const MIN_LOAD = 0.2;

// The id that is searched for, as words in this machine's order; shared, since nothing here waits.
const soughtId = new Int32Array(PEER_ID_WORDS);
const soughtBytes = new Uint8Array(soughtId.buffer);

const noPages: readonly Page[] = [];

export class PeerTable {
  readonly #family: PeerPages;
  readonly #layout: PageLayout;
  readonly #pages: Page[] = [];
  /** Open addressing with linear probing, by network; none while one page holds all rows. */
  #indexPages: readonly Page[] = noPages;
  #count = 0;
  #seedCount = 0;

  /** `family`: the pages that the table takes from. */
  constructor(family: PeerPages) {
    this.#family = family;
    this.#layout = family.layout;
  }

  get count(): number {
    return this.#count;
  }

  /** Rows 0 ≤ row < `seedCount` are seeds, the rest leeches. */
  get seedCount(): number {
    return this.#seedCount;
  }

  /** The row of `peer`, or −1. */
  find(peer: PeerKey): Row {
    const { address } = peer;
    seek(peer.peerId);
    const tag = tagOf(soughtId);
    const slots = this.#slotCount;
    if (slots === 0) return this.#findAmongFew(tag, address);
    for (let slot = homeOf(this.#hash(address, 0), tag, slots); ; slot = next(slot, slots)) {
      const entry = this.#slot(slot);
      if (entry === 0) return -1;
      if (entry >>> ROW_BITS !== tag) continue;
      const row = (entry & ROW_MASK) - 1;
      if (this.#isSoughtId(row) && this.#isAt(row, address, address.length)) return row;
    }
  }

  /** Peers of the same network: the address in IPv4, its /64 in IPv6. */
  countOfNetwork(address: IpBytes): number {
    const slots = this.#slotCount;
    let count = 0;
    if (slots === 0) {
      for (let row = 0; row < this.#count; row++) if (this.#isOfNetwork(row, address)) count++;
      return count;
    }
    const hash = this.#hash(address, 0);
    for (let part = 0; part < PARTS; part++) {
      for (let slot = homeOf(hash, part, slots); ; slot = next(slot, slots)) {
        const entry = this.#slot(slot);
        if (entry === 0) break;
        const isOfPart = partOf(entry >>> ROW_BITS) === part;
        if (isOfPart && this.#isOfNetwork((entry & ROW_MASK) - 1, address)) count++;
      }
    }
    return count;
  }

  /** Adds a peer that is not there yet and returns its row. */
  add({ address, peerId }: PeerKey, facts: PeerFacts): Row {
    const row = this.#count++;
    if ((row & PAGE_MASK) === 0) this.#pages.push(this.#family.rows.take());
    const { bytes, words } = this.#segment(row);
    bytes.set(address, this.#entryAt(row));
    seek(peerId);
    words.set(soughtId, this.#idAt(row));
    const marksAt = this.#marksAt(row);
    bytes[marksAt] = tagOf(soughtId);
    bytes[marksAt + 1] = 0;
    if (!this.#fitIndex() && this.#slotCount > 0) this.#link(row);
    return this.update(row, facts);
  }

  /** Returns the row, which changes when the peer became a seed or ceased to be one. */
  update(row: Row, { port, isSeed, tick }: PeerFacts): Row {
    const { bytes, words } = this.#segment(row);
    const portAt = this.#entryAt(row) + this.#layout.addressLength;
    bytes[portAt] = port >> 8;
    bytes[portAt + 1] = port;
    words[this.#tickAt(row)] = tick;
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
    const last = this.#count - 1;
    this.#swap(hole, last);
    if (this.#slotCount > 0) this.#unlink(last);
    this.#count = last;
    if ((last & PAGE_MASK) === 0) this.#family.rows.give(this.#pages.pop() as Page);
    this.#fitIndex();
  }

  /** Removes everybody. */
  clear(): void {
    this.#count = 0;
    this.#seedCount = 0;
    for (const page of this.#pages.splice(0)) this.#family.rows.give(page);
    this.#dropIndex();
  }

  /** The tick of the last announce (unsigned 32 bits). */
  tick(row: Row): number {
    return (this.#segment(row).words[this.#tickAt(row)] as number) >>> 0;
  }

  hasCompleted(row: Row): boolean {
    return (this.#flags(row) & COMPLETED_FLAG) !== 0;
  }

  markCompleted(row: Row): void {
    this.#setFlags(row, this.#flags(row) | COMPLETED_FLAG);
  }

  /** Announces in a row that came too early, 0 … 127. */
  earlyCount(row: Row): number {
    return this.#flags(row) >> EARLY_SHIFT;
  }

  setEarlyCount(row: Row, count: number): void {
    this.#setFlags(row, (count << EARLY_SHIFT) | (this.#flags(row) & COMPLETED_FLAG));
  }

  /**
   * Puts the rows of `runs` whose peers have another id into `into`, in order, and what compact answers
   * say of them (BEP 23, BEP 7). Returns how many.
   */
  gather(runs: Runs, peerId: Uint8Array, into: GatheredRows): number {
    seek(peerId);
    let kept = 0;
    for (let run = 0; run < runs.count; run++) {
      const end = runs.ends[run] as number;
      for (let row = runs.begins[run] as number; row < end; ) {
        const pageEnd = Math.min(end, (row | PAGE_MASK) + 1);
        kept = this.#gatherOfPage(row, pageEnd, into, kept);
        row = pageEnd;
      }
    }
    return kept;
  }

  /** Rows of one page; `kept` were gathered before. Returns how many are gathered now. */
  #gatherOfPage(begin: Row, end: Row, { rows, compact }: GatheredRows, kept: number): number {
    const { bytes, pairs } = this.#segment(begin);
    const { compactLength, entryLength } = this.#layout;
    const length = compactLength / 2;
    const tag = tagOf(soughtId);
    let entryAt = this.#entryAt(begin);
    let count = kept;
    for (let row = begin; row < end; row++, entryAt += entryLength) {
      if (bytes[entryAt + compactLength] === tag && this.#isSoughtId(row)) continue;
      const from = entryAt >> 1;
      const to = count * length;
      // Those of IPv4 have three: a loop would cost as much as the copying.
      compact[to] = pairs[from] as number;
      compact[to + 1] = pairs[from + 1] as number;
      compact[to + 2] = pairs[from + 2] as number;
      for (let k = 3; k < length; k++) compact[to + k] = pairs[from + k] as number;
      rows[count++] = row;
    }
    return count;
  }

  /** A copy of the 20 bytes. */
  peerId(row: Row): Uint8Array {
    const start = 4 * this.#idAt(row);
    return this.#segment(row).bytes.slice(start, start + PEER_ID_LENGTH);
  }

  #page(row: Row): Page {
    return this.#pages[row >> ROW_SHIFT] as Page;
  }

  #segment(row: Row): Segment {
    return this.#family.rows.segment(this.#page(row));
  }

  /** Index of its first byte, in the segment's bytes. */
  #entryAt(row: Row): number {
    const { entryLength } = this.#layout;
    return this.#family.rows.offset(this.#page(row)) + (row & PAGE_MASK) * entryLength;
  }

  #marksAt(row: Row): number {
    return this.#entryAt(row) + this.#layout.compactLength;
  }

  /** Index of its tick, in the segment's words. */
  #tickAt(row: Row): number {
    const { ticksAt } = this.#layout;
    return (this.#family.rows.offset(this.#page(row)) + ticksAt) / 4 + (row & PAGE_MASK);
  }

  #idAt(row: Row): number {
    const pageAt = this.#family.rows.offset(this.#page(row));
    return (pageAt + this.#layout.idsAt) / 4 + (row & PAGE_MASK) * PEER_ID_WORDS;
  }

  #tag(row: Row): number {
    return this.#segment(row).bytes[this.#marksAt(row)] as number;
  }

  #flags(row: Row): number {
    return this.#segment(row).bytes[this.#marksAt(row) + 1] as number;
  }

  #setFlags(row: Row, flags: number): void {
    this.#segment(row).bytes[this.#marksAt(row) + 1] = flags;
  }

  /** Of the network alone, so that its peers can be counted. */
  #hash(bytes: Uint8Array, start: number): number {
    let hash = this.#family.hashSeed;
    for (let at = start; at < start + this.#layout.networkLength; at += 4) {
      const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
      const high = (bytes[at + 2] as number) | ((bytes[at + 3] as number) << 8);
      hash = Math.imul(hash ^ low ^ (high << 16), 0x85ebca6b);
      hash ^= hash >>> 15;
      hash = Math.imul(hash, 0xc2b2ae35);
      hash ^= hash >>> 13;
    }
    return hash;
  }

  #hashOfRow(row: Row): number {
    return this.#hash(this.#segment(row).bytes, this.#entryAt(row));
  }

  #isAt(row: Row, address: IpBytes, length: number): boolean {
    const { bytes } = this.#segment(row);
    const start = this.#entryAt(row);
    for (let i = 0; i < length; i++) if (bytes[start + i] !== address[i]) return false;
    return true;
  }

  #isOfNetwork(row: Row, address: IpBytes): boolean {
    return this.#isAt(row, address, this.#layout.networkLength);
  }

  #isSoughtId(row: Row): boolean {
    const { words } = this.#segment(row);
    const start = this.#idAt(row);
    for (let i = 0; i < PEER_ID_WORDS; i++) if (words[start + i] !== soughtId[i]) return false;
    return true;
  }

  #findAmongFew(tag: number, address: IpBytes): Row {
    for (let row = 0; row < this.#count; row++) {
      const isIt = this.#tag(row) === tag && this.#isSoughtId(row);
      if (isIt && this.#isAt(row, address, address.length)) return row;
    }
    return -1;
  }

  get #slotCount(): number {
    return this.#indexPages.length << SLOT_SHIFT;
  }

  #slot(slot: number): number {
    const page = this.#indexPages[slot >> SLOT_SHIFT] as Page;
    const { index } = this.#family;
    return index.segment(page).words[index.offset(page) / 4 + (slot & SLOT_MASK)] as number;
  }

  #setSlot(slot: number, entry: number): void {
    const page = this.#indexPages[slot >> SLOT_SHIFT] as Page;
    const { index } = this.#family;
    index.segment(page).words[index.offset(page) / 4 + (slot & SLOT_MASK)] = entry;
  }

  /** The slot that names `row`, or the free one where a search for it ends. */
  #slotOf(row: Row): number {
    const slots = this.#slotCount;
    const entry = this.#entryOf(row);
    let slot = homeOf(this.#hashOfRow(row), this.#tag(row), slots);
    for (;;) {
      const there = this.#slot(slot);
      if (there === 0 || there === entry) return slot;
      slot = next(slot, slots);
    }
  }

  /** What a slot says that names `row`. */
  #entryOf(row: Row): number {
    return (this.#tag(row) << ROW_BITS) | (row + 1);
  }

  #link(row: Row): void {
    this.#setSlot(this.#slotOf(row), this.#entryOf(row));
  }

  /** Frees the slot of `row` and closes the gap that would end later searches too early. */
  #unlink(row: Row): void {
    const slots = this.#slotCount;
    let free = this.#slotOf(row);
    this.#setSlot(free, 0);
    for (let slot = next(free, slots); ; slot = next(slot, slots)) {
      const entry = this.#slot(slot);
      if (entry === 0) return;
      const hash = this.#hashOfRow((entry & ROW_MASK) - 1);
      const home = homeOf(hash, entry >>> ROW_BITS, slots);
      if (distance(home, slot, slots) < distance(free, slot, slots)) continue;
      this.#setSlot(free, entry);
      this.#setSlot(slot, 0);
      free = slot;
    }
  }

  #swap(a: Row, b: Row): void {
    if (a === b) return;
    const isIndexed = this.#slotCount > 0;
    const slotOfA = isIndexed ? this.#slotOf(a) : 0;
    const slotOfB = isIndexed ? this.#slotOf(b) : 0;
    this.#swapRows(a, b);
    if (!isIndexed) return;
    this.#setSlot(slotOfA, this.#entryOf(b));
    this.#setSlot(slotOfB, this.#entryOf(a));
  }

  #swapRows(a: Row, b: Row): void {
    const { bytes: bytesA, words: wordsA } = this.#segment(a);
    const { bytes: bytesB, words: wordsB } = this.#segment(b);
    const entryA = this.#entryAt(a);
    const entryB = this.#entryAt(b);
    for (let i = 0; i < this.#layout.entryLength; i++)
      swapAt(bytesA, entryA + i, bytesB, entryB + i);
    swapAt(wordsA, this.#tickAt(a), wordsB, this.#tickAt(b));
    const idA = this.#idAt(a);
    const idB = this.#idAt(b);
    for (let i = 0; i < PEER_ID_WORDS; i++) swapAt(wordsA, idA + i, wordsB, idB + i);
  }

  /** Makes the index anew where it is too full or too empty; returns whether it did. */
  #fitIndex(): boolean {
    const count = this.#count;
    const slots = this.#slotCount;
    const isFit = slots === 0 ? count <= PAGE_ROWS : count <= slots * MAX_LOAD;
    if (isFit && count >= slots * MIN_LOAD) return false;
    this.#dropIndex();
    if (count <= PAGE_ROWS) return true;
    const pages = Math.ceil(count / NEW_LOAD / PAGE_SLOTS);
    this.#indexPages = Array.from({ length: pages }, () => this.#family.index.take());
    for (let row = 0; row < count; row++) this.#link(row);
    return true;
  }

  #dropIndex(): void {
    for (const page of this.#indexPages) this.#family.index.give(page);
    this.#indexPages = noPages;
  }
}

/** Puts the id into `soughtId`. */
function seek(peerId: Uint8Array): void {
  for (let i = 0; i < PEER_ID_LENGTH; i++) soughtBytes[i] = peerId[i] as number;
}

/** 8 bits of an id; of its end, where ids differ. */
function tagOf(id: Int32Array): number {
  return Math.imul(id[PEER_ID_WORDS - 1] as number, 0x9e3779b1) >>> ROW_BITS;
}

/** A crowded network's peers lie in parts, by their tags, so that a search passes a few only. */
function partOf(tag: number): number {
  return tag & (PARTS - 1);
}

/** Where the search begins for a peer with `tag` in a network with `hash`. */
function homeOf(hash: number, tag: number, slots: number): number {
  return Math.floor((Math.imul(hash ^ partOf(tag), 0x9e3779b1) >>> 0) * 2 ** -32 * slots);
}

function next(slot: number, slots: number): number {
  return slot + 1 === slots ? 0 : slot + 1;
}

/** Steps from one slot on to another. */
function distance(from: number, to: number, slots: number): number {
  return to >= from ? to - from : to - from + slots;
}

function swapAt<Values extends Uint8Array | Int32Array>(
  a: Values,
  atA: number,
  b: Values,
  atB: number,
): void {
  const value = a[atA] as number;
  a[atA] = b[atB] as number;
  b[atB] = value;
}
