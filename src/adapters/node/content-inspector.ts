/** Looks at content on disk and makes torrents of it: for publishing and for `create`. */
import { toHex } from "../../base/bytes.ts";
import { unwrap } from "../../base/errors.ts";
import type {
  ContentInspector,
  ContentTree,
  HashedContent,
  HashOptions,
} from "../../ports/content-inspector.ts";
import type { FileStamp } from "../../ports/content-storage.ts";
import { choosePieceLength, encodeInfo } from "../../protocol/metainfo/create.ts";
import type { Info } from "../../protocol/metainfo/metainfo.ts";
import { parseInfo } from "../../protocol/metainfo/parse.ts";
import { placesOf, scanContent } from "./content-scan.ts";
import { sha1 } from "./disk-hash.ts";
import type { Abortable, ByteProgress } from "./disk-hash-runs.ts";
import type { DiskPool } from "./disk-pool.ts";
import { type ContentHashes, hashContent, type HashContentOptions } from "./hash-content.ts";

/** How to make a torrent. */
export interface CreateInfoOptions {
  /** Bytes, a power of two from 16 KiB to 64 MiB; undefined chooses one from the size. */
  readonly pieceLength?: number | undefined;
  /** BEP 27. Default false. */
  readonly isPrivate?: boolean;
  readonly onProgress?: ByteProgress | undefined;
  readonly signal?: Abortable | undefined;
}

/** See the port. */
export class DiskContentInspector implements ContentInspector {
  readonly #pool: DiskPool;

  constructor(pool: DiskPool) {
    this.#pool = pool;
  }

  scan(path: string): Promise<ContentTree> {
    return scanContent(this.#pool, path);
  }

  async stamps(tree: ContentTree): Promise<readonly (FileStamp | undefined)[]> {
    const places = placesOf(tree, pathsOf(tree));
    const states = await this.#pool.run({ type: "stat", ...places });
    return states.map(({ size, mtimeMs }) =>
      size === undefined ? undefined : { length: size, modifiedAt: mtimeMs },
    );
  }

  async hash(tree: ContentTree, options: HashOptions): Promise<HashedContent> {
    const { info, sha256 } = await this.#createInfo(tree, { ...options, withSha256: true });
    return { info, sha256: sha256.map(toHex) };
  }

  /**
   * The info of `tree`, twice as fast as `hash` since without the files' SHA-256.
   * @throws as `hash` does.
   */
  async createInfo(tree: ContentTree, options: CreateInfoOptions = {}): Promise<Info> {
    const { info } = await this.#createInfo(tree, options);
    return info;
  }

  async #createInfo(
    tree: ContentTree,
    options: CreateInfoOptions & Pick<HashContentOptions, "withSha256" | "arrived" | "kept">,
  ): Promise<Pick<ContentHashes, "sha256"> & { readonly info: Info }> {
    const { base, paths } = placesOf(tree, pathsOf(tree));
    const files = tree.files.map(({ length }, i) => ({ path: paths[i] as string, length }));
    const contentLength = files.reduce((sum, { length }) => sum + length, 0);
    const { withSha256, arrived, kept, onProgress, signal, isPrivate = false } = options;
    const pieceLength =
      kept?.geometry.pieceLength ?? options.pieceLength ?? choosePieceLength(contentLength);
    const { pieceHashes, sha256 } = await hashContent({
      pool: this.#pool,
      base,
      files,
      pieceLength,
      withSha256,
      arrived,
      kept,
      onProgress,
      signal,
    });
    if (kept !== undefined) return { info: kept, sha256 };
    const { contentName: name, isDirectory } = tree;
    const content = { name, isDirectory, files: tree.files, pieceLength, pieceHashes, isPrivate };
    return { info: unwrap(parseInfo(encodeInfo(content), { sha1, isStrict: true })), sha256 };
  }
}

function pathsOf(tree: ContentTree): readonly (readonly string[])[] {
  return tree.files.map(({ path }) => path);
}
