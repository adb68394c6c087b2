/**
 * The peers of one torrent, as their announces claim. Told the time and the random numbers.
 *
 * Who is listed: one record per peer id and address, so nobody replaces or removes another's
 * (HTP-21; a changed `key` changes nothing, HTP-22); at most a few per network, so that one host
 * cannot fill the list (T4). Who gets whom: leeches get anybody, seeds get leeches only.
 */
import type { Random } from "../base/random.ts";
import type { Millis } from "../base/units.ts";
import type { AnnounceEvent } from "../protocol/tracker/announce.ts";
import type { PeerChoice } from "./peer-choice.ts";
import { PeerPages } from "./peer-pages.ts";
import { type PeerKey, PeerTable } from "./peer-table.ts";

/** One announce, as far as the swarm is concerned. */
export interface PeerAnnounce extends PeerKey {
  /** 1 … 65535. */
  readonly port: number;
  readonly event: AnnounceEvent | undefined;
  /** It announced `left=0`. */
  readonly isSeed: boolean;
}

/** Limits of a swarm. */
export interface SwarmOptions {
  /** Peers of one IPv4 address or IPv6 /64 that are listed; further ones get answers only. */
  readonly maxPeersPerNetwork: number;
  /** Peers in an answer. */
  readonly maxPeersPerAnswer: number;
  /** A record that was not renewed for so long expires. */
  readonly expiryMs: Millis;
  /** Two announces of a peer within this time make an early one. */
  readonly earlyMs: Millis;
}

/** What became of an announce. */
export type AnnounceOutcome =
  | "accepted"
  /** Accepted, and a `completed` event to count. */
  | "completed"
  /** It came too often; nothing was changed. */
  | "too-early";

/** Whom to sample for. */
export interface SampleRequest {
  readonly asker: PeerKey & { readonly isSeed: boolean };
  /** Its row, when it announced just now; see `announcedRow`. */
  readonly own?: number | undefined;
  /** At most this many; `maxPeersPerAnswer` bounds it. */
  readonly count: number;
  /** False: of the asker's address family only. */
  readonly wantsBothFamilies: boolean;
}

/** Early announces in a row that are taken: a download of a second has started, completed, stopped. */
const MAX_EARLY = 2;
/** Resolution of the time in a record: 4 bytes last for 17 years. */
const TICK_MS = 125;

/** The memory of all swarms' peers, each family's apart. */
export class SwarmPages {
  readonly ipv4: PeerPages;
  readonly ipv6: PeerPages;

  constructor(random: Random) {
    const seed = random.nextUint32() | 0;
    this.ipv4 = new PeerPages(4, seed);
    this.ipv6 = new PeerPages(16, seed);
  }

  /** Bytes that are held: those of the busiest moment. */
  get byteLength(): number {
    return this.ipv4.byteLength + this.ipv6.byteLength;
  }
}

export class Swarm {
  readonly #options: SwarmOptions;
  readonly #random: Random;
  readonly #pages: SwarmPages;
  readonly #table4: PeerTable;
  /** Made for the first peer that needs it: most swarms have none, and there are many swarms. */
  #table6: PeerTable | undefined;
  #isDropped = false;
  #announcedRow = -1;

  constructor(options: SwarmOptions, random: Random, pages: SwarmPages) {
    this.#options = options;
    this.#random = random;
    this.#pages = pages;
    this.#table4 = new PeerTable(pages.ipv4);
  }

  /** Whether it is no swarm's record any more: another one may have taken its place. */
  get isDropped(): boolean {
    return this.#isDropped;
  }

  get seedCount(): number {
    return this.#table4.seedCount + (this.#table6?.seedCount ?? 0);
  }

  get peerCount(): number {
    return this.#table4.count + (this.#table6?.count ?? 0);
  }

  /** The row of who announced last, −1 when it is not listed; good until anything changes. */
  get announcedRow(): number {
    return this.#announcedRow;
  }

  /** A peer leaves. That of an unknown one leaves no trace (HTP-18). */
  stop(peer: PeerKey): void {
    const table = this.#tableOf(peer);
    const row = table.find(peer);
    if (row >= 0) table.remove(row);
  }

  /** Forgets everybody, so that others have the memory. Nothing may be announced to it any more. */
  drop(): void {
    this.#isDropped = true;
    this.#table4.clear();
    this.#table6?.clear();
  }

  /** Takes in one announce. */
  announce(now: Millis, announce: PeerAnnounce): AnnounceOutcome {
    const table = this.#tableOf(announce);
    let row = table.find(announce);
    this.#announcedRow = -1;
    const tick = tickOf(now);
    const facts = { port: announce.port, isSeed: announce.isSeed, tick };
    if (row < 0) {
      const { maxPeersPerNetwork: most } = this.#options;
      // Most swarms are smaller than what one network may bring: then nobody needs to count.
      const isFull = table.count >= most && table.countOfNetwork(announce.address) >= most;
      if (isFull) return "accepted";
      row = table.add(announce, facts);
    } else {
      const isEarly = ticksBetween(table.tick(row), tick) * TICK_MS < this.#options.earlyMs;
      const earlyCount = isEarly ? table.earlyCount(row) + 1 : 0;
      if (earlyCount > MAX_EARLY) return "too-early";
      table.setEarlyCount(row, earlyCount);
      row = table.update(row, facts);
    }
    this.#announcedRow = row;
    if (announce.event !== "completed" || table.hasCompleted(row)) return "accepted";
    table.markCompleted(row);
    return "completed";
  }

  /**
   * Chooses random peers for `asker`, never itself, and puts them into `choice`: those of its own
   * address family first, the other family's where room is left. Takes a time that does not grow
   * with the swarm.
   */
  choose(request: SampleRequest, choice: PeerChoice): void {
    const { asker } = request;
    const count = Math.min(request.count, this.#options.maxPeersPerAnswer);
    const table = this.#tableOf(asker);
    const other = table === this.#table4 ? this.#table6 : this.#table4;
    const takesSeeds = !asker.isSeed;
    const random = this.#random;
    choice.begin(this.#table4, this.#table6);
    const own = request.own ?? table.find(asker);
    const taken = choice.take(table, asker, { own, count, takesSeeds, random });
    if (other !== undefined && request.wantsBothFamilies && taken < count && other.count > 0) {
      choice.take(other, asker, { own: -1, count: count - taken, takesSeeds, random });
    }
  }

  /**
   * Removes expired records, pausing (yielding) after each one that it looked at, so that the
   * caller bounds the work. The swarm may change between the steps; `now` is asked at each.
   */
  *expire(now: () => Millis): Generator<void> {
    const maxTicks = Math.ceil(this.#options.expiryMs / TICK_MS);
    for (const table of [this.#table4, this.#table6]) {
      if (table === undefined) continue;
      // Downwards: what `remove` moves into a hole was looked at already.
      for (let row = table.count - 1; row >= 0; row = Math.min(row, table.count) - 1) {
        if (ticksBetween(table.tick(row), tickOf(now())) > maxTicks) {
          table.remove(row);
        }
        yield;
      }
    }
  }

  #tableOf(peer: PeerKey): PeerTable {
    if (peer.address.length === 4) return this.#table4;
    this.#table6 ??= new PeerTable(this.#pages.ipv6);
    return this.#table6;
  }
}

function tickOf(now: Millis): number {
  return Math.floor(now / TICK_MS) >>> 0;
}

/** Modulo 2^32, so that the origin of time does not matter. */
function ticksBetween(from: number, to: number): number {
  return (to - from) >>> 0;
}
