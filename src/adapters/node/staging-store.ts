/**
 * Staging areas on disk: `ROOT/NAME/plan.json`, and the upload itself below `ROOT/NAME/files`, in
 * the layout that it will have as content. What was received is what the files hold, so that a
 * kill at any moment loses only bytes that were never acknowledged.
 */
import { constants } from "node:fs";
import {
  type FileHandle,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  statfs,
  utimes,
  writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import type { UnixMillis } from "../../base/units.ts";
import type { ContentPlan } from "../../ports/content-service.ts";
import type {
  ArrivedHashes,
  StagedFile,
  StagedUpload,
  StagingStore,
} from "../../ports/content-storage.ts";
import { parsePlan, planJson } from "./content-service-messages.ts";
import { diskError, errnoOf } from "./disk-error.ts";
import { openStagedFile } from "./staged-file.ts";
import { StagingHashes } from "./staging-hashes.ts";
import { StagingWriter } from "./staging-writer.ts";

/** For writing, and never through a link that somebody put there. */
const APPEND_FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW;

/** `StagingStore` on a file system. One process only; names are checked by the role. */
export class FileStagingStore implements StagingStore {
  readonly #root: string;
  readonly #writer = new StagingWriter();
  /** They go when nobody has the plan any more. */
  readonly #hashes = new WeakMap<ContentPlan, StagingHashes>();

  /** `root` must be on the file system of the publications: a commit is a rename. */
  constructor(root: string) {
    this.#root = root;
  }

  async list(): Promise<readonly StagedUpload[]> {
    await makeDirectory(this.#root);
    const uploads: StagedUpload[] = [];
    for (const name of await readdir(this.#root)) {
      const upload = await this.#read(name);
      if (upload === undefined) await this.remove(name);
      else uploads.push(upload);
    }
    return uploads;
  }

  async create(plan: ContentPlan, now: UnixMillis): Promise<void> {
    await this.remove(plan.name);
    await makeDirectory(this.#folder(plan.name));
    const path = this.#planPath(plan.name);
    try {
      await writeFile(`${path}.new`, JSON.stringify(planJson(plan)), { flush: true });
      await rename(`${path}.new`, path);
    } catch (cause) {
      throw diskError(cause, "write", path);
    }
    await this.touch(plan.name, now);
  }

  async openFile(plan: ContentPlan, fileIndex: number): Promise<StagedFile> {
    const path = this.#filePath(plan, fileIndex);
    const handle = await openToAppend(path);
    const [hashes, writer] = [this.#hashesOf(plan), this.#writer];
    return openStagedFile({ path, handle, fileIndex, hashes, writer });
  }

  hashes(plan: ContentPlan): ArrivedHashes {
    return this.#hashesOf(plan).arrived;
  }

  async touch(name: string, now: UnixMillis): Promise<void> {
    // Taken away meanwhile by a cancel: then nobody needs the time.
    await utimes(this.#planPath(name), now / 1000, now / 1000).catch(() => undefined);
  }

  async seal(plan: ContentPlan): Promise<void> {
    for (const [fileIndex, file] of plan.files.entries()) {
      if (file.length === 0) await makeFile(this.#filePath(plan, fileIndex));
    }
  }

  contentPath(plan: ContentPlan): string {
    return join(this.#folder(plan.name), "files", plan.contentName);
  }

  async remove(name: string): Promise<void> {
    const folder = this.#folder(name);
    await rm(folder, { recursive: true, force: true }).catch((cause: unknown) => {
      throw diskError(cause, "remove", folder);
    });
  }

  async freeBytes(): Promise<number> {
    await makeDirectory(this.#root);
    const { bavail, bsize } = await statfs(this.#root);
    return bavail * bsize;
  }

  close(): Promise<void> {
    return this.#writer.close();
  }

  #hashesOf(plan: ContentPlan): StagingHashes {
    let hashes = this.#hashes.get(plan);
    if (hashes === undefined) {
      hashes = new StagingHashes(plan);
      this.#hashes.set(plan, hashes);
    }
    return hashes;
  }

  /** The staging area `name`, or undefined when it was not finished being made. */
  async #read(name: string): Promise<StagedUpload | undefined> {
    const path = this.#planPath(name);
    const text = await readFile(path, "utf8").catch(() => "");
    const plan = parsePlan(text);
    if (!plan.ok || plan.value.name !== name) return undefined;
    const receivedBytes: number[] = [];
    for (const fileIndex of plan.value.files.keys()) {
      receivedBytes.push(await lengthOf(this.#filePath(plan.value, fileIndex)));
    }
    return { plan: plan.value, receivedBytes, touchedAt: (await lstat(path)).mtimeMs };
  }

  #folder(name: string): string {
    return join(this.#root, name);
  }

  #planPath(name: string): string {
    return join(this.#folder(name), "plan.json");
  }

  #filePath(plan: ContentPlan, fileIndex: number): string {
    const path = plan.files[fileIndex]?.path ?? [];
    return plan.isDirectory ? join(this.contentPath(plan), ...path) : this.contentPath(plan);
  }
}

async function openToAppend(path: string): Promise<FileHandle> {
  await makeDirectory(dirname(path));
  try {
    return await open(path, APPEND_FLAGS, 0o644);
  } catch (cause) {
    throw diskError(cause, "open", path);
  }
}

/** Makes an empty file, unless there is one. */
async function makeFile(path: string): Promise<void> {
  await (await openToAppend(path)).close();
}

async function lengthOf(path: string): Promise<number> {
  try {
    const stats = await lstat(path);
    return stats.isFile() ? stats.size : 0;
  } catch (cause) {
    if (errnoOf(cause) === "ENOENT" || errnoOf(cause) === "ENOTDIR") return 0;
    throw diskError(cause, "inspect", path);
  }
}

async function makeDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true }).catch((cause: unknown) => {
    throw diskError(cause, "create", path);
  });
}
