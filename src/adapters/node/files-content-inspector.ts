/** `ContentInspector` for content on a file system: finds it, looks at it, hashes it on all cores. */
import { lstat, readdir, realpath } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { toHex } from "../../base/bytes.ts";
import { BtPublisherError, unwrap } from "../../base/errors.ts";
import type {
  ContentInspector,
  ContentTree,
  HashedContent,
  HashOptions,
} from "../../ports/content-inspector.ts";
import type { PlannedFile } from "../../ports/content-service.ts";
import type { FileStamp } from "../../ports/content-storage.ts";
import { checkContent, choosePieceLength, encodeInfo } from "../../protocol/metainfo/create.ts";
import { parseInfo } from "../../protocol/metainfo/parse.ts";
import { diskError, errnoOf } from "./disk-error.ts";
import { sha1 } from "./disk-hash.ts";
import type { DiskPool } from "./disk-pool.ts";
import { hashContent } from "./hash-content.ts";

/** Looks under way at once: enough to keep the thread pool of Node busy. */
const LOOKS_AT_ONCE = 16;

/** See the head of this file. */
export class FilesContentInspector implements ContentInspector {
  readonly #pool: DiskPool;

  constructor(pool: DiskPool) {
    this.#pool = pool;
  }

  async scan(path: string): Promise<ContentTree> {
    const absolute = resolve(path);
    const parent = await realpath(dirname(absolute)).catch((cause: unknown) => {
      throw noInput(path, cause);
    });
    const root = join(parent, basename(absolute));
    const contentName = basename(root);
    const isDirectory = (await kindOf(root, path)) === "directory";
    const files: PlannedFile[] = [];
    if (isDirectory) await collect(root, [], files);
    else files.push({ path: [contentName], length: (await lstat(root)).size });
    unwrap(checkContent({ name: contentName, isDirectory, files }));
    return { path: root, contentName, isDirectory, files };
  }

  async stamps(tree: ContentTree): Promise<readonly (FileStamp | undefined)[]> {
    const stamps: (FileStamp | undefined)[] = [];
    for (let i = 0; i < tree.files.length; i += LOOKS_AT_ONCE) {
      const some = tree.files.slice(i, i + LOOKS_AT_ONCE);
      stamps.push(...(await Promise.all(some.map((file) => stampOf(pathIn(tree, file))))));
    }
    return stamps;
  }

  async hash(tree: ContentTree, options: HashOptions): Promise<HashedContent> {
    const { contentName: name, isDirectory, files } = tree;
    const contentLength = unwrap(checkContent({ name, isDirectory, files }));
    const pieceLength = options.pieceLength ?? choosePieceLength(contentLength);
    const { isPrivate, onProgress, signal } = options;
    const { pieceHashes, sha256 } = await hashContent({
      pool: this.#pool,
      base: dirname(tree.path),
      files: files.map((file) => ({
        path: isDirectory ? [basename(tree.path), ...file.path].join("/") : basename(tree.path),
        length: file.length,
      })),
      pieceLength,
      withSha256: true,
      onProgress,
      signal,
    });
    const raw = encodeInfo({ name, isDirectory, files, pieceLength, pieceHashes, isPrivate });
    return { info: unwrap(parseInfo(raw, { sha1, isStrict: true })), sha256: sha256.map(toHex) };
  }
}

/** The files below `directory`, in the order of their names. */
async function collect(
  directory: string,
  elements: readonly string[],
  files: PlannedFile[],
): Promise<void> {
  for (const name of (await readdir(directory)).sort()) {
    const path = join(directory, name);
    const inside = [...elements, name];
    if ((await kindOf(path, path)) === "directory") await collect(path, inside, files);
    else files.push({ path: inside, length: (await lstat(path)).size });
  }
}

/** @throws NO_INPUT when there is nothing, STORAGE_TYPE when it is neither file nor directory. */
async function kindOf(path: string, shownPath: string): Promise<"file" | "directory"> {
  const stats = await lstat(path).catch((cause: unknown) => {
    throw noInput(shownPath, cause);
  });
  if (stats.isDirectory()) return "directory";
  if (stats.isFile()) return "file";
  const message = `${shownPath} is a link or a special file; only files and directories can be published`;
  throw new BtPublisherError("STORAGE_TYPE", message, { detail: { path: shownPath } });
}

async function stampOf(path: string): Promise<FileStamp | undefined> {
  try {
    const stats = await lstat(path);
    if (!stats.isFile()) return undefined;
    return { length: stats.size, modifiedAt: stats.mtimeMs };
  } catch {
    // Whatever the reason: what cannot be looked at cannot be served.
    return undefined;
  }
}

function pathIn(tree: ContentTree, file: PlannedFile): string {
  return tree.isDirectory ? join(tree.path, ...file.path) : tree.path;
}

function noInput(path: string, cause: unknown): BtPublisherError {
  if (errnoOf(cause) !== "ENOENT") return diskError(cause, "inspect", path);
  const message = `there is nothing at ${path}`;
  return new BtPublisherError("NO_INPUT", message, { detail: { path }, cause });
}
