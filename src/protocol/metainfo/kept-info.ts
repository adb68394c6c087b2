/**
 * Publishing what has a .torrent already, under the same info hash: its info dictionary is kept byte
 * by byte, and nothing else of the file. The content must be what it lists, as its pieces say.
 */
import { equalBytes } from "../../base/bytes.ts";
import {
  BtPublisherError,
  fail,
  type MetainfoErrorCode,
  ok,
  type Result,
} from "../../base/errors.ts";
import { type ContentNames, MAX_INFO_BYTES } from "./create.ts";
import { fileSpans } from "./file-spans.ts";
import { type Info, pieceHash } from "./metainfo.ts";
import { parseInfo, parseMetainfo, type ParseOptions } from "./parse.ts";

type Sha1 = ParseOptions["sha1"];

/**
 * The info dictionary of the .torrent file `bytes`, as `parseKeptInfo`. What stands around it may be
 * as odd as it likes: it is not used.
 */
export function parseKeptTorrent(bytes: Uint8Array, sha1: Sha1): Result<Info, MetainfoErrorCode> {
  const torrent = parseMetainfo(bytes, { sha1 });
  // A copy: nothing of the rest is to stay in memory.
  return torrent.ok ? parseKeptInfo(torrent.value.info.raw.slice(), sha1) : torrent;
}

/** The info dictionary `raw`, if we can serve it as it is to all clients. */
export function parseKeptInfo(raw: Uint8Array, sha1: Sha1): Result<Info, MetainfoErrorCode> {
  const info = parseInfo(raw, { sha1, isStrict: true });
  if (!info.ok) return fail(info.code, `this .torrent cannot be kept: ${info.message}`);
  if (raw.length > MAX_INFO_BYTES) {
    return fail("META_SIZE", "this .torrent cannot be kept: it would be too large for clients");
  }
  if (info.value.version !== "v1") {
    return fail(
      "META_UNSUPPORTED_VERSION",
      "this .torrent cannot be kept: it is a hybrid one, and we serve v1 only; publish without it",
    );
  }
  if (info.value.files.some((file) => file.isPad)) {
    return fail(
      "META_FILES",
      "this .torrent cannot be kept: it has pad files, which we do not serve; publish without it",
    );
  }
  return info;
}

/** Whether a publication that is or is not for everybody can keep `info`: its flag is in the info hash. */
export function checkKeptPrivacy(
  info: Info,
  isPrivate: boolean,
): Result<undefined, MetainfoErrorCode> {
  if (info.isPrivate === isPrivate) return ok(undefined);
  const message = info.isPrivate
    ? "this .torrent is private, so it can be kept only for members or named people: " +
      "choose the catalogue members or private, or publish without it"
    : "this .torrent is not private, so it can be kept only for everybody: " +
      "choose the catalogue public, or publish without it";
  return fail("META_PRIVATE", message);
}

/** Files that are to be published, in any order. */
export type FoundContent = Pick<ContentNames, "isDirectory" | "files">;

/**
 * For each file of `info` the index of the one of `found` that is to be it, by path and length; or
 * META_FILES, which says where they differ. The name of a single file, and of the folder, may be
 * another one: the pieces say whether it is the same.
 */
export function matchKeptFiles(
  info: Info,
  found: FoundContent,
): Result<readonly number[], MetainfoErrorCode> {
  if (info.isDirectory !== found.isDirectory) {
    return differs(
      info.isDirectory ? "is of a folder, not of a file" : "is of a file, not of a folder",
    );
  }
  const key = (path: readonly string[]): string => (info.isDirectory ? path.join("/") : "");
  const indices = new Map(found.files.map(({ path }, index) => [key(path), index]));
  const order: number[] = [];
  for (const { path, length } of info.files) {
    const index = indices.get(key(path));
    if (index === undefined) return differs(`lists ${shown(path)}, which is missing here`);
    const foundLength = found.files[index]?.length;
    if (foundLength !== length) {
      return differs(`lists ${shown(path)} with ${length} bytes; here it has ${foundLength}`);
    }
    indices.delete(key(path));
    order.push(index);
  }
  const [extra] = indices.values();
  if (extra === undefined) return ok(order);
  return differs(`does not list ${shown(found.files[extra]?.path ?? [])}`);
}

function differs(how: string): Result<never, MetainfoErrorCode> {
  return fail("META_FILES", `the .torrent ${how}: publish just what it lists, or without it`);
}

/** Paths come from others: quoted, they cannot pass for words of ours. */
function shown(path: readonly string[]): string {
  return JSON.stringify(path.join("/"));
}

/** The first of the pieces that have the SHA-1 `digests`, from `firstPiece` on, that is not `info`'s. */
export function findWrongPiece(
  info: Info,
  digests: Uint8Array,
  firstPiece: number,
): number | undefined {
  for (let i = 0; 20 * i < digests.length; i++) {
    const digest = digests.subarray(20 * i, 20 * i + 20);
    if (!equalBytes(digest, pieceHash(info, firstPiece + i))) return firstPiece + i;
  }
  return undefined;
}

/** The indices of the files that piece `pieceIndex` lies in. */
export function filesOfPiece({ files, geometry }: Info, pieceIndex: number): readonly number[] {
  const spans = fileSpans(files, geometry.offsetOf(pieceIndex), geometry.lengthOf(pieceIndex));
  return spans.map(({ fileIndex }) => fileIndex);
}

/** HASH_MISMATCH: piece `pieceIndex` of the content is not the one that `info` has. */
export function hashMismatch(info: Info, pieceIndex: number): BtPublisherError {
  const paths = filesOfPiece(info, pieceIndex).map((index) => info.files[index]?.path ?? []);
  const [first = []] = paths;
  const more = paths.length > 1 ? ` and ${paths.length - 1} more` : "";
  const message =
    `piece ${pieceIndex} of 0 to ${info.geometry.pieceCount - 1}, in ${shown(first)}${more}, is not what the ` +
    ".torrent says: publish the very content that it was made of, or without it";
  return new BtPublisherError("HASH_MISMATCH", message, {
    detail: { pieceIndex, path: first.join("/") },
  });
}
