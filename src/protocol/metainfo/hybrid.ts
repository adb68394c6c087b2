/**
 * Torrents with a v2 part (BEP 52). We use the v1 part only; but where both are there, they must
 * name the same files, or clients of the two kinds would share a swarm for different content.
 */
import { equalBytes } from "../../base/bytes.ts";
import { fail, type MetainfoErrorCode, ok, type Result } from "../../base/errors.ts";
import { BencodeDictionary } from "../bencode/value.ts";
import { MAX_FILE_COUNT } from "./limits.ts";
import type { ContentFile, Info } from "./metainfo.ts";

/** Which version the info dictionary is; META_V2_ONLY or META_UNSUPPORTED_VERSION if not for us. */
export function parseVersion(info: BencodeDictionary): Result<Info["version"], MetainfoErrorCode> {
  const metaVersion = info.get("meta version");
  if (metaVersion !== undefined && metaVersion !== 2) {
    return fail("META_UNSUPPORTED_VERSION", "the torrent has a format version that is not known");
  }
  const hasV1 = info.has("length") || info.has("files");
  const hasV2 = metaVersion === 2 || info.has("file tree");
  if (hasV2 && !hasV1) {
    return fail(
      "META_V2_ONLY",
      "the torrent is in the v2 format only, which is not supported: ask for a v1 or hybrid one",
    );
  }
  return ok(metaVersion === 2 ? "hybrid" : "v1");
}

/**
 * Whether the v2 file tree of `info` names the v1 `files`: the same paths (raw bytes) and lengths in
 * the same order. Empty and pad files do not count, as the two formats treat them differently.
 */
export function checkFileTree(
  info: BencodeDictionary,
  files: readonly ContentFile[],
): Result<undefined, MetainfoErrorCode> {
  const tree = info.getDictionary("file tree");
  const expected = files.filter((file) => !file.isPad && file.length > 0);
  let index = 0;
  let leafCount = 0;
  for (const leaf of tree === undefined ? [] : leavesOf(tree, [])) {
    if (++leafCount > MAX_FILE_COUNT) return mismatch;
    if (leaf.length === 0) continue;
    const file = expected[index++];
    if (file === undefined || file.length !== leaf.length || !isSamePath(file.rawPath, leaf.path)) {
      return mismatch;
    }
  }
  return index === expected.length ? ok(undefined) : mismatch;
}

const mismatch = fail(
  "META_HYBRID_MISMATCH",
  "the torrent's v1 and v2 parts name different files: its publisher must make it anew",
);

interface Leaf {
  readonly path: readonly Uint8Array[];
  /** Undefined when the tree is wrong there. */
  readonly length: number | undefined;
}

/** The files of a tree in its order. The decoder's depth limit bounds the recursion. */
function* leavesOf(tree: BencodeDictionary, path: readonly Uint8Array[]): Generator<Leaf> {
  for (const [key, value] of tree.entries()) {
    if (!(value instanceof BencodeDictionary)) yield { path, length: undefined };
    else if (key.length > 0) yield* leavesOf(value, [...path, key]);
    else yield { path, length: value.getInteger("length") ?? lengthOfLink(value) };
  }
}

/** A symbolic link (BEP 47) may leave its length, 0, out. */
function lengthOfLink(file: BencodeDictionary): number | undefined {
  return file.has("symlink path") ? 0 : undefined;
}

function isSamePath(a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean {
  return a.length === b.length && a.every((element, i) => equalBytes(element, b[i] as Uint8Array));
}
