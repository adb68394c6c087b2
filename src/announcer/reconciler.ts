/**
 * Brings the catalogue's records into agreement with what the SourceNode holds after either of
 * them was killed: half a publication is finished or undone, and one that was acknowledged is
 * never lost (reliability A12, F-05, F-07).
 */
import { latin1 } from "../base/bytes.ts";
import { BtPublisherError } from "../base/errors.ts";
import type { Millis, UnixMillis } from "../base/units.ts";
import {
  type Catalogue,
  everyPublication,
  type Publication,
  type PublicationAccess,
  type PublicationContent,
  publicAccess,
} from "../ports/catalogue.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { ContentService, PublishedContent } from "../ports/content-service.ts";
import type { AnnouncerEvent } from "./announcer-event.ts";
import { isSamePolicy } from "../ports/publication-policy.ts";

/** What the reconciler works with. */
export interface ReconcilerAdapters {
  readonly catalogue: Catalogue;
  readonly content: ContentService;
  readonly clock: Clock;
  readonly onEvent: (event: AnnouncerEvent) => void;
}

/** What it asks its owner to do. */
export interface ReconcilerHooks {
  /** Takes up a removal again. */
  remove(publication: Publication): void;
  createdAt(): UnixMillis;
}

/** How long an unreachable SourceNode is left alone: it is asked again well within its 15 s. */
const RETRY_MS: Millis = 2_000;

/** Runs once per start, as often as it takes. */
export class Reconciler {
  readonly #adapters: ReconcilerAdapters;
  readonly #hooks: ReconcilerHooks;
  #timer: Timer | undefined;
  #state: "running" | "done" | "closed" = "running";

  constructor(adapters: ReconcilerAdapters, hooks: ReconcilerHooks) {
    this.#adapters = adapters;
    this.#hooks = hooks;
  }

  get isDone(): boolean {
    return this.#state === "done";
  }

  /** The first attempt; resolves after it, whether it succeeded or will be repeated. */
  async start(): Promise<void> {
    try {
      await this.#reconcile();
      if (this.#state === "running") this.#state = "done";
      this.#adapters.onEvent({ type: "reconciled" });
    } catch (error) {
      if (this.#state === "closed") return;
      const message = error instanceof Error ? error.message : String(error);
      this.#adapters.onEvent({ type: "source-unreachable", message });
      this.#timer = this.#adapters.clock.setTimer(RETRY_MS, () => void this.start());
    }
  }

  close(): void {
    this.#state = "closed";
    this.#timer?.cancel();
  }

  async #reconcile(): Promise<void> {
    const { catalogue, content } = this.#adapters;
    const held = new Map((await content.list()).map((each) => [each.name, each]));
    for await (const { name } of everyPublication(catalogue)) {
      const publication = await catalogue.get(name);
      if (publication !== undefined) await this.#settle(publication, held.get(name));
      held.delete(name);
    }
    for (const orphan of held.values()) await tolerateConflict(this.#adopt(orphan));
  }

  async #settle(publication: Publication, held: PublishedContent | undefined): Promise<void> {
    const { name } = publication;
    if (publication.state === "removing") return this.#hooks.remove(publication);
    if (publication.state === "published") {
      if (held === undefined) this.#adapters.onEvent({ type: "content-missing", name });
      else if (!isSamePolicy(held.policy, publication.policy)) {
        // The SourceNode was told, and the catalogue could not be written, or is a backup.
        await this.#adapters.catalogue.update({ ...publication, policy: held.policy });
      }
      return;
    }
    // The request that brought it ended with an earlier process.
    if (held === undefined && publication.endsWithRequest === true) await this.drop(name);
    else if (held === undefined) await this.reopen(publication);
    else await tolerateConflict(this.commit(publication, held));
  }

  /** The commit point of publishing. @throws CONFLICT when the same content has another name. */
  async commit(
    publication: Publication,
    held: PublishedContent,
  ): Promise<Publication & { readonly content: PublicationContent }> {
    const content = contentOf(held, this.#adapters.clock.unixNow());
    const published = { ...publication, state: "published" as const, content };
    await this.#adapters.catalogue.update(published);
    return published;
  }

  /** A publication that did not get published is an open upload again, or nothing. */
  async reopen(publication: Publication): Promise<void> {
    const { catalogue, content } = this.#adapters;
    const { name } = publication;
    try {
      await content.uploadStatus(name);
    } catch (error) {
      if (!(error instanceof BtPublisherError && error.code === "NOT_FOUND")) throw error;
      return catalogue.remove(name);
    }
    await catalogue.update({ ...publication, state: "uploading" });
  }

  /** Ends an upload for good. */
  async drop(name: string): Promise<void> {
    await this.#adapters.content.cancelUpload(name);
    await this.#adapters.catalogue.remove(name);
  }

  /** The record was lost, not the content: a backup of the catalogue was older. */
  async #adopt(held: PublishedContent): Promise<void> {
    const createdAt = this.#hooks.createdAt();
    const content = contentOf(held, createdAt);
    const { name } = held;
    await this.#adapters.catalogue.create({
      name,
      state: "published",
      createdAt,
      policy: held.policy,
      access: isMarkedPrivate(held.info) ? closedAccess : publicAccess,
      content,
    });
    this.#adapters.onEvent({ type: "adopted", name });
  }
}

/** For content whose record was lost, and that was not for everybody. */
const closedAccess: PublicationAccess = {
  catalogue: "private",
  level: "admitted",
  ownerId: undefined,
};

/** Whether `info` has BEP 27's flag: as its bytes say it, wherever they say it. */
function isMarkedPrivate(info: Uint8Array): boolean {
  return latin1(info).includes("7:privatei1e");
}

function contentOf(held: PublishedContent, publishedAt: UnixMillis): PublicationContent {
  const { infoHash, info, contentName, isDirectory, contentLength, files } = held;
  return { infoHash, info, contentName, isDirectory, contentLength, files, publishedAt };
}

/** Content that is published under another name already stays what it is there. */
async function tolerateConflict(action: Promise<unknown>): Promise<void> {
  try {
    await action;
  } catch (error) {
    if (!(error instanceof BtPublisherError && error.code === "CONFLICT")) throw error;
  }
}
