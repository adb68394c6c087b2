/**
 * Which pieces went out to whom: offers that are open, pieces that were sent once, pieces that may
 * need another copy. What was offered in vain counts as never sent again.
 */
import { Bitfield } from "../base/bitfield.ts";
import type { Millis, PieceIndex } from "../base/units.ts";
import type { PieceGeometry } from "../protocol/metainfo/piece-geometry.ts";
import type { Allocation } from "./allocation.ts";
import type { Copies } from "./copies.ts";
import type { Downloader, Grant } from "./downloader.ts";

export class GrantBook {
  readonly #geometry: PieceGeometry;
  readonly #allocation: Allocation;
  /** Pieces that were sent whole to somebody, or are on their way. */
  readonly #sentOnce: Bitfield;
  /** All pieces below were sent once. */
  #neverSentFrom: PieceIndex = 0;
  /** Grants that are open for each piece. */
  readonly #openCounts: Uint16Array;
  /** Pieces that may need more copies, by the time since when; oldest first. */
  readonly thin = new Map<PieceIndex, Millis>();

  constructor(geometry: PieceGeometry, allocation: Allocation) {
    this.#geometry = geometry;
    this.#allocation = allocation;
    this.#sentOnce = new Bitfield(geometry.pieceCount);
    this.#openCounts = new Uint16Array(geometry.pieceCount);
  }

  /** Every piece was sent once, or came from elsewhere. */
  get isAllSent(): boolean {
    return this.#sentOnce.isFull;
  }

  /** Offers of `piece` that are open. */
  openCount(piece: PieceIndex): number {
    return this.#openCounts[piece] as number;
  }

  /** It is out in the world: it need not go out for the first time. */
  markSent(piece: PieceIndex): void {
    this.#sentOnce.add(piece);
  }

  /** `piece` is offered to `peer`. */
  open(now: Millis, peer: Downloader, piece: PieceIndex): Grant {
    const grant: Grant = {
      piece,
      shownAt: now,
      touchedAt: now,
      sentBytes: 0,
      sentAt: undefined,
      wasRequested: false,
      isOffer: true,
    };
    peer.grants.set(piece, grant);
    this.#openCounts[piece] = this.openCount(piece) + 1;
    this.#sentOnce.add(piece);
    this.thin.delete(piece);
    this.thin.set(piece, now);
    this.#allocation.handleOffered(this.#geometry.lengthOf(piece));
    return grant;
  }

  /** `bytes` of what was offered left for the peer. */
  handleSent(now: Millis, grant: Grant, bytes: number): void {
    const length = this.#geometry.lengthOf(grant.piece);
    const counted = Math.min(bytes, length - grant.sentBytes);
    grant.sentBytes += counted;
    grant.touchedAt = now;
    this.#allocation.handleSettled(counted);
    if (grant.sentBytes >= length) grant.sentAt ??= now;
  }

  /** The offer is over: the peer has the piece, or will not get it. */
  close(peer: Downloader, piece: PieceIndex): void {
    const grant = peer.grants.get(piece);
    if (grant === undefined) return;
    peer.grants.delete(piece);
    this.#openCounts[piece] = this.openCount(piece) - 1;
    this.#allocation.handleSettled(this.#geometry.lengthOf(piece) - grant.sentBytes);
  }

  /** The offer is void: nobody asked, or the peer is gone. */
  takeBack(peer: Downloader, { piece }: Grant, copies: Copies): void {
    this.close(peer, piece);
    if (copies.of(piece) === 0) this.#forgetSent(piece);
  }

  /** A copy of `piece` is gone: from now on others have time to get it from each other. */
  handleCopyLost(now: Millis, piece: PieceIndex, copies: Copies): void {
    this.thin.delete(piece);
    this.thin.set(piece, now);
    if (copies.of(piece) === 0) this.#forgetSent(piece);
  }

  /** A piece that `peer` lacks and that was never sent to anybody. */
  neverSentFor(peer: Downloader): PieceIndex | undefined {
    const { pieceCount } = this.#geometry;
    while (this.#neverSentFrom < pieceCount && this.#sentOnce.has(this.#neverSentFrom)) {
      this.#neverSentFrom++;
    }
    for (let piece = this.#neverSentFrom; piece < pieceCount; piece++) {
      if (!this.#sentOnce.has(piece) && peer.lacks(piece)) return piece;
    }
    return undefined;
  }

  /** The best piece for one peer: one never sent, else the rarest that it lacks. */
  bestFor(peer: Downloader, copies: Copies): PieceIndex | undefined {
    const fresh = this.neverSentFor(peer);
    if (fresh !== undefined) return fresh;
    let best: PieceIndex | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (let piece = 0; piece < this.#geometry.pieceCount && least > 0; piece++) {
      if (!peer.lacks(piece)) continue;
      const count = copies.of(piece) + this.openCount(piece);
      if (count >= least) continue;
      least = count;
      best = piece;
    }
    return best;
  }

  #forgetSent(piece: PieceIndex): void {
    if (this.openCount(piece) !== 0) return;
    this.#sentOnce.remove(piece);
    this.#neverSentFrom = Math.min(this.#neverSentFrom, piece);
  }
}
