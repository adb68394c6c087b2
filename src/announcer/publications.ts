/**
 * The life of a publication: planned and uploaded, hashed, published, removed. The catalogue's
 * record is written before the SourceNode acts, so a crash at any step leaves a record that
 * `reconcile` can finish or undo. The one commit point of publishing is the record's change to
 * `published`, of removing the change to `removing`.
 */
import { createHash } from "node:crypto";
import { BtPublisherError, unwrap } from "../base/errors.ts";
import { KeyedLock } from "../base/keyed-lock.ts";
import type { UnixMillis } from "../base/units.ts";
import {
  everyPublication,
  type Publication,
  type PublicationAccess,
  type PublicationContent,
  type PublicationPolicy,
  type PublicationSignature,
} from "../ports/catalogue.ts";
import type { Timer } from "../ports/clock.ts";
import type {
  ContentPlan,
  PublishOptions,
  TorrentShape,
  PublishProgress,
  UploadBody,
  UploadStatus,
} from "../ports/content-service.ts";
import { checkKeptPrivacy, parseKeptTorrent } from "../protocol/metainfo/kept-info.ts";
import type { Info } from "../protocol/metainfo/metainfo.ts";
import { assertDeadlineAhead } from "./policy.ts";
import { Reconciler, type ReconcilerAdapters } from "./reconciler.ts";
import {
  ALREADY_PUBLISHED,
  finishedJob,
  follow,
  messageOf,
  type PublishingProgress,
  PublishJobs,
} from "./publish-jobs.ts";
import { chooseName } from "./slug.ts";

/** Content that a publisher wants to upload. `name` undefined: made from the content's name. */
export type PlanRequest = Omit<ContentPlan, "name" | "keptInfo"> & {
  readonly name: string | undefined;
  readonly policy: PublicationPolicy;
  readonly access: PublicationAccess;
  /** Whether whoever asks may go on with what is there; default: yes. */
  readonly mayChange?: MayChange;
  /** As in `Publication`; default: no, an upload waits for whoever goes on with it. */
  readonly endsWithRequest?: boolean;
  /** The .torrent file whose info hash it is to keep; default: a new one is made. */
  readonly torrent?: Uint8Array | undefined;
};

/** Decides about a publication that exists. What may not be changed is just taken. */
export type MayChange = (existing: Publication) => boolean;

/** Content on the SourceNode's own disk that a publisher wants to publish. */
export interface LocalRequest {
  readonly name: string | undefined;
  readonly path: string;
  readonly policy: PublicationPolicy;
  readonly access: PublicationAccess;
  readonly mayChange?: MayChange;
  readonly options: TorrentShape;
  /** As in `PlanRequest`. */
  readonly torrent?: Uint8Array | undefined;
}

/** How long a removal that failed waits for its next attempt: a SourceNode's restart takes less. */
const REMOVAL_RETRY_MS = 10_000;

/** How often uploads that the SourceNode dropped are looked for: it keeps them for a day. */
const SWEEP_MS = 60 * 60 * 1000;

/** The publications of one Announcer and what is happening to them. */
export class Publications {
  readonly #adapters: ReconcilerAdapters;
  readonly #reconciler: Reconciler;
  readonly #lock = new KeyedLock();
  readonly #jobs: PublishJobs;
  readonly #removals = new Map<string, Promise<void>>();
  readonly #timers = new Set<Timer>();
  #lastCreatedAt: UnixMillis = 0;
  #firstReconciliation: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(adapters: ReconcilerAdapters) {
    this.#adapters = adapters;
    this.#reconciler = new Reconciler(adapters, {
      remove: (publication) => this.#startRemoval(publication),
      createdAt: () => this.#nextCreatedAt(),
    });
    this.#jobs = new PublishJobs(adapters, this.#reconciler);
  }

  /** Begins to reconcile the catalogue with the SourceNode; see `firstReconciliation`. */
  async start(): Promise<void> {
    const [newest] = await this.#adapters.catalogue.list({ limit: 1 });
    this.#lastCreatedAt = newest?.createdAt ?? 0;
    this.#later(SWEEP_MS, () => void this.#sweepUploads());
    this.#firstReconciliation = this.#reconciler.start();
  }

  /** Resolves after the first attempt; if it failed, more of them follow. Never rejects. */
  get firstReconciliation(): Promise<void> {
    return this.#firstReconciliation;
  }

  /** Stops timers. What is being hashed or removed is taken up again by the next start. */
  close(): void {
    this.#isClosed = true;
    this.#reconciler.close();
    for (const timer of this.#timers) timer.cancel();
  }

  /** Whether the catalogue agrees with the SourceNode: only then may anything be changed. */
  get isReady(): boolean {
    return this.#reconciler.isDone;
  }

  /** How far the hashing of `name` is; undefined when it is not being published. */
  progressOf(name: string): PublishingProgress | undefined {
    return this.#jobs.get(name)?.progress;
  }

  /**
   * Opens a publication for upload, or finds the open one of the same plan, and tells from which
   * offsets to go on. @throws USAGE, CONFLICT, STORAGE_FULL, UNAVAILABLE; BENC_..., META_... for a
   * .torrent that cannot be kept.
   */
  plan(request: PlanRequest): Promise<UploadStatus & { readonly isNew: boolean }> {
    this.#assertReady();
    const { mayChange = () => true, policy, access, endsWithRequest = false, ...rest } = request;
    const { torrent, ...planned } = rest;
    assertDeadlineAhead(policy, this.#adapters.clock.unixNow());
    const plan = torrent === undefined ? planned : keptPlan(planned, keptInfo(torrent, access));
    const name = unwrap(chooseName(request.name, plan.contentName));
    return this.#lock.run(name, async () => {
      const existing = await this.#settled(name);
      if (existing !== undefined && (existing.state !== "uploading" || !mayChange(existing))) {
        throw taken(existing);
      }
      if (existing === undefined) {
        await this.#create({ name, policy, access, state: "uploading", endsWithRequest });
      }
      try {
        const status = await this.#adapters.content.beginUpload({ ...plan, name });
        if (existing !== undefined) {
          // Whose it is does not change with whoever goes on with it.
          const { ownerId } = existing.access;
          const changed = { ...existing, policy, access: { ...access, ownerId } };
          await this.#adapters.catalogue.update(changed);
        }
        return { ...status, isNew: existing === undefined };
      } catch (error) {
        if (existing === undefined) await this.#adapters.catalogue.remove(name);
        throw error;
      }
    });
  }

  /** @throws NOT_FOUND when nothing of that name is being uploaded. */
  async uploadStatus(name: string): Promise<UploadStatus> {
    await this.#need(name, "uploading");
    return this.#adapters.content.uploadStatus(name);
  }

  /** Appends to a file of the plan; errors as `ContentService.appendFile`. */
  async append(
    name: string,
    file: { readonly fileIndex: number; readonly offset: number },
    body: UploadBody,
  ): Promise<UploadStatus> {
    await this.#need(name, "uploading");
    return this.#adapters.content.appendFile(name, file, body);
  }

  /**
   * Hashes what was uploaded and publishes it. Idempotent: joins a publishing under way, returns
   * what is published. @throws NOT_FOUND; CONFLICT when incomplete or the same content is there.
   */
  async publish(
    name: string,
    options: TorrentShape,
    onProgress?: PublishProgress,
  ): Promise<Publication> {
    this.#assertReady();
    const job = await this.#lock.run(name, async () => {
      const running = this.#jobs.get(name);
      if (running !== undefined) return running;
      const publication = await this.#adapters.catalogue.get(name);
      if (publication?.state === "published") return finishedJob(publication);
      // Hashing without a job: the SourceNode had it, and the catalogue could not be written.
      const isOpen = publication?.state === "uploading" || publication?.state === "hashing";
      if (publication === undefined || !isOpen) throw notFound(name);
      return this.#jobs.start(publication, (listener) =>
        this.#adapters.content.publishUpload(name, optionsFor(publication, options), listener),
      );
    });
    return follow(job, onProgress);
  }

  /** Publishes what lies at a path of the SourceNode, in place. @throws NO_INPUT, CONFLICT, ... */
  async publishLocal(request: LocalRequest, onProgress?: PublishProgress): Promise<Publication> {
    this.#assertReady();
    assertDeadlineAhead(request.policy, this.#adapters.clock.unixNow());
    const { torrent } = request;
    const kept = torrent && keptInfo(torrent, request.access);
    const name = unwrap(chooseName(request.name, kept?.name ?? lastElement(request.path)));
    const job = await this.#lock.run(name, async () => {
      const { path, policy, access, mayChange = () => true } = request;
      const running = this.#jobs.get(name);
      const existing = await this.#settled(name);
      if (existing !== undefined && !mayChange(existing)) throw taken(existing);
      if (running?.localPath === path) return running;
      const isLeft = existing?.state === "hashing" && running === undefined;
      if (existing !== undefined && !isLeft) throw taken(existing);
      const head = { name, policy, access, state: "hashing" } as const;
      const publication = existing ?? (await this.#create(head));
      const work = (listener: PublishProgress) =>
        this.#adapters.content.publishLocal(
          { name, path, keptInfo: kept?.raw },
          optionsFor(publication, request.options),
          listener,
        );
      return this.#jobs.start(publication, work, path);
    });
    return follow(job, onProgress);
  }

  /**
   * Another policy, from now on; the SourceNode is told first, so that what is recorded is true.
   * @throws NOT_FOUND; CONFLICT while it is not published; USAGE for a new deadline that is over;
   * what `change` and the SourceNode throw.
   */
  setPolicy(
    name: string,
    change: (before: Publication) => PublicationPolicy,
  ): Promise<Publication> {
    this.#assertReady();
    return this.#lock.run(name, async () => {
      const publication = await this.#published(name, "its policy can be changed");
      const changed = { ...publication, policy: change(publication) };
      if (changed.policy.deadline !== publication.policy.deadline) {
        assertDeadlineAhead(changed.policy, this.#adapters.clock.unixNow());
      }
      await this.#adapters.content.setPolicy(name, changed.policy);
      await this.#adapters.catalogue.update(changed);
      return changed;
    });
  }

  /**
   * Keeps its publisher's signature in place of an older one; it ends with the publication.
   * @throws NOT_FOUND; CONFLICT while it is not published; what `verify` throws.
   */
  sign(
    name: string,
    verify: (content: PublicationContent) => PublicationSignature,
  ): Promise<PublicationSignature> {
    this.#assertReady();
    return this.#lock.run(name, async () => {
      const publication = await this.#published(name, "it can be signed");
      const signature = verify(publication.content);
      const content = { ...publication.content, signature };
      await this.#adapters.catalogue.update({ ...publication, content });
      return signature;
    });
  }

  /**
   * Ends a publication: an upload is dropped at once, also while it is hashed; a published one
   * begins to be removed. @returns what became of it. @throws NOT_FOUND.
   */
  unpublish(name: string): Promise<"cancelled" | "removing"> {
    this.#assertReady();
    return this.#lock.run(name, async () => {
      const publication = await this.#adapters.catalogue.get(name);
      if (publication === undefined) throw notFound(name);
      if (publication.state === "removing") return "removing";
      if (publication.state === "hashing") await this.#abort(name);
      // It may have been published a moment before it was aborted.
      const now = await this.#adapters.catalogue.get(name);
      if (now?.state !== "published") {
        await this.#reconciler.drop(name);
        return "cancelled";
      }
      await this.#adapters.catalogue.update({ ...now, state: "removing" });
      this.#startRemoval({ ...now, state: "removing" });
      return "removing";
    });
  }

  /** Ends the hashing of `name`, whatever comes of it. */
  async #abort(name: string): Promise<void> {
    await this.#adapters.content.unpublish(name);
    await this.#jobs.get(name)?.done.catch(() => undefined);
  }

  /** The record of `name` once a removal under way had its chance to end. */
  async #settled(name: string): Promise<Publication | undefined> {
    await this.#removals.get(name);
    return this.#adapters.catalogue.get(name);
  }

  async #create(
    head: Pick<Publication, "name" | "policy" | "access" | "state" | "endsWithRequest">,
  ): Promise<Publication> {
    const publication = { ...head, createdAt: this.#nextCreatedAt(), content: undefined };
    await this.#adapters.catalogue.create(publication);
    return publication;
  }

  /** Forgets uploads that the SourceNode has dropped because nobody went on with them. */
  async #sweepUploads(): Promise<void> {
    try {
      for await (const { name, state } of everyPublication(this.#adapters.catalogue)) {
        if (state === "uploading") await this.#lock.run(name, () => this.#sweepUpload(name));
      }
    } catch {
      // The SourceNode or the catalogue is away: the next sweep is early enough.
    }
    this.#later(SWEEP_MS, () => void this.#sweepUploads());
  }

  async #sweepUpload(name: string): Promise<void> {
    const publication = await this.#adapters.catalogue.get(name);
    if (publication?.state === "uploading") await this.#reconciler.reopen(publication);
  }

  #startRemoval(publication: Publication): void {
    const { name } = publication;
    const { catalogue, content, onEvent } = this.#adapters;
    const attempt = (async () => {
      try {
        await content.unpublish(name);
        await catalogue.remove(name);
        this.#removals.delete(name);
        onEvent({ type: "unpublished", name });
      } catch (error) {
        onEvent({ type: "unpublish-failed", name, message: messageOf(error) });
        this.#later(REMOVAL_RETRY_MS, () => this.#startRemoval(publication));
      }
    })();
    this.#removals.set(name, attempt);
  }

  #later(delayMs: number, action: () => void): void {
    if (this.#isClosed) return;
    const timer = this.#adapters.clock.setTimer(delayMs, () => {
      this.#timers.delete(timer);
      action();
    });
    this.#timers.add(timer);
  }

  /** Distinct and rising, since lists are paged by it; the clock may stand still or go back. */
  #nextCreatedAt(): UnixMillis {
    this.#lastCreatedAt = Math.max(this.#adapters.clock.unixNow(), this.#lastCreatedAt + 1);
    return this.#lastCreatedAt;
  }

  /** @throws NOT_FOUND; CONFLICT, which says that `what` is possible later. */
  async #published(
    name: string,
    what: string,
  ): Promise<Publication & { readonly content: PublicationContent }> {
    const publication = await this.#adapters.catalogue.get(name);
    if (publication === undefined) throw notFound(name);
    const { state, content } = publication;
    if (state === "published" && content !== undefined) return { ...publication, content };
    const message = `it is not published yet: ${what} when it is`;
    throw new BtPublisherError("CONFLICT", message, { detail: { name } });
  }

  async #need(name: string, state: Publication["state"]): Promise<Publication> {
    const publication = await this.#adapters.catalogue.get(name);
    if (publication?.state !== state) throw notFound(name);
    return publication;
  }

  #assertReady(): void {
    if (this.isReady) return;
    throw new BtPublisherError(
      "UNAVAILABLE",
      "the SourceNode has not been reached yet: try again in a moment",
    );
  }
}

/** What is not for everybody has BEP 27's flag: its peers come from our Tracker alone. */
function optionsFor({ access, policy }: Publication, shape: TorrentShape): PublishOptions {
  return { ...shape, isPrivate: shape.isPrivate || access.catalogue !== "public", policy };
}

/** The info of `torrent`, for content with this access. @throws BENC_..., META_... */
function keptInfo(torrent: Uint8Array, { catalogue }: PublicationAccess): Info {
  const sha1 = (bytes: Uint8Array) => createHash("sha1").update(bytes).digest();
  const info = unwrap(parseKeptTorrent(torrent, sha1));
  unwrap(checkKeptPrivacy(info, catalogue !== "public"));
  return info;
}

/** `plan` under the names of the .torrent that it keeps, by which peers know it. */
function keptPlan<Plan extends Omit<ContentPlan, "name">>(plan: Plan, info: Info): Plan {
  const files = info.isDirectory
    ? plan.files
    : plan.files.map((file) => ({ ...file, path: [info.name] }));
  return { ...plan, contentName: info.name, files, keptInfo: info.raw };
}

/** Of a path of the SourceNode's system, which may be another than ours. */
function lastElement(path: string): string {
  return path.split(/[/\\]/).findLast((element) => element !== "") ?? "";
}

/** One text for every name that nothing can be done with: it tells nothing about what exists. */
function notFound(name: string): BtPublisherError {
  return new BtPublisherError("NOT_FOUND", "there is no such publication", { detail: { name } });
}

function taken(publication: Publication): BtPublisherError {
  const { name, state } = publication;
  const why = {
    uploading: "it is being uploaded: wait for that, or drop it with unpublish",
    hashing: "it is being hashed: try again when that is done",
    published: "unpublish it first, or choose another name with --name",
    removing: "it is being removed: try again in a moment",
  }[state];
  const reason = state === "published" ? ALREADY_PUBLISHED : "NAME_TAKEN";
  const message = `there is a publication named ${name} already: ${why}`;
  return new BtPublisherError("CONFLICT", message, { detail: { name, state, reason } });
}
