/**
 * Our side of one swarm, as a state machine that is told the time. It knows no socket, disk or
 * clock: the runtime tells it what happened (`handle…`), carries out `takeOutputs()` in order, and
 * calls `handleTimeout` at `nextTimeout()`.
 *
 * This class only connects the parts; each has one job: address-book (whom to dial), downloads and
 * web-seeds (get pieces), uploads and chokes (give pieces), peer-messages (what peers say).
 */
import { assert } from "../../base/assert.ts";
import type { Bitfield } from "../../base/bitfield.ts";
import { compareBytes, equalBytes } from "../../base/bytes.ts";
import type { Random } from "../../base/random.ts";
import type { Millis, PieceIndex } from "../../base/units.ts";
import type { PeerAddress } from "../../ports/peer-transport.ts";
import type { Info } from "../../protocol/metainfo/metainfo.ts";
import type { BlockRef } from "../../protocol/metainfo/piece-geometry.ts";
import type { PeerMessage } from "../../protocol/wire/message.ts";
import {
  type CloseWhy,
  type PeerKey,
  PeerSession,
  type PeerSessionInfo,
} from "../peer-session/peer-session.ts";
import { type FetchOutcome, WebSeeds } from "../webseed/web-seeds.ts";
import { AddressBook } from "./address-book.ts";
import { Chokes } from "./chokes.ts";
import { Downloads } from "./downloads.ts";
import { PeerMessages } from "./peer-messages.ts";
import { countSolePieces } from "./sole-pieces.ts";
import { isTalkingSource, SourceTalk } from "./source-talk.ts";
import { type TorrentOptions, type TorrentOutput, TorrentState } from "./torrent-state.ts";
import { UploadCap } from "./upload-cap.ts";
import { Uploads } from "./uploads.ts";

/** Peers are looked after this often: snubs, idle ends, keep-alives. */
const CARE_INTERVAL_MS = 1000;
/** BEP 3: a keep-alive every two minutes; sooner, so that none comes too late. */
const KEEP_ALIVE_AFTER_MS = 100_000;
const IDLE_CLOSE_AFTER_MS = 180_000;
/** A connection that lasted this long was worth having. */
const FRUITFUL_AFTER_MS = 60_000;
/** Two peers that dial each other at once meet within this time. */
const CROSSING_MS = 10_000;

export class Torrent {
  readonly #state: TorrentState;
  readonly #addresses: AddressBook;
  readonly #uploads: Uploads;
  readonly #chokes: Chokes;
  readonly #uploadCap = new UploadCap();
  readonly #downloads: Downloads;
  readonly #webSeeds: WebSeeds;
  readonly #talk: SourceTalk;
  readonly #messages: PeerMessages;
  #careAt: Millis | undefined;
  #isStopped = false;

  constructor(
    setup: { readonly info: Info; readonly have: Bitfield; readonly webSeedCount: number },
    options: TorrentOptions,
    random: Random,
    now: Millis,
  ) {
    this.#state = new TorrentState(setup.info.geometry, setup.have, options, random);
    this.#addresses = new AddressBook(random);
    this.#uploads = new Uploads(this.#state, now);
    this.#chokes = new Chokes(this.#state, this.#uploads);
    this.#downloads = new Downloads(this.#state, {
      ban: (session, at) => this.#ban(at, session),
      banWebSeed: (key) => this.#webSeeds.ban(key),
      fillWebSeeds: (at) => this.#webSeeds.fill(at),
    });
    this.#webSeeds = new WebSeeds(this.#state, this.#downloads, setup.webSeedCount, now);
    const parts = { downloads: this.#downloads, uploads: this.#uploads, chokes: this.#chokes };
    this.#talk = new SourceTalk(this.#state, parts, now);
    this.#messages = new PeerMessages(this.#state, setup.info, { ...parts, talk: this.#talk });
  }

  /** Begins to fetch from web seeds. Peers come by `handleAddresses` and `handleLinkOpened`. */
  start(now: Millis): void {
    this.#webSeeds.fill(now);
  }

  /** Ends everything; only late answers of the runtime may follow. */
  stop(now: Millis): void {
    this.#isStopped = true;
    this.#webSeeds.stop();
    for (const session of this.#state.peers.values()) this.#close(now, session, "stopped");
  }

  /** Peers that a tracker or a user named. */
  handleAddresses(now: Millis, addresses: readonly PeerAddress[]): void {
    for (const address of addresses) this.#addresses.add(now, address);
    this.#dial(now);
  }

  /** A connection is open, both handshakes exchanged. It may be refused by a `close` output. */
  handleLinkOpened(now: Millis, info: PeerSessionInfo): void {
    if (info.direction === "outgoing") this.#addresses.handleConnected(info.addressKey);
    const why = this.#refusal(now, info);
    if (why !== undefined) {
      this.#addresses.handleClosed(now, info.addressKey, "useless");
      this.#state.output({ type: "close", peer: info.key, why });
      return;
    }
    const session = new PeerSession(info, this.#state.geometry, now);
    this.#state.peers.set(info.key, session);
    this.#state.serving?.handleJoined(now, { ...info, pieces: session.pieces });
    this.#careAt ??= now + CARE_INTERVAL_MS;
    this.#messages.greet(session);
  }

  handleConnectFailed(now: Millis, key: string): void {
    this.#addresses.handleFailed(now, key);
    this.#dial(now);
  }

  handleLinkClosed(now: Millis, peer: PeerKey): void {
    const session = this.#state.peers.get(peer);
    if (session !== undefined) this.#forget(now, session, false);
    this.#dial(now);
  }

  handleMessage(now: Millis, peer: PeerKey, message: PeerMessage): void {
    const session = this.#state.peers.get(peer);
    if (session === undefined) return;
    session.lastReceivedAt = now;
    this.#closeIf(now, session, this.#messages.handle(now, session, message));
  }

  handleRequests(now: Millis, peer: PeerKey, blocks: readonly BlockRef[]): void {
    const session = this.#state.peers.get(peer);
    if (session === undefined) return;
    session.lastReceivedAt = now;
    this.#closeIf(now, session, this.#uploads.handleRequests(now, session, blocks));
  }

  /** The payload of `block` begins to arrive. @returns whether it goes to the piece buffer. */
  wantsBlock(peer: PeerKey, block: BlockRef): boolean {
    const session = this.#state.peers.get(peer);
    return session !== undefined && this.#downloads.wantsBlock(session, block);
  }

  /** The payload of `block` is complete; `wasKept` as `wantsBlock` said. */
  handleBlock(now: Millis, peer: PeerKey, block: BlockRef, wasKept: boolean): void {
    const session = this.#state.peers.get(peer);
    if (session === undefined) return;
    session.lastReceivedAt = now;
    this.#closeIf(now, session, this.#downloads.handleBlock(now, session, block, wasKept));
  }

  /** All of one read is told: a good moment to ask for more in one message. */
  handleReadEnd(now: Millis, peer: PeerKey): void {
    const session = this.#state.peers.get(peer);
    if (session !== undefined) this.#downloads.fill(now, session);
  }

  handleBlocksSent(now: Millis, peer: PeerKey, blocks: readonly BlockRef[]): void {
    const session = this.#state.peers.get(peer);
    if (session !== undefined) this.#uploads.handleBlocksSent(now, session, blocks);
  }

  handleCommitted(
    now: Millis,
    pieceIndex: PieceIndex,
    result: "stored" | "hash-mismatch" | "failed",
  ): void {
    if (this.#isStopped) {
      // It is on disk and verified: the next start need not fetch it again.
      if (result === "stored") this.#state.have.add(pieceIndex);
      return;
    }
    this.#downloads.handleCommitted(now, pieceIndex, result);
    if (result === "stored" && this.#state.have.isFull) this.#leaveSeeds(now);
  }

  wantsFetchedBlock(fetchId: number, block: BlockRef): boolean {
    return this.#webSeeds.wantsBlock(fetchId, block);
  }

  handleFetchedBlock(now: Millis, fetchId: number, block: BlockRef, wasKept: boolean): void {
    this.#webSeeds.handleBlock(now, fetchId, block, wasKept);
  }

  handleFetchEnd(now: Millis, fetchId: number, outcome: FetchOutcome): void {
    if (!this.#isStopped) this.#webSeeds.handleFetchEnd(now, fetchId, outcome);
  }

  handleTimeout(now: Millis): void {
    this.#uploads.handleTimeout(now);
    this.#downloads.handleTimeout(now);
    this.#webSeeds.handleTimeout(now);
    this.#chokes.handleTimeout(now);
    this.#rest(now);
    if (this.#careAt !== undefined && now >= this.#careAt) this.#care(now);
    this.#dial(now);
  }

  #rest(now: Millis): void {
    const { serving, peers } = this.#state;
    if (serving === undefined) return;
    serving.handleTimeout(now);
    for (const [key, isRested] of serving.takeRests()) {
      const session = peers.get(key);
      if (session !== undefined) this.#chokes.rest(now, session, isRested);
    }
  }

  /** When to call `handleTimeout` next. */
  nextTimeout(): Millis | undefined {
    if (this.#isStopped) return undefined;
    const times = [
      this.#uploads.nextTimeout(),
      this.#downloads.nextTimeout(),
      this.#webSeeds.nextTimeout(),
      this.#chokes.nextTimeout(),
      this.#state.serving?.nextTimeout(),
      this.#careAt,
      this.#canDial() ? this.#addresses.nextRetryAt() : undefined,
    ];
    let next: Millis | undefined;
    for (const time of times) {
      if (time !== undefined && (next === undefined || time < next)) next = time;
    }
    return next;
  }

  takeOutputs(): readonly TorrentOutput[] {
    for (const { peer, piece } of this.#state.serving?.takeShows() ?? []) {
      const session = this.#state.peers.get(peer);
      if (session !== undefined) this.#state.send(session, { type: "have", pieceIndex: piece });
    }
    for (const news of this.#state.serving?.takeFloorNews() ?? []) this.#talk.tell(news);
    return this.#state.takeOutputs();
  }

  get isComplete(): boolean {
    return this.#state.have.isFull;
  }

  /** Figures for people; rates are means over some seconds. */
  figures(now: Millis): {
    readonly connections: number;
    readonly downloadedBytes: number;
    readonly wastedBytes: number;
    readonly uploadedBytes: number;
    readonly downloadBytesPerSecond: number;
    readonly uploadBytesPerSecond: number;
    readonly fromSourceBytes: number;
    readonly copies: number;
    /** Pieces that we lack and some peer has. */
    readonly offeredPieces: number;
    /** Pieces of ours that would be missed if we left: see sole-pieces.ts. */
    readonly solePieces: number;
    readonly usableWebSeeds: number;
  } {
    let up = 0;
    let down = 0;
    let sources = 0;
    for (const session of this.#state.peers.values()) {
      up += session.uploadRate.bytesPerSecond(now);
      down += session.downloadRate.bytesPerSecond(now);
      if (session.info.isSourceNode && session.isCountedAsSeed) sources++;
    }
    const { order } = this.#downloads.picker;
    return {
      connections: this.#state.peers.size,
      downloadedBytes: this.#downloads.downloadedBytes,
      wastedBytes: this.#downloads.wastedBytes,
      uploadedBytes: this.#uploads.uploadedBytes,
      downloadBytesPerSecond: down + this.#webSeeds.bytesPerSecond(now),
      uploadBytesPerSecond: up,
      fromSourceBytes: this.#downloads.fromSourceBytes,
      copies: order.minAvailability() - sources - this.#webSeeds.usableCount,
      // A web seed may only seem to be there.
      offeredPieces:
        order.seedCount > this.#webSeeds.usableCount ? order.wantedCount : order.sharedWantedCount,
      solePieces: countSolePieces(this.#state.peers.values(), {
        have: this.#state.have,
        belowFloor: this.#state.belowFloor,
        availabilityOf: (index) => order.availabilityOf(index),
      }),
      usableWebSeeds: this.#webSeeds.usableCount,
    };
  }

  #refusal(now: Millis, info: PeerSessionInfo): CloseWhy | undefined {
    const { options, peers } = this.#state;
    if (this.#isStopped) return "stopped";
    if (equalBytes(info.peerId, options.peerId)) return "self";
    if (this.#addresses.isBanned(info.host)) return "banned";
    for (const other of peers.values()) {
      if (!equalBytes(other.info.peerId, info.peerId)) continue;
      if (!this.#replaces(now, info, other)) return "duplicate";
      this.#close(now, other, "duplicate");
    }
    return peers.size >= options.maxPeers ? "too-many-peers" : undefined;
  }

  /**
   * Of two connections with one peer the later goes. When both sides dialled at the same time each
   * sees another one as the later, so then both keep the one that the larger peer id dialled.
   */
  #replaces(now: Millis, info: PeerSessionInfo, other: PeerSession): boolean {
    const areCrossing =
      info.direction !== other.info.direction && now - other.connectedAt < CROSSING_MS;
    const weAreLarger = compareBytes(this.#state.options.peerId, info.peerId) > 0;
    return areCrossing && weAreLarger === (info.direction === "outgoing");
  }

  #canDial(): boolean {
    const { options, peers } = this.#state;
    const { dialingCount } = this.#addresses;
    return (
      options.dialsPeers &&
      !this.#isStopped &&
      dialingCount < options.maxConnecting &&
      peers.size + dialingCount < options.maxPeers
    );
  }

  #dial(now: Millis): void {
    while (this.#canDial()) {
      const address = this.#addresses.takeNext(now);
      if (address === undefined) return;
      this.#state.output({ type: "connect", address });
    }
  }

  #care(now: Millis): void {
    this.#careAt = this.#state.peers.size > 0 ? now + CARE_INTERVAL_MS : undefined;
    if (this.#state.serving === undefined) this.#capUploads(now);
    this.#talk.handleCare(now);
    // In the endgame a peer that has nothing to send hears nothing either: ask it by the clock.
    this.#downloads.fillAll(now);
    for (const session of this.#state.peers.values()) {
      this.#closeIf(now, session, this.#downloads.checkProgress(now, session));
      if (now - session.lastReceivedAt > IDLE_CLOSE_AFTER_MS) this.#close(now, session, "idle");
      else if (now - session.lastSentAt > KEEP_ALIVE_AFTER_MS) {
        session.lastSentAt = now;
        this.#state.send(session, { type: "keep-alive" });
      }
    }
  }

  #capUploads(now: Millis): void {
    let downRate = this.#webSeeds.bytesPerSecond(now);
    let isBacklogged = false;
    for (const session of this.#state.peers.values()) {
      downRate += session.downloadRate.bytesPerSecond(now);
      isBacklogged ||= session.uploadQueue.size > 0;
    }
    const upRate = this.#uploads.bytesPerSecond(now);
    const { isComplete } = this;
    const view = { downRate, upRate, isBacklogged, isComplete };
    const cap = this.#uploadCap.update(now, view);
    this.#uploads.setCap(cap);
    this.#chokes.setCapped(now, cap !== undefined);
  }

  /** Two seeds have nothing for each other, except what a SourceNode knows of the swarm. */
  #leaveSeeds(now: Millis): void {
    for (const session of this.#state.peers.values()) {
      if (session.isSeed && !isTalkingSource(session)) this.#close(now, session, "both-seeds");
    }
  }

  #ban(now: Millis, session: PeerSession): void {
    const { host } = session.info;
    this.#addresses.ban(host);
    for (const each of this.#state.peers.values()) {
      if (each.info.host === host) this.#close(now, each, "banned");
    }
  }

  #closeIf(now: Millis, session: PeerSession, why: CloseWhy | undefined): void {
    if (why !== undefined) this.#close(now, session, why);
  }

  /** A full peer takes a connection and ends it at once: that must not be tried every second. */
  #verdictOf(now: Millis, session: PeerSession): "fruitful" | "fruitless" {
    const gave = session.downloadRate.totalBytes + session.uploadRate.totalBytes > 0;
    return gave || now - session.connectedAt > FRUITFUL_AFTER_MS ? "fruitful" : "fruitless";
  }

  #close(now: Millis, session: PeerSession, why: CloseWhy): void {
    assert(session.key >= 0, "a web seed is no peer");
    if (!this.#state.peers.has(session.key)) return;
    this.#state.output({ type: "close", peer: session.key, why });
    this.#forget(now, session, why === "both-seeds" || why === "duplicate");
  }

  #forget(now: Millis, session: PeerSession, wasUseless: boolean): void {
    this.#state.peers.delete(session.key);
    this.#state.serving?.handleLeft(now, session.key);
    const verdict = wasUseless ? "useless" : this.#verdictOf(now, session);
    this.#addresses.handleClosed(now, session.info.addressKey, verdict);
    this.#uploads.handleLinkClosed(now, session);
    this.#chokes.handleLinkClosed(now, session);
    this.#downloads.handleLinkClosed(now, session);
    this.#talk.handleLinkClosed(session);
  }
}
