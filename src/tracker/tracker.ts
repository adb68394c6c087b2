/**
 * The Tracker: which torrents are registered, who announced, which SourceNodes serve, and what to
 * answer. Knows no transport: doors turn requests into announces, links carry the control calls.
 *
 * A registration is durable and ends only by `unregister`; the peer list is not (see swarms.ts).
 * A torrent that is not registered does not exist here and leaves no trace (T14).
 */
import { formatIp, type IpBytes } from "../base/ip-address.ts";
import type { Random } from "../base/random.ts";
import type { InfoHash, Millis } from "../base/units.ts";
import type { AccessUpdate, SourceOrder } from "../protocol/control/access-values.ts";
import type { ParticipationOrder } from "../protocol/control/participation.ts";
import type { Announce, AnnounceAnswer } from "../protocol/tracker/announce.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { RegistrationStore } from "../ports/registration-store.ts";
import type {
  AnnouncerControlLink,
  SourceControlLink,
  SourceHello,
  SourceStatus,
  SwarmCounts,
  SwarmReport,
  TrackerControl,
} from "../ports/tracker-control.ts";
import type { CompactPeer } from "../protocol/tracker/compact-peers.ts";
import { KeyBytes, textOfKey } from "../protocol/tracker/key.ts";
import {
  ACCESS_DENIED,
  type AccessAsker,
  type AnnounceAccess,
  decideAnnounce,
  publicAccess,
} from "./announce-access.ts";
import { expiryMs, resolveTrackerOptions, type TrackerOptions } from "./options.ts";
import { type ParticipationChange, ParticipationBook } from "./participation-book.ts";
import { PeerChoice } from "./peer-choice.ts";
import { type RegistrationRecord, Registrations } from "./registrations.ts";
import { addressFor, type Asker, handoutOf, type Source, Sources } from "./sources.ts";
import type { SampleRequest, Swarm } from "./swarm.ts";
import { Swarms } from "./swarms.ts";
import { TrackerAnswer } from "./tracker-answer.ts";
import { type RefusalCode, TrackerCounters } from "./tracker-counters.ts";
import { WatchList } from "./watch-list.ts";

/** One announce, whichever door it came through. */
export type TrackerAnnounce = Readonly<
  Pick<
    Announce,
    "infoHash" | "peerId" | "port" | "event" | "left" | "numWant" | "wantsBothFamilies"
  >
>;

/** What to do with an announce; good until the next one. */
export type AnnounceVerdict =
  | { readonly type: "answered"; readonly answer: AnnounceAnswer }
  /** `reason` is for the peer. */
  | { readonly type: "refused"; readonly code: RefusalCode; readonly reason: string };

/** Peers of one torrent that another list holds. */
export interface WebPeerCounts {
  readonly count: number;
  readonly seedCount: number;
}

/** Whether a peer over WebSocket may take part. */
export type WebPeerVerdict = { readonly type: "allowed"; readonly infoHash: InfoHash } | Refusal;

type Refusal = Extract<AnnounceVerdict, { type: "refused" }>;

/** What the Tracker is built on. */
export interface TrackerDependencies {
  readonly store: RegistrationStore;
  readonly clock: Clock;
  readonly random: Random;
  /** Announce URLs in BEP 12 tiers' order; asked each time, since ports may be bound later. */
  readonly announceUrls: () => readonly string[];
  /** Who may take part; everybody when left out. */
  readonly access?: AnnounceAccess;
  /** Takes in what Announcers tell about access, and tells SourceNodes; default: nobody is told. */
  readonly accessFeed?: AccessFeed;
  /** Hears of what could not be written and will be tried again. */
  readonly onStoreError: (error: unknown) => void;
  /** Hears of every change of a swarm's state, with the publication's name. */
  readonly onParticipation?: (change: ParticipationChange & { readonly name: string }) => void;
}

/** How the Tracker learns who may take part, and passes it on. */
export interface AccessFeed {
  apply(update: AccessUpdate): boolean;
  attachSource(send: (order: SourceOrder) => void): { detach(): void };
}

interface AboutAsker {
  readonly asker: Asker;
  readonly peer: SampleRequest["asker"];
  /** Its row, when it was listed just now. */
  readonly own: number | undefined;
  readonly record: RegistrationRecord;
  readonly swarm: Swarm | undefined;
}

type Mutable<Value> = { -readonly [Key in keyof Value]: Value[Key] };

const HOUSEKEEPING_MS = 1000;
/** Sweeps a second: a million peers in a minute. */
const SWEEPS = 4;
/** When there was nobody to name, a leech asks again this soon: the Tracker or a source restarted. */
const RETRY_MS = 30_000;
/** With so many peers to name, a newcomer to a swarm in S2 need not be told of the source. */
const ENOUGH_PEERS = 5;
/** Intervals differ by up to this part, so that those who came together do not return together. */
const JITTER = 0.1;

const refusals = {
  unregistered: { type: "refused", code: "unregistered", reason: "unregistered torrent" },
  denied: { type: "refused", code: "denied", reason: ACCESS_DENIED },
  "key-crowded": {
    type: "refused",
    code: "key-crowded",
    reason: "too many peers use your key: stop some of them, or try again in ten minutes",
  },
  "too-early": {
    type: "refused",
    code: "too-early",
    reason: "announced too often: wait 5 seconds",
  },
} as const satisfies Readonly<Record<RefusalCode, AnnounceVerdict>>;

export class Tracker implements TrackerControl {
  readonly #options: TrackerOptions;
  readonly #dependencies: TrackerDependencies;
  readonly #registrations: Registrations;
  readonly #sources = new Sources();
  readonly #swarms: Swarms;
  readonly #access: AnnounceAccess;
  readonly #choice: PeerChoice;
  readonly #answer: TrackerAnswer;
  readonly #answered: AnnounceVerdict;
  #webPeersOf: (infoHash: InfoHash) => WebPeerCounts | undefined = () => undefined;
  readonly #participation = new ParticipationBook();
  readonly #watchList = new WatchList();
  /** How each connected source is told what to do. */
  readonly #orders = new Map<Source, (order: ParticipationOrder) => void>();
  /** What was counted since the start. */
  readonly counters = new TrackerCounters();
  #timer: Timer | undefined;
  #housekeepings = 0;

  private constructor(
    options: TrackerOptions,
    dependencies: TrackerDependencies,
    registrations: Registrations,
  ) {
    this.#options = options;
    this.#dependencies = dependencies;
    this.#registrations = registrations;
    this.#access = dependencies.access ?? publicAccess;
    this.#choice = new PeerChoice(options.maxPeersPerAnswer);
    this.#answer = new TrackerAnswer(this.#choice);
    this.#answered = { type: "answered", answer: this.#answer };
    this.#swarms = new Swarms(
      { ...options, expiryMs: expiryMs(options) },
      dependencies.random,
      (infoHash) => this.#sources.connectedCount(infoHash) > 0,
    );
    for (const { registration, held } of registrations.all) {
      if (held !== undefined) this.#participation.restore(registration.infoHash, held);
    }
    this.#scheduleHousekeeping();
  }

  /**
   * Loads the registrations and starts. @throws CONFIG for an option out of its range; what the
   * store throws.
   */
  static async open(
    options: Partial<TrackerOptions>,
    dependencies: TrackerDependencies,
  ): Promise<Tracker> {
    const resolved = resolveTrackerOptions(options);
    const registrations = await Registrations.load(dependencies);
    return new Tracker(resolved, dependencies, registrations);
  }

  /** Swarm records that exist: never more than registrations. */
  get swarmCount(): number {
    return this.#swarms.swarmCount;
  }

  /**
   * Takes in an announce with `key` from `asker`, whose address is its connection's, whatever it
   * claims.
   */
  announce(announce: TrackerAnnounce, asker: Asker, key?: string | KeyBytes): AnnounceVerdict {
    const record = this.#registrations.find(announce.infoHash);
    if (record === undefined) return this.#refuse("unregistered");
    const { infoHash } = record.registration;
    const { peerId, port, event } = announce;
    const { address } = asker;
    const decision = decideAnnounce(this.#access, infoHash, key, { address, peerId });
    if (decision.type === "denied") return this.#refuse(decision.code);
    const now = this.#dependencies.clock.now();
    const peer = { peerId, address, isSeed: announce.left === 0, port, event };
    const isLeaving = event === "stopped";
    let own: number | undefined;
    const swarm = isLeaving ? this.#swarms.get(infoHash) : this.#swarmOf(record);
    if (isLeaving) {
      swarm?.stop(peer);
      this.#access.leave?.(key instanceof KeyBytes ? textOfKey(key) : key, peerId);
    } else if (port >= this.#options.leastPeerPort) {
      const outcome = swarm?.announce(now, peer);
      if (outcome === "too-early") return this.#refuse("too-early");
      own = swarm?.announcedRow;
      if (outcome === "completed") this.#registrations.countDownload(infoHash, address, now);
    }
    this.counters.answered[event ?? "none"]++;
    this.#fillAnswer(now, announce, { asker, peer, own, record, swarm });
    return this.#answered;
  }

  /** How much there is, for metrics. */
  totals(): { readonly torrents: number; readonly swarms: number; readonly peers: number } {
    const { swarmCount: swarms, peerCount: peers } = this.#swarms;
    return { torrents: this.#registrations.size, swarms, peers };
  }

  /** Has peers of another list counted too: those over WebSocket, who reach each other only. */
  attachWebPeers(of: (infoHash: InfoHash) => WebPeerCounts | undefined): void {
    this.#webPeersOf = of;
  }

  /** Whether a peer over WebSocket may take part in the torrent of these 20 bytes. */
  judgeWebPeer(bytes: Uint8Array, key: string | undefined, asker: AccessAsker): WebPeerVerdict {
    const record = this.#registrations.find(bytes);
    if (record === undefined) return this.#refuse("unregistered");
    const { infoHash } = record.registration;
    const decision = this.#access.decide(infoHash, key, asker);
    if (decision.type === "denied") return this.#refuse(decision.code);
    return { type: "allowed", infoHash };
  }

  /** A peer over WebSocket is gone. */
  forgetWebPeer(key: string | undefined, peerId: Uint8Array): void {
    this.#access.leave?.(key, peerId);
  }

  /** What a peer over WebSocket is told of a torrent that it may take part in. */
  webAnswer(infoHash: InfoHash): { readonly intervalMs: Millis; readonly counts: SwarmCounts } {
    const counts = { complete: 0, incomplete: 0, downloaded: 0 };
    const record = this.#registrations.get(infoHash);
    if (record !== undefined) this.#count(record, this.#swarms.get(infoHash), counts);
    return { intervalMs: this.#interval(false), counts };
  }

  /** A peer over WebSocket, at `address`, completed its download, for the first time. */
  countWebDownload(infoHash: InfoHash, address: IpBytes): void {
    this.#registrations.countDownload(infoHash, address, this.#dependencies.clock.now());
  }

  /** Whether a torrent has BEP 27's flag; what is not registered is taken to have it. */
  isPrivate(infoHash: InfoHash): boolean {
    return this.#registrations.get(infoHash)?.registration.isPrivate ?? true;
  }

  /** Whether somebody may scrape or go on taking part in `infoHash`. */
  mayAsk(infoHash: InfoHash, key: string | undefined, asker: AccessAsker): boolean {
    return this.#access.decide(infoHash, key, asker).type === "allowed";
  }

  /** The same as `scrape`, of those that `asker` may know of: what is forbidden does not exist. */
  scrapeFor(
    infoHashes: readonly InfoHash[],
    key: string | undefined,
    asker: AccessAsker,
  ): Map<InfoHash, SwarmCounts> {
    this.counters.scraped += infoHashes.length;
    const isVisible = (infoHash: InfoHash) =>
      this.#registrations.get(infoHash) !== undefined && this.mayAsk(infoHash, key, asker);
    return this.scrape(infoHashes.filter(isVisible));
  }

  /** Counts of those of `infoHashes` that are registered. */
  scrape(infoHashes: readonly InfoHash[]): Map<InfoHash, SwarmCounts> {
    const found = new Map<InfoHash, SwarmCounts>();
    for (const infoHash of infoHashes) {
      const record = this.#registrations.get(infoHash);
      if (record === undefined) continue;
      const participation = this.#participation.get(infoHash);
      const counts = {
        complete: 0,
        incomplete: 0,
        downloaded: 0,
        ...(participation && { participation }),
      };
      this.#count(record, this.#swarms.get(infoHash), counts);
      found.set(infoHash, counts);
    }
    return found;
  }

  /** A SourceNode connects; `seenAt` is the IP address that its link comes from. */
  attachSource(
    hello: SourceHello,
    seenAt: string,
    order: (order: SourceOrder) => void = () => {},
  ): SourceControlLink {
    const link = {};
    const orders = this.#dependencies.accessFeed?.attachSource(order);
    const clock = this.#dependencies.clock;
    const source = this.#sources.attach(clock.now(), link, { hello, seenAt });
    this.#orders.set(source, order);
    return {
      register: async (registration) => {
        await this.#registrations.put(registration);
        this.#sources.serve(clock.now(), source, registration.infoHash);
        this.#swarms.ensure(registration.infoHash);
      },
      unregister: async (infoHash) => {
        await this.#registrations.remove(infoHash);
        this.#sources.drop(infoHash);
        this.#participation.forget(infoHash);
        this.#swarms.remove(infoHash);
      },
      report: (status) => this.#takeReport(source, status),
      reportSwarm: (swarm) => this.#takeSwarm(source, swarm),
      close: async () => {
        orders?.detach();
        if (this.#orders.get(source) === order) this.#forgetLink(source);
        this.#sources.detach(source, link);
      },
    };
  }

  attachAnnouncer(): AnnouncerControlLink {
    return {
      counts: async (infoHashes) => this.scrape(infoHashes),
      states: (infoHash) => this.#registrations.states(infoHash),
      sources: async () => this.#sources.known(this.#dependencies.clock.now()),
      announceUrls: async () => this.#dependencies.announceUrls(),
      updateAccess: async (update) => this.#dependencies.accessFeed?.apply(update) ?? true,
      close: async () => {},
    };
  }

  /** Writes the last counts. No call may follow. */
  async close(): Promise<void> {
    this.#timer?.cancel();
    await this.#registrations.close();
  }

  #takeReport(source: Source, status: SourceStatus): void {
    this.#sources.report(this.#dependencies.clock.now(), source, status);
    for (const swarm of status.swarms) this.#takeSwarm(source, swarm);
  }

  #takeSwarm(source: Source, { infoHash, participation }: SwarmReport): void {
    if (!source.serving.has(infoHash)) return;
    this.#swarms.ensure(infoHash);
    const { clock } = this.#dependencies;
    const time = { now: clock.now(), unixNow: clock.unixNow() };
    const change = this.#participation.report(time, source, infoHash, participation.evidence);
    if (change !== undefined) this.#tellChange(change);
  }

  #tellChange(change: ParticipationChange): void {
    const { infoHash, to: state, reason } = change;
    const held = this.#participation.get(infoHash);
    const name = this.#registrations.get(infoHash)?.registration.name;
    if (held === undefined || name === undefined) return;
    this.#registrations.holdState(infoHash, held);
    this.#dependencies.onParticipation?.({ name, ...change });
    for (const source of this.#sources.of(infoHash)) {
      this.#orders.get(source)?.({ type: "state", infoHash, decision: { state, reason } });
    }
  }

  /** Availability first: without its link, what a source said does not release the swarm. */
  #forgetLink(source: Source): void {
    this.#orders.delete(source);
    this.#participation.forgetSource(source);
  }

  /** Has the sources look at newcomers that were not told of them. */
  #sendWatchOrders(): void {
    for (const order of this.#watchList.take()) {
      for (const source of this.#sources.of(order.infoHash)) this.#orders.get(source)?.(order);
    }
  }

  /**
   * A swarm in S2 does without its source; who asks again without being done is told of it, and who is
   * not listed: nobody looks at that one.
   */
  #isLeftOut(
    now: Millis,
    announce: TrackerAnnounce,
    { asker, own = -1, record, swarm }: AboutAsker,
  ): boolean {
    const { infoHash } = record.registration;
    const isNewcomer = own >= 0 && announce.event === "started" && announce.left !== 0;
    if (!isNewcomer || (swarm?.peerCount ?? 0) <= ENOUGH_PEERS) return false;
    if (!this.#participation.isReleased(now, infoHash)) return false;
    this.#watchList.add(infoHash, { host: formatIp(asker.address), port: announce.port });
    return true;
  }

  #refuse(code: RefusalCode): Refusal {
    this.counters.refused[code]++;
    return refusals[code];
  }

  #fillAnswer(now: Millis, announce: TrackerAnnounce, about: AboutAsker): void {
    const { asker, peer, own, record, swarm } = about;
    const { infoHash } = record.registration;
    const { wantsBothFamilies } = announce;
    const wanted = this.#wanted(announce);
    const answer = this.#answer;
    const isLeftOut = this.#isLeftOut(now, announce, about);
    const sources = isLeftOut ? [] : this.#handedOut(now, announce, asker, infoHash);
    answer.setSources(sources, wanted);
    const count = wanted - answer.sourceCount;
    this.#choice.clear();
    if (count > 0) {
      swarm?.choose({ asker: peer, own, count, wantsBothFamilies }, this.#choice);
    }
    const isAlone = answer.peerCount4 + answer.peerCount6 === 0;
    answer.intervalMs = this.#interval(isAlone && !peer.isSeed);
    answer.minIntervalMs = Math.min(RETRY_MS, answer.intervalMs);
    this.#count(record, swarm, answer.counts);
  }

  /** The swarm of `record`, without a search while it is the one of before. */
  #swarmOf(record: RegistrationRecord): Swarm {
    if (record.swarm === undefined || record.swarm.isDropped) {
      record.swarm = this.#swarms.ensure(record.registration.infoHash);
    }
    return record.swarm;
  }

  #wanted({ event, numWant }: TrackerAnnounce): number {
    const { maxPeersPerAnswer } = this.#options;
    return event === "stopped" ? 0 : Math.min(numWant ?? maxPeersPerAnswer, maxPeersPerAnswer);
  }

  /** Addresses of the SourceNodes that are handed out. */
  #handedOut(
    now: Millis,
    { wantsBothFamilies }: TrackerAnnounce,
    asker: Asker,
    infoHash: InfoHash,
  ): readonly CompactPeer[] {
    const peers: CompactPeer[] = [];
    for (const source of this.#sources.of(infoHash)) {
      const address = addressFor(source, asker);
      if (address === undefined || !handoutOf(now, source).handOut) continue;
      if (!wantsBothFamilies && address.length !== asker.address.length) continue;
      peers.push({ address, port: source.hello.peerPort });
    }
    return peers;
  }

  #count(record: RegistrationRecord, swarm: Swarm | undefined, counts: Mutable<SwarmCounts>): void {
    const { infoHash } = record.registration;
    const web = this.#webPeersOf(infoHash);
    const seedCount = (swarm?.seedCount ?? 0) + (web?.seedCount ?? 0);
    counts.complete = seedCount + this.#sources.connectedCount(infoHash);
    counts.incomplete = (swarm?.peerCount ?? 0) + (web?.count ?? 0) - seedCount;
    counts.downloaded = record.downloaded;
  }

  #interval(isShort: boolean): Millis {
    const { intervalMs } = this.#options;
    const longest = isShort ? Math.min(RETRY_MS, intervalMs) : intervalMs;
    return Math.round(longest * (1 - JITTER * this.#dependencies.random.fraction()));
  }

  #scheduleHousekeeping(): void {
    const { clock } = this.#dependencies;
    this.#timer = clock.setTimer(HOUSEKEEPING_MS / SWEEPS, () => {
      this.#sweep();
      this.#sendWatchOrders();
      this.#housekeepings++;
      if (this.#housekeepings % SWEEPS === 0) {
        this.#sources.forgetGone(clock.now());
        this.#registrations.flush();
      }
      this.#scheduleHousekeeping();
    });
  }

  #sweep(): void {
    const tookMs = this.#swarms.sweepBriefly(() => this.#dependencies.clock.now());
    this.counters.longestSweepMs = Math.max(this.counters.longestSweepMs, tookMs);
  }
}
