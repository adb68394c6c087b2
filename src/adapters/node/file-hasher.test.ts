import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { createRandom, randomBytes } from "../../base/random.ts";
import { FileHasher, type FilePlace } from "./file-hasher.ts";

const PIECE = 1000;

const hashOf = (algorithm: string, bytes: Uint8Array): string =>
  createHash(algorithm).update(bytes).digest("hex");

/** Hashes the file at `place` of `content` in parts of random lengths, from byte `from` on. */
function hashInParts(content: Uint8Array, place: FilePlace, seed: number, from = 0) {
  const random = createRandom(seed);
  const hasher = new FileHasher(place, from);
  const pieces = new Map<number, string>();
  const sha256: (Uint8Array | undefined)[] = [];
  while (hasher.position < place.length) {
    const length = 1 + random.below(2.5 * PIECE);
    const begin = place.offset + hasher.position;
    const end = Math.min(begin + length, place.offset + place.length);
    const digests = hasher.update(content.subarray(begin, end));
    for (let i = 0; 20 * i < digests.pieceHashes.length; i++) {
      const digest = digests.pieceHashes.subarray(20 * i, 20 * i + 20);
      pieces.set(digests.firstPiece + i, Buffer.from(digest).toString("hex"));
    }
    sha256.push(digests.sha256);
  }
  return { pieces, sha256 };
}

/** What must come out: the pieces that lie between `begin` and the end of the file. */
function piecesBetween(content: Uint8Array, begin: number, end: number): Map<number, string> {
  const pieces = new Map<number, string>();
  for (let i = 0; i * PIECE < content.length; i++) {
    const [from, to] = [i * PIECE, Math.min((i + 1) * PIECE, content.length)];
    if (from >= begin && to <= end) pieces.set(i, hashOf("sha1", content.subarray(from, to)));
  }
  return pieces;
}

test("however the bytes are cut, the digests are those of the whole, and of the pieces inside", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = createRandom(seed);
    const contentLength = 1 + random.below(9 * PIECE);
    const content = randomBytes(contentLength, random);
    const cuts = [random.below(contentLength + 1), random.below(contentLength + 1)];
    // Often at the boundary of a piece, or at an end of the content.
    if (seed % 3 === 0) cuts[0] = 0;
    if (seed % 4 === 0) cuts[1] = contentLength;
    if (seed % 5 === 0) cuts[0] = Math.floor((cuts[0] as number) / PIECE) * PIECE;
    const [offset, end] = cuts.sort((a, b) => a - b) as [number, number];
    const place = { offset, length: end - offset, contentLength, pieceLength: PIECE };
    if (place.length === 0) continue;

    const { pieces, sha256 } = hashInParts(content, place, seed);

    assert.deepEqual(pieces, piecesBetween(content, offset, end), `seed ${seed}`);
    assert.ok(sha256.slice(0, -1).every((digest) => digest === undefined));
    const whole = Buffer.from(sha256.at(-1) as Uint8Array).toString("hex");
    assert.equal(whole, hashOf("sha256", content.subarray(offset, end)), `seed ${seed}`);
  }
});

test("who begins in the middle hashes the pieces from there on, and never the whole", () => {
  const content = randomBytes(7777, createRandom(1));
  const place = { offset: 500, length: 7000, contentLength: 7777, pieceLength: PIECE };
  for (const from of [1, 499, 500, 501, 1500, 6499, 6999]) {
    const { pieces, sha256 } = hashInParts(content, place, from, from);

    assert.deepEqual(pieces, piecesBetween(content, 500 + from, 7500), `from ${from}`);
    assert.ok(sha256.every((digest) => digest === undefined));
  }
});
