/**
 * Decides, for one swarm, which piece the SourceNode offers to whom and when: a peer may request
 * only what it was shown. The rules, in the order in which they get the uplink:
 *
 * 1. owed: whoever got less than its direct share of the source (never slower than direct);
 * 2. never sent: each piece goes out once before any goes twice, to the peer that spreads soonest;
 * 3. floor: a piece with fewer copies outside than the policy's floor is sent again;
 * 4. again: a piece that waits long at a slow holder goes to a quicker one;
 * 5. help (policy `fast` only): whatever serves the swarm soonest.
 *
 * Copies are counted from what the source itself saw: a piece is safe when a second peer has it.
 */
import { Bitfield } from "../base/bitfield.ts";
import type { Millis, PieceIndex } from "../base/units.ts";
import { Downloader, type Grant } from "./downloader.ts";
import type { Policy } from "./policy.ts";
import type { PieceGeometry } from "../protocol/metainfo/piece-geometry.ts";

/** Which rule made an offer. */
export type GrantReason = "owed" | "never-sent" | "floor" | "again" | "help";

/** An offer to make: the peer is shown the piece. */
export interface Show {
  readonly peer: number;
  readonly piece: PieceIndex;
  readonly reason: GrantReason;
}

interface Offer {
  readonly peer: Downloader;
  readonly piece: PieceIndex;
  readonly reason: GrantReason;
}

/** What one swarm is served by. */
export interface SwarmControllerOptions {
  readonly policy: Policy;
  /** Bytes per second that the source can send, as far as known. */
  readonly uplinkBytesPerSecond: () => number;
}

/** Offers are looked at again this often, besides at every event. */
const TICK_MS = 100;
/** The uplink's worth of pieces that is on offer at once. */
const OFFER_MS = 250;
const MAX_EXTRA_OFFERS = 64;
/** An offer that nobody asks for goes to somebody else after this. */
const UNASKED_MS = 1000;
/** A piece is given again when its holder is expected to need longer than this. */
const AGAIN_AFTER_MS = 5000;
/** A piece below the floor is given this time to spread by itself. */
const FLOOR_GRACE_MS = 8000;

export class SwarmController {
  readonly #geometry: PieceGeometry;
  readonly #options: SwarmControllerOptions;
  readonly #peers = new Map<number, Downloader>();
  /** Peers, ours apart, that have been seen with each piece. */
  readonly #holders: Uint16Array;
  /** Pieces that were sent whole to somebody, or are on their way. */
  readonly #sentOnce: Bitfield;
  readonly #sentAt: Float64Array;
  #shows: Show[] = [];
  #tickAt: Millis | undefined;
  #lastTickAt: Millis;
  #offeredBytes = 0;
  #extraOffers = 0;
  #sentBytes = 0;
  #wantedMore = false;

  constructor(geometry: PieceGeometry, options: SwarmControllerOptions, now: Millis) {
    this.#geometry = geometry;
    this.#options = options;
    this.#holders = new Uint16Array(geometry.pieceCount);
    this.#sentOnce = new Bitfield(geometry.pieceCount);
    this.#sentAt = new Float64Array(geometry.pieceCount);
    this.#lastTickAt = now;
  }

  handleJoined(now: Millis, key: number, pieces: Bitfield): void {
    const peer = new Downloader(key, pieces, now, this.#geometry.pieceLength);
    this.#peers.set(key, peer);
    this.#tickAt ??= now + TICK_MS;
    this.#offer(now);
  }

  /** Its bitfield is known now. */
  handlePieces(now: Millis, key: number): void {
    const peer = this.#peers.get(key);
    if (peer === undefined) return;
    for (const piece of peer.pieces) this.#addHolder(piece, peer);
    this.#offer(now);
  }

  handleHave(now: Millis, key: number, piece: PieceIndex): void {
    const peer = this.#peers.get(key);
    if (peer === undefined) return;
    peer.gain(now, this.#geometry.lengthOf(piece));
    this.#endGrant(peer, piece);
    this.#addHolder(piece, peer);
    if (this.#holders[piece] === 1 && peer.shown.has(piece)) {
      peer.firstPieceAt ??= now;
      peer.unseen.add(piece);
    }
    this.#offer(now);
  }

  handleLeft(now: Millis, key: number): void {
    const peer = this.#peers.get(key);
    if (peer === undefined) return;
    this.#peers.delete(key);
    for (const grant of peer.grants.values()) this.#takeBack(peer, grant);
    for (const piece of peer.pieces) this.#holders[piece] = (this.#holders[piece] as number) - 1;
    this.#offer(now);
  }

  handleRequest(key: number, piece: PieceIndex): void {
    const grant = this.#peers.get(key)?.grants.get(piece);
    if (grant !== undefined) grant.wasRequested = true;
  }

  handleSent(now: Millis, key: number, piece: PieceIndex, bytes: number): void {
    const peer = this.#peers.get(key);
    const grant = peer?.grants.get(piece);
    if (peer === undefined || grant === undefined) return;
    grant.sentBytes += bytes;
    this.#sentBytes += bytes;
    this.#offeredBytes -= bytes;
    if (grant.sentBytes >= this.#geometry.lengthOf(piece)) this.#endGrant(peer, piece);
    this.#offer(now);
  }

  /** Whether `key` may have `piece`. */
  isShown(key: number, piece: PieceIndex): boolean {
    return this.#peers.get(key)?.shown.has(piece) ?? false;
  }

  nextTimeout(): Millis | undefined {
    return this.#tickAt;
  }

  handleTimeout(now: Millis): void {
    if (this.#tickAt === undefined || now < this.#tickAt) return;
    this.#tickAt = this.#peers.size > 0 ? now + TICK_MS : undefined;
    this.#adjustRoom(now);
    this.#accrue(now);
    for (const peer of this.#peers.values()) {
      for (const grant of peer.grants.values()) {
        if (!grant.wasRequested && now - grant.shownAt > UNASKED_MS) this.#takeBack(peer, grant);
      }
    }
    this.#offer(now);
  }

  takeShows(): readonly Show[] {
    const shows = this.#shows;
    this.#shows = [];
    return shows;
  }

  /** Every downloader is owed its direct share of the time since the last tick. */
  #accrue(now: Millis): void {
    const elapsed = (now - this.#lastTickAt) / 1000;
    this.#lastTickAt = now;
    const { policy } = this.#options;
    const active = [...this.#peers.values()].filter((peer) => !peer.isComplete);
    const share = this.#options.uplinkBytesPerSecond() / Math.max(1, active.length);
    for (const peer of active) {
      const peak = peer.peakBytesPerSecond || share;
      const direct = policy.leadMs === undefined ? 0 : Math.min(peak, share);
      const rate = Math.max(direct, policy.minRateBytesPerSecond ?? 0);
      const lead = ((policy.leadMs ?? 10_000) * Math.max(rate, share)) / 1000;
      peer.owedBytes = Math.max(-lead, peer.owedBytes + rate * elapsed);
    }
  }

  /** When peers are slow to ask, more must be on offer to keep the uplink busy. */
  #adjustRoom(now: Millis): void {
    const expected = (this.#options.uplinkBytesPerSecond() * (now - this.#lastTickAt)) / 1000;
    if (this.#wantedMore && this.#sentBytes < 0.9 * expected) {
      this.#extraOffers = Math.min(MAX_EXTRA_OFFERS, this.#extraOffers + 1);
    } else if (this.#sentBytes >= 0.97 * expected) {
      this.#extraOffers = Math.max(0, this.#extraOffers - 0.1);
    }
    this.#sentBytes = 0;
    this.#wantedMore = false;
  }

  /** Makes offers while there is room for them. */
  #offer(now: Millis): void {
    const { pieceLength } = this.#geometry;
    const uplink = this.#options.uplinkBytesPerSecond();
    const room =
      Math.max(2 * pieceLength, (uplink * OFFER_MS) / 1000) + this.#extraOffers * pieceLength;
    while (this.#offeredBytes + pieceLength <= room) {
      const offer = this.#nextOffer(now);
      if (offer === undefined) return;
      this.#show(now, offer);
    }
    this.#wantedMore = true;
  }

  #nextOffer(now: Millis): Offer | undefined {
    return (
      this.#owed() ??
      this.#neverSent(now) ??
      this.#belowFloor(now) ??
      this.#again(now) ??
      this.#help()
    );
  }

  #show(now: Millis, offer: Offer): void {
    const { peer, piece, reason } = offer;
    peer.shown.add(piece);
    peer.grants.set(piece, { piece, shownAt: now, sentBytes: 0, wasRequested: false });
    this.#sentOnce.add(piece);
    this.#sentAt[piece] = now;
    this.#offeredBytes += this.#geometry.lengthOf(piece);
    this.#shows.push({ peer: peer.key, piece, reason });
  }

  #owed(): Offer | undefined {
    const { pieceLength } = this.#geometry;
    let best: Downloader | undefined;
    let most = pieceLength * 0.999;
    for (const peer of this.#peers.values()) {
      if (peer.isComplete) continue;
      const owed = peer.owedBytes - peer.inFlightBytes(pieceLength);
      if (owed <= most) continue;
      if (this.#pieceFor(peer) === undefined) continue;
      best = peer;
      most = owed;
    }
    const piece = best && this.#pieceFor(best);
    return best === undefined || piece === undefined
      ? undefined
      : { peer: best, piece, reason: "owed" };
  }

  /** For a peer that is owed: a piece never sent, else the rarest that it lacks. */
  #pieceFor(peer: Downloader): PieceIndex | undefined {
    let best: PieceIndex | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (let piece = 0; piece < this.#geometry.pieceCount; piece++) {
      if (peer.pieces.has(piece) || peer.shown.has(piece)) continue;
      const count = this.#sentOnce.has(piece) ? 1 + (this.#holders[piece] as number) : 0;
      if (count < least) {
        least = count;
        best = piece;
      }
      if (least === 0) break;
    }
    return best;
  }

  #neverSent(now: Millis): Offer | undefined {
    if (this.#sentOnce.isFull) return undefined;
    const peer = this.#cheapest(now, () => true);
    if (peer === undefined) return undefined;
    for (let piece = 0; piece < this.#geometry.pieceCount; piece++) {
      if (!this.#sentOnce.has(piece) && !peer.pieces.has(piece)) {
        return { peer, piece, reason: "never-sent" };
      }
    }
    return undefined;
  }

  #belowFloor(now: Millis): Offer | undefined {
    const floor = Math.min(this.#options.policy.floor, this.#peers.size);
    for (let piece = 0; piece < this.#geometry.pieceCount; piece++) {
      if ((this.#holders[piece] as number) >= floor) continue;
      if (now - (this.#sentAt[piece] as number) < FLOOR_GRACE_MS) continue;
      const peer = this.#cheapest(now, (each) => !each.pieces.has(piece) && !each.shown.has(piece));
      if (peer !== undefined) return { peer, piece, reason: "floor" };
    }
    return undefined;
  }

  #again(now: Millis): Offer | undefined {
    for (const holder of this.#peers.values()) {
      const rate = holder.forwardRate(now);
      let place = 0;
      for (const piece of holder.unseen) {
        place++;
        const waitMs = (place / rate) * 1000;
        if (waitMs < AGAIN_AFTER_MS) continue;
        const quicker = this.#cheapest(
          now,
          (each) => each !== holder && !each.pieces.has(piece) && !each.shown.has(piece),
        );
        if (quicker === undefined || quicker.spreadCost(now) * 1000 * 2 > waitMs) continue;
        return { peer: quicker, piece, reason: "again" };
      }
    }
    return undefined;
  }

  #help(): Offer | undefined {
    if (!this.#options.policy.alwaysHelps) return undefined;
    let best: Downloader | undefined;
    for (const peer of this.#peers.values()) {
      if (peer.isComplete || this.#pieceFor(peer) === undefined) continue;
      if (best === undefined || peer.pieces.count > best.pieces.count) best = peer;
    }
    const piece = best && this.#pieceFor(best);
    return best === undefined || piece === undefined
      ? undefined
      : { peer: best, piece, reason: "help" };
  }

  #cheapest(now: Millis, accepts: (peer: Downloader) => boolean): Downloader | undefined {
    let best: Downloader | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const peer of this.#peers.values()) {
      if (peer.isComplete || !accepts(peer)) continue;
      const cost = (peer.unseen.size + peer.grants.size + 1) / peer.forwardRate(now);
      if (cost < least) {
        least = cost;
        best = peer;
      }
    }
    return best;
  }

  #addHolder(piece: PieceIndex, peer: Downloader): void {
    const count = (this.#holders[piece] as number) + 1;
    this.#holders[piece] = count;
    if (count !== 2) return;
    for (const other of this.#peers.values()) {
      if (other !== peer && other.unseen.delete(piece)) other.seenCount++;
    }
  }

  #endGrant(peer: Downloader, piece: PieceIndex): void {
    const grant = peer.grants.get(piece);
    if (grant === undefined) return;
    peer.grants.delete(piece);
    this.#offeredBytes -= Math.max(0, this.#geometry.lengthOf(piece) - grant.sentBytes);
  }

  /** The offer is void: nobody asked, or the peer is gone. The piece counts as never sent again. */
  #takeBack(peer: Downloader, grant: Grant): void {
    this.#endGrant(peer, grant.piece);
    if (this.#holders[grant.piece] === 0) this.#sentOnce.remove(grant.piece);
  }
}
