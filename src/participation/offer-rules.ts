/**
 * The rules by which a swarm's controller offers pieces, one method each: what it would offer next,
 * or undefined. Which rule goes first, and whether there is room, is the controller's.
 */
import type { Millis } from "../base/units.ts";
import type { PieceGeometry } from "../protocol/metainfo/piece-geometry.ts";
import type { Downloader } from "./downloader.ts";
import type { DuePieces } from "./due-pieces.ts";
import type { Evidence } from "./evidence.ts";
import type { GainMeter } from "./gain-meter.ts";
import type { GrantBook } from "./grant-book.ts";
import type { Offer } from "./offer.ts";

/** What the rules look at. */
export interface OfferRulesView {
  readonly evidence: Evidence;
  readonly grants: GrantBook;
  readonly due: DuePieces;
  readonly meter: GainMeter;
}

/** Who was sent the whole content and still lacks some is not believed to be in need. */
const MAX_COPIES_TO_ONE = 1.05;
/** Who can get no more than so many pieces from others will soon wait for us. */
const LEAST_BUSY_PIECES = 4;
/** The part of the time until a peer is complete in which it must have passed on what it has. */
const PASS_PART = 0.2;
/** Who arrive within so much time came all at once. */
const AT_ONCE_MS: Millis = 2000;

export class OfferRules {
  readonly #geometry: PieceGeometry;
  readonly #evidence: Evidence;
  readonly #grants: GrantBook;
  readonly #due: DuePieces;
  readonly #meter: GainMeter;
  readonly #mostToOne: number;

  constructor(geometry: PieceGeometry, { evidence, grants, due, meter }: OfferRulesView) {
    this.#geometry = geometry;
    this.#evidence = evidence;
    this.#grants = grants;
    this.#due = due;
    this.#meter = meter;
    this.#mostToOne = geometry.contentLength * MAX_COPIES_TO_ONE + 2 * geometry.pieceLength;
  }

  /** To whoever is owed most; `promised`: bytes per second that a peer is promised. */
  owed(now: Millis, promised: (peer: Downloader) => number): Offer | undefined {
    const { pieceLength } = this.#geometry;
    let best: Downloader | undefined;
    let most = 0;
    for (const peer of this.#evidence.peers.values()) {
      if (!peer.isActive || peer.owedBytes <= 0 || !this.isInNeed(peer)) continue;
      // Who answers late is offered the more ahead of time.
      const ahead = (promised(peer) * peer.delayMs) / 1000;
      const due = Math.min(peer.owedBytes + ahead, peer.mostInFlight(now, pieceLength));
      const owed = due - peer.inFlightBytes(pieceLength) - pieceLength * 0.999;
      if (owed <= most || peer.shown.isFull) continue;
      best = peer;
      most = owed;
    }
    const piece = best && this.#grants.bestFor(best, this.#evidence.copies);
    return best === undefined || piece === undefined
      ? undefined
      : { peer: best, piece, reason: "owed" };
  }

  /** It asks for what it is shown, and cannot have had all that it needs from us already. */
  isInNeed(peer: Downloader): boolean {
    return !peer.isSilent && peer.sentBytes < this.#mostToOne;
  }

  /** What nobody was sent yet, to the peer that spreads it soonest. */
  neverSent(now: Millis): Offer | undefined {
    if (this.#grants.isAllSent) return undefined;
    const peer = this.#cheapest(
      now,
      (each) => this.#grants.neverSentFor(each) !== undefined && this.#passesOn(now, each),
    );
    const piece = peer && this.#grants.neverSentFor(peer);
    return peer === undefined || piece === undefined
      ? undefined
      : { peer, piece, reason: "never-sent" };
  }

  /**
   * Whether `peer` will have passed on what it has before it is complete, and may leave. Who came
   * all at once leave all at once; one that is alone cannot pass on anything; who has hardly
   * anything to get from others waits for us.
   */
  #passesOn(now: Millis, peer: Downloader): boolean {
    const { copies, liveCount, arrivalSpreadMs } = this.#evidence;
    if (liveCount < 2 || arrivalSpreadMs < AT_ONCE_MS || peer.gainedBytes === 0) return true;
    const missing = peer.pieces.size - peer.pieces.count;
    if (missing - copies.countBelow(1) < LEAST_BUSY_PIECES) return true;
    const seconds = peer.secondsFor(now, missing * this.#geometry.pieceLength);
    return peer.spreadCost(now) <= PASS_PART * seconds;
  }

  /** What fewer than `floor` peers hold for long. */
  belowFloor(now: Millis, floor: number): Offer | undefined {
    for (;;) {
      const piece = this.#due.thin.pop();
      if (piece === undefined) return undefined;
      if (this.#evidence.copies.of(piece) >= floor) continue;
      const peer = this.#cheapest(now, (each) => each.lacks(piece));
      if (peer !== undefined) return { peer, piece, reason: "floor" };
    }
  }

  /** What waits long at a slow holder. */
  again(now: Millis): Offer | undefined {
    while (this.#meter.mayGiveAgain(this.#geometry.pieceLength)) {
      const due = this.#due.again.pop();
      if (due === undefined) return undefined;
      const { holder, piece, waitMs } = due;
      if (!holder.unseen.has(piece) || this.#grants.openCount(piece) !== 0) continue;
      const peer = this.#cheapest(now, (each) => each !== holder && each.lacks(piece));
      if (peer === undefined || peer.spreadCost(now) * 2000 > waitMs) continue;
      return { peer, piece, reason: "again" };
    }
    return undefined;
  }

  /** To who gains nothing; `mayBeAnything` false: only what nobody outside has. */
  forStarving(mayBeAnything: boolean): Offer | undefined {
    for (;;) {
      const peer = this.#due.starving.pop();
      if (peer === undefined) return undefined;
      const piece = this.#grants.bestFor(peer, this.#evidence.copies);
      if (piece === undefined) continue;
      if (!mayBeAnything && this.#evidence.copies.of(piece) > 0) continue;
      return { peer, piece, reason: "starving" };
    }
  }

  #cheapest(now: Millis, accepts: (peer: Downloader) => boolean): Downloader | undefined {
    return this.#evidence.cheapest(now, (peer) => this.isInNeed(peer) && accepts(peer));
  }
}
