/**
 * All swarm records of the Tracker. A record exists while a SourceNode is connected for it
 * (`keep`), or anybody is in its list; else the sweep drops it, and the next report or announce
 * brings it back. What may have a record at all is the caller's to know: a torrent that is not
 * registered must never get here (T14).
 */
import type { Random } from "../base/random.ts";
import type { InfoHash, Millis } from "../base/units.ts";
import { Swarm, type SwarmOptions, SwarmPages } from "./swarm.ts";

/** Records that one brief sweep looks at: a millisecond. */
const SWEEP_STEPS = 5_000;
/** Looked at between two looks at the clock, and how long a brief sweep may take. */
const SWEEP_PART = 50;
const MAX_SWEEP_MS: Millis = 2;

export class Swarms {
  readonly #options: SwarmOptions;
  readonly #random: Random;
  readonly #pages: SwarmPages;
  readonly #swarms = new Map<InfoHash, Swarm>();
  readonly #isKept: (infoHash: InfoHash) => boolean;
  readonly #walk: Generator<"step" | "round-end", never>;
  #now: Millis = 0;

  /** `isKept` tells whether a record stays although nobody is in its list. */
  constructor(options: SwarmOptions, random: Random, isKept: (infoHash: InfoHash) => boolean) {
    this.#options = options;
    this.#random = random;
    this.#pages = new SwarmPages(random);
    this.#isKept = isKept;
    this.#walk = this.#sweepForever();
  }

  get swarmCount(): number {
    return this.#swarms.size;
  }

  /** Peers in all lists. Walks through the records: for metrics. */
  get peerCount(): number {
    let count = 0;
    for (const swarm of this.#swarms.values()) count += swarm.peerCount;
    return count;
  }

  get(infoHash: InfoHash): Swarm | undefined {
    return this.#swarms.get(infoHash);
  }

  /** The record of `infoHash`, made when there is none. */
  ensure(infoHash: InfoHash): Swarm {
    let swarm = this.#swarms.get(infoHash);
    if (swarm === undefined) {
      swarm = new Swarm(this.#options, this.#random, this.#pages);
      this.#swarms.set(infoHash, swarm);
    }
    return swarm;
  }

  /** Bytes of memory for peers. */
  get byteLength(): number {
    return this.#pages.byteLength;
  }

  remove(infoHash: InfoHash): void {
    this.#swarms.get(infoHash)?.drop();
    this.#swarms.delete(infoHash);
  }

  /**
   * Goes on where the last call ended: removes expired peers and records that nobody needs, looking
   * at no more than `maxSteps` of them, and at none twice.
   */
  sweep(now: Millis, maxSteps: number): void {
    this.#now = now;
    for (let step = 0; step < maxSteps; step++) {
      if (this.#walk.next().value === "round-end") return;
    }
  }

  /** Goes on sweeping for a moment; returns how long it was. */
  sweepBriefly(now: () => Millis): Millis {
    const begin = now();
    let tookMs = 0;
    for (let steps = 0; steps < SWEEP_STEPS && tookMs < MAX_SWEEP_MS; steps += SWEEP_PART) {
      this.sweep(begin, SWEEP_PART);
      tookMs = now() - begin;
    }
    return tookMs;
  }

  *#sweepForever(): Generator<"step" | "round-end", never> {
    const now = () => this.#now;
    for (;;) {
      for (const [infoHash, swarm] of this.#swarms) {
        for (const _ of swarm.expire(now)) yield "step";
        // Between two steps the record may have been removed, and a new one made.
        const isCurrent = this.#swarms.get(infoHash) === swarm;
        if (isCurrent && swarm.peerCount === 0 && !this.#isKept(infoHash)) this.remove(infoHash);
        yield "step";
      }
      yield "round-end";
    }
  }
}
