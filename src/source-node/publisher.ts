/**
 * Turns content into publications: hash, compare, commit, serve. The one commit point is
 * `PublicationStore.commit`; before it a kill or a failure leaves nothing visible, after it the
 * publication is complete, and what is left (registering, seeding) is repeated until it succeeds.
 */
import { BtPublisherError, unwrap } from "../base/errors.ts";
import type { KeyedLock } from "../base/keyed-lock.ts";
import type { Clock } from "../ports/clock.ts";
import type { ContentInspector, ContentTree, HashedContent } from "../ports/content-inspector.ts";
import type {
  LocalContent,
  PublishedContent,
  PublishOptions,
  PublishProgress,
  UploadFile,
} from "../ports/content-service.ts";
import type { FileStamp, PublicationStore, StagingStore } from "../ports/content-storage.ts";
import {
  checkKeptPrivacy,
  filesOfPiece,
  matchKeptFiles,
  parseKeptInfo,
} from "../protocol/metainfo/kept-info.ts";
import type { Info } from "../protocol/metainfo/metainfo.ts";
import { assertName } from "./content-plan.ts";
import { areSameStamps } from "./content-watch.ts";
import type { Publication } from "./publication.ts";
import type { ServedPublications } from "./served-publications.ts";
import type { SourceEvent } from "./source-event.ts";
import { cancelled, type Upload } from "./upload.ts";
import type { Uploads } from "./uploads.ts";

/** What the publisher works with. */
export interface PublisherDependencies {
  readonly clock: Clock;
  readonly inspector: ContentInspector;
  readonly staging: StagingStore;
  readonly publications: PublicationStore;
  readonly uploads: Uploads;
  readonly served: ServedPublications;
  /** By name; shared with whatever else changes uploads and publications. */
  readonly lock: KeyedLock;
  /** SHA-1 of `bytes`: 20 bytes. */
  readonly sha1: (bytes: Uint8Array) => Uint8Array;
  readonly onEvent: (event: SourceEvent) => void;
}

/** A publishing under way; a second request for the same name joins it. */
interface Job {
  readonly localPath: string | undefined;
  readonly listeners: Set<PublishProgress>;
  readonly signal: { aborted: boolean };
  readonly done: Promise<PublishedContent>;
}

/** What a job publishes. */
interface Candidate {
  readonly name: string;
  readonly tree: PlannedTree;
  readonly localPath: string | undefined;
  readonly options: PublishOptions;
  /** The info that it must have; undefined: whatever it comes to. */
  readonly kept: Info | undefined;
}

/** Content on disk, with what its uploader said of the files. */
interface PlannedTree extends ContentTree {
  readonly files: readonly UploadFile[];
}

export class Publisher {
  readonly #dependencies: PublisherDependencies;
  readonly #jobs = new Map<string, Job>();

  constructor(dependencies: PublisherDependencies) {
    this.#dependencies = dependencies;
  }

  /** As `ContentService.publishUpload`. */
  async publishUpload(
    name: string,
    options: PublishOptions,
    onProgress?: PublishProgress,
  ): Promise<PublishedContent> {
    const { served, uploads } = this.#dependencies;
    const published = served.get(name);
    if (published !== undefined && published.state.name !== "removed") return published.content;
    const running = this.#jobs.get(name);
    if (running !== undefined) return follow(running, onProgress);
    const upload = uploads.need(name);
    const target = { name, localPath: undefined };
    const job = this.#start(target, (handle) => this.#publishUpload(upload, options, handle));
    return follow(job, onProgress);
  }

  /** As `ContentService.publishLocal`. */
  async publishLocal(
    content: LocalContent,
    options: PublishOptions,
    onProgress?: PublishProgress,
  ): Promise<PublishedContent> {
    const { name, path } = content;
    assertName(name);
    const kept = this.#keptInfo(content, options);
    const tree = arranged(await this.#dependencies.inspector.scan(path), kept);
    const published = this.#dependencies.served.get(name)?.content;
    if (published !== undefined && published.localPath === tree.path) return published;
    const running = this.#jobs.get(name);
    if (running !== undefined && running.localPath === tree.path)
      return follow(running, onProgress);
    if (this.#isTaken(name)) throw nameTaken(name);
    const candidate = { name, tree, localPath: tree.path, options, kept };
    const job = this.#start(candidate, (handle) => this.#publish(candidate, handle));
    return follow(job, onProgress);
  }

  /** Whether `name` is being published. */
  isPublishing(name: string): boolean {
    return this.#jobs.has(name);
  }

  /** Gives up publishing `name`, unless it is committed already. */
  abort(name: string): void {
    const job = this.#jobs.get(name);
    if (job === undefined) return;
    job.signal.aborted = true;
    this.#jobs.delete(name);
  }

  /** Gives up everything, and resolves when nothing is under way any more. */
  async close(): Promise<void> {
    const jobs = [...this.#jobs.values()];
    for (const name of this.#jobs.keys()) this.abort(name);
    await Promise.allSettled(jobs.map((job) => job.done));
  }

  #isTaken(name: string): boolean {
    const { served, uploads } = this.#dependencies;
    return (
      served.get(name) !== undefined || uploads.get(name) !== undefined || this.#jobs.has(name)
    );
  }

  #start(
    { name, localPath }: Pick<Candidate, "name" | "localPath">,
    work: (handle: JobHandle) => Promise<PublishedContent>,
  ): Job {
    const listeners = new Set<PublishProgress>();
    const signal = { aborted: false };
    const onProgress: PublishProgress = (doneBytes, totalBytes) => {
      for (const listener of listeners) listener(doneBytes, totalBytes);
    };
    const done = work({ signal, onProgress }).catch((error: unknown) => {
      // A cancelled upload's files are gone: whatever that led to is not what happened.
      throw signal.aborted ? cancelled(name) : error;
    });
    const job: Job = { localPath, listeners, signal, done };
    this.#jobs.set(name, job);
    const forget = (): void => {
      if (this.#jobs.get(name) === job) this.#jobs.delete(name);
    };
    done.then(forget, forget);
    return job;
  }

  async #publishUpload(
    upload: Upload,
    options: PublishOptions,
    job: JobHandle,
  ): Promise<PublishedContent> {
    const { staging } = this.#dependencies;
    const { plan } = upload;
    const kept = this.#keptInfo(plan, options);
    assertComplete(upload);
    upload.isSealed = true;
    try {
      await staging.seal(plan);
      const tree = arranged({ path: staging.contentPath(plan), ...plan }, kept);
      const candidate = { name: plan.name, tree, localPath: undefined, options, kept };
      return await this.#publish(candidate, job, upload);
    } finally {
      upload.isSealed = false;
    }
  }

  async #publish(candidate: Candidate, job: JobHandle, upload?: Upload): Promise<PublishedContent> {
    const { inspector, served, staging, onEvent } = this.#dependencies;
    const { name, tree, options, kept } = candidate;
    const stamps = assertThere(tree, await inspector.stamps(tree));
    const arrived = upload && staging.hashes(upload.plan);
    const hashed = await inspector
      .hash(tree, { ...options, ...job, arrived, kept })
      .catch((error: unknown) => this.#afterMismatch(candidate, error, upload));
    if (!areSameStamps(await inspector.stamps(tree), stamps)) throw changed(tree.path);
    const { contentLength } = hashed.info.geometry;
    job.onProgress(contentLength, contentLength);
    if (upload !== undefined) await this.#assertDigests(upload, tree, hashed);
    return this.#dependencies.lock.run(name, async () => {
      const publication = await this.#commit(candidate, hashed, stamps, job);
      await served.serve(publication);
      await served.register(publication);
      onEvent({ type: "published", name, infoHash: publication.infoHash });
      return publication.content;
    });
  }

  async #commit(
    candidate: Candidate,
    hashed: HashedContent,
    stamps: readonly FileStamp[],
    job: JobHandle,
  ): Promise<Publication> {
    const { clock, publications, served, uploads } = this.#dependencies;
    const { name } = candidate;
    const { info } = hashed;
    if (job.signal.aborted) throw cancelled(name);
    if (served.get(name) !== undefined) throw nameTaken(name);
    served.reserve(info.infoHash, name);
    const content = contentOf(candidate, hashed);
    const stored = { content, publishedAt: clock.unixNow(), stamps };
    try {
      await publications.commit(stored);
    } catch (error) {
      served.release(info.infoHash);
      throw error;
    }
    uploads.forget(name);
    return served.add(stored, info);
  }

  /**
   * The info dictionary to keep, if there is one, which is that of `options`.
   * @throws META_...; META_PRIVATE; USAGE.
   */
  #keptInfo(
    { keptInfo }: Pick<LocalContent, "keptInfo">,
    { pieceLength, isPrivate }: PublishOptions,
  ): Info | undefined {
    if (keptInfo === undefined) return undefined;
    const info = unwrap(parseKeptInfo(keptInfo, this.#dependencies.sha1));
    unwrap(checkKeptPrivacy(info, isPrivate));
    if (pieceLength === undefined) return info;
    const message =
      "the .torrent that is kept says how long pieces are: leave the piece length out";
    throw new BtPublisherError("USAGE", message);
  }

  /** @throws `error`; files of a wrong piece are emptied, so that they can be uploaded again. */
  async #afterMismatch({ tree, kept }: Candidate, error: unknown, upload?: Upload): Promise<never> {
    const pieceIndex =
      error instanceof BtPublisherError && error.code === "HASH_MISMATCH"
        ? Number(error.detail["pieceIndex"])
        : undefined;
    if (kept !== undefined && pieceIndex !== undefined) {
      for (const index of filesOfPiece(kept, pieceIndex)) await upload?.reset(tree.files[index]);
    }
    throw error;
  }

  /** @throws DIGEST; wrong files are emptied, so that they can be uploaded again. */
  async #assertDigests(upload: Upload, tree: PlannedTree, hashed: HashedContent): Promise<void> {
    const wrong = tree.files.flatMap((file, i) => {
      const found = hashed.sha256[i];
      const isRight = file.sha256 === undefined || file.sha256 === found;
      return isRight ? [] : [{ file, found }];
    });
    for (const { file } of wrong) await upload.reset(file);
    const [first] = wrong;
    if (first !== undefined) throw wrongDigest(first.file, first.found);
  }
}

/** What a running job tells and is told. */
interface JobHandle {
  readonly signal: { readonly aborted: boolean };
  readonly onProgress: PublishProgress;
}

async function follow(job: Job, onProgress?: PublishProgress): Promise<PublishedContent> {
  if (onProgress === undefined) return job.done;
  job.listeners.add(onProgress);
  try {
    return await job.done;
  } finally {
    job.listeners.delete(onProgress);
  }
}

/** `tree` under the names and in the order of the info that it is to keep. @throws META_FILES */
function arranged(tree: PlannedTree, kept: Info | undefined): PlannedTree {
  if (kept === undefined) return tree;
  const order = unwrap(matchKeptFiles(kept, tree));
  const files = order.map((index) => tree.files[index] as UploadFile);
  return { ...tree, contentName: kept.name, files };
}

function contentOf(candidate: Candidate, hashed: HashedContent): PublishedContent {
  const { info, sha256 } = hashed;
  return {
    name: candidate.name,
    infoHash: info.infoHash,
    info: info.raw,
    contentName: info.name,
    isDirectory: info.isDirectory,
    files: info.files.map(({ path, length }, i) => ({ path, length, sha256: sha256[i] ?? "" })),
    contentLength: info.geometry.contentLength,
    policy: candidate.options.policy,
    localPath: candidate.localPath,
  };
}

function assertComplete(upload: Upload): void {
  const { name } = upload.plan;
  if (upload.isSealed || upload.isWriting) {
    const message = `${name} is still being uploaded; publish it when that has ended`;
    throw new BtPublisherError("CONFLICT", message, { detail: { reason: "LOCKED" } });
  }
  const missing = upload.incompleteFile;
  if (missing === undefined) return;
  const { file, receivedBytes } = missing;
  const path = file.path.join("/");
  const message = `${path} has ${receivedBytes} of ${file.length} bytes; upload the rest first`;
  throw new BtPublisherError("CONFLICT", message, { detail: { reason: "INCOMPLETE", path } });
}

function assertThere(
  tree: ContentTree,
  stamps: readonly (FileStamp | undefined)[],
): readonly FileStamp[] {
  for (const [i, file] of tree.files.entries()) {
    if (stamps[i]?.length !== file.length) throw changed(tree.path);
  }
  return stamps as readonly FileStamp[];
}

function changed(path: string): BtPublisherError {
  const message = `${path} was changed while it was being hashed; publish it again when it is done`;
  return new BtPublisherError("STORAGE_CHANGED", message, { detail: { path } });
}

function nameTaken(name: string): BtPublisherError {
  const message = `${name} is published or being published already; unpublish it, or choose another name`;
  return new BtPublisherError("CONFLICT", message, { detail: { reason: "NAME_TAKEN", name } });
}

function wrongDigest(file: UploadFile, found: string | undefined): BtPublisherError {
  const path = file.path.join("/");
  const message = `${path} has the SHA-256 ${found}, not ${file.sha256}; upload it again`;
  return new BtPublisherError("DIGEST", message, { detail: { path, found } });
}
