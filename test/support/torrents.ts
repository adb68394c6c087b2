/** Builders of torrents for tests: content from a seed, and the info that fits it. */
import { createHash } from "node:crypto";
import { infoHashOf } from "../../src/base/bytes.ts";
import { createRandom } from "../../src/base/random.ts";
import type { Info } from "../../src/protocol/metainfo/metainfo.ts";
import { PieceGeometry } from "../../src/protocol/metainfo/piece-geometry.ts";

/** SHA-1 as the core wants it. */
export function sha1(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha1").update(bytes).digest());
}

/** `length` bytes that look random and are the same for the same seed. */
export function someContent(length: number, seed = 1): Uint8Array {
  const random = createRandom(seed);
  const words = new Uint32Array(Math.ceil(length / 4));
  for (let i = 0; i < words.length; i++) words[i] = random.nextUint32();
  return new Uint8Array(words.buffer, 0, length);
}

/** A single-file torrent of `content`. Its raw info is not bencoding: nothing here reads it. */
export function anInfo(content: Uint8Array, pieceLength: number, name = "content.bin"): Info {
  const geometry = new PieceGeometry(pieceLength, content.length);
  const pieceHashes = new Uint8Array(20 * geometry.pieceCount);
  for (let index = 0; index < geometry.pieceCount; index++) {
    const offset = geometry.offsetOf(index);
    pieceHashes.set(sha1(content.subarray(offset, offset + geometry.lengthOf(index))), 20 * index);
  }
  const path = [name];
  const rawPath = [new TextEncoder().encode(name)];
  return {
    infoHash: infoHashOf(sha1(pieceHashes)),
    raw: pieceHashes,
    rawName: new TextEncoder().encode(name),
    name,
    isDirectory: false,
    files: [{ path, rawPath, length: content.length, offset: 0, isPad: false }],
    geometry,
    pieceHashes,
    isPrivate: false,
    version: "v1",
  };
}
