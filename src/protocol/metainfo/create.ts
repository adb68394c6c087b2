/**
 * Writes torrents (BEP 3, 12, 19, 27) that all real clients read alike: the strict reader takes
 * each, and gets back what went in.
 */
import { assert } from "../../base/assert.ts";
import {
  BtPublisherError,
  fail,
  type MetainfoErrorCode,
  ok,
  type Result,
  unwrap,
} from "../../base/errors.ts";
import { Bencoded, type BencodeInput, encodeBencode } from "../bencode/encode.ts";
import { parseTrackerUrl, parseWebSeedUrl } from "./announce-urls.ts";
import {
  isCommonPieceLength,
  MAX_CONTENT_LENGTH,
  MAX_FILE_COUNT,
  MAX_PIECE_COUNT,
  MAX_TORRENT_BYTES,
} from "./limits.ts";
import { checkDistinct } from "./path-collisions.ts";
import { PieceGeometry } from "./piece-geometry.ts";
import { checkPath } from "./safe-path.ts";

/** Content to publish. */
export interface ContentNames {
  /** Name of the file or directory. */
  readonly name: string;
  readonly isDirectory: boolean;
  /** In the order of the content; for a single file one whose path is just `name`. */
  readonly files: readonly { readonly path: readonly string[]; readonly length: number }[];
}

/** What goes into an info dictionary. */
export interface InfoContent extends ContentNames {
  /** Bytes. */
  readonly pieceLength: number;
  /** SHA-1 digests, 20 bytes a piece, one after the other. */
  readonly pieceHashes: Uint8Array;
  readonly isPrivate: boolean;
}

/** What goes into a .torrent file. Undefined and empty fields are left out. */
export interface MetainfoContent {
  /** The bencoded info dictionary, which goes in as it is. */
  readonly infoRaw: Uint8Array;
  readonly announceTiers: readonly (readonly string[])[];
  readonly webSeeds: readonly string[];
  /** Where our own peers get tickets; see `Metainfo.ticketUrl`. */
  readonly ticketUrl?: string | undefined;
  readonly comment?: string | undefined;
  readonly createdBy?: string | undefined;
  /** Seconds since the epoch. */
  readonly creationDate?: number | undefined;
}

/** Names that a message tells of: more are no help on a screen. */
const MAX_TOLD_NAMES = 10;

/**
 * The length in bytes of content that can be published, or why it cannot; ask before hashing. All
 * names that must change are told at once.
 */
export function checkContent(content: ContentNames): Result<number, MetainfoErrorCode> {
  const { name, isDirectory, files } = content;
  if (files.length > MAX_FILE_COUNT) {
    return fail("META_TOO_MANY_FILES", `there are more than ${MAX_FILE_COUNT} files`);
  }
  if (!isDirectory && (files.length !== 1 || files[0]?.path.join("/") !== name)) {
    return fail("META_NAME", "a single file must be one file, with the content's name as its path");
  }
  const names = checkNames(content);
  if (!names.ok) return names;
  let contentLength = 0;
  for (const { length } of files) {
    if (!Number.isSafeInteger(length) || length < 0 || length > MAX_CONTENT_LENGTH) {
      return fail("META_LENGTH", `a file cannot have ${length} bytes`);
    }
    contentLength += length;
  }
  if (contentLength === 0) return fail("META_EMPTY", "there is not a single byte to publish");
  if (contentLength > MAX_CONTENT_LENGTH) {
    return fail("META_LENGTH", `${contentLength} bytes are more than a torrent can have`);
  }
  const check = checkDistinct(files.map((file) => file.path));
  return check.ok ? ok(contentLength) : check;
}

function checkNames({
  name,
  isDirectory,
  files,
}: ContentNames): Result<undefined, MetainfoErrorCode> {
  let code: MetainfoErrorCode | undefined;
  // Once each: many files may lie in one directory with a bad name.
  const messages = new Set<string>();
  for (const { path } of files) {
    const check = checkPath(isDirectory ? [name, ...path] : path);
    if (check.ok) continue;
    code ??= check.code;
    messages.add(check.message);
  }
  if (code === undefined) return ok(undefined);
  const told = [...messages].slice(0, MAX_TOLD_NAMES);
  const rest = messages.size - told.length;
  if (rest > 0) told.push(`and ${rest} more`);
  return fail(code, told.join("\n"));
}

/**
 * The bencoded info dictionary of `content`.
 * @throws BtPublisherError as `checkContent` says; META_PIECE_LENGTH; META_PIECES_COUNT or
 * META_SIZE when the pieces are too small for so much content.
 */
export function encodeInfo(content: InfoContent): Uint8Array {
  const { name, isDirectory, files, pieceLength, pieceHashes, isPrivate } = content;
  const contentLength = unwrap(checkContent(content));
  if (!isCommonPieceLength(pieceLength)) {
    const message = "the piece length must be a power of two between 16 KiB and 64 MiB";
    throw new BtPublisherError("META_PIECE_LENGTH", message);
  }
  const { pieceCount } = new PieceGeometry(pieceLength, contentLength);
  if (pieceCount > MAX_PIECE_COUNT) throw tooManyPieces("META_PIECES_COUNT");
  assert(pieceHashes.length === 20 * pieceCount, `hashes of ${pieceHashes.length} bytes`);
  const raw = encodeBencode({
    ...(isDirectory
      ? { files: files.map(({ path, length }) => ({ length, path })) }
      : { length: contentLength }),
    name,
    "piece length": pieceLength,
    pieces: pieceHashes,
    ...(isPrivate ? { private: 1 } : {}),
  });
  if (raw.length > MAX_INFO_BYTES) throw tooManyPieces("META_SIZE");
  return raw;
}

/** Bytes of an info dictionary; leaves room for the rest of the .torrent, so that it stays within the limit of readers. */
export const MAX_INFO_BYTES = MAX_TORRENT_BYTES - 500_000;

function tooManyPieces(code: "META_PIECES_COUNT" | "META_SIZE"): BtPublisherError {
  return new BtPublisherError(
    code,
    "the torrent would be too large for clients: choose a larger piece length, or fewer files",
  );
}

/**
 * The .torrent file.
 * @throws BtPublisherError META_TRACKER_URL when a tracker or web seed URL cannot be used.
 */
export function encodeMetainfo(content: MetainfoContent): Uint8Array {
  const tiers = content.announceTiers
    .map((tier) => tier.map((url) => fitUrl(url, parseTrackerUrl)))
    .filter((tier) => tier.length > 0);
  const webSeeds = content.webSeeds.map((url) => fitUrl(url, parseWebSeedUrl));
  const [announce, ...others] = tiers.flat();
  const { ticketUrl: ticket } = content;
  return encodeBencode({
    ...field("announce", announce),
    ...field("announce-list", others.length > 0 ? tiers : undefined),
    ...field("btpublisher", ticket === undefined ? undefined : { ticket }),
    ...field("comment", content.comment),
    ...field("created by", content.createdBy),
    ...field("creation date", content.creationDate),
    info: new Bencoded(content.infoRaw),
    ...field("url-list", webSeeds.length > 0 ? webSeeds : undefined),
  });
}

function field(key: string, value: BencodeInput | undefined): Record<string, BencodeInput> {
  return value === undefined ? {} : { [key]: value };
}

/** The message does not repeat the URL: it may hold a secret. */
function fitUrl(url: string, parse: (text: string) => string | undefined): string {
  const fit = parse(url);
  if (fit !== undefined) return fit;
  throw new BtPublisherError(
    "META_TRACKER_URL",
    "a URL cannot be used: trackers need http, https, udp (with a port), ws or wss, web seeds " +
      "http or https, and neither may name a user or have parameters of an announce",
  );
}

/** More piece hashes than these make a .torrent near the limit of readers (20 bytes each). */
const MANY_PIECES = 400_000;

/**
 * The piece length (bytes) for `contentLength` bytes: a power of two that makes 1024 to 2048
 * pieces, within 64 KiB and 16 MiB. A piece is the unit of spreading: a peer can pass on only whole
 * ones, so a swarm needs some hundreds to be busy all the time (from 16 MiB of content on there are
 * at least 256); ever more only make bitfields, HAVEs and the .torrent longer. Beyond 16 MiB only
 * what keeps the .torrent readable counts.
 */
export function choosePieceLength(contentLength: number): number {
  let pieceLength = 64 * 1024;
  while (pieceLength < 16 * 1024 * 1024 && contentLength > 2048 * pieceLength) pieceLength *= 2;
  while (pieceLength < 64 * 1024 * 1024 && contentLength > MANY_PIECES * pieceLength) {
    pieceLength *= 2;
  }
  return pieceLength;
}
