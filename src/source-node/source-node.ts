/**
 * The SourceNode: takes content in, publishes it, seeds it, and tells what it sent. It is the first
 * seed of every swarm, and serves only what was hashed from its own disk and has not changed since.
 */
import type { GuardedTorrent } from "../access/admissions.ts";
import { BtPublisherError } from "../base/errors.ts";
import { KeyedLock } from "../base/keyed-lock.ts";
import type { Millis, UnixMillis } from "../base/units.ts";
import { LedgerKeeper } from "../ledger/ledger-keeper.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { ContentInspector } from "../ports/content-inspector.ts";
import type {
  ContentPlan,
  ContentService,
  LedgerEntry,
  LocalContent,
  PublishedContent,
  PublishOptions,
  PublishProgress,
  UploadBody,
  UploadStatus,
  Withdrawal,
} from "../ports/content-service.ts";
import type {
  PublicationStore,
  StagingStore,
  StoredPublication,
} from "../ports/content-storage.ts";
import type { LedgerStore } from "../ports/ledger-store.ts";
import type { PublicationPolicy } from "../ports/publication-policy.ts";
import type { SourceControlLink } from "../ports/tracker-control.ts";
import { parseInfo } from "../protocol/metainfo/parse.ts";
import type { TokenBucket } from "../base/token-bucket.ts";
import type { LoadProbe } from "../ports/load-probe.ts";
import type { PublicationLook, SourceLook } from "../ports/source-look.ts";
import { LiveLooks } from "./live-looks.ts";
import { ContentWatch } from "./content-watch.ts";
import type { Participation } from "./participation.ts";
import { type Publication, withdrawalOf } from "./publication.ts";
import { Publisher } from "./publisher.ts";
import type { SeedHost } from "./seed-host.ts";
import { type OpenStore, ServedPublications } from "./served-publications.ts";
import { messageOf, type SourceEvent } from "./source-event.ts";
import { Uploads } from "./uploads.ts";

/** Everything that a SourceNode works with. */
export interface SourceNodeDependencies {
  readonly clock: Clock;
  readonly staging: StagingStore;
  readonly publications: PublicationStore;
  readonly inspector: ContentInspector;
  readonly openStore: OpenStore;
  readonly ledgerStore: LedgerStore;
  readonly host: SeedHost;
  readonly participation: Participation;
  /** Measures the load of this process until it is closed. */
  readonly openProbe: () => LoadProbe;
  /** The limit that all doors share. */
  readonly uploadLimit: TokenBucket;
  readonly link: SourceControlLink;
  /** Whether a host may have files of a torrent through HTTP; default: everybody may. */
  readonly admits?: (torrent: GuardedTorrent, host: string) => boolean;
  /** SHA-1 of `bytes`: 20 bytes. */
  readonly sha1: (bytes: Uint8Array) => Uint8Array;
  /** Called in the order of what happens; must not throw. */
  readonly onEvent: (event: SourceEvent) => void;
}

/** Pause between two attempts to register what the Tracker did not take, and to drop old uploads. */
const UPKEEP_MS: Millis = 5_000;

export class SourceNode implements ContentService {
  readonly #dependencies: SourceNodeDependencies;
  readonly #ledgers: LedgerKeeper;
  readonly #uploads: Uploads;
  readonly #served: ServedPublications;
  readonly #publisher: Publisher;
  readonly #watch: ContentWatch;
  readonly #looks: LiveLooks;
  readonly #lock = new KeyedLock();
  /** Names whose folders could not be read: taken, and good for nothing but `unpublish`. */
  readonly #damaged = new Set<string>();
  #timer: Timer | undefined;
  #upkeep: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(dependencies: SourceNodeDependencies) {
    this.#dependencies = dependencies;
    const { clock, ledgerStore, onEvent } = dependencies;
    this.#ledgers = new LedgerKeeper({
      clock,
      store: ledgerStore,
      onFailure: (infoHash, cause) =>
        onEvent({ type: "ledger-failed", infoHash, message: messageOf(cause) }),
    });
    this.#uploads = new Uploads(dependencies);
    this.#served = new ServedPublications({ ...dependencies, ledgers: this.#ledgers });
    this.#watch = new ContentWatch({ ...dependencies, served: this.#served });
    this.#looks = new LiveLooks({ ...dependencies, publications: () => this.#served.all });
    this.#publisher = new Publisher({
      ...dependencies,
      uploads: this.#uploads,
      served: this.#served,
      lock: this.#lock,
    });
  }

  /**
   * Loads everything that is on disk, and begins to register and to seed it. Call once; resolves
   * when requests may come. @throws STORAGE_IO when the folders themselves cannot be used.
   */
  async start(): Promise<void> {
    const { staging, publications, onEvent } = this.#dependencies;
    const { publications: stored, damaged } = await publications.load();
    for (const { name, message } of damaged) {
      this.#damaged.add(name);
      onEvent({ type: "publication-damaged", name, message });
    }
    for (const publication of stored) await this.#load(publication);
    // A folder that cannot be read may be repaired, and would want its ledger back.
    if (this.#damaged.size === 0) await this.#ledgers.prune();
    for (const staged of await staging.list()) {
      if (this.#isPublished(staged.plan.name)) await staging.remove(staged.plan.name);
      else this.#uploads.restore(staged);
    }
    this.#watch.start();
    this.#keepUp();
  }

  /** Stops serving and writes what the ledgers hold. Nothing may be called afterwards. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#looks.close();
    await this.#upkeep;
    await this.#publisher.close();
    await this.#watch.close();
    await this.#served.close();
    await this.#ledgers.close();
  }

  /** What is published, in no particular order. */
  get publications(): readonly Publication[] {
    return this.#served.all;
  }

  /** The publication `name`, for the doors. */
  publication(name: string): Publication | undefined {
    return this.#served.get(name);
  }

  /** Ledger writes that failed, and entries that were lost by it, since the start. */
  get ledgerHealth(): { readonly failedWrites: number; readonly lostEntries: number } {
    const { failedWrites, lostEntries } = this.#ledgers;
    return { failedWrites, lostEntries };
  }

  /** As `FilesDoorSource.webSeedWait`. */
  webSeedWait({ infoHash }: Publication, host: string): number | undefined {
    return this.#dependencies.participation.webSeedWait(infoHash, host);
  }

  /** Whether `host` may have files of `publication`. */
  admits({ infoHash, info }: Publication, host: string): boolean {
    const { admits = () => true } = this.#dependencies;
    return admits({ infoHash, isPrivate: info.isPrivate }, host);
  }

  /** Path of a publication's file on disk. */
  filePath(publication: Publication, fileIndex: number): string {
    return this.#dependencies.publications.filePath(publication.content, fileIndex);
  }

  /** A door found that the file at `path` is not what was published. */
  reportChanged(publication: Publication, path: string): void {
    this.#watch
      .report(publication, path)
      .catch((cause: unknown) => this.reportFailed(publication, messageOf(cause)));
  }

  /** A door could not open or read a file. */
  reportFailed(publication: Publication, message: string): void {
    this.#dependencies.onEvent({ type: "storage-failed", name: publication.name, message });
  }

  /** Resolves when the look at all files that is under way has ended. */
  async settled(): Promise<void> {
    await this.#watch.settled();
    await this.#upkeep;
  }

  beginUpload(plan: ContentPlan): Promise<UploadStatus> {
    return this.#lock.run(plan.name, async () => {
      const isTaken = this.#isPublished(plan.name) || this.#isPublishingLocal(plan.name);
      if (isTaken) throw taken(plan.name);
      return (await this.#uploads.begin(plan)).status;
    });
  }

  async uploadStatus(name: string): Promise<UploadStatus> {
    return this.#uploads.need(name).status;
  }

  async appendFile(
    name: string,
    file: { readonly fileIndex: number; readonly offset: number },
    body: UploadBody,
  ): Promise<UploadStatus> {
    const upload = this.#uploads.need(name);
    await upload.append(file.fileIndex, file.offset, body);
    return upload.status;
  }

  cancelUpload(name: string): Promise<void> {
    return this.#lock.run(name, async () => {
      if (this.#isPublished(name)) throw taken(name);
      if (this.#uploads.get(name) === undefined) return;
      this.#publisher.abort(name);
      await this.#uploads.drop(name);
    });
  }

  publishUpload(
    name: string,
    options: PublishOptions,
    onProgress?: PublishProgress,
  ): Promise<PublishedContent> {
    return this.#publisher.publishUpload(name, options, onProgress);
  }

  publishLocal(
    content: LocalContent,
    options: PublishOptions,
    onProgress?: PublishProgress,
  ): Promise<PublishedContent> {
    return this.#publisher.publishLocal(content, options, onProgress);
  }

  setPolicy(name: string, policy: PublicationPolicy): Promise<void> {
    return this.#lock.run(name, () => this.#served.setPolicy(this.#served.need(name), policy));
  }

  unpublish(name: string): Promise<void> {
    this.#publisher.abort(name);
    return this.#lock.run(name, async () => {
      const publication = this.#served.get(name);
      if (publication !== undefined) await this.#served.remove(publication);
      if (this.#damaged.delete(name)) await this.#dependencies.publications.remove(name);
    });
  }

  async list(): Promise<readonly PublishedContent[]> {
    return this.#served.all.map((publication) => publication.content);
  }

  async withdrawals(): Promise<readonly Withdrawal[]> {
    const { publications } = this.#dependencies;
    const damaged = [...this.#damaged].map(
      (name) => ({ name, reason: "damaged", path: undefined }) as const,
    );
    const withdrawn = this.#served.all.flatMap(
      (publication) =>
        withdrawalOf(publication, publications.contentPath(publication.content)) ?? [],
    );
    return [...withdrawn, ...damaged];
  }

  watch(): AsyncIterable<SourceLook> {
    return this.#looks.watch();
  }

  watchPublication(name: string): AsyncIterable<PublicationLook> {
    return this.#looks.watchPublication(name);
  }

  async *ledger(
    name: string,
    filter: { readonly since?: UnixMillis } = {},
  ): AsyncIterable<LedgerEntry> {
    const { infoHash } = this.#served.need(name);
    yield* this.#ledgers.read(infoHash, filter.since ?? 0);
  }

  async #load(stored: StoredPublication): Promise<void> {
    const { name, info: raw, infoHash, files } = stored.content;
    const info = parseInfo(raw, { sha1: this.#dependencies.sha1 });
    if (!info.ok || info.value.infoHash !== infoHash || info.value.files.length !== files.length) {
      const message = info.ok ? "its info dictionary is another one" : info.message;
      this.#damaged.add(name);
      this.#dependencies.onEvent({ type: "publication-damaged", name, message });
      return;
    }
    await this.#served.add(stored, info.value);
  }

  #isPublished(name: string): boolean {
    return this.#served.get(name) !== undefined || this.#damaged.has(name);
  }

  #isPublishingLocal(name: string): boolean {
    return this.#publisher.isPublishing(name) && this.#uploads.get(name) === undefined;
  }

  #isRegistered(publication: Publication): Promise<boolean> {
    if (publication.isRegistered) return Promise.resolve(true);
    return this.#lock.run(publication.name, async () => {
      // Unpublished while this waited for its turn.
      if (publication.state.name === "removed") return true;
      return this.#served.register(publication);
    });
  }

  /** Repeats what must succeed some day. */
  #keepUp(): void {
    this.#upkeep = this.#maintain();
    void this.#upkeep.then(() => {
      if (this.#isClosed) return;
      this.#timer = this.#dependencies.clock.setTimer(UPKEEP_MS, () => this.#keepUp());
    });
  }

  async #maintain(): Promise<void> {
    for (const publication of this.#served.all) {
      // The next ones would fail alike: once in a round is enough.
      if (!(await this.#isRegistered(publication))) break;
    }
    for (const name of this.#uploads.expired) {
      await this.cancelUpload(name).catch(() => undefined);
      this.#dependencies.onEvent({ type: "upload-expired", name });
    }
  }
}

function taken(name: string): BtPublisherError {
  const message = `${name} is published already; unpublish it first, or choose another name`;
  return new BtPublisherError("CONFLICT", message, {
    detail: { reason: "ALREADY_PUBLISHED", name },
  });
}
