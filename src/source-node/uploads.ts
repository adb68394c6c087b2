/** All uploads of a SourceNode: opened, filled, dropped, and expired when nobody goes on. */
import { equalBytes } from "../base/bytes.ts";
import { BtPublisherError } from "../base/errors.ts";
import type { Millis } from "../base/units.ts";
import type { ContentPlan } from "../ports/content-service.ts";
import type { StagedUpload } from "../ports/content-storage.ts";
import { assertPublishablePlan } from "./content-plan.ts";
import { storageFull, Upload, type UploadDependencies } from "./upload.ts";

/** An upload that nobody used for this long is dropped (F-62). */
const MAX_IDLE_MS: Millis = 24 * 3_600_000;
/** Room that stays on the disk for records and ledgers. */
const RESERVE_BYTES = 64 * 1024 * 1024;

/** Calls for the same name come one after the other; that is its owner's duty. */
export class Uploads {
  readonly #dependencies: UploadDependencies;
  readonly #byName = new Map<string, Upload>();

  constructor(dependencies: UploadDependencies) {
    this.#dependencies = dependencies;
  }

  /** Takes in what earlier runs left. */
  restore(staged: StagedUpload): void {
    this.#byName.set(staged.plan.name, new Upload(staged, this.#dependencies));
  }

  get(name: string): Upload | undefined {
    return this.#byName.get(name);
  }

  /** @throws NOT_FOUND */
  need(name: string): Upload {
    const upload = this.#byName.get(name);
    if (upload !== undefined) return upload;
    throw new BtPublisherError("NOT_FOUND", `there is no upload named ${name}`);
  }

  /** As `ContentService.beginUpload`, for a name that is not published. */
  async begin(plan: ContentPlan): Promise<Upload> {
    assertPublishablePlan(plan, this.#dependencies.sha1);
    const open = this.#byName.get(plan.name);
    if (open !== undefined) return joined(open, plan);
    await this.#assertRoom(plan);
    const touchedAt = this.#dependencies.clock.unixNow();
    await this.#dependencies.staging.create(plan, touchedAt);
    const receivedBytes = plan.files.map(() => 0);
    const upload = new Upload({ plan, receivedBytes, touchedAt }, this.#dependencies);
    this.#byName.set(plan.name, upload);
    return upload;
  }

  /** Drops an upload and its staging area. Idempotent. */
  async drop(name: string): Promise<void> {
    this.forget(name);
    await this.#dependencies.staging.remove(name);
  }

  /** Its staging area became a publication. */
  forget(name: string): void {
    const upload = this.#byName.get(name);
    if (upload !== undefined) upload.isDropped = true;
    this.#byName.delete(name);
  }

  /** Names of the uploads that nobody used for a day. */
  get expired(): readonly string[] {
    const oldest = this.#dependencies.clock.unixNow() - MAX_IDLE_MS;
    const expired = [...this.#byName.values()].filter(
      (upload) => upload.touchedAt < oldest && !upload.isWriting && !upload.isSealed,
    );
    return expired.map((upload) => upload.plan.name);
  }

  /** What other uploads will still need is taken already. */
  async #assertRoom(plan: ContentPlan): Promise<void> {
    const neededBytes = plan.files.reduce((sum, file) => sum + file.length, 0);
    let freeBytes = (await this.#dependencies.staging.freeBytes()) - RESERVE_BYTES;
    for (const upload of this.#byName.values()) freeBytes -= upload.missingBytes;
    if (neededBytes <= freeBytes) return;
    throw storageFull(plan.name, neededBytes, Math.max(0, freeBytes));
  }
}

/** The open upload, when `plan` is its plan. */
function joined(open: Upload, plan: ContentPlan): Upload {
  if (isSamePlan(open.plan, plan)) return open;
  const message =
    `an upload named ${plan.name} with other files, or another .torrent to keep, is open; ` +
    "cancel it first, or choose another name";
  throw new BtPublisherError("CONFLICT", message, { detail: { reason: "OTHER_PLAN" } });
}

function isSamePlan(a: ContentPlan, b: ContentPlan): boolean {
  return (
    a.contentName === b.contentName &&
    a.isDirectory === b.isDirectory &&
    isSameInfo(a.keptInfo, b.keptInfo) &&
    a.files.length === b.files.length &&
    a.files.every((file, i) => isSameFile(file, b.files[i]))
  );
}

function isSameInfo(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === undefined || b === undefined ? a === b : equalBytes(a, b);
}

function isSameFile(
  a: ContentPlan["files"][number],
  b: ContentPlan["files"][number] | undefined,
): boolean {
  return a.length === b?.length && a.sha256 === b.sha256 && a.path.join("/") === b.path.join("/");
}
