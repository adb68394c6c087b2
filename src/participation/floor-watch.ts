/**
 * Tells our own peers which pieces would have too few copies once those who leave when they are done
 * are gone. It costs the source a few bytes and decides nothing of what it serves itself: peers
 * prefer such pieces, and do not leave before others have them.
 */
import { Bitfield } from "../base/bitfield.ts";
import type { Millis, PieceIndex } from "../base/units.ts";
import {
  type FloorChange,
  MAX_RANGES,
  type PeerReport,
  type PieceRange,
} from "../protocol/wire/participation.ts";
import type { Copies } from "./copies.ts";
import type { Downloader } from "./downloader.ts";

/** What changed is told this often at most. */
const TELL_MS: Millis = 1000;

/** What some peers are to be told. */
export interface FloorNews {
  readonly peers: readonly number[];
  readonly change: FloorChange;
}

/** What is seen of a swarm; `Evidence` satisfies it. */
export interface FloorView {
  readonly peers: ReadonlyMap<number, Downloader>;
  readonly copies: Copies;
}

/** See the head of this file. */
export class FloorWatch {
  /** What listeners know. */
  readonly #told: Bitfield;
  readonly #listeners = new Set<number>();
  /** They know nothing yet. */
  readonly #newcomers = new Set<number>();
  #news: FloorNews[] = [];
  #tellAt: Millis = 0;

  constructor(pieceCount: number) {
    this.#told = new Bitfield(pieceCount);
  }

  /** A peer of our kind says how it gets on: from now on it is told. */
  handleReport(peer: Downloader | undefined, report: PeerReport): void {
    if (peer === undefined || peer.isSourceNode) return;
    peer.report = report;
    if (!this.#listeners.has(peer.key)) this.#newcomers.add(peer.key);
  }

  handleLeft(key: number): void {
    this.#listeners.delete(key);
    this.#newcomers.delete(key);
  }

  /** Looks what changed, when it is time; `floor`: copies that the policy wants of each piece. */
  handleTick(now: Millis, seen: FloorView, floor: number): void {
    if (now < this.#tellAt || this.#listeners.size + this.#newcomers.size === 0) return;
    this.#tellAt = now + TELL_MS;
    this.#greetNewcomers();
    const change = this.#update(thinness(seen, floor));
    if (change.below.length + change.enough.length === 0) return;
    this.#news.push({ peers: [...this.#listeners], change });
  }

  /** What is to be told now. */
  takeNews(): readonly FloorNews[] {
    const news = this.#news;
    this.#news = [];
    return news;
  }

  /** They hear all of what the others know. */
  #greetNewcomers(): void {
    if (this.#newcomers.size === 0) return;
    const peers = [...this.#newcomers];
    const ranges = rangesOf(this.#told);
    for (let i = 0; i === 0 || i < ranges.length; i += MAX_RANGES) {
      const below = ranges.slice(i, i + MAX_RANGES);
      this.#news.push({ peers, change: { isFresh: i === 0, below, enough: [] } });
    }
    for (const key of peers) this.#listeners.add(key);
    this.#newcomers.clear();
  }

  /** Brings `#told` up to date, as far as one message can tell it. @returns what changed. */
  #update(isBelow: (piece: PieceIndex) => boolean): FloorChange {
    const below: Run[] = [];
    const enough: Run[] = [];
    for (let piece = 0; piece < this.#told.size; piece++) {
      const isNow = isBelow(piece);
      if (isNow === this.#told.has(piece)) continue;
      append(isNow ? below : enough, piece);
      if (isNow) this.#told.add(piece);
      else this.#told.remove(piece);
      if (below.length + enough.length === MAX_RANGES) break;
    }
    return { isFresh: false, below, enough };
  }
}

/** Whether a piece would have too few copies, were those gone who have everything and said that they go. */
function thinness({ peers, copies }: FloorView, floor: number): (piece: PieceIndex) => boolean {
  let leaving = 0;
  let staying = 0;
  for (const { isSourceNode, report, held } of peers.values()) {
    if (isSourceNode) continue;
    if (report?.leavesWhenDone === true && held.isFull) leaving++;
    else staying++;
  }
  const least = leaving + Math.min(floor, staying);
  return (piece) => copies.of(piece) < least;
}

/** A range that grows. */
interface Run extends PieceRange {
  count: number;
}

function rangesOf(set: Bitfield): readonly PieceRange[] {
  const ranges: Run[] = [];
  for (const piece of set) append(ranges, piece);
  return ranges;
}

/** Pieces come in rising order. */
function append(ranges: Run[], piece: PieceIndex): void {
  const last = ranges.at(-1);
  if (last !== undefined && last.first + last.count === piece) last.count++;
  else ranges.push({ first: piece, count: 1 });
}
