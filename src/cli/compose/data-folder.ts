/** The folder of a server: everything that must survive, held by one process at a time. */
import { join, resolve } from "node:path";
import { takeFileLock } from "../../adapters/node/file-lock.ts";
import { makeFolders } from "../../adapters/node/make-folders.ts";

/** A folder that this process holds. */
export interface DataFolder {
  /** Absolute. */
  readonly path: string;
  /** Path of what is in it. */
  pathOf(...elements: readonly string[]): string;
  /** Lets the next process have it. */
  release(): Promise<void>;
}

/**
 * Makes the folder, for its owner only, or takes it over.
 * @throws BtPublisherError LOCKED when another server works there; a code of the disk.
 */
export async function openDataFolder(path: string): Promise<DataFolder> {
  const absolute = resolve(path);
  await makeFolders(absolute, 0o700);
  const lock = await takeFileLock(join(absolute, "lock"));
  return {
    path: absolute,
    pathOf: (...elements) => join(absolute, ...elements),
    release: () => lock.release(),
  };
}
