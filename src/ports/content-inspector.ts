/** Looks at content as it lies on a disk: what is there, how it looks, what it hashes to. */
import type { Info } from "../protocol/metainfo/metainfo.ts";
import type { PlannedFile, TorrentShape, PublishProgress } from "./content-service.ts";
import type { ArrivedHashes, FileStamp } from "./content-storage.ts";

/** A file or a directory of files on a disk. */
export interface ContentTree {
  /** Absolute path of the file or directory. */
  readonly path: string;
  /** Its name inside the torrent. */
  readonly contentName: string;
  readonly isDirectory: boolean;
  /** In the order that they have in the torrent. */
  readonly files: readonly PlannedFile[];
}

/** What content hashes to. */
export interface HashedContent {
  /** Its files are those of the tree, in the same order. */
  readonly info: Info;
  /** By file: SHA-256 in lower-case hexadecimal. */
  readonly sha256: readonly string[];
}

/** How to hash. */
export interface HashOptions extends TorrentShape {
  /** Spares reading again what it tells, as far as the files look as they did then. */
  readonly arrived?: ArrivedHashes | undefined;
  /** Becomes the content's info when the pieces are its own; the shape is not asked for then. */
  readonly kept?: Info | undefined;
  readonly onProgress: PublishProgress;
  /** Hashing ends with CANCELLED soon after this became true. */
  readonly signal: { readonly aborted: boolean };
}

export interface ContentInspector {
  /**
   * The content at `path`, which may be relative.
   * @throws NO_INPUT, STORAGE_TYPE for anything but files and directories, META_... for names
   * that cannot be published, META_EMPTY.
   */
  scan(path: string): Promise<ContentTree>;
  /** By file: how it looks now, or undefined when it is no file of ours (missing, a link ...). */
  stamps(tree: ContentTree): Promise<readonly (FileStamp | undefined)[]>;
  /**
   * @throws STORAGE_CHANGED when a file is not as long as the tree says; META_...; CANCELLED;
   * HASH_MISMATCH, with the first piece that is not the kept info's.
   */
  hash(tree: ContentTree, options: HashOptions): Promise<HashedContent>;
}
