/**
 * The files of a v1 info dictionary (BEP 3), with pad files and symlinks (BEP 47). Names come out
 * safe; see safe-path.ts.
 */
import { latin1Bytes, parseUtf8 } from "../../base/bytes.ts";
import { fail, type MetainfoErrorCode, ok, type Result } from "../../base/errors.ts";
import { BencodeDictionary } from "../bencode/value.ts";
import { MAX_CONTENT_LENGTH, MAX_FILE_COUNT } from "./limits.ts";
import type { ContentFile } from "./metainfo.ts";
import { checkDistinct, distinctPaths } from "./path-collisions.ts";
import {
  checkPath,
  isBitCometPad,
  MAX_PATH_BYTES,
  MAX_PATH_DEPTH,
  type NameRules,
  sanitizeName,
} from "./safe-path.ts";

/** What the files need to know of their torrent, and how strictly to read. */
export interface FileRules {
  /** The torrent's name, safe. */
  readonly name: string;
  readonly rawName: Uint8Array;
  readonly pieceLength: number;
  readonly isStrict: boolean;
  readonly nameRules: NameRules;
}

type Parsed<Value> = Result<Value, MetainfoErrorCode>;

/** All files in the order of the content. Symlinks are left out: they hold nothing of it. */
export function parseFiles(
  info: BencodeDictionary,
  rules: FileRules,
): Parsed<readonly ContentFile[]> {
  const isSingle = info.has("length");
  if (isSingle && info.has("files")) {
    return fail("META_AMBIGUOUS", "the info dictionary has both length and files");
  }
  const files = isSingle ? parseSingleFile(info, rules) : parseFileList(info, rules);
  if (!files.ok) return files;
  const last = files.value.at(-1);
  if (last === undefined || last.offset + last.length === 0) {
    return fail("META_EMPTY", "the torrent has no content: its files are empty");
  }
  return files;
}

function parseSingleFile(info: BencodeDictionary, rules: FileRules): Parsed<ContentFile[]> {
  const length = parseLength(info);
  if (!length.ok) return length;
  const { name, rawName } = rules;
  return ok([{ path: [name], rawPath: [rawName], length: length.value, offset: 0, isPad: false }]);
}

function parseFileList(info: BencodeDictionary, rules: FileRules): Parsed<readonly ContentFile[]> {
  const list = info.getList("files");
  if (list === undefined) {
    return fail("META_LENGTH", "the info dictionary has neither a length nor a list of files");
  }
  const files: ContentFile[] = [];
  let count = 0;
  let offset = 0;
  for (const value of list) {
    if (++count > MAX_FILE_COUNT) {
      return fail("META_TOO_MANY_FILES", `the torrent has more than ${MAX_FILE_COUNT} files`);
    }
    if (!(value instanceof BencodeDictionary)) return fail("META_TYPE", "a file is no dictionary");
    if (hasAttribute(value, "l")) {
      if (rules.isStrict) return fail("META_SYMLINK", "the torrent has a symbolic link");
      continue;
    }
    const file = parseFile(value, offset, rules);
    if (!file.ok) return file;
    files.push(file.value);
    offset += file.value.length;
    if (offset > MAX_CONTENT_LENGTH) return fail("META_LENGTH", "the content is too long");
  }
  return separate(files, rules);
}

function parseFile(file: BencodeDictionary, offset: number, rules: FileRules): Parsed<ContentFile> {
  const length = parseLength(file);
  if (!length.ok) return length;
  const isMarkedPad = hasAttribute(file, "p");
  const rawPath = parseRawPath(file, isMarkedPad ? length.value : undefined, rules);
  if (!rawPath.ok) return rawPath;
  const path = parsePath(rawPath.value, rules);
  if (!path.ok) return path;
  const isPad = isMarkedPad || isBitCometPad(path.value);
  if (isPad && !isConsistentPad(offset, length.value, rules)) {
    return fail("META_LENGTH", "a pad file does not pad to the next piece");
  }
  return ok({ path: path.value, rawPath: rawPath.value, length: length.value, offset, isPad });
}

function parseLength(file: BencodeDictionary): Parsed<number> {
  const length = file.getInteger("length");
  if (length === undefined || length < 0 || length > MAX_CONTENT_LENGTH) {
    return fail("META_LENGTH", "a file's length is missing or impossible");
  }
  return ok(length);
}

/** BEP 47 attributes: `p` for a pad file, `l` for a symbolic link. */
function hasAttribute(file: BencodeDictionary, attribute: "p" | "l"): boolean {
  const attributes = file.getBytes("attr");
  return attributes?.includes(attribute.charCodeAt(0)) ?? false;
}

/** A pad file (`padLength`) may come without a path (BEP 47), then it gets the usual one. */
function parseRawPath(
  file: BencodeDictionary,
  padLength: number | undefined,
  { rawName }: FileRules,
): Parsed<readonly Uint8Array[]> {
  const path: Uint8Array[] = [];
  let byteCount = rawName.length;
  for (const element of file.getList("path.utf-8") ?? file.getList("path") ?? []) {
    if (!(element instanceof Uint8Array)) return fail("META_TYPE", "a path element is no string");
    if (path.push(element) > MAX_PATH_DEPTH) {
      return fail("META_PATH_DEPTH", `a path has more than ${MAX_PATH_DEPTH} elements`);
    }
    byteCount += 1 + element.length;
    if (byteCount > MAX_PATH_BYTES) {
      return fail("META_PATH_LONG", `a path has more than ${MAX_PATH_BYTES} bytes`);
    }
  }
  if (path.length > 0) return ok(path);
  if (padLength === undefined) return fail("META_NAME", "a file has no path");
  return ok([latin1Bytes(".pad"), latin1Bytes(String(padLength))]);
}

function parsePath(
  rawPath: readonly Uint8Array[],
  { name, nameRules, isStrict }: FileRules,
): Parsed<readonly string[]> {
  if (isStrict) {
    // What is not UTF-8 reads as an empty name, which is refused.
    const path = rawPath.map((element) => parseUtf8(element) ?? "");
    const check = checkPath([name, ...path]);
    return check.ok ? ok(path) : check;
  }
  return ok(rawPath.map((element) => sanitizeName(element, nameRules) ?? "_"));
}

/**
 * A pad file fills up a piece, so it is no longer than one. Older writers padded to less than a
 * piece, which does no harm; a strict reader wants the next file at a piece's begin.
 */
function isConsistentPad(offset: number, length: number, rules: FileRules): boolean {
  const { pieceLength, isStrict } = rules;
  return length <= pieceLength && (!isStrict || (offset + length) % pieceLength === 0);
}

/** Gives each file that is written to disk a path of its own. */
function separate(
  files: readonly ContentFile[],
  { isStrict }: FileRules,
): Parsed<readonly ContentFile[]> {
  const paths = files.filter((file) => !file.isPad).map((file) => file.path);
  if (isStrict) {
    const check = checkDistinct(paths);
    return check.ok ? ok(files) : check;
  }
  const distinct = distinctPaths(paths);
  if (!distinct.ok) return distinct;
  const remaining = distinct.value.values();
  return ok(
    files.map((file) => {
      const path = file.isPad ? file.path : (remaining.next().value ?? file.path);
      return path === file.path ? file : { ...file, path };
    }),
  );
}
