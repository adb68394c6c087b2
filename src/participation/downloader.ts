/** What the SourceNode has seen of one peer of a swarm. Evidence only: never what it announces. */
import { Bitfield } from "../base/bitfield.ts";
import type { Millis, PieceIndex } from "../base/units.ts";
import type { PeerReport } from "../protocol/wire/participation.ts";

/** A piece on its way to one peer: shown to it, and not seen there yet. */
export interface Grant {
  readonly piece: PieceIndex;
  readonly shownAt: Millis;
  /** When it was shown, asked for or sent from last. */
  touchedAt: Millis;
  sentBytes: number;
  /** When all of it had left for the peer. */
  sentAt: Millis | undefined;
  /** It asked for some of it; until then the piece may be taken back. */
  wasRequested: boolean;
  /** We want it to have the piece; false: it asked for what it was shown long ago. */
  isOffer: boolean;
}

/** A peer as it joins. */
export interface JoinedPeer {
  readonly key: number;
  /** 20 bytes. */
  readonly peerId: Uint8Array;
  readonly host: string;
  /** It names itself a SourceNode: neither a downloader nor a copy. */
  readonly isSourceNode: boolean;
  /** What it says that it has; the engine keeps it up to date. */
  readonly pieces: Bitfield;
}

/** However slow it is, so many pieces may be on their way to it... */
const LEAST_AHEAD_PIECES = 4;
/** ... and what it takes in so much time, besides the delay of its answers. */
const LEAST_AHEAD_MS: Millis = 1000;
const PEAK_WINDOW_MS = 5000;
/**
 * Some clients need ten seconds to ask for the first time, or have enough to ask of others: showing
 * them everything meanwhile would have them pull everything later.
 */
const MAX_IGNORED = 4;
/** How much one answer counts in the smoothed delay. */
const DELAY_SMOOTHING = 4;
const MAX_DELAY_MS = 4000;

export class Downloader {
  readonly key: number;
  /** Survives a connection: peer id and host. */
  readonly identity: string;
  /** 20 bytes. */
  readonly peerId: Uint8Array;
  readonly host: string;
  readonly isSourceNode: boolean;
  readonly joinedAt: Millis;
  readonly pieces: Bitfield;
  /** What counts as its copies: what it gained before our eyes, or was vouched for. */
  readonly held: Bitfield;
  /** Pieces that it may request. */
  readonly shown: Bitfield;
  /** Shown and not seen there yet, by piece. */
  readonly grants = new Map<PieceIndex, Grant>();
  /** Pieces that it was shown in vain so far: taken back, neither asked for nor gained since. */
  readonly ignored = new Set<PieceIndex>();
  /** Pieces that it had from us first and that nobody else has been seen with, oldest first. */
  readonly unseen = new Set<PieceIndex>();
  /** Pieces that it had from us and that were seen at somebody else since. */
  seenCount = 0;
  firstPieceAt: Millis | undefined;
  hasAsked = false;
  /** When it asked us for something, or was sent something, last. */
  activeAt: Millis;
  /** Blocks that it asked us for and that were not sent yet. */
  openRequests = 0;
  sentBytes = 0;
  /** Bytes owed to it: its direct share, less what it gained from anyone. */
  owedBytes: number;
  gainedBytes = 0;
  lastGainAt: Millis;
  /** Highest mean rate over some seconds that it gained: what its downlink can do at least. */
  peakBytesPerSecond = 0;
  /** Pieces that strangers' claims are the only explanation for; see `isTrusted`. */
  proofs = 0;
  /** Its first claims count as copies. */
  isTrusted = true;
  /** What it says of itself, when it is of our kind: it may spare us something, no more. */
  report: PeerReport | undefined;
  /** When its connection ended; it may come back. */
  leftAt: Millis | undefined;
  /** Its downlink is no more than `peakBytesPerSecond`: it took no more when it could have. */
  isDownlinkKnown = false;
  /** It is choked: what it was shown before, others give it now. */
  rests = false;
  #delayMs = 0;
  #fedSince: Millis | undefined;
  #windowStart: Millis;
  #windowBytes = 0;

  constructor(peer: JoinedPeer, identity: string, now: Millis, firstOwedBytes: number) {
    this.key = peer.key;
    this.identity = identity;
    this.peerId = peer.peerId;
    this.host = peer.host;
    this.isSourceNode = peer.isSourceNode;
    this.pieces = peer.pieces;
    this.held = new Bitfield(peer.pieces.size);
    this.shown = new Bitfield(peer.pieces.size);
    this.joinedAt = now;
    this.activeAt = now;
    this.lastGainAt = now;
    this.owedBytes = firstOwedBytes;
    this.#windowStart = now;
  }

  /** It still wants something. */
  get isActive(): boolean {
    return !this.pieces.isFull && !this.isSourceNode;
  }

  /** Something that we want it to have has not left for it yet. */
  get hasOffer(): boolean {
    for (const { isOffer, sentAt } of this.grants.values()) {
      if (isOffer && sentAt === undefined) return true;
    }
    return false;
  }

  /** Nothing new is offered to it until it asks for what it was shown. */
  get isSilent(): boolean {
    const unasked = this.hasAsked ? this.ignored.size : this.ignored.size + this.grants.size;
    return unasked >= MAX_IGNORED;
  }

  /** From an offer to its arrival there, as we hear of it: so much must be on offer ahead of time. */
  get delayMs(): Millis {
    return this.#delayMs;
  }

  /** It has all of `grant`. */
  handleArrived(now: Millis, grant: Grant): void {
    const delay = Math.min(MAX_DELAY_MS, now - grant.shownAt);
    this.#delayMs += (delay - this.#delayMs) / DELAY_SMOOTHING;
  }

  /** It does not have `piece`, and was not shown it. */
  lacks(piece: PieceIndex): boolean {
    return !this.pieces.has(piece) && !this.shown.has(piece);
  }

  /** Pieces a second that it passes on, from what was seen elsewhere: no honesty needed. */
  forwardRate(now: Millis): number {
    const since = this.firstPieceAt === undefined ? 0 : (now - this.firstPieceAt) / 1000;
    return (this.seenCount + 1) / (since + 0.5);
  }

  /** How long a new piece would wait here before others have it, in seconds. */
  spreadCost(now: Millis): number {
    return (this.unseen.size + this.grants.size + 1) / this.forwardRate(now);
  }

  /** How long `bytes` take it at the mean rate that it gained with so far, in seconds. */
  secondsFor(now: Millis, bytes: number): number {
    return (bytes * (now - this.joinedAt)) / 1000 / this.gainedBytes;
  }

  /** It has `bytes` more, from anyone. */
  gain(now: Millis, bytes: number): void {
    this.gainedBytes += bytes;
    this.owedBytes -= bytes;
    this.lastGainAt = now;
    this.#windowBytes += bytes;
    const elapsed = now - this.#windowStart;
    if (elapsed < PEAK_WINDOW_MS) return;
    const mean = (this.#windowBytes * 1000) / elapsed;
    this.peakBytesPerSecond = Math.max(this.peakBytesPerSecond, mean);
    this.#windowStart = now;
    this.#windowBytes = 0;
  }

  /**
   * Whether we could send it more than it takes: something that it asked for is under way all the
   * time, and our uplink has much to spare. After some seconds of that nothing is owed to it.
   */
  handleTick(now: Millis, hasSpareUplink: boolean): void {
    if (!hasSpareUplink || !this.#hasRequested) this.#fedSince = undefined;
    else this.#fedSince ??= now;
    if (this.#fedSince === undefined || now - this.#fedSince < PEAK_WINDOW_MS) return;
    this.isDownlinkKnown = true;
    this.owedBytes = Math.min(this.owedBytes, 0);
  }

  get #hasRequested(): boolean {
    for (const { wasRequested } of this.grants.values()) if (wasRequested) return true;
    return false;
  }

  /** So much may be on its way to it at once: twice what it was seen to take, so that it may grow. */
  mostInFlight(now: Millis, pieceLength: number): number {
    const elapsed = Math.max(now - this.#windowStart, LEAST_AHEAD_MS);
    const rate = Math.max(this.peakBytesPerSecond, (this.#windowBytes * 1000) / elapsed);
    const aheadMs = LEAST_AHEAD_MS + this.#delayMs;
    return Math.max(LEAST_AHEAD_PIECES * pieceLength, (2 * rate * aheadMs) / 1000);
  }

  /** Bytes that are on their way to it from us, or were sent and not seen there yet. */
  inFlightBytes(pieceLength: number): number {
    return this.grants.size * pieceLength;
  }
}
