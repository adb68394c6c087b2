/**
 * Makes .torrent files for tests, good and bad ones, by a bencoder that shares no code with ours:
 * so a golden info hash is one that somebody else computed.
 */
import { createHash } from "node:crypto";
import type { BtPublisherError, Result } from "../../src/base/errors.ts";
import type { Info, Metainfo } from "../../src/protocol/metainfo/metainfo.ts";
import { type ParseOptions, parseInfo, parseMetainfo } from "../../src/protocol/metainfo/parse.ts";

/** Text is UTF-8; keys are sorted, unless a list of pairs says otherwise. */
export type Raw = number | bigint | string | Uint8Array | Pairs | readonly Raw[] | RawFields;
export interface RawFields {
  readonly [key: string]: Raw | undefined;
}

/** A dictionary exactly as listed: unsorted, or with a key twice. */
export class Pairs {
  readonly pairs: readonly (readonly [string, Raw])[];

  constructor(pairs: readonly (readonly [string, Raw])[]) {
    this.pairs = pairs;
  }
}

/** The bencoding of `value`; undefined fields are left out. */
export function bencode(value: Raw): Buffer {
  if (typeof value === "number" || typeof value === "bigint") return Buffer.from(`i${value}e`);
  if (typeof value === "string") return bencode(Buffer.from(value));
  if (value instanceof Uint8Array) {
    return Buffer.concat([Buffer.from(`${value.length}:`), value]);
  }
  if (isList(value)) {
    return Buffer.concat([Buffer.from("l"), ...value.map(bencode), Buffer.from("e")]);
  }
  const pairs = value instanceof Pairs ? value.pairs : sortedPairs(value);
  const fields = pairs.flatMap(([key, field]) => [bencode(key), bencode(field)]);
  return Buffer.concat([Buffer.from("d"), ...fields, Buffer.from("e")]);
}

function isList(value: Raw): value is readonly Raw[] {
  return Array.isArray(value);
}

function sortedPairs(fields: RawFields): (readonly [string, Raw])[] {
  return Object.entries(fields)
    .filter((field): field is [string, Raw] => field[1] !== undefined)
    .sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

export function sha1(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha1").update(bytes).digest());
}

export function sha1Hex(bytes: Uint8Array): string {
  return createHash("sha1").update(bytes).digest("hex");
}

/** Fields of a good single-file info dictionary of one piece, with changes. */
export function infoFields(changes: RawFields = {}): RawFields {
  return {
    length: 5,
    name: "a.txt",
    "piece length": 16384,
    pieces: "a".repeat(20),
    ...changes,
  };
}

/** A file of a directory: its path with slashes, or its elements, and its length. */
export function fileFields(
  path: string | readonly (string | Uint8Array)[],
  length: number | bigint = 1,
  more: RawFields = {},
): RawFields {
  return { length, path: typeof path === "string" ? path.split("/") : path, ...more };
}

/** Fields of an info dictionary of a directory, with hashes that fit the lengths. */
export function directoryFields(files: readonly RawFields[], changes: RawFields = {}): RawFields {
  const { pieces = hashesOf(files), ...others } = changes;
  return infoFields({ length: undefined, files, name: "dir", pieces, ...others });
}

function hashesOf(files: readonly RawFields[]): string {
  const length = files.reduce((sum, file) => sum + Number(file["length"]), 0);
  return "a".repeat(20 * Math.ceil(length / 16384));
}

export function readInfo(fields: Raw, options: Partial<ParseOptions> = {}): Result<Info> {
  return parseInfo(bencode(fields), { sha1, ...options });
}

export function readTorrent(
  fields: RawFields,
  options: Partial<ParseOptions> = {},
): Result<Metainfo> {
  return parseMetainfo(bencode({ info: infoFields(), ...fields }), { sha1, ...options });
}

/** The value; a failed test otherwise. */
export function good<Value>(result: Result<Value>): Value {
  if (result.ok) return result.value;
  throw new Error(`${result.code}: ${result.message}`);
}

/** The code of a failure, or `ok`. */
export function codeOf(result: Result<unknown>): BtPublisherError["code"] | "ok" {
  return result.ok ? "ok" : result.code;
}

/** Paths of all files, with slashes. */
export function pathsOf(info: Info): string[] {
  return info.files.map((file) => file.path.join("/"));
}
