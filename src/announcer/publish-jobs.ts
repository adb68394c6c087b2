/**
 * Publishings under way. A job outlives the request that asked for it, and whoever asks again joins
 * it; when it fails, what it began with is an open upload again, or nothing.
 */
import { BtPublisherError } from "../base/errors.ts";
import type { Publication } from "../ports/catalogue.ts";
import type { PublishedContent, PublishProgress } from "../ports/content-service.ts";
import type { Reconciler, ReconcilerAdapters } from "./reconciler.ts";

/** The reason in the detail of a CONFLICT with something that is published. */
export const ALREADY_PUBLISHED = "ALREADY_PUBLISHED";

/** Hashed bytes of all bytes; 0 of 0 before the first news. */
export interface PublishingProgress {
  readonly doneBytes: number;
  readonly totalBytes: number;
}

/** A publishing under way. Its result outlives the request that asked for it. */
export interface PublishJob {
  /** What is published where it lies; undefined for an upload. */
  readonly localPath: string | undefined;
  /** Kept up to date. */
  readonly progress: PublishingProgress;
  readonly listeners: Set<PublishProgress>;
  readonly done: Promise<Publication>;
}

/** The jobs of one Announcer, one for each name at most. */
export class PublishJobs {
  readonly #adapters: ReconcilerAdapters;
  readonly #reconciler: Reconciler;
  readonly #jobs = new Map<string, PublishJob>();

  constructor(adapters: ReconcilerAdapters, reconciler: Reconciler) {
    this.#adapters = adapters;
    this.#reconciler = reconciler;
  }

  get(name: string): PublishJob | undefined {
    return this.#jobs.get(name);
  }

  /** Starts to publish `publication` by `work`; nothing of its name may be under way. */
  async start(
    publication: Publication,
    work: (listener: PublishProgress) => Promise<PublishedContent>,
    localPath?: string,
  ): Promise<PublishJob> {
    const hashing: Publication = { ...publication, state: "hashing" };
    await this.#adapters.catalogue.update(hashing);
    const listeners = new Set<PublishProgress>();
    const progress = { doneBytes: 0, totalBytes: 0 };
    const listener: PublishProgress = (doneBytes, totalBytes) => {
      Object.assign(progress, { doneBytes, totalBytes });
      for (const each of listeners) each(doneBytes, totalBytes);
    };
    const done = this.#runJob(hashing, () => work(listener));
    const job: PublishJob = { localPath, progress, listeners, done };
    this.#jobs.set(publication.name, job);
    const end = () => this.#jobs.delete(publication.name);
    done.then(end, end);
    return job;
  }

  async #runJob(
    publication: Publication,
    work: () => Promise<PublishedContent>,
  ): Promise<Publication> {
    const { name } = publication;
    try {
      const held = await this.#heldBy(publication, work);
      // The SourceNode has it now. If the catalogue fails, asking again or the next start records it.
      const published = await this.#reconciler.commit(publication, held);
      this.#adapters.onEvent({ type: "published", name, infoHash: published.content.infoHash });
      return published;
    } catch (error) {
      this.#adapters.onEvent({ type: "publish-failed", name, message: messageOf(error) });
      throw error;
    }
  }

  async #heldBy(
    publication: Publication,
    work: () => Promise<PublishedContent>,
  ): Promise<PublishedContent> {
    try {
      return await work();
    } catch (error) {
      // Should this fail too, the next sweep or start does it.
      await this.#afterFailure(publication, error).catch(() => undefined);
      throw error;
    }
  }

  /** What can be published some day stays an open upload; the same content twice cannot. */
  #afterFailure(publication: Publication, error: unknown): Promise<void> {
    const isTwin =
      error instanceof BtPublisherError && error.detail["reason"] === ALREADY_PUBLISHED;
    return isTwin ? this.#reconciler.drop(publication.name) : this.#reconciler.reopen(publication);
  }
}

/** Hears of `job` until its end. */
export async function follow(job: PublishJob, onProgress?: PublishProgress): Promise<Publication> {
  if (onProgress === undefined) return job.done;
  const { doneBytes, totalBytes } = job.progress;
  if (totalBytes > 0) onProgress(doneBytes, totalBytes);
  job.listeners.add(onProgress);
  try {
    return await job.done;
  } finally {
    job.listeners.delete(onProgress);
  }
}

/** Stands for a publishing that has ended well. */
export function finishedJob(publication: Publication): PublishJob {
  return {
    localPath: undefined,
    progress: { doneBytes: 0, totalBytes: 0 },
    listeners: new Set(),
    done: Promise.resolve(publication),
  };
}

/** The text of something caught. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
