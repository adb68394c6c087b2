/**
 * What the Announcer asks of a SourceNode: take content in, publish it, let it go, tell its ledger.
 * In one process the SourceNode implements it; between machines HTTP with a service key carries it.
 */
import type { InfoHash, UnixMillis } from "../base/units.ts";
import type { LedgerDoor } from "../protocol/api/ledger.ts";
import type { PublicationPolicy } from "./publication-policy.ts";
import type { PublicationLook, SourceLook } from "./source-look.ts";

/** The bytes of an upload, as they come. */
export interface UploadBody extends AsyncIterable<Uint8Array> {
  /**
   * Puts bytes that wait already into `target`: those behind the chunk that was iterated over last.
   * It never waits. @returns how many; 0: the next chunk has what comes next.
   */
  readonly readWaiting?: ReadWaiting;
}

/** See `UploadBody`. */
export type ReadWaiting = (target: Uint8Array) => number;

/** One file of content to come: its path inside the publication and its exact length. */
export interface PlannedFile {
  /** Elements; for a single file just its name. Must pass the strict path rules. */
  readonly path: readonly string[];
  readonly length: number;
}

/** A file of an upload. */
export interface UploadFile extends PlannedFile {
  /** Lower-case hexadecimal, when the uploader knows it: publishing checks it. */
  readonly sha256?: string | undefined;
}

/** Content to come. */
export interface ContentPlan {
  /** The publication's slug; the staging area is keyed by it. */
  readonly name: string;
  /** Name of the file or directory inside the torrent. */
  readonly contentName: string;
  readonly isDirectory: boolean;
  readonly files: readonly UploadFile[];
  /** Set when it has a .torrent whose info hash it is to keep: the bencoded info dictionary. */
  readonly keptInfo?: Uint8Array | undefined;
}

/** Content on the SourceNode's own disk. */
export interface LocalContent {
  /** The publication's slug. */
  readonly name: string;
  readonly path: string;
  /** As in `ContentPlan`. */
  readonly keptInfo?: Uint8Array | undefined;
}

/** How far an upload is: one entry for each file of the plan. */
export interface UploadStatus {
  readonly name: string;
  /** Bytes that are safely in the staging area, by file: the offset to go on from. */
  readonly receivedBytes: readonly number[];
}

/** How to make the torrent. */
export interface TorrentShape {
  /** Bytes, a power of two ≥ 16 KiB; undefined chooses one from the size. */
  readonly pieceLength: number | undefined;
  readonly isPrivate: boolean;
}

/** How to make the torrent, and how much to serve it. */
export interface PublishOptions extends TorrentShape {
  readonly policy: PublicationPolicy;
}

/** Content that a SourceNode serves. */
export interface PublishedContent {
  readonly name: string;
  readonly infoHash: InfoHash;
  /** The bencoded info dictionary. */
  readonly info: Uint8Array;
  readonly contentName: string;
  readonly isDirectory: boolean;
  readonly files: readonly (PlannedFile & { readonly sha256: string })[];
  readonly contentLength: number;
  readonly policy: PublicationPolicy;
  /** Set when it is served from where it lies (published from a local path), not from a copy. */
  readonly localPath: string | undefined;
}

/** Content that is held and not served at the moment. */
export interface Withdrawal {
  /** The publication's. */
  readonly name: string;
  readonly reason: WithdrawalCode;
  /** The file that is the reason, as it is named in the content, elements joined by "/". */
  readonly path: string | undefined;
}

/**
 * Why content is not served: a file is not there, or is not what was hashed; it was unpublished and
 * could not be deleted; or the SourceNode's record of it cannot be read.
 */
export type WithdrawalCode = "file-missing" | "file-changed" | "not-removed" | "damaged";

/** A way out of the SourceNode. */
export type Door = LedgerDoor;

/** One line of the ledger: bytes of one piece that went to one node by one door. */
export interface LedgerEntry {
  readonly at: UnixMillis;
  readonly infoHash: InfoHash;
  readonly door: Door;
  /** The node: its peer id in hexadecimal behind `bittorrent`, else empty. */
  readonly peerId: string;
  /** Its address, `host:port`, or `host` behind HTTP. */
  readonly address: string;
  readonly pieceIndex: number;
  /** Bytes of that piece that were sent since the entry before; several entries may add up. */
  readonly bytes: number;
}

export interface ContentService {
  /**
   * Opens a staging area, or finds the open one of the same plan.
   * @throws CONFLICT when the name is taken or the open plan differs; STORAGE_FULL; USAGE for a bad
   * name; META_... for paths that cannot be published, META_EMPTY, and for a kept info dictionary
   * that cannot be served or lists other files.
   */
  beginUpload(plan: ContentPlan): Promise<UploadStatus>;
  /** @throws NOT_FOUND */
  uploadStatus(name: string): Promise<UploadStatus>;
  /**
   * Appends `body` to file number `fileIndex`, which must hold exactly `offset` bytes. Chunks become
   * the service's, which may free their memory: nobody may use them afterwards. What arrived before `body` failed
   * stays, and its error is passed on; of a body that is too long nothing stays.
   * @throws NOT_FOUND; CONFLICT for another offset, or while somebody else appends to that file;
   * USAGE when too long; STORAGE_FULL (what was written stays); CANCELLED.
   */
  appendFile(
    name: string,
    file: { readonly fileIndex: number; readonly offset: number },
    body: UploadBody,
  ): Promise<UploadStatus>;
  /** Drops a staging area. Idempotent. @throws CONFLICT when it is a publication already. */
  cancelUpload(name: string): Promise<void>;
  /**
   * Hashes the complete staging area, makes it content, registers it at the Tracker, serves it.
   * Idempotent: a second call with the same name returns what the first one made.
   * @throws NOT_FOUND; CONFLICT when bytes are missing, or the same content has another name;
   * DIGEST when a file is not what was declared, HASH_MISMATCH when a piece is not the kept info's
   * (those files must be uploaded again); META_EMPTY; META_PRIVATE and USAGE when the options do
   * not fit the kept info.
   */
  publishUpload(
    name: string,
    options: PublishOptions,
    onProgress?: PublishProgress,
  ): Promise<PublishedContent>;
  /**
   * The same for a file or directory on the SourceNode's own disk, which is served where it lies.
   * @throws NO_INPUT, CONFLICT, STORAGE_CHANGED when it changed while being hashed; as above for a
   * kept info.
   */
  publishLocal(
    content: LocalContent,
    options: PublishOptions,
    onProgress?: PublishProgress,
  ): Promise<PublishedContent>;
  /** Serves it by another policy from now on. @throws NOT_FOUND; STORAGE_FULL, STORAGE_IO. */
  setPolicy(name: string, policy: PublicationPolicy): Promise<void>;
  /** Stops serving, unregisters, and deletes our copy (never a local path's files). Idempotent. */
  unpublish(name: string): Promise<void>;
  list(): Promise<readonly PublishedContent[]>;
  /** What is held and not served at the moment. */
  withdrawals(): Promise<readonly Withdrawal[]>;
  /** What it is doing right now: a look at once, then two a second. Ends when it closes. */
  watch(): AsyncIterable<SourceLook>;
  /** The same of one publication in full. Iterating rejects with NOT_FOUND, also later. */
  watchPublication(name: string): AsyncIterable<PublicationLook>;
  /** The ledger of one publication, oldest first. Iterating rejects with NOT_FOUND. */
  ledger(name: string, filter?: { readonly since?: UnixMillis }): AsyncIterable<LedgerEntry>;
}

/** Hears hashed bytes of all bytes, a few times a second. */
export type PublishProgress = (doneBytes: number, totalBytes: number) => void;
