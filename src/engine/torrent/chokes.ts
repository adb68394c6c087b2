/** Carries out the choker's decisions: who is unchoked when, and the optimistic slot. */
import type { Millis } from "../../base/units.ts";
import { type ChokeCandidate, chooseOptimistic, chooseUnchoked } from "../choking/choker.ts";
import type { PeerSession } from "../peer-session/peer-session.ts";
import type { TorrentState } from "./torrent-state.ts";
import type { Uploads } from "./uploads.ts";

export class Chokes {
  readonly #state: TorrentState;
  readonly #uploads: Uploads;
  #rechokeAt: Millis | undefined;
  #optimistic: number | undefined;
  #optimisticUntil: Millis = 0;
  #isCapped = false;

  constructor(state: TorrentState, uploads: Uploads) {
    this.#state = state;
    this.#uploads = uploads;
  }

  nextTimeout(): Millis | undefined {
    return this.#rechokeAt;
  }

  handleTimeout(now: Millis): void {
    if (this.#rechokeAt === undefined || now < this.#rechokeAt) return;
    this.#rechokeAt = undefined;
    this.#rechoke(now);
  }

  /** A peer became interested. With a free slot it need not wait for the next round. */
  handleInterested(now: Millis, session: PeerSession): void {
    this.#rechokeAt ??= now + this.#state.options.choker.rechokeIntervalMs;
    if (session.isRested) return;
    let usedSlots = 0;
    for (const peer of this.#state.peers.values()) {
      if (peer.peerInterested && !peer.amChoking) usedSlots++;
    }
    if (usedSlots < this.#slots) this.#setChoked(now, session, false);
  }

  /** Chokes one peer until it is called with false. */
  rest(now: Millis, session: PeerSession, isRested: boolean): void {
    session.isRested = isRested;
    if (isRested) this.#setChoked(now, session, true);
    else if (session.peerInterested) this.handleInterested(now, session);
  }

  /** Serves one peer at a time until it is called with false: what little we give makes pieces. */
  setCapped(now: Millis, isCapped: boolean): void {
    if (this.#isCapped === isCapped) return;
    this.#isCapped = isCapped;
    this.#rechoke(now);
  }

  get #slots(): number {
    return this.#isCapped ? 1 : this.#state.options.choker.uploadSlots;
  }

  /** Its slot is free: somebody else may have it at once. */
  handleNotInterested(now: Millis, session: PeerSession): void {
    if (!session.amChoking) this.#rechoke(now);
  }

  handleLinkClosed(now: Millis, session: PeerSession): void {
    if (!session.amChoking) this.#rechoke(now);
  }

  #rechoke(now: Millis): void {
    const options = this.#state.options.choker;
    const candidates: ChokeCandidate[] = [];
    for (const peer of this.#state.peers.values()) {
      if (peer.peerInterested && !peer.isRested) candidates.push(candidateOf(peer, now));
    }
    if (candidates.length === 0) return;
    this.#rechokeAt ??= now + options.rechokeIntervalMs;
    if (now >= this.#optimisticUntil) {
      this.#optimistic = chooseOptimistic(candidates, this.#state.random);
      this.#optimisticUntil = now + options.optimisticIntervalMs;
    }
    const unchoked = chooseUnchoked(candidates, {
      mode: this.#state.have.isFull ? "seed" : "leech",
      slots: this.#slots,
      seedTurnBytes: options.seedTurnBytes,
      seedTurnMs: options.seedTurnMs,
      now,
      optimistic: this.#optimistic,
    });
    // Who wants nothing now stays unchoked while nobody waits for the slot: when it wants
    // something again, it can ask at once.
    const isContested = candidates.length > this.#slots;
    for (const peer of this.#state.peers.values()) {
      if (unchoked.has(peer.key)) this.#setChoked(now, peer, false);
      else if (isContested || peer.peerInterested) this.#setChoked(now, peer, true);
    }
  }

  #setChoked(now: Millis, session: PeerSession, isChoked: boolean): void {
    if (session.amChoking === isChoked) return;
    session.amChoking = isChoked;
    session.chokeChangedAt = now;
    session.turnBytes = 0;
    this.#state.send(session, { type: isChoked ? "choke" : "unchoke" });
    if (isChoked) this.#uploads.dropQueue(session);
  }
}

function candidateOf(session: PeerSession, now: Millis): ChokeCandidate {
  return {
    key: session.key,
    isUnchoked: !session.amChoking,
    isSnubbed: session.isSnubbed,
    givesBytesPerSecond: session.downloadRate.bytesPerSecond(now),
    turnBytes: session.turnBytes,
    changedAt: session.chokeChangedAt,
  };
}
