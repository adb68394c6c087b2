/**
 * What the rules 3 and 4 of a swarm's controller would do next, collected at each tick: looking for
 * it at every event would cost too much.
 */
import type { Millis, PieceIndex } from "../base/units.ts";
import type { Copies } from "./copies.ts";
import type { Downloader } from "./downloader.ts";
import type { GrantBook } from "./grant-book.ts";

/**
 * A piece is given again when its holder is expected to need longer than this, and than so much of
 * the time that the crowd still needs anyway.
 */
const AGAIN_AFTER_MS = 4000;
const AGAIN_PART = 0.6;
/** A piece below the floor is given this time to spread by itself. */
const FLOOR_GRACE_MS = 16_000;
/** Who gains nothing for so long is helped, whatever the policy. */
const STARVING_MS = 2000;
/** Candidates that one tick collects for a rule. */
const MAX_DUE = 64;

/** A piece that waits long at the only peer that has it. */
export interface WaitingPiece {
  readonly holder: Downloader;
  readonly piece: PieceIndex;
  readonly waitMs: Millis;
}

/** A swarm at a tick. */
export interface DueView {
  readonly peers: Iterable<Downloader>;
  readonly copies: Copies;
  readonly grants: GrantBook;
  /** Copies that each piece must have outside now, and as soon as there are enough peers. */
  readonly floor: number;
  readonly policyFloor: number;
  /** How long the crowd still needs; 0 when that is not known. */
  readonly remainingMs: Millis;
}

/** Whoever acts on one takes it away. */
export class DuePieces {
  /** Pieces below the floor. */
  thin: PieceIndex[] = [];
  again: WaitingPiece[] = [];
  /** Peers that gain nothing. */
  starving: Downloader[] = [];

  /** Collects anew. */
  collect(now: Millis, view: DueView): void {
    this.#collectThin(now, view);
    this.again = [];
    this.starving = [];
    const patienceMs = Math.max(AGAIN_AFTER_MS, AGAIN_PART * view.remainingMs);
    for (const peer of view.peers) {
      this.#collectWaiting(now, peer, patienceMs, view.grants);
      const isIdle = peer.grants.size === 0 && peer.openRequests === 0;
      const isStarving = peer.isActive && isIdle && !peer.isSilent;
      if (isStarving && now - peer.lastGainAt > STARVING_MS) this.starving.push(peer);
    }
  }

  #collectThin(now: Millis, { copies, grants, floor, policyFloor }: DueView): void {
    this.thin = [];
    for (const [piece, since] of grants.thin) {
      const count = copies.of(piece);
      if (count >= policyFloor) grants.thin.delete(piece);
      else if (now - since < FLOOR_GRACE_MS) break;
      else if (count < floor) this.thin.push(piece);
      if (this.thin.length >= MAX_DUE) break;
    }
  }

  /** Pieces of `holder` that others will wait long for. */
  #collectWaiting(now: Millis, holder: Downloader, patienceMs: Millis, grants: GrantBook): void {
    const rate = holder.forwardRate(now);
    if ((holder.unseen.size / rate) * 1000 < patienceMs) return;
    let place = 0;
    for (const piece of holder.unseen) {
      const waitMs = (++place / rate) * 1000;
      if (waitMs < patienceMs) continue;
      if (this.again.length >= MAX_DUE) return;
      if (grants.openCount(piece) === 0) this.again.push({ holder, piece, waitMs });
    }
  }
}
