/**
 * Downloads on disk: content, resume data and a lock, side by side in one directory.
 *
 * The resume data says "open" from before the first write until after the last one. So a process
 * that is killed leaves content that the next start hashes, and resume data is never ahead of the
 * disk; one that ends in order leaves content that the next start takes as it is.
 */
import { realpath } from "node:fs/promises";
import type { Bitfield } from "../../base/bitfield.ts";
import { BtPublisherError } from "../../base/errors.ts";
import type { InfoHash } from "../../base/units.ts";
import type {
  DownloadStorage,
  OpenDownload,
  OpenDownloadOptions,
} from "../../ports/download-storage.ts";
import type { Metainfo } from "../../protocol/metainfo/metainfo.ts";
import { parseInfo } from "../../protocol/metainfo/parse.ts";
import type { ResumeFields } from "../../protocol/resume/resume-data.ts";
import { diskError } from "./disk-error.ts";
import { sha1 } from "./disk-hash.ts";
import { type DiskPieceStore, openDiskPieceStore } from "./disk-piece-store.ts";
import type { DiskPool } from "./disk-pool.ts";
import { type FileLock, systemBoot, takeFileLock } from "./file-lock.ts";
import { makeFolders } from "./make-folders.ts";
import { findResumeData, ResumeFile } from "./resume-file.ts";
import { findPieces, readMemory, savedFiles } from "./resume-pieces.ts";

/** See the port. */
export class DiskDownloadStorage implements DownloadStorage {
  readonly #pool: DiskPool;

  constructor(pool: DiskPool) {
    this.#pool = pool;
  }

  async open(metainfo: Metainfo, options: OpenDownloadOptions): Promise<OpenDownload> {
    const directory = await makeDirectory(options.directory);
    const resumeFile = new ResumeFile(directory, metainfo.info.name);
    const lock = await takeFileLock(resumeFile.lockPath);
    try {
      return await this.#openLocked({ metainfo, resumeFile, lock }, { ...options, directory });
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  async findMetainfo(infoHash: InfoHash, directory: string): Promise<Metainfo | undefined> {
    for await (const resume of findResumeData(directory)) {
      if (resume.infoHash !== infoHash) continue;
      const info = parseInfo(resume.info, { sha1 });
      if (!info.ok) continue;
      return {
        info: info.value,
        announceTiers: resume.announceTiers,
        webSeeds: resume.webSeeds,
        comment: undefined,
        createdBy: undefined,
        creationDate: undefined,
      };
    }
    return undefined;
  }

  async #openLocked(place: DownloadPlace, options: OpenDownloadOptions): Promise<OpenDownload> {
    const { info } = place.metainfo;
    const memory = await readMemory(place.resumeFile, info, options);
    const store = await openDiskPieceStore({
      info,
      directory: options.directory,
      mode: "download",
      overwrite: options.overwrite,
      pool: this.#pool,
    });
    try {
      const have = await findPieces(store, info, memory, options);
      return new DiskDownload(place, store, have);
    } catch (error) {
      await store.close();
      throw error;
    }
  }
}

interface DownloadPlace {
  readonly metainfo: Metainfo;
  readonly resumeFile: ResumeFile;
  readonly lock: FileLock;
}

class DiskDownload implements OpenDownload {
  readonly store: DiskPieceStore;
  readonly have: Bitfield;
  readonly #place: DownloadPlace;
  #begun = Promise.resolve();

  constructor(place: DownloadPlace, store: DiskPieceStore, have: Bitfield) {
    this.#place = place;
    this.store = store;
    this.have = have;
    // The first write waits for it, which waits for the disk itself; the network does not.
    store.writeAfter(() => (this.#begun = this.#begin()));
  }

  get path(): string {
    return this.store.path;
  }

  /** Before the first write: what an earlier run remembered is not true any more. */
  async #begin(): Promise<void> {
    if (this.have.isFull) await this.#place.resumeFile.remove();
    else await this.#remember({ phase: "open", pieces: new Uint8Array(0), files: [] });
  }

  async close(): Promise<void> {
    try {
      // Whether that failed does not matter any more: what follows says it all anew.
      await this.#begun.catch(() => undefined);
      if (this.have.isFull) await this.#finish();
      else await this.#suspend();
    } finally {
      try {
        await this.store.close();
      } finally {
        await this.#place.lock.release();
      }
    }
  }

  async #finish(): Promise<void> {
    await this.store.flush();
    await this.#place.resumeFile.remove();
  }

  /**
   * Flushing may take longer than somebody waits who wants to end the program. So what the next
   * start needs is there before; until the system restarts it is as good as after.
   */
  async #suspend(): Promise<void> {
    const found = { pieces: this.have.toBytes(), files: await savedFiles(this.store) };
    try {
      await this.#remember({ phase: "closed", ...found });
    } catch (error) {
      // A full disk: what was remembered first stands, and the next start checks everything.
      if (!(error instanceof BtPublisherError) || error.code !== "STORAGE_FULL") throw error;
      return this.store.flush();
    }
    try {
      await this.store.flush();
    } catch (error) {
      await this.#remember({ phase: "open", ...found });
      throw error;
    }
    await this.#remember({ phase: "durable", ...found });
  }

  async #remember(state: Pick<ResumeFields, "phase" | "pieces" | "files">): Promise<void> {
    const { info, announceTiers, webSeeds } = this.#place.metainfo;
    const boot = systemBoot();
    await this.#place.resumeFile.write({ ...state, boot, info: info.raw, announceTiers, webSeeds });
  }
}

/** Makes `directory` and returns its real path. */
async function makeDirectory(directory: string): Promise<string> {
  try {
    await makeFolders(directory);
    return await realpath(directory);
  } catch (error) {
    throw diskError(error, "create", directory);
  }
}
