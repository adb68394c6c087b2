/** The content service of whichever SourceNode the Tracker knows now. */
import {
  ContentServiceClient,
  type ContentServiceClientOptions,
} from "../../adapters/node/content-service-client.ts";
import { BtPublisherError } from "../../base/errors.ts";
import type { UnixMillis } from "../../base/units.ts";
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
} from "../../ports/content-service.ts";
import type { PublicationPolicy } from "../../ports/publication-policy.ts";
import type { PublicationLook, SourceLook } from "../../ports/source-look.ts";
import type { AnnouncerControlLink } from "../../ports/tracker-control.ts";

/** Finds the SourceNode anew for each call; UNAVAILABLE while there is none. */
export class RemoteContent implements ContentService {
  readonly #control: AnnouncerControlLink;
  readonly #options: Omit<ContentServiceClientOptions, "baseUrl">;

  constructor(
    control: AnnouncerControlLink,
    options: Omit<ContentServiceClientOptions, "baseUrl">,
  ) {
    this.#control = control;
    this.#options = options;
  }

  async beginUpload(plan: ContentPlan): Promise<UploadStatus> {
    return (await this.#source()).beginUpload(plan);
  }

  async uploadStatus(name: string): Promise<UploadStatus> {
    return (await this.#source()).uploadStatus(name);
  }

  async appendFile(
    name: string,
    file: { readonly fileIndex: number; readonly offset: number },
    body: UploadBody,
  ): Promise<UploadStatus> {
    return (await this.#source()).appendFile(name, file, body);
  }

  async cancelUpload(name: string): Promise<void> {
    return (await this.#source()).cancelUpload(name);
  }

  async publishUpload(
    name: string,
    options: PublishOptions,
    onProgress?: PublishProgress,
  ): Promise<PublishedContent> {
    return (await this.#source()).publishUpload(name, options, onProgress);
  }

  async publishLocal(
    content: LocalContent,
    options: PublishOptions,
    onProgress?: PublishProgress,
  ): Promise<PublishedContent> {
    return (await this.#source()).publishLocal(content, options, onProgress);
  }

  async setPolicy(name: string, policy: PublicationPolicy): Promise<void> {
    return (await this.#source()).setPolicy(name, policy);
  }

  async unpublish(name: string): Promise<void> {
    return (await this.#source()).unpublish(name);
  }

  async list(): Promise<readonly PublishedContent[]> {
    return (await this.#source()).list();
  }

  async withdrawals(): Promise<readonly Withdrawal[]> {
    return (await this.#source()).withdrawals();
  }

  async *watch(): AsyncIterable<SourceLook> {
    yield* (await this.#source()).watch();
  }

  async *watchPublication(name: string): AsyncIterable<PublicationLook> {
    yield* (await this.#source()).watchPublication(name);
  }

  async *ledger(
    name: string,
    filter: { readonly since?: UnixMillis } = {},
  ): AsyncIterable<LedgerEntry> {
    yield* (await this.#source()).ledger(name, filter);
  }

  async #source(): Promise<ContentService> {
    const sources = await this.#control.sources();
    const source = sources.find(({ isAlive }) => isAlive) ?? sources[0];
    if (source === undefined) {
      throw new BtPublisherError("UNAVAILABLE", "no SourceNode is connected to the Tracker");
    }
    return new ContentServiceClient({ ...this.#options, baseUrl: source.publicUrl });
  }
}
