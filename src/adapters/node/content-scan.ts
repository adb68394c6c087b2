/**
 * Finds the files of content to publish: regular files only, in the order that they get in the
 * torrent. What not everybody could write to a disk again is refused, with its path.
 */
import type { Dirent } from "node:fs";
import { lstat, readdir, realpath } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { parseUtf8 } from "../../base/bytes.ts";
import { BtPublisherError, unwrap } from "../../base/errors.ts";
import type { ContentTree } from "../../ports/content-inspector.ts";
import { checkContent } from "../../protocol/metainfo/create.ts";
import { MAX_FILE_COUNT } from "../../protocol/metainfo/limits.ts";
import { MAX_PATH_DEPTH } from "../../protocol/metainfo/safe-path.ts";
import { changedWhileHashing, diskError, errnoOf } from "./disk-error.ts";
import type { DiskPool } from "./disk-pool.ts";

/** Entries that a message tells of: more are no help on a screen. */
const MAX_TOLD_FLAWS = 10;

/** Where a tree's files are, for disk jobs. */
export interface TreePlaces {
  /** A directory's real path. */
  readonly base: string;
  /** By file: its path below `base`, elements joined by "/". */
  readonly paths: readonly string[];
}

/**
 * The content at `path`. A symbolic link there is followed, and keeps its name; links inside are
 * refused. Names are sorted by their bytes, directory by directory.
 * @throws BtPublisherError NO_INPUT; STORAGE_TYPE for what is neither file nor directory; META_...
 * for names that cannot be published, too many files, or no byte at all; STORAGE_IO.
 */
export async function scanContent(pool: DiskPool, path: string): Promise<ContentTree> {
  const contentName = basename(resolve(path));
  const real = await realPathOf(path);
  const isDirectory = await isDirectoryAt(real);
  const found = isDirectory ? await findFiles(real) : [[contentName]];
  const places = placesOf({ path: real, isDirectory }, found);
  const states = await pool.run({ type: "stat", ...places });
  const files = found.map((elements, i) => {
    const length = states[i]?.size;
    // Gone since the directory was read.
    if (length === undefined) throw changedWhileHashing(join(places.base, places.paths[i] ?? ""));
    return { path: elements, length };
  });
  unwrap(checkContent({ name: contentName, isDirectory, files }));
  return { path: real, contentName, isDirectory, files };
}

/** Where the files of a tree with these paths are. */
export function placesOf(
  tree: Pick<ContentTree, "path" | "isDirectory">,
  paths: readonly (readonly string[])[],
): TreePlaces {
  // From the directory above, so that the content itself must not be a link either.
  const root = basename(tree.path);
  return {
    base: dirname(tree.path),
    paths: paths.map((elements) => (tree.isDirectory ? [root, ...elements].join("/") : root)),
  };
}

async function realPathOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw diskError(error, "open", path);
    throw new BtPublisherError("NO_INPUT", `there is no ${JSON.stringify(path)}`, {
      detail: { path },
    });
  }
}

async function isDirectoryAt(path: string): Promise<boolean> {
  try {
    const stats = await lstat(path);
    if (!stats.isFile() && !stats.isDirectory()) throw special(path);
    return stats.isDirectory();
  } catch (error) {
    throw diskError(error, "inspect", path);
  }
}

/** Entries that cannot be published; all are told at once, as far as a screen has room. */
class Flaws {
  #first: BtPublisherError | undefined;
  readonly #told: string[] = [];
  #untoldCount = 0;

  add(flaw: BtPublisherError): void {
    this.#first ??= flaw;
    if (this.#told.length < MAX_TOLD_FLAWS) this.#told.push(flaw.message);
    else this.#untoldCount++;
  }

  /** @throws the first one, with the messages of all. */
  assertNone(): void {
    if (this.#first === undefined) return;
    const { code, detail } = this.#first;
    const rest = this.#untoldCount > 0 ? [`and ${this.#untoldCount} more`] : [];
    throw new BtPublisherError(code, [...this.#told, ...rest].join("\n"), { detail });
  }
}

/** Paths of the files below `root`, as elements. */
async function findFiles(root: string): Promise<string[][]> {
  const found: string[][] = [];
  const flaws = new Flaws();
  const walk = async (directory: readonly string[]): Promise<void> => {
    if (directory.length > MAX_PATH_DEPTH) throw tooDeep(join(root, ...directory));
    for (const entry of await listDirectory(join(root, ...directory))) {
      const name = parseUtf8(entry.name);
      if (name === undefined) {
        flaws.add(notUtf8(entry, join(root, ...directory)));
        continue;
      }
      const elements = [...directory, name];
      if (entry.isDirectory()) await walk(elements);
      else if (entry.isFile()) found.push(elements);
      else flaws.add(special(join(root, ...elements), entry.isSymbolicLink()));
      if (found.length > MAX_FILE_COUNT) throw tooMany(root);
    }
  };
  await walk([]);
  flaws.assertNone();
  return found;
}

/** What is in a directory, sorted by the bytes of its names. */
async function listDirectory(path: string): Promise<Dirent<NonSharedBuffer>[]> {
  try {
    const entries = await readdir(path, { withFileTypes: true, encoding: "buffer" });
    return entries.sort((a, b) => Buffer.compare(a.name, b.name));
  } catch (error) {
    throw diskError(error, "read", path);
  }
}

function notUtf8(entry: Dirent<NonSharedBuffer>, directory: string): BtPublisherError {
  const shown = JSON.stringify(join(directory, entry.name.toString("latin1")));
  return new BtPublisherError("META_NAME", `the name of ${shown} is not UTF-8: please rename it`);
}

function special(path: string, isLink = false): BtPublisherError {
  const what = isLink
    ? "a symbolic link; put what it leads to in its place, or remove it"
    : "neither a file nor a directory; remove it";
  return new BtPublisherError(
    "STORAGE_TYPE",
    `${JSON.stringify(path)} cannot be published: it is ${what}`,
    { detail: { path } },
  );
}

function tooDeep(path: string): BtPublisherError {
  return new BtPublisherError(
    "META_PATH_DEPTH",
    `${JSON.stringify(path)} is more than ${MAX_PATH_DEPTH} directories deep`,
  );
}

function tooMany(path: string): BtPublisherError {
  return new BtPublisherError(
    "META_TOO_MANY_FILES",
    `${JSON.stringify(path)} holds more than ${MAX_FILE_COUNT} files; pack them into an archive`,
  );
}
