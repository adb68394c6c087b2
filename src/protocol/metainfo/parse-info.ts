/**
 * The info dictionary (BEP 3, 27, 47, 52): what the info hash covers, and all that the data path
 * relies on. Whoever holds an `Info` holds one whose sizes, hashes and paths fit together.
 */
import { infoHashOf, parseUtf8 } from "../../base/bytes.ts";
import { fail, type MetainfoErrorCode, ok, type Result } from "../../base/errors.ts";
import type { InfoHash } from "../../base/units.ts";
import { decodeBencode } from "../bencode/decode.ts";
import { BencodeDictionary } from "../bencode/value.ts";
import { checkFileTree, parseVersion } from "./hybrid.ts";
import { isCommonPieceLength, MAX_PIECE_LENGTH, MAX_TORRENT_BYTES } from "./limits.ts";
import type { ContentFile, Info } from "./metainfo.ts";
import { parseFiles } from "./parse-files.ts";
import { PieceGeometry } from "./piece-geometry.ts";
import { checkPath, MAX_PATH_BYTES, type NameRules, sanitizeName } from "./safe-path.ts";

/** How to read a torrent. */
export interface ParseOptions {
  /** SHA-1 (20 bytes) of `bytes`; the core has no hash of its own. */
  readonly sha1: (bytes: Uint8Array) => Uint8Array;
  /** Refuses what not all clients read alike, as for what we publish. Default false. */
  readonly isStrict?: boolean;
  /** Rules that safe names follow: those of the system that will hold the files. Default posix. */
  readonly nameRules?: NameRules;
}

/**
 * The info dictionary that `raw` is, or why not (BENC_* and META_* codes). `Info` has views of
 * `raw`, which must not change afterwards.
 */
export function parseInfo(raw: Uint8Array, options: ParseOptions): Result<Info, MetainfoErrorCode> {
  if (raw.length > MAX_TORRENT_BYTES) {
    return fail("META_SIZE", `the info dictionary has more than ${MAX_TORRENT_BYTES} bytes`);
  }
  const info = decodeBencode(raw, options);
  if (!info.ok) return info;
  if (!(info.value instanceof BencodeDictionary)) {
    return fail("META_TYPE", "the info dictionary is no dictionary");
  }
  return readInfo(info.value, raw, options);
}

/** The same for one that is decoded already; `raw` is its bencoding as received. */
export function readInfo(
  info: BencodeDictionary,
  raw: Uint8Array,
  { sha1, isStrict = false, nameRules = "posix" }: ParseOptions,
): Result<Info, MetainfoErrorCode> {
  const version = parseVersion(info);
  if (!version.ok) return version;
  const pieceLength = parsePieceLength(info, isStrict);
  if (!pieceLength.ok) return pieceLength;
  const infoHash = infoHashOf(sha1(raw));
  const names = parseName(info, infoHash, { isStrict, nameRules });
  if (!names.ok) return names;
  const fileRules = { ...names.value, pieceLength: pieceLength.value, isStrict, nameRules };
  const files = parseFiles(info, fileRules);
  if (!files.ok) return files;
  const tree = version.value === "hybrid" ? checkFileTree(info, files.value) : ok(undefined);
  if (!tree.ok) return tree;
  const pieces = parsePieces(info, pieceLength.value, files.value);
  if (!pieces.ok) return pieces;
  const isPrivate = parsePrivate(info, isStrict);
  if (!isPrivate.ok) return isPrivate;
  return ok({
    infoHash,
    raw,
    ...names.value,
    isDirectory: info.has("files"),
    files: files.value,
    ...pieces.value,
    isPrivate: isPrivate.value,
    version: version.value,
  });
}

type Parsed<Value> = Result<Value, MetainfoErrorCode>;

function parsePieceLength(info: BencodeDictionary, isStrict: boolean): Parsed<number> {
  const pieceLength = info.getInteger("piece length");
  if (pieceLength === undefined || pieceLength < 1024 || pieceLength > MAX_PIECE_LENGTH) {
    return fail("META_PIECE_LENGTH", "the piece length is not between 1 KiB and 64 MiB");
  }
  if (isStrict && !isCommonPieceLength(pieceLength)) {
    return fail("META_PIECE_LENGTH", "the piece length is no power of two from 16 KiB on");
  }
  return ok(pieceLength);
}

/** Old writers put a local encoding into `name`, and UTF-8 into `name.utf-8`. */
function parseName(
  info: BencodeDictionary,
  infoHash: InfoHash,
  { isStrict, nameRules }: { readonly isStrict: boolean; readonly nameRules: NameRules },
): Parsed<Pick<Info, "name" | "rawName">> {
  const rawName = info.getBytes("name.utf-8") ?? info.getBytes("name");
  if (rawName === undefined) return fail("META_NAME", "the torrent has no name");
  if (rawName.length > MAX_PATH_BYTES) {
    return fail("META_PATH_LONG", `the torrent's name has more than ${MAX_PATH_BYTES} bytes`);
  }
  if (!isStrict) return ok({ name: sanitizeName(rawName, nameRules) ?? infoHash, rawName });
  const name = parseUtf8(rawName);
  if (name === undefined) return fail("META_NAME", "the torrent's name is not UTF-8");
  const check = checkPath([name]);
  return check.ok ? ok({ name, rawName }) : check;
}

function parsePieces(
  info: BencodeDictionary,
  pieceLength: number,
  files: readonly ContentFile[],
): Parsed<Pick<Info, "geometry" | "pieceHashes">> {
  const pieceHashes = info.getBytes("pieces");
  if (pieceHashes === undefined || pieceHashes.length % 20 !== 0) {
    return fail("META_PIECES", "the piece hashes are missing or not 20 bytes each");
  }
  const last = files.at(-1) as ContentFile;
  const geometry = new PieceGeometry(pieceLength, last.offset + last.length);
  const count = pieceHashes.length / 20;
  if (count !== geometry.pieceCount) {
    const message = `the torrent has ${count} piece hashes for ${geometry.pieceCount} pieces`;
    return fail("META_PIECES_COUNT", message);
  }
  return ok({ geometry, pieceHashes });
}

/** BEP 27: only the integer 1 makes a torrent private; other clients read other values either way. */
function parsePrivate(info: BencodeDictionary, isStrict: boolean): Parsed<boolean> {
  const value = info.get("private");
  if (isStrict && value !== undefined && value !== 0 && value !== 1) {
    return fail("META_PRIVATE", "the private flag is neither 0 nor 1");
  }
  return ok(value === 1);
}
