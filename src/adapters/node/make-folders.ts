/**
 * Makes a folder and those above it, one by one: `mkdir` with `recursive` never returns where a
 * file system takes no folders (Node 24 below /proc asks again and again).
 */
import { mkdir, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { BtPublisherError } from "../../base/errors.ts";
import { diskError, errnoOf } from "./disk-error.ts";

/**
 * Makes the folder `path`, unless it is there. `mode` is that of all folders made (default: what
 * the umask leaves of 0o777).
 * @throws BtPublisherError STORAGE_TYPE when a file is in the way; STORAGE_PATH, STORAGE_FULL,
 * STORAGE_IO.
 */
export async function makeFolders(path: string, mode?: number): Promise<void> {
  const stats = await stat(path).catch(() => undefined);
  if (stats?.isDirectory() === true) return;
  for (const folder of foldersOf(resolve(path))) await makeFolder(folder, mode);
}

/** `path` and all folders above it, outermost first. */
function foldersOf(path: string): readonly string[] {
  const above = dirname(path);
  return above === path ? [path] : [...foldersOf(above), path];
}

async function makeFolder(path: string, mode: number | undefined): Promise<void> {
  try {
    await mkdir(path, mode);
  } catch (cause) {
    // Whatever the system says of a folder that is there: it may not even be allowed to be made.
    const stats = await stat(path).catch(() => undefined);
    if (stats?.isDirectory() === true) return;
    if (stats !== undefined) throw fileInTheWay(path);
    throw errnoOf(cause) === "ENOENT" ? noPlace(path) : diskError(cause, "create", path);
  }
}

function fileInTheWay(path: string): BtPublisherError {
  const message = `${JSON.stringify(path)} is a file where a folder is needed; name another folder, or move it away`;
  return new BtPublisherError("STORAGE_TYPE", message, { detail: { path } });
}

/** The folder above is there, and does not take it all the same. */
function noPlace(path: string): BtPublisherError {
  const message = `cannot create ${JSON.stringify(path)}: its file system takes no folders there; name another one`;
  return new BtPublisherError("STORAGE_PATH", message, { detail: { path } });
}
