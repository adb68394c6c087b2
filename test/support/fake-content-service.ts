/** A SourceNode's content service in memory, that can be told to fail and to wait. */
import { createHash } from "node:crypto";
import { concatBytes, parseInfoHash } from "../../src/base/bytes.ts";
import { BtPublisherError } from "../../src/base/errors.ts";
import type { InfoHash } from "../../src/base/units.ts";
import type {
  ContentPlan,
  ContentService,
  LedgerEntry,
  PublishedContent,
  PublishOptions,
  PublishProgress,
  UploadStatus,
  Withdrawal,
} from "../../src/ports/content-service.ts";
import type { PublicationLook, SourceLook } from "../../src/ports/source-look.ts";
import { encodeBencode } from "../../src/protocol/bencode/encode.ts";
import { defaultPolicy, type PublicationPolicy } from "../../src/ports/publication-policy.ts";

interface FakeUpload {
  readonly plan: ContentPlan;
  readonly bytes: Uint8Array[];
}

/** Keeps its state when "the Announcer" restarts: give the same one to the next. */
export class FakeContentService implements ContentService {
  readonly uploads = new Map<string, FakeUpload>();
  readonly published = new Map<string, PublishedContent>();
  /** What lies on its disk, by path. */
  readonly disk = new Map<string, Uint8Array>();
  /** What it does not serve. */
  withdrawn: readonly Withdrawal[] = [];
  readonly ledgerEntries: LedgerEntry[] = [];
  /** Called before each call does its work; throw or wait in it. */
  before: (call: string) => void | Promise<void> = () => undefined;

  async beginUpload(plan: ContentPlan): Promise<UploadStatus> {
    await this.before("beginUpload");
    if (plan.files.some(({ path }) => path.includes(".."))) {
      throw new BtPublisherError("USAGE", 'a path may not contain ".."');
    }
    const open = this.uploads.get(plan.name);
    if (open !== undefined && JSON.stringify(open.plan) !== JSON.stringify(plan)) {
      throw new BtPublisherError("CONFLICT", "another upload of that name is open");
    }
    if (open === undefined) {
      this.uploads.set(plan.name, { plan, bytes: plan.files.map(() => new Uint8Array(0)) });
    }
    return this.uploadStatus(plan.name);
  }

  async uploadStatus(name: string): Promise<UploadStatus> {
    await this.before("uploadStatus");
    return { name, receivedBytes: this.#upload(name).bytes.map(({ length }) => length) };
  }

  async appendFile(
    name: string,
    file: { readonly fileIndex: number; readonly offset: number },
    body: AsyncIterable<Uint8Array>,
  ): Promise<UploadStatus> {
    await this.before("appendFile");
    const { plan, bytes } = this.#upload(name);
    const planned = plan.files[file.fileIndex];
    if (planned === undefined) throw new BtPublisherError("NOT_FOUND", "no such file");
    if (bytes[file.fileIndex]?.length !== file.offset) {
      throw new BtPublisherError("CONFLICT", "the file goes on from another offset");
    }
    for await (const part of body) {
      const whole = concatBytes([bytes[file.fileIndex] as Uint8Array, part]);
      if (whole.length > planned.length) throw new BtPublisherError("USAGE", "too long");
      bytes[file.fileIndex] = whole;
    }
    return this.uploadStatus(name);
  }

  async cancelUpload(name: string): Promise<void> {
    await this.before("cancelUpload");
    this.uploads.delete(name);
  }

  async publishUpload(
    name: string,
    options: PublishOptions,
    onProgress?: PublishProgress,
  ): Promise<PublishedContent> {
    await this.before("publishUpload");
    const done = this.published.get(name);
    if (done !== undefined) return done;
    const { plan, bytes } = this.#upload(name);
    plan.files.forEach(({ length }, index) => {
      if (bytes[index]?.length !== length) {
        throw new BtPublisherError("CONFLICT", "the upload is not complete");
      }
    });
    const content = this.#publish(plan, bytes, options.isPrivate);
    onProgress?.(content.contentLength, content.contentLength);
    this.uploads.delete(name);
    await this.before("published");
    return content;
  }

  async publishLocal(
    { name, path }: { readonly name: string; readonly path: string },
    _options: unknown,
    onProgress?: PublishProgress,
  ): Promise<PublishedContent> {
    await this.before("publishLocal");
    const bytes = this.disk.get(path);
    if (bytes === undefined) throw new BtPublisherError("NO_INPUT", `there is nothing at ${path}`);
    const contentName = path.slice(path.lastIndexOf("/") + 1);
    const files = [{ path: [contentName], length: bytes.length }];
    onProgress?.(bytes.length, bytes.length);
    return this.#publish({ name, contentName, isDirectory: false, files }, [bytes]);
  }

  async unpublish(name: string): Promise<void> {
    await this.before("unpublish");
    this.published.delete(name);
  }

  async list(): Promise<readonly PublishedContent[]> {
    await this.before("list");
    return [...this.published.values()];
  }

  async setPolicy(name: string, policy: PublicationPolicy): Promise<void> {
    await this.before("setPolicy");
    const content = this.published.get(name);
    if (content === undefined) throw new BtPublisherError("NOT_FOUND", "no such publication");
    this.published.set(name, { ...content, policy });
  }

  async withdrawals(): Promise<readonly Withdrawal[]> {
    await this.before("withdrawals");
    return this.withdrawn;
  }

  /** What those who watch are told, in order; then they wait until `endLooks`. */
  looks: readonly SourceLook[] = [];
  publicationLooks: readonly PublicationLook[] = [];

  async *watch(): AsyncIterable<SourceLook> {
    await this.before("watch");
    yield* this.looks;
  }

  async *watchPublication(): AsyncIterable<PublicationLook> {
    await this.before("watchPublication");
    yield* this.publicationLooks;
  }

  async *ledger(): AsyncIterable<LedgerEntry> {
    yield* this.ledgerEntries;
  }

  #upload(name: string): FakeUpload {
    const upload = this.uploads.get(name);
    if (upload === undefined) throw new BtPublisherError("NOT_FOUND", "no such upload");
    return upload;
  }

  #publish(plan: ContentPlan, bytes: readonly Uint8Array[], isPrivate = false): PublishedContent {
    const files = plan.files.map((file, index) => ({
      ...file,
      sha256: createHash("sha256")
        .update(bytes[index] as Uint8Array)
        .digest("hex"),
    }));
    const whole = concatBytes(bytes);
    const info = encodeBencode({
      name: plan.contentName,
      length: whole.length,
      "piece length": 2 ** 14,
      pieces: createHash("sha1").update(whole).digest(),
      ...(isPrivate && { private: 1 }),
    });
    const infoHash = parseInfoHash(createHash("sha1").update(info).digest("hex")) as InfoHash;
    for (const other of this.published.values()) {
      if (other.infoHash === infoHash) {
        throw new BtPublisherError("CONFLICT", `published as ${other.name} already`, {
          detail: { reason: "ALREADY_PUBLISHED", name: other.name },
        });
      }
    }
    const content = {
      name: plan.name,
      infoHash,
      info,
      contentName: plan.contentName,
      isDirectory: plan.isDirectory,
      files,
      contentLength: whole.length,
      policy: defaultPolicy,
      localPath: undefined,
    };
    this.published.set(plan.name, content);
    return content;
  }
}
