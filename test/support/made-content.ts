/** Builds small torrents for tests: bytes, and the Info that describes them. */
import { hash } from "node:crypto";
import { infoHashOf, utf8Bytes } from "../../src/base/bytes.ts";
import { createRandom, randomBytes } from "../../src/base/random.ts";
import type { ContentFile, Info } from "../../src/protocol/metainfo/metainfo.ts";
import { PieceGeometry } from "../../src/protocol/metainfo/piece-geometry.ts";

/** A file to build: a path ("/" between elements), a length, perhaps a pad file. */
export interface FileSpec {
  readonly path: string;
  readonly length: number;
  readonly isPad?: boolean;
}

/** What to build; a single file when `files` is a number (its length). */
export interface ContentSpec {
  readonly name?: string;
  readonly files: number | readonly FileSpec[];
  readonly pieceLength?: number;
  readonly seed?: number;
}

/** A torrent and its bytes. */
export interface Content {
  readonly info: Info;
  readonly bytes: Uint8Array;
}

/** A torrent as specified, of random bytes; pad files are zeros. Piece length 32 KiB by default. */
export function makeContent(spec: ContentSpec): Content {
  const { name = "content", pieceLength = 32 * 1024, seed = 1 } = spec;
  const isDirectory = typeof spec.files !== "number";
  const files: ContentFile[] = [];
  let offset = 0;
  for (const file of specsOf(spec, name)) {
    const path = file.path.split("/");
    const rawPath = path.map(utf8Bytes);
    files.push({ path, rawPath, length: file.length, offset, isPad: file.isPad ?? false });
    offset += file.length;
  }
  const bytes = randomBytes(offset, createRandom(seed));
  for (const file of files) {
    if (file.isPad) bytes.fill(0, file.offset, file.offset + file.length);
  }
  return { info: infoOf({ name, isDirectory, files, pieceLength, bytes }), bytes };
}

/** The bytes of piece `pieceIndex`. */
export function pieceBytes({ info, bytes }: Content, pieceIndex: number): Uint8Array {
  const offset = info.geometry.offsetOf(pieceIndex);
  return bytes.subarray(offset, offset + info.geometry.lengthOf(pieceIndex));
}

function specsOf({ files }: ContentSpec, name: string): readonly FileSpec[] {
  return typeof files === "number" ? [{ path: name, length: files }] : files;
}

function infoOf(parts: {
  readonly name: string;
  readonly isDirectory: boolean;
  readonly files: readonly ContentFile[];
  readonly pieceLength: number;
  readonly bytes: Uint8Array;
}): Info {
  const { name, isDirectory, files, pieceLength, bytes } = parts;
  const geometry = new PieceGeometry(pieceLength, bytes.length);
  const pieceHashes = new Uint8Array(20 * geometry.pieceCount);
  for (let i = 0; i < geometry.pieceCount; i++) {
    const offset = geometry.offsetOf(i);
    const piece = bytes.subarray(offset, offset + geometry.lengthOf(i));
    pieceHashes.set(hash("sha1", piece, "buffer"), 20 * i);
  }
  const raw = encodeInfo({ name, isDirectory, files, pieceLength }, pieceHashes);
  const infoHash = infoHashOf(hash("sha1", raw, "buffer"));
  return {
    infoHash,
    raw,
    name,
    rawName: utf8Bytes(name),
    isDirectory,
    files,
    geometry,
    pieceHashes,
    isPrivate: false,
    version: "v1",
  };
}

/** A real info dictionary (BEP 3), written by hand so that tests do not lean on our own encoder. */
function encodeInfo(
  info: Pick<Info, "name" | "isDirectory" | "files"> & { readonly pieceLength: number },
  pieceHashes: Uint8Array,
): Uint8Array {
  const text = (value: string): string => `${Buffer.byteLength(value)}:${value}`;
  const entry = (file: ContentFile): string =>
    `d${file.isPad ? "4:attr1:p" : ""}6:lengthi${file.length}e4:pathl${file.path.map(text).join("")}ee`;
  const head = info.isDirectory
    ? `d5:filesl${info.files.map(entry).join("")}e`
    : `d6:lengthi${info.files[0]?.length ?? 0}e`;
  const tail = `4:name${text(info.name)}12:piece lengthi${info.pieceLength}e6:pieces${pieceHashes.length}:`;
  return Buffer.concat([Buffer.from(head + tail), pieceHashes, Buffer.from("e")]);
}
