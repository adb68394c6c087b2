/**
 * The Tracker: which torrents are registered, who announced, which SourceNodes serve, and what to
 * answer. Knows no transport: doors turn requests into announces, links carry the control calls.
 *
 * A registration is durable and ends only by `unregister`; the peer list is not (see swarms.ts).
 * A torrent that is not registered does not exist here and leaves no trace (T14).
 */
import type { Random } from "../base/random.ts";
import type { InfoHash, Millis } from "../base/units.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { RegistrationStore } from "../ports/registration-store.ts";
import type {
  AnnouncerControlLink,
  SourceControlLink,
  SourceHello,
  SourceStatus,
  SwarmCounts,
  TrackerControl,
} from "../ports/tracker-control.ts";
import type { CompactPeer } from "../protocol/tracker/compact-peers.ts";
import type { AnnounceAnswer } from "../protocol/tracker/http-answer.ts";
import type { AnnounceQuery } from "../protocol/tracker/http-query.ts";
import { expiryMs, resolveTrackerOptions, type TrackerOptions } from "./options.ts";
import { listPeers } from "./peer-list.ts";
import { type RegistrationRecord, Registrations } from "./registrations.ts";
import { addressFor, type Asker, handoutOf, type Source, Sources } from "./sources.ts";
import type { SampleRequest } from "./swarm.ts";
import { Swarms } from "./swarms.ts";

/** One announce, whichever door it came through. */
export type TrackerAnnounce = Pick<
  AnnounceQuery,
  "infoHash" | "peerId" | "port" | "event" | "left" | "numWant" | "wantsPeerIds"
>;

/** What to do with an announce. */
export type AnnounceVerdict =
  | { readonly type: "answered"; readonly answer: AnnounceAnswer }
  /** `reason` is for the peer. */
  | { readonly type: "refused"; readonly reason: string };

/** What the Tracker is built on. */
export interface TrackerDependencies {
  readonly store: RegistrationStore;
  readonly clock: Clock;
  readonly random: Random;
  /** Announce URLs in BEP 12 tiers' order; asked each time, since ports may be bound later. */
  readonly announceUrls: () => readonly string[];
  /** Hears of what could not be written and will be tried again. */
  readonly onStoreError: (error: unknown) => void;
}

interface AboutAsker {
  readonly asker: Asker;
  readonly peer: SampleRequest["asker"];
  readonly record: RegistrationRecord;
}

const HOUSEKEEPING_MS = 1000;
/** Records that one housekeeping looks at: some milliseconds, and a million peers in a minute. */
const SWEEP_STEPS = 20_000;
/** When there was nobody to name, a leech asks again this soon: the Tracker or a source restarted. */
const RETRY_MS = 30_000;
/** Intervals differ by up to this part, so that those who came together do not return together. */
const JITTER = 0.1;

export class Tracker implements TrackerControl {
  readonly #options: TrackerOptions;
  readonly #dependencies: TrackerDependencies;
  readonly #registrations: Registrations;
  readonly #sources = new Sources();
  readonly #swarms: Swarms;
  #timer: Timer | undefined;

  private constructor(
    options: TrackerOptions,
    dependencies: TrackerDependencies,
    registrations: Registrations,
  ) {
    this.#options = options;
    this.#dependencies = dependencies;
    this.#registrations = registrations;
    this.#swarms = new Swarms(
      { ...options, expiryMs: expiryMs(options) },
      dependencies.random,
      (infoHash) => this.#sources.connectedCount(infoHash) > 0,
    );
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
    const { store, onStoreError } = dependencies;
    return new Tracker(resolved, dependencies, await Registrations.load(store, onStoreError));
  }

  /** Swarm records that exist: never more than registrations. */
  get swarmCount(): number {
    return this.#swarms.swarmCount;
  }

  /** Takes in an announce from `asker`, whose address is its connection's, whatever it claims. */
  announce(announce: TrackerAnnounce, asker: Asker): AnnounceVerdict {
    const now = this.#dependencies.clock.now();
    const { infoHash, peerId, port, event } = announce;
    const record = this.#registrations.get(infoHash);
    if (record === undefined) return { type: "refused", reason: "unregistered torrent" };
    const isSeed = announce.left === 0;
    const peer = { peerId, address: asker.address, isSeed };
    if (event === "stopped") this.#swarms.get(infoHash)?.stop(peer);
    else {
      const outcome = this.#swarms.ensure(infoHash).announce(now, { ...peer, port, event });
      if (outcome.type === "too-early") {
        return { type: "refused", reason: "announced too often: wait 5 seconds" };
      }
      const isCounted = outcome.isFirstCompletion && record.wasServed;
      if (isCounted) this.#registrations.countDownload(infoHash);
    }
    const answer = this.#answer(now, announce, { asker, peer, record });
    return { type: "answered", answer };
  }

  /** Counts of those of `infoHashes` that are registered. */
  scrape(infoHashes: readonly InfoHash[]): Map<InfoHash, SwarmCounts> {
    const found = new Map<InfoHash, SwarmCounts>();
    for (const infoHash of infoHashes) {
      const record = this.#registrations.get(infoHash);
      if (record !== undefined) found.set(infoHash, this.#countsOf(infoHash, record));
    }
    return found;
  }

  /** A SourceNode connects; `seenAt` is the IP address that its link comes from. */
  attachSource(hello: SourceHello, seenAt: string): SourceControlLink {
    const link = {};
    const clock = this.#dependencies.clock;
    const source = this.#sources.attach(clock.now(), link, { hello, seenAt });
    return {
      register: async (registration) => {
        await this.#registrations.put(registration);
        this.#sources.serve(clock.now(), source, registration.infoHash);
        this.#swarms.ensure(registration.infoHash);
      },
      unregister: async (infoHash) => {
        await this.#registrations.remove(infoHash);
        this.#sources.drop(infoHash);
        this.#swarms.remove(infoHash);
      },
      report: (status) => this.#takeReport(source, status),
      close: async () => this.#sources.detach(source, link),
    };
  }

  attachAnnouncer(): AnnouncerControlLink {
    return {
      counts: async (infoHashes) => this.scrape(infoHashes),
      sources: async () => this.#sources.known(this.#dependencies.clock.now()),
      announceUrls: async () => this.#dependencies.announceUrls(),
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
    for (const { infoHash } of status.swarms) {
      if (!source.serving.has(infoHash)) continue;
      this.#registrations.markServed(infoHash);
      this.#swarms.ensure(infoHash);
    }
  }

  #answer(now: Millis, announce: TrackerAnnounce, about: AboutAsker): AnnounceAnswer {
    const { infoHash, wantsPeerIds } = announce;
    const { asker, peer, record } = about;
    const wanted = this.#wanted(announce);
    const sources = this.#handedOut(now, infoHash, asker).slice(0, wanted);
    const sample = this.#swarms.get(infoHash)?.sample({
      asker: peer,
      count: wanted - sources.length,
      areSeedsTrusted: record.wasServed,
      wantsPeerIds,
    });
    const list = listPeers(sources, sample);
    const isAlone = list.compact4.length + list.compact6.length === 0;
    const intervalMs = this.#interval(isAlone && !peer.isSeed);
    const minIntervalMs = Math.min(RETRY_MS, intervalMs);
    const counts = this.#countsOf(infoHash, record);
    return { intervalMs, minIntervalMs, counts, ...list };
  }

  #wanted({ event, numWant }: TrackerAnnounce): number {
    const { maxPeersPerAnswer } = this.#options;
    return event === "stopped" ? 0 : Math.min(numWant ?? maxPeersPerAnswer, maxPeersPerAnswer);
  }

  /** Addresses of the SourceNodes that are handed out. */
  #handedOut(now: Millis, infoHash: InfoHash, asker: Asker): CompactPeer[] {
    const peers: CompactPeer[] = [];
    for (const source of this.#sources.of(infoHash)) {
      const address = addressFor(source, asker);
      if (address === undefined || !handoutOf(now, source).handOut) continue;
      peers.push({ address, port: source.hello.peerPort });
    }
    return peers;
  }

  #countsOf(infoHash: InfoHash, record: RegistrationRecord): SwarmCounts {
    const { seedCount = 0, peerCount = 0 } = this.#swarms.get(infoHash) ?? {};
    const trustedSeedCount = record.wasServed ? seedCount : 0;
    return {
      complete: trustedSeedCount + this.#sources.connectedCount(infoHash),
      incomplete: peerCount - seedCount,
      downloaded: record.downloaded,
    };
  }

  #interval(isShort: boolean): Millis {
    const { intervalMs } = this.#options;
    const longest = isShort ? Math.min(RETRY_MS, intervalMs) : intervalMs;
    return Math.round(longest * (1 - JITTER * this.#dependencies.random.fraction()));
  }

  #scheduleHousekeeping(): void {
    const { clock } = this.#dependencies;
    this.#timer = clock.setTimer(HOUSEKEEPING_MS, () => {
      this.#swarms.sweep(clock.now(), SWEEP_STEPS);
      this.#sources.forgetGone(clock.now());
      this.#registrations.flush();
      this.#scheduleHousekeeping();
    });
  }
}
