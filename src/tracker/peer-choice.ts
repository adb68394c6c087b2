/**
 * The peers of one answer: rows of a swarm's tables, chosen at random. One object serves all
 * answers; what it holds is good until the swarm changes or the next answer is begun.
 */
import type { Random } from "../base/random.ts";
import type { PeerKey, PeerTable } from "./peer-table.ts";
import { sampleDistinct } from "./sample.ts";

/** What to take of one table. */
export interface Take {
  /** The asker's own row there, or −1. */
  readonly own: number;
  /** At most this many, ≤ the capacity of the choice. */
  readonly count: number;
  /** Whether seeds may be among them. */
  readonly takesSeeds: boolean;
  readonly random: Random;
}

export class PeerChoice {
  readonly #rows: { readonly 4: Int32Array; readonly 16: Int32Array };
  #table4: PeerTable | undefined;
  #table6: PeerTable | undefined;
  #count4 = 0;
  #count6 = 0;

  /** `capacity`: rows of each family. */
  constructor(capacity: number) {
    this.#rows = { 4: new Int32Array(capacity), 16: new Int32Array(capacity) };
  }

  get count4(): number {
    return this.#count4;
  }

  get count6(): number {
    return this.#count6;
  }

  /** Holds nobody. */
  clear(): void {
    this.#count4 = 0;
    this.#count6 = 0;
  }

  /** Begins an answer from a swarm's two tables. */
  begin(table4: PeerTable, table6: PeerTable): void {
    this.#table4 = table4;
    this.#table6 = table6;
    this.clear();
  }

  /**
   * Takes peers of `table` with another id than the asker's, since a client has one id at all its
   * addresses. Returns how many.
   */
  take(table: PeerTable, asker: PeerKey, { own, count, takesSeeds, random }: Take): number {
    if (count <= 0) return 0;
    const isIpv4 = table === this.#table4;
    const rows = isIpv4 ? this.#rows[4] : this.#rows[16];
    const first = takesSeeds ? 0 : table.seedCount;
    const isOwnInRange = own >= first;
    const bound = table.count - first - (isOwnInRange ? 1 : 0);
    const drawn = sampleDistinct(bound, count, random, rows);
    for (let i = 0; i < drawn; i++) {
      const row = first + (rows[i] as number);
      rows[i] = isOwnInRange && row >= own ? row + 1 : row;
    }
    const taken = table.withoutId(rows, drawn, asker.peerId);
    if (isIpv4) this.#count4 = taken;
    else this.#count6 = taken;
    return taken;
  }

  /** Writes the IPv4 peers, 6 bytes each, from `at` on. */
  write4(target: Uint8Array, at: number): void {
    this.#table4?.writeCompact(this.#rows[4], this.#count4, target, at);
  }

  /** Writes the IPv6 peers, 18 bytes each, from `at` on. */
  write6(target: Uint8Array, at: number): void {
    this.#table6?.writeCompact(this.#rows[16], this.#count6, target, at);
  }

  /** Copies of the ids of the IPv4 peers, then of the IPv6 ones. */
  peerIds4(): readonly Uint8Array[] {
    return idsOf(this.#table4, this.#rows[4], this.#count4);
  }

  /** The same of the IPv6 peers. */
  peerIds6(): readonly Uint8Array[] {
    return idsOf(this.#table6, this.#rows[16], this.#count6);
  }
}

function idsOf(table: PeerTable | undefined, rows: Int32Array, count: number): Uint8Array[] {
  return Array.from(rows.subarray(0, count), (row) => (table as PeerTable).peerId(row));
}
