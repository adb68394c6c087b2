/** Where downloads go, and how one that was interrupted is found again. */
import type { Bitfield } from "../base/bitfield.ts";
import type { BtPublisherError } from "../base/errors.ts";
import type { InfoHash } from "../base/units.ts";
import type { Metainfo } from "../protocol/metainfo/metainfo.ts";
import type { PieceStore } from "./piece-store.ts";

/** An open download: nobody else works in the same place until `close`. */
export interface OpenDownload {
  readonly store: PieceStore;
  /** Verified pieces. */
  readonly have: Bitfield;
  /** The file or directory that the content goes to. */
  readonly path: string;
  /**
   * Flushes, and keeps what the next start needs to go on; when every piece is there, removes all
   * traces but the content. No call on the store may be open or follow.
   */
  close(): Promise<void>;
}

/** Where a download goes, and what may happen to what is there. */
export interface OpenDownloadOptions {
  /** Made when missing. */
  readonly directory: string;
  /** Cut files that are longer than the torrent's, instead of refusing. */
  readonly overwrite: boolean;
  /** Hears bytes done of bytes to do while existing files are checked. */
  readonly onCheck?: (doneBytes: number, totalBytes: number) => void;
  readonly signal?: { readonly aborted: boolean };
  /** Hears what was wrong and is dealt with, such as damaged resume data (RESUME_BAD). */
  readonly onWarning?: (warning: BtPublisherError) => void;
}

export interface DownloadStorage {
  /** @throws BtPublisherError LOCKED, STORAGE_EXISTS, STORAGE_PATH, STORAGE_TYPE, STORAGE_FULL, STORAGE_IO. */
  open(metainfo: Metainfo, options: OpenDownloadOptions): Promise<OpenDownload>;
  /** What an interrupted download of a magnet link had already learned, or undefined. */
  findMetainfo(infoHash: InfoHash, directory: string): Promise<Metainfo | undefined>;
}
