/** A SourceNode over a real folder, among fakes: seed host and control link in memory. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { sha1 } from "../../src/adapters/node/disk-hash.ts";
import { DiskPool } from "../../src/adapters/node/disk-pool.ts";
import { openDiskPieceStore } from "../../src/adapters/node/disk-piece-store.ts";
import { DiskContentInspector } from "../../src/adapters/node/content-inspector.ts";
import { FilePublicationStore } from "../../src/adapters/node/files-publication-store.ts";
import { FileLedgerStore } from "../../src/adapters/node/ledger-file.ts";
import { FileStagingStore } from "../../src/adapters/node/staging-store.ts";
import { BtPublisherError } from "../../src/base/errors.ts";
import { TokenBucket } from "../../src/base/token-bucket.ts";
import type { InfoHash, Millis } from "../../src/base/units.ts";
import type { Clock, Timer } from "../../src/ports/clock.ts";
import type {
  Registration,
  SourceControlLink,
  SourceStatus,
  SwarmReport,
} from "../../src/ports/tracker-control.ts";
import type {
  TorrentContent,
  TorrentEvents,
  TorrentFigures,
} from "../../src/runtime/torrent-setup.ts";
import type { SeedHost } from "../../src/source-node/seed-host.ts";
import type { SourceEvent } from "../../src/source-node/source-event.ts";
import { SourceNode, type SourceNodeDependencies } from "../../src/source-node/source-node.ts";
import { Participation } from "../../src/source-node/participation.ts";

/** Time that stands still until the test moves it; timers fire in the order they are due. */
export class ManualClock implements Clock {
  /** Wall clock at the start: today, so that file times and this clock agree. */
  readonly startedAt = Date.now();
  #now: Millis = 0;
  readonly #timers = new Set<{ readonly at: Millis; readonly callback: () => void }>();

  now(): Millis {
    return this.#now;
  }

  unixNow(): number {
    return this.startedAt + this.#now;
  }

  setTimer(delayMs: Millis, callback: () => void): Timer {
    const timer = { at: this.#now + delayMs, callback };
    this.#timers.add(timer);
    return { cancel: () => this.#timers.delete(timer) };
  }

  /** Fires what is due within `ms`; what that sets in motion is the caller's to wait for. */
  advance(ms: Millis): void {
    const until = this.#now + ms;
    for (;;) {
      const [next] = [...this.#timers]
        .filter((timer) => timer.at <= until)
        .sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.callback();
    }
    this.#now = until;
  }
}

/** Plays nothing, and knows what it was given. */
export class FakeSeedHost implements SeedHost {
  readonly seeded = new Map<InfoHash, { content: TorrentContent; events: TorrentEvents }>();

  add(content: TorrentContent, events: TorrentEvents): void {
    if (this.seeded.has(content.info.infoHash)) throw new Error("added twice");
    this.seeded.set(content.info.infoHash, { content, events });
  }

  remove(infoHash: InfoHash): Promise<void> {
    this.seeded.delete(infoHash);
    return Promise.resolve();
  }

  addAddresses(): void {}

  figures(infoHash: InfoHash): TorrentFigures | undefined {
    if (!this.seeded.has(infoHash)) return undefined;
    return {
      infoHash,
      connections: 3,
      downloadedBytes: 0,
      uploadedBytes: 0,
      downloadBytesPerSecond: 0,
      uploadBytesPerSecond: 0,
      fromSourceBytes: 0,
      verifiedBytes: 0,
      copies: 2,
      offeredPieces: 0,
      solePieces: 0,
    };
  }
}

/** A Tracker that may be away. */
export class FakeLink implements SourceControlLink {
  isCut = false;
  readonly registered = new Map<InfoHash, Registration>();
  readonly reports: SourceStatus[] = [];
  /** Told between two reports. */
  readonly swarms: SwarmReport[] = [];

  register(registration: Registration): Promise<void> {
    if (this.isCut) return Promise.reject(away());
    this.registered.set(registration.infoHash, registration);
    return Promise.resolve();
  }

  unregister(infoHash: InfoHash): Promise<void> {
    if (this.isCut) return Promise.reject(away());
    this.registered.delete(infoHash);
    return Promise.resolve();
  }

  report(status: SourceStatus): void {
    this.reports.push(status);
  }

  reportSwarm(swarm: SwarmReport): void {
    this.swarms.push(swarm);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function away(): BtPublisherError {
  return new BtPublisherError("UNAVAILABLE", "the Tracker is away");
}

/** One for all worlds of a process: its threads take long to start, and do not keep it alive. */
const pool = new DiskPool({ threads: 1 });

/** See the head of this file. */
export interface SourceWorld {
  readonly source: SourceNode;
  readonly dependencies: SourceNodeDependencies;
  readonly host: FakeSeedHost;
  readonly link: FakeLink;
  readonly clock: ManualClock;
  readonly events: SourceEvent[];
  /** The data folder. */
  readonly data: string;
}

/** The adapters of a SourceNode whose data folder is `data`. */
export function sourceAdapters(
  data: string,
): Pick<
  SourceNodeDependencies,
  "staging" | "publications" | "inspector" | "openStore" | "ledgerStore" | "sha1"
> {
  const staging = join(data, "staging");
  return {
    staging: new FileStagingStore(staging),
    publications: new FilePublicationStore({
      content: join(data, "content"),
      staging,
      scratch: join(data, "scratch"),
    }),
    inspector: new DiskContentInspector(pool),
    openStore: (path, info) =>
      openDiskPieceStore({
        info,
        directory: dirname(path),
        name: basename(path),
        mode: "seed",
        pool,
      }),
    ledgerStore: new FileLedgerStore(join(data, "ledger")),
    sha1,
  };
}

/** A started SourceNode: over a new folder, or over the folder of `from` as after a restart. */
export async function startSource(
  from?: Pick<SourceWorld, "data">,
  overrides: Partial<SourceNodeDependencies> = {},
): Promise<SourceWorld> {
  const data = from?.data ?? (await mkdtemp(join(tmpdir(), "source-")));
  const host = new FakeSeedHost();
  const link = new FakeLink();
  const clock = new ManualClock();
  const events: SourceEvent[] = [];
  const onEvent = (event: SourceEvent): void => void events.push(event);
  const adapters = sourceAdapters(data);
  const participation = new Participation(clock, () => undefined);
  const openProbe = () => ({
    sample: () => ({ cpuFraction: 0.1, eventLoopDelayMs: 1, storageReadBytes: 0 }),
    close: () => {},
  });
  const uploadLimit = new TokenBucket(undefined);
  const own = { clock, host, link, participation, openProbe, uploadLimit, onEvent };
  const dependencies = { ...adapters, ...own, ...overrides };
  const source = new SourceNode(dependencies);
  await source.start();
  await source.settled();
  return { source, dependencies, host, link, clock, events, data };
}

/** Ends it; its folder stays. */
export async function stopSource(world: SourceWorld): Promise<void> {
  await world.source.close();
  await world.dependencies.staging.close();
}

/** Ends it and deletes its folder. */
export async function discardSource(world: SourceWorld): Promise<void> {
  await stopSource(world);
  await rm(world.data, { recursive: true, force: true });
}

/** Bytes as an upload's body, in chunks of `chunkLength`, which become the reader's. */
export async function* bodyOf(bytes: Uint8Array, chunkLength = 60_000): AsyncIterable<Uint8Array> {
  for (let i = 0; i < bytes.length; i += chunkLength)
    yield new Uint8Array(bytes.subarray(i, i + chunkLength));
}
