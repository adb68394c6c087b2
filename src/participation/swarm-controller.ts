/**
 * Decides, for one swarm, which piece the SourceNode offers to whom and when: a peer may request
 * only what it was shown. The rules, in the order in which they get the uplink:
 *
 * 1. owed: whoever got less than its direct share of the source (never slower than direct);
 * 2. never sent: each piece goes out once before any goes twice, to the peer that spreads soonest;
 * 3. floor: a piece with fewer copies outside than the policy's floor is sent again;
 * 4. again: a piece that waits long at a slow holder goes to a quicker one; a peer that gains
 *    nothing gets the rarest piece that it lacks;
 * 5. help (policy `fast` only): once every piece is outside, everybody may ask for everything.
 */
import { BLOCK_LENGTH, type Millis, type PieceIndex } from "../base/units.ts";
import type { SwarmEvidence } from "../protocol/control/participation.ts";
import type { PeerReport } from "../protocol/wire/participation.ts";
import type { PieceGeometry } from "../protocol/metainfo/piece-geometry.ts";
import type { Allocation, Urgency } from "./allocation.ts";
import type { Downloader, Grant, JoinedPeer } from "./downloader.ts";
import { DuePieces } from "./due-pieces.ts";
import { Evidence } from "./evidence.ts";
import { type FloorNews, FloorWatch } from "./floor-watch.ts";
import { GainMeter } from "./gain-meter.ts";
import { GrantBook } from "./grant-book.ts";
import { hasLapsed } from "./lapse.ts";
import { type BudgetLeft, budgetLeft, type Policy } from "./policy.ts";
import { type Offer, type Show, showMore } from "./offer.ts";
import { OfferRules } from "./offer-rules.ts";
import { needsEverything, promisedRate } from "./promised-rate.ts";
import { decideState } from "./state.ts";
import { WebSeedDoor } from "./web-seed-door.ts";

/** What one swarm is served by. */
export interface SwarmControllerOptions {
  readonly policy: Policy;
  /** Shared by all swarms of the source. */
  readonly allocation: Allocation;
  /** Content bytes that the source sent for this publication, ever and by any door. */
  readonly spentBytes: () => number;
  /** Whether this peer id had bytes from us before. */
  readonly knowsPeer: (peerId: Uint8Array) => boolean;
}

/** Offers are looked at again this often, besides at every event. */
const TICK_MS = 100;
/** HAVEs and blocks sent come in crowds: they make us look at most this often. */
const LOOK_MS = 5;
/** Swarms whose use of a byte is measured get so much more than it says, to find out. */
const PROBE_GAIN = 1.25;

export class SwarmController {
  readonly evidence: Evidence;
  readonly meter: GainMeter;
  readonly #webSeed = new WebSeedDoor();
  readonly #geometry: PieceGeometry;
  readonly #options: Omit<SwarmControllerOptions, "policy">;
  #policy: Policy;
  readonly #grants: GrantBook;
  readonly #due = new DuePieces();
  readonly #floorWatch: FloorWatch;
  readonly #rules: OfferRules;
  #shows: Show[] = [];
  #rests = new Map<number, boolean>();
  #tickAt: Millis | undefined;
  #lastTickAt: Millis;
  #lookAt: Millis = 0;
  #lastSentAt: Millis | undefined;
  /** Every peer may ask for everything. */
  #isOpen = false;
  /** Bytes of never-sent pieces that may go before other swarms get their turn. */
  #cappedBytes = 0;
  #activeCount = 0;

  constructor(geometry: PieceGeometry, options: SwarmControllerOptions, now: Millis) {
    this.#geometry = geometry;
    this.#options = options;
    this.#policy = options.policy;
    this.#grants = new GrantBook(geometry, options.allocation);
    this.#floorWatch = new FloorWatch(geometry.pieceCount);
    this.#lastTickAt = now;
    this.meter = new GainMeter();
    this.evidence = new Evidence(geometry, {
      knowsPeer: options.knowsPeer,
      onCopyLost: (piece) =>
        this.#grants.handleCopyLost(this.#lastTickAt, piece, this.evidence.copies),
    });
    const { evidence, meter } = this;
    this.#rules = new OfferRules(geometry, {
      evidence,
      meter,
      grants: this.#grants,
      due: this.#due,
    });
  }

  get policy(): Policy {
    return this.#policy;
  }

  /** Takes effect with the next offer. */
  setPolicy(policy: Policy): void {
    this.#policy = policy;
    if (!policy.alwaysHelps) this.#isOpen = false;
  }

  handleJoined(now: Millis, joined: JoinedPeer): void {
    this.evidence.handleJoined(now, joined, this.#geometry.pieceLength);
    this.meter.handlePeers(now, this.evidence.liveCount);
    this.#wake(now);
    this.#countActive();
    this.#offer(now);
  }

  /** While nobody was there, there were no ticks, and nothing was owed to anybody. */
  #wake(now: Millis): void {
    if (this.#tickAt !== undefined) return;
    this.#lastTickAt = now;
    this.#tickAt = now + TICK_MS;
  }

  /** Its bitfield is known now; what was offered before may be there already. */
  handlePieces(now: Millis, key: number): void {
    this.evidence.handlePieces(key);
    const peer = this.evidence.peers.get(key);
    for (const grant of peer?.grants.values() ?? []) {
      if (peer?.pieces.has(grant.piece)) this.#takeBack(peer, grant);
    }
    this.#countActive();
    this.#offer(now);
  }

  handleHave(now: Millis, key: number, piece: PieceIndex): void {
    const peer = this.evidence.handleHave(now, key, piece);
    if (peer === undefined) return;
    peer.ignored.delete(piece);
    this.meter.handleGained(this.#geometry.lengthOf(piece));
    const grant = peer.grants.get(piece);
    if (grant !== undefined) peer.handleArrived(now, grant);
    this.#grants.close(peer, piece);
    // Gained from a stranger: whoever that is has it, and it need not go out for the first time.
    this.#grants.markSent(piece);
    if (!peer.isActive) this.#countActive();
    this.#look(now);
  }

  handleReport(key: number, report: PeerReport): void {
    this.#floorWatch.handleReport(this.evidence.peers.get(key), report);
  }

  handleLeft(now: Millis, key: number): void {
    this.#floorWatch.handleLeft(key);
    const peer = this.evidence.handleLeft(now, key);
    if (peer === undefined) return;
    this.meter.handlePeers(now, this.evidence.liveCount);
    for (const grant of peer.grants.values()) this.#takeBack(peer, grant);
    this.#countActive();
    this.#offer(now);
  }

  handleRequest(now: Millis, key: number, piece: PieceIndex): void {
    const peer = this.evidence.peers.get(key);
    if (peer === undefined) return;
    peer.openRequests++;
    peer.hasAsked = true;
    peer.activeAt = now;
    peer.ignored.delete(piece);
    const grant = peer.grants.get(piece) ?? this.#reopen(now, peer, piece);
    if (grant === undefined) return;
    grant.wasRequested = true;
    grant.touchedAt = now;
  }

  /** It may ask for what was taken back before: shown is shown. */
  #reopen(now: Millis, peer: Downloader, piece: PieceIndex): Grant | undefined {
    const { allocation } = this.#options;
    if (this.#isOpen || !allocation.hasRoom(this.#geometry.pieceLength)) return undefined;
    const grant = this.#grants.open(now, peer, piece);
    grant.isOffer = false;
    return grant;
  }

  /** Requests of the peer that will not be answered. */
  handleDropped(key: number, blocks: number): void {
    const peer = this.evidence.peers.get(key);
    if (peer !== undefined) peer.openRequests = Math.max(0, peer.openRequests - blocks);
  }

  handleSent(now: Millis, key: number, piece: PieceIndex, bytes: number): void {
    this.#options.allocation.handleSent(bytes);
    this.#lastSentAt = now;
    this.meter.handleSent(bytes);
    const peer = this.evidence.peers.get(key);
    if (peer === undefined) return;
    peer.openRequests = Math.max(0, peer.openRequests - 1);
    peer.sentBytes += bytes;
    peer.activeAt = now;
    const grant = peer.grants.get(piece);
    if (grant !== undefined) this.#grants.handleSent(now, grant, bytes);
    this.#look(now);
  }

  /** Whether `key` may have `piece`: it was shown, and the budget is not spent on others. */
  isShown(key: number, piece: PieceIndex): boolean {
    const peer = this.evidence.peers.get(key);
    if (peer === undefined || !peer.shown.has(piece)) return false;
    const budget = this.#budget;
    if (budget === "all") return true;
    const isBelowFloor = this.evidence.copies.of(piece) < this.#floor;
    return budget === "floor-only" && (isBelowFloor || peer.grants.has(piece));
  }

  nextTimeout(): Millis | undefined {
    return this.#tickAt;
  }

  handleTimeout(now: Millis): void {
    if (this.#tickAt === undefined || now < this.#tickAt) return;
    this.evidence.handleTimeout(now);
    this.#tickAt = this.evidence.peers.size > 0 ? now + TICK_MS : undefined;
    this.#options.allocation.handleTick(now);
    this.meter.handleTick(now);
    this.#accrue(now);
    this.#expireGrants(now);
    this.#collectDue(now);
    this.#floorWatch.handleTick(now, this.evidence, this.#policy.floor);
    this.#isOpen = this.#mayOpen();
    if (this.#isOpen) this.#open();
    else this.#openToOwed(now);
    this.#options.allocation.rests(this);
    this.#offer(now);
    this.#rest(now);
  }

  takeRests(): ReadonlyMap<number, boolean> {
    const rests = this.#rests;
    this.#rests = new Map();
    return rests;
  }

  takeShows(): readonly Show[] {
    const shows = this.#shows;
    this.#shows = [];
    return shows;
  }

  takeFloorNews(): readonly FloorNews[] {
    return this.#floorWatch.takeNews();
  }

  /** What the state is decided from. */
  summary(now: Millis): SwarmEvidence {
    return {
      ...this.evidence.summary(this.#floor),
      downloaders: this.#activeCount,
      owedBytes: this.#mostOwed(),
      sentAgoMs: this.#lastSentAt === undefined ? undefined : now - this.#lastSentAt,
    };
  }

  /** As `WebSeedDoor.waitSeconds`. */
  webSeedWait(now: Millis, host: string, mayRelease: boolean): number | undefined {
    return this.#webSeed.waitSeconds(now, host, {
      isConnected: this.evidence.isConnected(host),
      downloaders: this.#activeCount,
      isThrifty: this.#policy.leadMs === undefined,
      isReleased: mayRelease && decideState(this.summary(now)).state === "S2",
      isOverBudget: this.#budget !== "all",
    });
  }

  /** Copies that each piece must have outside; no more than there are peers. */
  get #floor(): number {
    return Math.min(this.#policy.floor, this.evidence.liveCount);
  }

  #mostOwed(): number {
    let most = 0;
    for (const peer of this.evidence.peers.values()) {
      if (peer.isActive && this.#rules.isInNeed(peer)) most = Math.max(most, peer.owedBytes);
    }
    return most > this.#geometry.pieceLength ? most : 0;
  }

  #countActive(): void {
    this.#activeCount = this.evidence.countActive();
    this.#options.allocation.setDownloaders(this, this.#activeCount);
  }

  /** Every downloader is owed its direct share of the time since the last tick. */
  #accrue(now: Millis): void {
    const elapsed = (now - this.#lastTickAt) / 1000;
    this.#lastTickAt = now;
    const { allocation } = this.#options;
    const share = allocation.directShare;
    for (const peer of this.evidence.peers.values()) {
      // Who does not ask yet cannot be served, and is owed nothing for that time.
      if (!peer.isActive || (peer.isSilent && !peer.hasAsked)) continue;
      peer.handleTick(now, allocation.hasSpare);
      const rate = this.#promisedRate(now, peer);
      const lead = ((this.#policy.leadMs ?? 10_000) * Math.max(rate, share)) / 1000;
      peer.owedBytes = Math.max(-lead, peer.owedBytes + rate * elapsed);
    }
    const response = this.meter.exchangePeak / Math.max(1, this.evidence.liveCount - 1);
    const cap = response === 0 ? Number.POSITIVE_INFINITY : response * PROBE_GAIN;
    this.#cappedBytes = Math.min(cap, this.#cappedBytes + cap * elapsed);
  }

  #promisedRate(now: Millis, peer: Downloader): number {
    const { directShare } = this.#options.allocation;
    const { contentLength } = this.#geometry;
    return promisedRate(this.#policy, peer, { now, directShare, contentLength });
  }

  #expireGrants(now: Millis): void {
    for (const peer of this.evidence.peers.values()) {
      for (const grant of peer.grants.values()) {
        if (!hasLapsed(now, peer, grant)) continue;
        if (!grant.wasRequested) peer.ignored.add(grant.piece);
        this.#takeBack(peer, grant);
      }
    }
  }

  #collectDue(now: Millis): void {
    const { peers, copies, missingPieces } = this.evidence;
    this.#due.collect(now, {
      peers: peers.values(),
      copies,
      grants: this.#grants,
      floor: this.#floor,
      policyFloor: this.#policy.floor,
      remainingMs: this.meter.remainingMs(missingPieces * this.#geometry.pieceLength),
    });
    this.#options.allocation.setRequested(this, this.evidence.openRequests * BLOCK_LENGTH);
  }

  /** Policy `fast`: when each piece is outside, pulling is quicker than any plan of ours. */
  #mayOpen(): boolean {
    const mayHelp = this.#policy.alwaysHelps && this.#budget === "all";
    const { liveCount, copies } = this.evidence;
    return mayHelp && (this.#isOpen || (liveCount > 0 && copies.least > 0));
  }

  #open(): void {
    for (const peer of this.evidence.peers.values()) {
      if (peer.isActive) this.#shows.push(...showMore(peer, "help"));
    }
  }

  /**
   * Where peers cannot help, who is far behind plain C/S is served like it, and asks far ahead; and
   * nobody waits for the last pieces at peers that are so slow.
   */
  #openToOwed(now: Millis): void {
    const { pieceLength } = this.#geometry;
    if (this.#budget !== "all" || !this.meter.isOnItsOwn(now)) return;
    for (const peer of this.evidence.peers.values()) {
      if (!peer.isActive || !this.#rules.isInNeed(peer)) continue;
      if (needsEverything(peer, this.#promisedRate(now, peer), pieceLength)) {
        this.#shows.push(...showMore(peer, "owed"));
      }
    }
  }

  /**
   * Shown is shown: who was shown much may ask for it long after others have it too. When the peers
   * suffice, whoever is owed nothing is choked until it is offered something again.
   */
  #rest(now: Millis): void {
    const { peers, copies, liveCount } = this.evidence;
    const isOut = this.#grants.isAllSent && copies.firstBelow(this.#floor) === undefined;
    const canSuffice = liveCount > 1 && !this.meter.isOnItsOwn(now);
    const maySuffice = isOut && !this.#isOpen && canSuffice;
    for (const peer of peers.values()) {
      // Less than a piece is not offered anyway.
      const most = peer.rests ? this.#geometry.pieceLength : 0;
      const rests = maySuffice && peer.isActive && peer.owedBytes <= most && !peer.hasOffer;
      if (rests === peer.rests) continue;
      peer.rests = rests;
      if (rests) for (const grant of peer.grants.values()) this.#takeBack(peer, grant);
      this.#rests.set(peer.key, rests);
    }
  }

  get #budget(): BudgetLeft {
    return budgetLeft(this.#policy, this.#options.spentBytes);
  }

  #look(now: Millis): void {
    if (now < this.#lookAt) return;
    this.#lookAt = now + LOOK_MS;
    this.#offer(now);
  }

  /** Makes offers while there is room for them. */
  #offer(now: Millis): void {
    const { allocation } = this.#options;
    while (this.#activeCount > 0 && allocation.hasRoom(this.#geometry.pieceLength)) {
      const offer = this.#nextOffer(now);
      if (offer === undefined) return;
      this.#show(now, offer);
    }
  }

  #nextOffer(now: Millis): Offer | undefined {
    const budget = this.#budget;
    if (budget === "nothing") return undefined;
    const isAll = budget === "all";
    const newUrgency = this.#cappedBytes > 0 ? "new-capped" : "new";
    const promised = (peer: Downloader) => this.#promisedRate(now, peer);
    return (
      (isAll ? this.#permitted(now, "owed", this.#rules.owed(now, promised)) : undefined) ??
      this.#permitted(now, newUrgency, this.#rules.neverSent(now)) ??
      this.#permitted(now, "floor", this.#rules.belowFloor(now, this.#floor)) ??
      (isAll ? this.#permitted(now, "again", this.#rules.again(now)) : undefined) ??
      this.#permitted(now, "again", this.#rules.forStarving(isAll))
    );
  }

  #permitted(now: Millis, urgency: Urgency, offer: Offer | undefined): Offer | undefined {
    if (offer === undefined) return undefined;
    return this.#options.allocation.permits(now, this, urgency) ? offer : undefined;
  }

  #show(now: Millis, offer: Offer): void {
    const { peer, piece, reason } = offer;
    peer.shown.add(piece);
    this.#grants.open(now, peer, piece);
    if (reason === "never-sent") this.#cappedBytes -= this.#geometry.lengthOf(piece);
    this.meter.handleOffered(reason);
    this.#shows.push({ peer: peer.key, piece, reason });
  }

  #takeBack(peer: Downloader, grant: Grant): void {
    this.#grants.takeBack(peer, grant, this.evidence.copies);
  }
}
