/** The SourceNode's monitor: tells the Tracker every 5 s how it is and what it sees of its swarms. */
import type { TokenBucket } from "../base/token-bucket.ts";
import type { Millis } from "../base/units.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { LoadProbe } from "../ports/load-probe.ts";
import type { SourceControlLink, SourceStatus, SwarmReport } from "../ports/tracker-control.ts";
import type { Publication } from "./publication.ts";
import type { SeedHost } from "./seed-host.ts";

/** Three that are missing make the SourceNode unknown to the Tracker. */
const REPORT_INTERVAL_MS: Millis = 5_000;

/** What the reporter works with. */
export interface StatusReporterDependencies {
  readonly clock: Clock;
  readonly link: SourceControlLink;
  readonly host: SeedHost;
  readonly probe: LoadProbe;
  /** The limit that all doors share. */
  readonly uploadLimit: TokenBucket;
  readonly publications: () => readonly Publication[];
}

/** See the head of this file. */
export class StatusReporter {
  readonly #dependencies: StatusReporterDependencies;
  /** Bytes sent at the report before. */
  readonly #sentBefore = new WeakMap<Publication, number>();
  #sampledAt: Millis;
  #timer: Timer | undefined;

  constructor(dependencies: StatusReporterDependencies) {
    this.#dependencies = dependencies;
    this.#sampledAt = dependencies.clock.now();
  }

  /** Reports now and every 5 s until `close`. */
  start(): void {
    this.#dependencies.link.report(this.#sample());
    this.#timer = this.#dependencies.clock.setTimer(REPORT_INTERVAL_MS, () => this.start());
  }

  close(): void {
    this.#timer?.cancel();
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
    };
  }
}
