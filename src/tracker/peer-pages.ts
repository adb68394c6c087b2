/**
 * The memory of peer tables: pages of sixteen rows, and pages of thirty-two slots of their indexes.
 * Each address family has its own, since its rows are as long as its addresses.
 */
import { PageSlab } from "./page-slab.ts";

/** A row number, shifted by so much, is that of its page. */
export const ROW_SHIFT = 4;
/** Rows of a page: one line of the processor's cache has the ticks of all of them. */
export const PAGE_ROWS = 1 << ROW_SHIFT;
/** The same for slots. */
export const SLOT_SHIFT = 5;
/** Slots of an index's page, of four bytes each. */
export const PAGE_SLOTS = 1 << SLOT_SHIFT;
/** Bytes. */
export const PEER_ID_LENGTH = 20;

/**
 * Where a family's page has what. First an entry of each row: address and port as compact answers want
 * them (BEP 23, BEP 7), and two marks (a tag of the peer id, and flags); then ticks, then peer ids.
 */
export interface PageLayout {
  readonly addressLength: 4 | 16;
  readonly compactLength: 6 | 18;
  readonly entryLength: 8 | 20;
  /** What counts as one network: the address in IPv4, its /64 in IPv6. */
  readonly networkLength: 4 | 8;
  readonly ticksAt: number;
  readonly idsAt: number;
  readonly pageBytes: number;
}

function layoutOf(addressLength: 4 | 16): PageLayout {
  const isIpv4 = addressLength === 4;
  const entryLength = isIpv4 ? 8 : 20;
  const ticksAt = PAGE_ROWS * entryLength;
  const idsAt = ticksAt + PAGE_ROWS * 4;
  return {
    addressLength,
    compactLength: isIpv4 ? 6 : 18,
    entryLength,
    networkLength: isIpv4 ? 4 : 8,
    ticksAt,
    idsAt,
    pageBytes: idsAt + PAGE_ROWS * PEER_ID_LENGTH,
  };
}

/** The memory of all tables of one family. */
export class PeerPages {
  readonly layout: PageLayout;
  readonly rows: PageSlab;
  readonly index = new PageSlab(4 * PAGE_SLOTS);
  /** Makes the index's collisions unpredictable to those who pick addresses. */
  readonly hashSeed: number;

  constructor(addressLength: 4 | 16, hashSeed: number) {
    this.layout = layoutOf(addressLength);
    this.rows = new PageSlab(this.layout.pageBytes);
    this.hashSeed = hashSeed;
  }

  /** Bytes that the tables hold, and what they gave back. */
  get byteLength(): number {
    return this.rows.byteLength + this.index.byteLength;
  }
}
