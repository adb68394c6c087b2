/**
 * Where a SourceNode keeps content: staging areas that uploads fill, and publications. Making a
 * staging area a publication is one atomic step, so that a kill at any moment leaves either
 * nothing visible or a complete publication.
 */
import type { Bitfield } from "../base/bitfield.ts";
import type { UnixMillis } from "../base/units.ts";
import type { ContentPlan, PublishedContent, ReadWaiting } from "./content-service.ts";

/** How a file looked when it was hashed; a file that looks different is not served. */
export interface FileStamp {
  /** Bytes. */
  readonly length: number;
  /** Modification time, with the fraction that the file system keeps. */
  readonly modifiedAt: UnixMillis;
}

/** What is known of one file without reading it. */
export interface ArrivedFile {
  /** How it looked after its last byte was written; whatever looks different is not this file. */
  readonly stamp: FileStamp;
  /** 32 bytes; undefined when not all of it was hashed. */
  readonly sha256: Uint8Array | undefined;
}

/** What was hashed of content while it arrived. */
export interface ArrivedHashes {
  /** Bytes. */
  readonly pieceLength: number;
  /** By file, in the torrent's order; undefined when nothing is known of it. */
  readonly files: readonly (ArrivedFile | undefined)[];
  /** Pieces that were hashed. Each lies in one file, so that it is as good as that file's stamp. */
  readonly pieces: Bitfield;
  /** SHA-1 digests, 20 bytes a piece; arbitrary for pieces that were not hashed. */
  readonly pieceHashes: Uint8Array;
}

/** A staging area that holds an upload. */
export interface StagedUpload {
  readonly plan: ContentPlan;
  /** Bytes in it, by file of the plan. */
  readonly receivedBytes: readonly number[];
  /** When it was last used. */
  readonly touchedAt: UnixMillis;
}

/** One file of a staging area, open for appending. Its calls come one after the other. */
export interface StagedFile {
  /**
   * Takes all of `bytes` in; when this resolves they may be used for something else, and are written
   * by the end of the next `flush` at the latest. @throws STORAGE_FULL, STORAGE_IO, also of bytes before.
   */
  append(bytes: Uint8Array): Promise<void>;
  /**
   * Has `read` put bytes into the file's own memory, again and again while it fills what it gets and
   * the plan has room. @returns how many came. @throws as `append`
   */
  appendFrom(read: ReadWaiting): Promise<number>;
  /** Resolves when all that was appended is written. @throws STORAGE_FULL, STORAGE_IO */
  flush(): Promise<void>;
  /** Bytes that are written. */
  readonly length: number;
  /** Cuts it to `length` bytes; what was appended and is not written yet is forgotten. @throws STORAGE_IO */
  truncate(length: number): Promise<void>;
  /** Flush first: what is not written yet is lost. */
  close(): Promise<void>;
}

/** Staging areas, keyed by the name of their plan. */
export interface StagingStore {
  /** All staging areas; what a crash left half made is removed. For the start. */
  list(): Promise<readonly StagedUpload[]>;
  /** Makes an empty staging area. @throws STORAGE_FULL, STORAGE_IO */
  create(plan: ContentPlan, now: UnixMillis): Promise<void>;
  /** Opens file number `fileIndex` of the plan, which is made when it is missing. */
  openFile(plan: ContentPlan, fileIndex: number): Promise<StagedFile>;
  /** What was hashed of `plan`, by this object, while its bytes arrived. */
  hashes(plan: ContentPlan): ArrivedHashes;
  /** It is in use at `now`. */
  touch(name: string, now: UnixMillis): Promise<void>;
  /** Makes the files of length 0. After this the content is complete for hashing. */
  seal(plan: ContentPlan): Promise<void>;
  /** Path of the file or directory that holds the content, for hashing. */
  contentPath(plan: ContentPlan): string;
  /** Deletes it; writers that are still open write to nowhere. Idempotent. */
  remove(name: string): Promise<void>;
  /** Bytes that the disk can still take. */
  freeBytes(): Promise<number>;
  /** Lets go of threads and memory; the staging areas stay. No file may be open. */
  close(): Promise<void>;
}

/** A publication as it is stored. */
export interface StoredPublication {
  readonly content: PublishedContent;
  readonly publishedAt: UnixMillis;
  /** By file of the content. */
  readonly stamps: readonly FileStamp[];
}

/** A publication's folder that cannot be read. */
export interface DamagedPublication {
  readonly name: string;
  readonly message: string;
}

/** Publications, keyed by name. */
export interface PublicationStore {
  /** All publications; what removals left behind is deleted. For the start. */
  load(): Promise<{
    readonly publications: readonly StoredPublication[];
    readonly damaged: readonly DamagedPublication[];
  }>;
  /**
   * The commit point: `publication` exists from here on, through kills and power cuts. Its copy is
   * what the staging area of the same name holds, unless it is served from a local path.
   * @throws CONFLICT when the name exists; STORAGE_FULL, STORAGE_IO: then nothing changed.
   */
  commit(publication: StoredPublication): Promise<void>;
  /** Replaces the record of a publication. @throws STORAGE_FULL, STORAGE_IO */
  update(publication: StoredPublication): Promise<void>;
  /** Path of the file or directory that holds the content. */
  contentPath(content: PublishedContent): string;
  /** Path of file number `fileIndex`. */
  filePath(content: PublishedContent, fileIndex: number): string;
  /**
   * Deletes it in one atomic step, never a local path's files. Idempotent.
   * @throws STORAGE_IO: then nothing changed.
   */
  remove(name: string): Promise<void>;
}
