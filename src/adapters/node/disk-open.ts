/**
 * The only way to a content file. Every directory on the way is looked at anew, no symbolic link is
 * followed, and what is not a regular file is neither opened (a FIFO would block, a device may act)
 * nor replaced. Synchronous: for disk threads only.
 *
 * Against somebody who swaps directories for links while a file is being opened, only the base
 * directory's permissions help: Node has no openat.
 */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  type Stats,
} from "node:fs";
import { join } from "node:path";
import { BtPublisherError } from "../../base/errors.ts";
import { diskError, errnoOf } from "./disk-error.ts";

/** What a file is opened for; `write` reads too, and makes the file and its directories. */
export type FileAccess = "read" | "write";

const NO_SURPRISE = constants.O_NOFOLLOW | constants.O_NONBLOCK;
const FLAGS = {
  read: constants.O_RDONLY | NO_SURPRISE,
  write: constants.O_RDWR | constants.O_CREAT | NO_SURPRISE,
} as const;

/**
 * Opens the file at `path` ("/" between elements) below the directory `base`.
 * @returns a descriptor, or undefined when there is no such file to read.
 * @throws BtPublisherError STORAGE_PATH, STORAGE_TYPE, STORAGE_FULL, STORAGE_IO.
 */
export function openContentFile(
  base: string,
  path: string,
  access: FileAccess,
): number | undefined {
  const full = join(base, path);
  try {
    if (access === "write") makeParents(base, path);
    const found = statContentFile(base, path, new Set());
    if (found === undefined && access === "read") return undefined;
    const fd = openSync(full, FLAGS[access], 0o666);
    if (fstatSync(fd).isFile()) return fd;
    closeSync(fd);
    throw notAFile(full);
  } catch (error) {
    throw diskError(error, "open", full);
  }
}

/**
 * Looks at the file at `path` below `base`. Directories in `known` are not looked at again; those
 * that were found good are added to it.
 * @returns undefined when there is no such file.
 * @throws BtPublisherError STORAGE_PATH for a link on the way, STORAGE_TYPE for what is no file.
 */
export function statContentFile(base: string, path: string, known: Set<string>): Stats | undefined {
  for (const directory of parentsOf(base, path)) {
    if (known.has(directory)) continue;
    const stats = statEntry(directory);
    if (stats === undefined) return undefined;
    assertDirectory(directory, stats);
    known.add(directory);
  }
  const full = join(base, path);
  const stats = statEntry(full);
  if (stats === undefined) return undefined;
  if (stats.isSymbolicLink()) throw linkInTheWay(full);
  if (!stats.isFile()) throw notAFile(full);
  return stats;
}

function makeParents(base: string, path: string): void {
  for (const directory of parentsOf(base, path)) {
    const stats = statEntry(directory);
    if (stats === undefined) makeDirectory(directory);
    else assertDirectory(directory, stats);
  }
}

function makeDirectory(directory: string): void {
  try {
    mkdirSync(directory);
  } catch (error) {
    // Another thread may have made it in between; what it is will be looked at once more.
    if (errnoOf(error) !== "EEXIST") throw diskError(error, "create", directory);
  }
}

/** The directories between `base` and the file, outermost first. */
function parentsOf(base: string, path: string): string[] {
  const elements = path.split("/");
  return elements.slice(0, -1).map((_, i) => join(base, ...elements.slice(0, i + 1)));
}

function statEntry(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw diskError(error, "inspect", path);
  }
}

function assertDirectory(path: string, stats: Stats): void {
  if (stats.isSymbolicLink()) throw linkInTheWay(path);
  if (stats.isDirectory()) return;
  throw new BtPublisherError(
    "STORAGE_TYPE",
    `${JSON.stringify(path)} is not a directory; move it away`,
    { detail: { path } },
  );
}

function linkInTheWay(path: string): BtPublisherError {
  return new BtPublisherError(
    "STORAGE_PATH",
    `${JSON.stringify(path)} is a symbolic link, and links are not followed; ` +
      "name the directory it leads to, or replace the link by what it leads to",
    { detail: { path } },
  );
}

function notAFile(path: string): BtPublisherError {
  return new BtPublisherError(
    "STORAGE_TYPE",
    `${JSON.stringify(path)} is not a regular file; move it away`,
    { detail: { path } },
  );
}
