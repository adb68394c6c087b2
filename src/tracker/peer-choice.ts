/**
 * The peers of one answer: rows of a swarm's tables, chosen at random. One object serves all
 * answers; what it holds is good until the swarm changes or the next answer is begun.
 */
import type { Random } from "../base/random.ts";
import type { PeerKey, PeerTable } from "./peer-table.ts";
import { Runs, sampleRuns } from "./sample.ts";

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

/** The chosen ones of one family. */
class Chosen {
  readonly rows: Int32Array;
  /** Addresses and ports of those in `rows`, as they stand in an answer. */
  readonly compact: Uint16Array;
  readonly #bytes: Uint8Array;
  readonly #compactLength: number;
  /** The first 1, 2, … of them; kept, since making one costs more than copying what it shows. */
  readonly #heads: Uint8Array[] = [];
  table: PeerTable | undefined;
  count = 0;

  constructor(capacity: number, compactLength: 6 | 18) {
    this.#compactLength = compactLength;
    this.rows = new Int32Array(capacity);
    this.compact = new Uint16Array((capacity * compactLength) / 2);
    this.#bytes = new Uint8Array(this.compact.buffer);
  }

  write(target: Uint8Array, at: number): void {
    const { count } = this;
    if (count === 0) return;
    let head = this.#heads[count];
    if (head === undefined) {
      head = this.#bytes.subarray(0, count * this.#compactLength);
      this.#heads[count] = head;
    }
    target.set(head, at);
  }

  peerIds(): Uint8Array[] {
    const { table } = this;
    if (table === undefined) return [];
    return Array.from(this.rows.subarray(0, this.count), (row) => table.peerId(row));
  }
}

export class PeerChoice {
  readonly #chosen4: Chosen;
  readonly #chosen6: Chosen;
  readonly #runs: Runs;

  /** `capacity`: peers of each family. */
  constructor(capacity: number) {
    this.#chosen4 = new Chosen(capacity, 6);
    this.#chosen6 = new Chosen(capacity, 18);
    this.#runs = new Runs(capacity);
  }

  get count4(): number {
    return this.#chosen4.count;
  }

  get count6(): number {
    return this.#chosen6.count;
  }

  /** Holds nobody. */
  clear(): void {
    this.#chosen4.count = 0;
    this.#chosen6.count = 0;
  }

  /** Begins an answer from a swarm's two tables. */
  begin(table4: PeerTable, table6: PeerTable | undefined): void {
    this.#chosen4.table = table4;
    this.#chosen6.table = table6;
    this.clear();
  }

  /**
   * Takes peers of `table` with another id than the asker's, since a client has one id at all its
   * addresses. Returns how many.
   */
  take(table: PeerTable, asker: PeerKey, { own, count, takesSeeds, random }: Take): number {
    if (count <= 0) return 0;
    const chosen = table === this.#chosen4.table ? this.#chosen4 : this.#chosen6;
    const first = takesSeeds ? 0 : table.seedCount;
    const runs = this.#runs;
    runs.clear(first, own);
    sampleRuns(table.count - first - (own >= first ? 1 : 0), count, random, runs);
    chosen.count = table.gather(runs, asker.peerId, chosen);
    return chosen.count;
  }

  /** Writes the IPv4 peers, 6 bytes each, from `at` on. */
  write4(target: Uint8Array, at: number): void {
    this.#chosen4.write(target, at);
  }

  /** Writes the IPv6 peers, 18 bytes each, from `at` on. */
  write6(target: Uint8Array, at: number): void {
    this.#chosen6.write(target, at);
  }

  /** Copies of the ids of the IPv4 peers. */
  peerIds4(): readonly Uint8Array[] {
    return this.#chosen4.peerIds();
  }

  /** The same of the IPv6 peers. */
  peerIds6(): readonly Uint8Array[] {
    return this.#chosen6.peerIds();
  }
}
