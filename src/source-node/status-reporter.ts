/** The SourceNode's monitor: tells the Tracker every 5 s how it is and what it sees of its swarms. */
import type { TokenBucket } from "../base/token-bucket.ts";
import type { Millis } from "../base/units.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { LoadProbe } from "../ports/load-probe.ts";
import type { SourceControlLink, SourceStatus, SwarmReport } from "../ports/tracker-control.ts";
import { decideState } from "../participation/state.ts";
import type { ParticipationState } from "../protocol/control/participation.ts";
import type { Participation } from "./participation.ts";
import type { Publication } from "./publication.ts";
import type { SeedHost } from "./seed-host.ts";

/** Three that are missing make the SourceNode unknown to the Tracker. */
const REPORT_INTERVAL_MS: Millis = 5_000;
/** A swarm that calls for another state is reported this soon. */
const LOOK_INTERVAL_MS: Millis = 250;

/** What the reporter works with. */
export interface StatusReporterDependencies {
  readonly clock: Clock;
  readonly link: SourceControlLink;
  readonly host: SeedHost;
  readonly probe: LoadProbe;
  /** The limit that all doors share. */
  readonly uploadLimit: TokenBucket;
  readonly publications: () => readonly Publication[];
  readonly participation: Participation;
}

/** See the head of this file. */
export class StatusReporter {
  readonly #dependencies: StatusReporterDependencies;
  /** Bytes sent at the report before. */
  readonly #sentBefore = new WeakMap<Publication, number>();
  #sampledAt: Millis;
  /** The state that each publication called for when it was looked at last. */
  readonly #states = new WeakMap<Publication, ParticipationState>();
  #timer: Timer | undefined;
  #lookTimer: Timer | undefined;

  constructor(dependencies: StatusReporterDependencies) {
    this.#dependencies = dependencies;
    this.#sampledAt = dependencies.clock.now();
  }

  /** Reports now and every 5 s, and changes at once, until `close`. */
  start(): void {
    this.#report();
    this.#look();
  }

  close(): void {
    this.#timer?.cancel();
    this.#lookTimer?.cancel();
  }

  #report(): void {
    this.#dependencies.link.report(this.#sample());
    this.#timer = this.#dependencies.clock.setTimer(REPORT_INTERVAL_MS, () => this.#report());
  }

  #look(): void {
    const { clock, link, publications } = this.#dependencies;
    for (const publication of publications()) {
      if (publication.state.name !== "serving" || !this.#hasChanged(publication)) continue;
      link.reportSwarm(this.#swarm(publication));
    }
    this.#lookTimer = clock.setTimer(LOOK_INTERVAL_MS, () => this.#look());
  }

  /** Whether the swarm calls for another state than when it was looked at last. */
  #hasChanged(publication: Publication): boolean {
    const { participation } = this.#dependencies;
    const before = this.#states.get(publication);
    const { state } = decideState(participation.evidenceOf(publication.infoHash));
    this.#states.set(publication, state);
    return before !== state;
  }

  #sample(): SourceStatus {
    const { clock, probe, uploadLimit, publications } = this.#dependencies;
    const now = clock.now();
    const elapsedMs = Math.max(1, now - this.#sampledAt);
    this.#sampledAt = now;
    const all = publications();
    const sentBytes = all.reduce((sum, publication) => sum + this.#sentSince(publication), 0);
    const serving = all.filter((publication) => publication.state.name === "serving");
    const swarms = serving.map((publication) => this.#swarm(publication));
    const load = probe.sample();
    return {
      uplinkBytesPerSecond: (sentBytes * 1000) / elapsedMs,
      uplinkLimitBytesPerSecond: uploadLimit.rateBytesPerSecond,
      connections: swarms.reduce((sum, swarm) => sum + swarm.connections, 0),
      cpuFraction: load.cpuFraction,
      eventLoopDelayMs: load.eventLoopDelayMs,
      storageReadBytesPerSecond: (load.storageReadBytes * 1000) / elapsedMs,
      swarms,
    };
  }

  #sentSince(publication: Publication): number {
    const { sentBytes } = publication.ledger;
    const before = this.#sentBefore.get(publication) ?? 0;
    this.#sentBefore.set(publication, sentBytes);
    return sentBytes - before;
  }

  #swarm(publication: Publication): SwarmReport {
    const { infoHash, ledger } = publication;
    const figures = this.#dependencies.host.figures(infoHash);
    return {
      infoHash,
      connections: figures?.connections ?? 0,
      sentBytes: ledger.sentBytes,
      copies: figures?.copies ?? 0,
      participation: this.#dependencies.participation.look(publication),
    };
  }
}
