/**
 * What the SourceNode has seen of one swarm: who is there, which pieces they gained, who passed
 * pieces on. What a stranger claims to have had before counts for nothing, until it is the only
 * explanation for what others gain (rule 5): a hundred peers that merely say that they are complete
 * change no decision.
 */
import { toHex } from "../base/bytes.ts";
import type { Millis, PieceIndex } from "../base/units.ts";
import type { SwarmEvidence } from "../protocol/control/participation.ts";
import type { PieceGeometry } from "../protocol/metainfo/piece-geometry.ts";
import { Copies } from "./copies.ts";
import { Downloader, type JoinedPeer } from "./downloader.ts";

/** Who connects again within this time was never gone: aria2 does so when it is complete. */
const LINGER_MS: Millis = 3000;
/** Pieces that only a stranger can have given, until its claims are believed. */
const PROOFS = 3;
/** Identities of peers that were seen to download. A peer id lives for a session. */
const MAX_TRUSTED = 10_000;

/** What the evidence is told of the world outside the swarm. */
export interface EvidenceOptions {
  /** Whether this peer id had bytes from us before, in an earlier run perhaps. */
  readonly knowsPeer: (peerId: Uint8Array) => boolean;
  /** Piece `piece` has fewer copies than before. */
  readonly onCopyLost: (piece: PieceIndex) => void;
}

export class Evidence {
  readonly copies: Copies;
  readonly #geometry: PieceGeometry;
  readonly #options: EvidenceOptions;
  readonly #peers = new Map<number, Downloader>();
  readonly #departed = new Map<string, Downloader>();
  readonly #trusted = new Set<string>();
  /** For pieces that one peer had from us and nobody else was seen with: that peer. */
  readonly #firstHolders = new Map<PieceIndex, Downloader>();
  #gainedBytes = 0;
  #forwardedPieces = 0;
  #liveCount = 0;
  #crowdSince: Millis = 0;
  #lastJoinedAt: Millis = 0;

  constructor(geometry: PieceGeometry, options: EvidenceOptions) {
    this.#geometry = geometry;
    this.#options = options;
    this.copies = new Copies(geometry.pieceCount);
  }

  /** Connected peers by key. */
  get peers(): ReadonlyMap<number, Downloader> {
    return this.#peers;
  }

  /** Connected peers, SourceNodes apart. */
  get liveCount(): number {
    return this.#liveCount;
  }

  /** From the first arrival since somebody is there to the last one. */
  get arrivalSpreadMs(): Millis {
    return this.#lastJoinedAt - this.#crowdSince;
  }

  /** Bytes of pieces that were gained before our eyes, from anyone. */
  get gainedBytes(): number {
    return this.#gainedBytes;
  }

  /** Pieces that downloaders lack, all together. */
  get missingPieces(): number {
    let missing = 0;
    for (const peer of this.#peers.values()) {
      if (peer.isActive) missing += peer.pieces.size - peer.pieces.count;
    }
    return missing;
  }

  /** Peers that still want something. */
  countActive(): number {
    let count = 0;
    for (const peer of this.#peers.values()) if (peer.isActive) count++;
    return count;
  }

  /** The part of what a state is decided from that is seen here. */
  summary(
    floor: number,
  ): Pick<SwarmEvidence, "peers" | "copies" | "floor" | "pieceBelowFloor" | "hasForwarded"> {
    const { copies, liveCount, hasForwarded } = this;
    const piece = liveCount === 0 ? undefined : copies.firstBelow(floor);
    return {
      peers: liveCount,
      copies: liveCount === 0 ? 0 : copies.least,
      floor,
      pieceBelowFloor: piece === undefined ? undefined : { piece, copies: copies.of(piece) },
      hasForwarded,
    };
  }

  /** Blocks that peers asked us for and that were not sent yet. */
  get openRequests(): number {
    let count = 0;
    for (const peer of this.#peers.values()) count += peer.openRequests;
    return count;
  }

  /** Of the downloaders that `accepts`, the one that spreads a new piece soonest. */
  cheapest(now: Millis, accepts: (peer: Downloader) => boolean): Downloader | undefined {
    let best: Downloader | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const peer of this.#peers.values()) {
      if (!peer.isActive || !accepts(peer)) continue;
      const cost = peer.spreadCost(now);
      if (cost >= least) continue;
      least = cost;
      best = peer;
    }
    return best;
  }

  /** Whether peers give each other something. */
  get hasForwarded(): boolean {
    return this.#forwardedPieces > 0;
  }

  /** Whether a peer with that address is connected. */
  isConnected(host: string): boolean {
    for (const peer of this.#peers.values()) if (peer.host === host) return true;
    return false;
  }

  handleJoined(now: Millis, joined: JoinedPeer, firstOwedBytes: number): Downloader {
    const identity = `${toHex(joined.peerId)}@${joined.host}`;
    const peer = new Downloader(joined, identity, now, firstOwedBytes);
    peer.isTrusted = this.#trusted.has(identity) || this.#options.knowsPeer(joined.peerId);
    if (this.#liveCount === 0) {
      this.#forwardedPieces = 0;
      this.#crowdSince = now;
    }
    this.#peers.set(joined.key, peer);
    if (peer.isSourceNode) return peer;
    this.#liveCount++;
    this.#lastJoinedAt = now;
    return peer;
  }

  /** Its bitfield is known. */
  handlePieces(key: number): void {
    const peer = this.#peers.get(key);
    if (peer === undefined || peer.isSourceNode) return;
    this.#forgetDeparted(peer.identity);
    if (peer.isTrusted) this.#credit(peer);
  }

  /** @returns the peer that gained `piece`. */
  handleHave(now: Millis, key: number, piece: PieceIndex): Downloader | undefined {
    const peer = this.#peers.get(key);
    if (peer === undefined || peer.isSourceNode) return undefined;
    const length = this.#geometry.lengthOf(piece);
    const wasOurs = peer.grants.get(piece)?.sentAt !== undefined;
    peer.gain(now, length);
    this.#gainedBytes += length;
    if (!wasOurs) this.#explain(piece, peer);
    if (peer.held.add(piece)) this.#countGained(now, piece, { peer, wasOurs });
    // What it claims is credited after what it gained: that is known to be ours.
    if (wasOurs) this.#trust(peer);
    return peer;
  }

  handleLeft(now: Millis, key: number): Downloader | undefined {
    const peer = this.#peers.get(key);
    if (peer === undefined) return undefined;
    this.#peers.delete(key);
    if (peer.isSourceNode) return peer;
    this.#liveCount--;
    this.#forgetDeparted(peer.identity);
    peer.leftAt = now;
    // The last one out takes everything along: nobody is left to wait for.
    this.#departed.set(peer.identity, peer);
    if (this.#liveCount === 0) this.handleTimeout(Number.POSITIVE_INFINITY);
    return peer;
  }

  /** Lets go of the copies of those who did not come back. */
  handleTimeout(now: Millis): void {
    for (const peer of this.#departed.values()) {
      if (now - (peer.leftAt as Millis) < LINGER_MS) return;
      this.#forgetDeparted(peer.identity);
    }
  }

  #countGained(
    now: Millis,
    piece: PieceIndex,
    { peer, wasOurs }: { readonly peer: Downloader; readonly wasOurs: boolean },
  ): void {
    const count = this.copies.add(piece);
    if (count === 1 && wasOurs) {
      peer.firstPieceAt ??= now;
      peer.unseen.add(piece);
      this.#firstHolders.set(piece, peer);
    } else if (count > 1) this.#handleSeenElsewhere(piece, peer);
  }

  /** What it passes on is somebody else's now, or what it gained is explained by it. */
  #handleSeenElsewhere(piece: PieceIndex, by: Downloader): void {
    const first = this.#firstHolders.get(piece);
    if (first === undefined || first === by) return;
    this.#firstHolders.delete(piece);
    first.unseen.delete(piece);
    first.seenCount++;
    this.#forwardedPieces++;
  }

  /** A piece was gained and not from us: somebody else who claims it gave it. */
  #explain(piece: PieceIndex, by: Downloader): void {
    if (this.copies.of(piece) > 0) return;
    for (const peer of this.#peers.values()) {
      if (peer === by || peer.isTrusted || !peer.pieces.has(piece)) continue;
      peer.proofs++;
      if (peer.proofs >= PROOFS) this.#trust(peer);
    }
  }

  #trust(peer: Downloader): void {
    if (!this.#trusted.has(peer.identity)) {
      this.#trusted.add(peer.identity);
      if (this.#trusted.size > MAX_TRUSTED) {
        const [oldest] = this.#trusted;
        this.#trusted.delete(oldest as string);
      }
    }
    if (peer.isTrusted) return;
    peer.isTrusted = true;
    this.#credit(peer);
  }

  /** All that it says to have counts as copies. */
  #credit(peer: Downloader): void {
    for (const piece of peer.pieces) {
      if (!peer.held.add(piece)) continue;
      if (this.copies.add(piece) > 1) this.#handleSeenElsewhere(piece, peer);
    }
  }

  #forgetDeparted(identity: string): void {
    const peer = this.#departed.get(identity);
    if (peer === undefined) return;
    this.#departed.delete(identity);
    for (const piece of peer.unseen) this.#firstHolders.delete(piece);
    peer.unseen.clear();
    for (const piece of peer.held) {
      this.copies.remove(piece);
      this.#options.onCopyLost(piece);
    }
  }
}
