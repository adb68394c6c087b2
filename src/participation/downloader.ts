/** What the SourceNode has seen of one peer of a swarm. Evidence only: never what it announces. */
import { Bitfield } from "../base/bitfield.ts";
import type { Millis, PieceIndex } from "../base/units.ts";

/** A piece on its way to one peer: shown to it, and not wholly sent yet. */
export interface Grant {
  readonly piece: PieceIndex;
  readonly shownAt: Millis;
  sentBytes: number;
  /** It asked for some of it; until then the piece may be taken back. */
  wasRequested: boolean;
}

export class Downloader {
  readonly key: number;
  readonly joinedAt: Millis;
  /** What the peer says that it has; the engine keeps it up to date. */
  readonly pieces: Bitfield;
  /** Pieces that it may request. */
  readonly shown: Bitfield;
  /** Shown and not sent yet, by piece. */
  readonly grants = new Map<PieceIndex, Grant>();
  /** Pieces that it had from us first and that nobody else has been seen with, oldest first. */
  readonly unseen = new Set<PieceIndex>();
  /** Pieces that it had from us and that were seen at somebody else since. */
  seenCount = 0;
  firstPieceAt: Millis | undefined;
  /** Bytes owed to it: its direct share, less what it gained from anyone. */
  owedBytes: number;
  gainedBytes = 0;
  lastGainAt: Millis;
  /** Highest mean rate over some seconds that it gained: what its downlink can do at least. */
  peakBytesPerSecond = 0;
  #windowStart: Millis;
  #windowBytes = 0;

  constructor(key: number, pieces: Bitfield, now: Millis, firstOwedBytes: number) {
    this.key = key;
    this.pieces = pieces;
    this.shown = new Bitfield(pieces.size);
    this.joinedAt = now;
    this.lastGainAt = now;
    this.owedBytes = firstOwedBytes;
    this.#windowStart = now;
  }

  get isComplete(): boolean {
    return this.pieces.isFull;
  }

  /** Pieces a second that it passes on, from what was seen elsewhere: no honesty needed. */
  forwardRate(now: Millis): number {
    const since = this.firstPieceAt === undefined ? 0 : (now - this.firstPieceAt) / 1000;
    return (this.seenCount + 1) / (since + 0.5);
  }

  /** How long a new piece would wait here before others have it, in relative terms. */
  spreadCost(now: Millis): number {
    return (this.unseen.size + 1) / this.forwardRate(now);
  }

  /** It has `bytes` more, from anyone. */
  gain(now: Millis, bytes: number): void {
    this.gainedBytes += bytes;
    this.owedBytes -= bytes;
    this.lastGainAt = now;
    this.#windowBytes += bytes;
    const elapsed = now - this.#windowStart;
    if (elapsed < PEAK_WINDOW_MS) return;
    this.peakBytesPerSecond = Math.max(
      this.peakBytesPerSecond,
      (this.#windowBytes * 1000) / elapsed,
    );
    this.#windowStart = now;
    this.#windowBytes = 0;
  }

  /** Bytes that are on their way to it from us. */
  inFlightBytes(pieceLength: number): number {
    let bytes = 0;
    for (const grant of this.grants.values()) bytes += pieceLength - grant.sentBytes;
    return bytes;
  }
}

const PEAK_WINDOW_MS = 5000;
