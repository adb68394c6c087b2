/**
 * Publications on disk: `ROOT/NAME/publication.json`, and our copy below `ROOT/NAME/files`.
 * A folder below ROOT is a publication; it comes into being and goes away by one rename, and
 * everything in it has reached the disk before it comes.
 */
import { mkdir, open, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { BtPublisherError } from "../../base/errors.ts";
import type { PublishedContent } from "../../ports/content-service.ts";
import type {
  DamagedPublication,
  PublicationStore,
  StoredPublication,
} from "../../ports/content-storage.ts";
import { encodeStoredPublication, parseStoredPublication } from "./content-service-messages.ts";
import { diskError, errnoOf } from "./disk-error.ts";

const RECORD = "publication.json";

/** Where the store lies; all on one file system, since a commit is a rename. */
export interface PublicationFolders {
  /** Of the publications. */
  readonly content: string;
  /** Of the staging areas (`FileStagingStore`). */
  readonly staging: string;
  /** Of what is being made or deleted; emptied at each start. */
  readonly scratch: string;
}

/** `PublicationStore` on a file system. One process only; names are checked by the role. */
export class FilePublicationStore implements PublicationStore {
  readonly #folders: PublicationFolders;
  #scratchCount = 0;

  constructor(folders: PublicationFolders) {
    this.#folders = folders;
  }

  async load(): Promise<{
    readonly publications: readonly StoredPublication[];
    readonly damaged: readonly DamagedPublication[];
  }> {
    await rm(this.#folders.scratch, { recursive: true, force: true });
    await makeDirectory(this.#folders.content);
    const publications: StoredPublication[] = [];
    const damaged: DamagedPublication[] = [];
    for (const name of await readdir(this.#folders.content)) {
      const read = await this.#read(name);
      if ("message" in read) damaged.push(read);
      else publications.push(read);
    }
    return { publications, damaged };
  }

  async commit(publication: StoredPublication): Promise<void> {
    const { name, localPath } = publication.content;
    const made =
      localPath === undefined ? join(this.#folders.staging, name) : await this.#newScratch();
    const target = join(this.#folders.content, name);
    await makeDirectory(this.#folders.content);
    await makeDirectory(made);
    await writeRecord(made, publication);
    await syncTree(made);
    try {
      // Fails when a publication of that name exists: its folder is not empty.
      await rename(made, target);
    } catch (cause) {
      if (errnoOf(cause) === "ENOTEMPTY" || errnoOf(cause) === "EEXIST") throw nameTaken(name);
      throw diskError(cause, "create", target);
    }
    try {
      await sync(this.#folders.content);
      await sync(dirname(made));
    } catch (cause) {
      // It could be gone after a power cut, so it must not count as published.
      await rename(target, made);
      throw cause;
    }
  }

  async update(publication: StoredPublication): Promise<void> {
    const folder = join(this.#folders.content, publication.content.name);
    await writeRecord(folder, publication);
    await sync(folder);
  }

  contentPath(content: PublishedContent): string {
    if (content.localPath !== undefined) return content.localPath;
    return join(this.#folders.content, content.name, "files", content.contentName);
  }

  filePath(content: PublishedContent, fileIndex: number): string {
    const root = this.contentPath(content);
    return content.isDirectory ? join(root, ...(content.files[fileIndex]?.path ?? [])) : root;
  }

  async remove(name: string): Promise<void> {
    const folder = join(this.#folders.content, name);
    const grave = await this.#newScratch();
    try {
      await rename(folder, grave);
    } catch (cause) {
      if (errnoOf(cause) === "ENOENT") return;
      throw diskError(cause, "remove", folder);
    }
    try {
      await sync(this.#folders.content);
    } catch (cause) {
      // It could be back after a power cut, so it must not count as removed.
      await rename(grave, folder);
      throw cause;
    }
    // What cannot be deleted now is deleted at the next start.
    await rm(grave, { recursive: true, force: true }).catch(() => undefined);
  }

  async #read(name: string): Promise<StoredPublication | DamagedPublication> {
    const path = join(this.#folders.content, name, RECORD);
    try {
      const publication = parseStoredPublication(await readFile(path, "utf8"));
      if (!publication.ok) return { name, message: `${path}: ${publication.message}` };
      if (publication.value.content.name === name) return publication.value;
      return { name, message: `${path} names ${publication.value.content.name}` };
    } catch (cause) {
      return { name, message: diskError(cause, "read", path).message };
    }
  }

  /** Path of something new in the scratch folder, which exists. */
  async #newScratch(): Promise<string> {
    await makeDirectory(this.#folders.scratch);
    this.#scratchCount++;
    return join(this.#folders.scratch, String(this.#scratchCount));
  }
}

/** Replaces the record in one step; it has reached the disk before it appears. */
async function writeRecord(folder: string, publication: StoredPublication): Promise<void> {
  const path = join(folder, RECORD);
  try {
    await writeFile(`${path}.new`, encodeStoredPublication(publication), { flush: true });
    await rename(`${path}.new`, path);
  } catch (cause) {
    throw diskError(cause, "write", path);
  }
}

/** Returns once every file and directory below `path` has reached the disk. */
async function syncTree(path: string): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true });
  for (const entry of entries) {
    const child = join(path, entry.name);
    if (entry.isDirectory()) await syncTree(child);
    else if (entry.isFile()) await sync(child);
  }
  await sync(path);
}

async function sync(path: string): Promise<void> {
  try {
    const handle = await open(path, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw diskError(cause, "sync", path);
  }
}

async function makeDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true }).catch((cause: unknown) => {
    throw diskError(cause, "create", path);
  });
}

function nameTaken(name: string): BtPublisherError {
  const message = `there is a publication named ${name} already: unpublish it first`;
  return new BtPublisherError("CONFLICT", message, { detail: { name } });
}
