/** What a .torrent file says (BEP 3, 12, 19, 27), as validated values. Parsing is in parse.ts. */
import type { InfoHash } from "../../base/units.ts";
import type { PieceGeometry } from "./piece-geometry.ts";

/** One file of the content. */
export interface ContentFile {
  /**
   * Safe relative path: elements without separators, `..`, control or bidi characters, unique
   * without regard to case (pad files excepted). For a single-file torrent it is just the torrent's name; for a
   * directory it does not repeat the torrent's name.
   */
  readonly path: readonly string[];
  /** The path's raw bytes in the .torrent, for a faithful re-encoding or URL (BEP 19). */
  readonly rawPath: readonly Uint8Array[];
  /** Bytes. */
  readonly length: number;
  /** Byte offset of the file in the content. */
  readonly offset: number;
  /** A pad file (BEP 47): counts for offsets, reads as zeros, never written to disk. */
  readonly isPad: boolean;
}

/** The info dictionary: what the info hash covers. */
export interface Info {
  readonly infoHash: InfoHash;
  /** The bencoded dictionary as received: what is hashed, and what ut_metadata (BEP 9) serves. */
  readonly raw: Uint8Array;
  /** Safe name of the file or directory. */
  readonly name: string;
  /** The name's raw bytes in the .torrent, for URLs of a directory's files (BEP 19). */
  readonly rawName: Uint8Array;
  /** A directory of files, or a single file. */
  readonly isDirectory: boolean;
  readonly files: readonly ContentFile[];
  readonly geometry: PieceGeometry;
  /** SHA-1 digests, 20 bytes a piece, one after the other. */
  readonly pieceHashes: Uint8Array;
  /** BEP 27: only the torrent's own trackers may name peers. */
  readonly isPrivate: boolean;
  /** `v1`, or `hybrid` when a v2 file tree is there too (BEP 52); we use the v1 part. */
  readonly version: "v1" | "hybrid";
}

/** A whole .torrent file. */
export interface Metainfo {
  readonly info: Info;
  /** Tracker URLs by tier (BEP 12); `announce` alone is one tier of one. */
  readonly announceTiers: readonly (readonly string[])[];
  /** Web seed URLs (BEP 19). */
  readonly webSeeds: readonly string[];
  /** Where our own peers get tickets, when the torrent wants them; holds a secret. */
  readonly ticketUrl?: string | undefined;
  readonly comment: string | undefined;
  readonly createdBy: string | undefined;
  /** Seconds since the epoch, or undefined when absent or nonsense. */
  readonly creationDate: number | undefined;
}

/** The 20 bytes that piece `pieceIndex` must hash to. A view, not a copy. */
export function pieceHash(info: Info, pieceIndex: number): Uint8Array {
  return info.pieceHashes.subarray(20 * pieceIndex, 20 * pieceIndex + 20);
}
