/** Content that keeps the info hash of a .torrent it has already: uploaded, and where it lies. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { createRandom, randomBytes } from "../../src/base/random.ts";
import { BtPublisherError } from "../../src/base/errors.ts";
import type { ContentPlan } from "../../src/ports/content-service.ts";
import { defaultPolicy } from "../../src/ports/publication-policy.ts";
import { bencode, fileFields, type RawFields, sha1Hex } from "../support/metainfo.ts";
import { sha1 } from "../support/torrents.ts";
import {
  bodyOf,
  discardSource,
  type SourceWorld,
  startSource,
  stopSource,
} from "../support/source-world.ts";

const PIECE = 32 * 1024;
const options = { pieceLength: undefined, isPrivate: false, policy: defaultPolicy };

/** In the torrent's order, which is not the sorted one. */
const files = [
  { path: ["z.bin"], bytes: randomBytes(100_000, createRandom(1)) },
  { path: ["a", "first.bin"], bytes: randomBytes(50_000, createRandom(2)) },
  { path: ["empty"], bytes: new Uint8Array(0) },
  { path: ["m.bin"], bytes: randomBytes(300_001, createRandom(3)) },
] as const;
type File = (typeof files)[number];

/** As somebody else's program made it, with a key of its own. */
function infoOf(changes: RawFields = {}): Uint8Array {
  return bencode({
    files: files.map(({ path, bytes }) => fileFields(path, bytes.length)),
    name: "Old name",
    "piece length": PIECE,
    pieces: piecesOf(Buffer.concat(files.map(({ bytes }) => bytes))),
    source: "elsewhere",
    ...changes,
  });
}

function piecesOf(content: Uint8Array): Uint8Array {
  const count = Math.ceil(content.length / PIECE);
  const piece = (i: number) => content.subarray(i * PIECE, (i + 1) * PIECE);
  return Buffer.concat(Array.from({ length: count }, (_, i) => sha1(piece(i))));
}

/** As an uploader lists them: sorted. */
const sorted: readonly File[] = [files[1], files[2], files[3], files[0]];

function planOf(keptInfo: Uint8Array): ContentPlan {
  const planned = sorted.map(({ path, bytes }) => ({ path, length: bytes.length }));
  return {
    name: "thing",
    contentName: "Old name",
    isDirectory: true,
    files: planned,
    keptInfo,
  };
}

async function open(t: TestContext): Promise<SourceWorld> {
  const world = await startSource();
  t.after(() => discardSource(world));
  return world;
}

async function send({ source }: SourceWorld, fileIndex: number, bytes: Uint8Array): Promise<void> {
  await source.appendFile("thing", { fileIndex, offset: 0 }, bodyOf(bytes));
}

async function upload(world: SourceWorld, keptInfo: Uint8Array): Promise<void> {
  await world.source.beginUpload(planOf(keptInfo));
  for (const [index, { bytes }] of sorted.entries()) await send(world, index, bytes);
}

async function localFolder(t: TestContext, changed: Readonly<Record<string, Uint8Array>> = {}) {
  const folder = await mkdtemp(join(tmpdir(), "kept-"));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, "New name");
  for (const file of files) {
    const full = join(path, ...file.path);
    await mkdir(dirname(full), { recursive: true });
    await writeFile(full, changed[file.path.join("/")] ?? file.bytes);
  }
  return path;
}

/** `bytes` with one bit of the byte at `position` turned. */
function spoiled(bytes: Uint8Array, position: number): Uint8Array {
  return bytes.map((byte, i) => (i === position ? byte ^ 1 : byte));
}

function fails(code: string, message: RegExp, detail: object = {}) {
  return (error: unknown) => {
    assert.ok(error instanceof BtPublisherError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    assert.partialDeepStrictEqual(error.detail, detail);
    return true;
  };
}

test("UPL-13 an upload keeps the info dictionary byte by byte, and is hashed while it arrives", async (t) => {
  const world = await open(t);
  const info = infoOf();
  await upload(world, info);

  const published = await world.source.publishUpload("thing", options);

  assert.equal(Buffer.compare(published.info, info), 0);
  assert.equal(published.infoHash, sha1Hex(info));
  assert.deepEqual(
    published.files.map(({ path }) => path),
    files.map(({ path }) => path),
  );
  const seeded = world.host.seeded.get(published.infoHash);
  assert.ok(seeded);
  const views = [new Uint8Array(1000)];
  await seeded.content.store.read(99_500, views);
  assert.deepEqual(views[0]?.subarray(0, 500), files[0].bytes.subarray(99_500));
  assert.deepEqual(views[0]?.subarray(500), files[1].bytes.subarray(0, 500));
});

test("of a kept single file nothing is read again, though its pieces have an odd length", async (t) => {
  const world = await open(t);
  const { bytes } = files[3];
  const info = bencode({
    length: bytes.length,
    name: "old.bin",
    "piece length": PIECE,
    pieces: piecesOf(bytes),
  });
  const planned = [{ path: ["old.bin"], length: bytes.length }];
  const head = { name: "thing", contentName: "old.bin", isDirectory: false };
  const plan = { ...head, files: planned, keptInfo: info };
  await world.source.beginUpload(plan);
  await send(world, 0, bytes);

  let isKnown = false;
  const { inspector } = world.dependencies;
  const hash = inspector.hash.bind(inspector);
  inspector.hash = (tree, how) => {
    isKnown = how.arrived?.pieces.isFull === true;
    return hash(tree, how);
  };
  await world.source.publishUpload("thing", options);
  assert.ok(isKnown);
});

test("a kept .torrent outlives a restart in the middle of its upload", async (t) => {
  const before = await open(t);
  const info = infoOf();
  await before.source.beginUpload(planOf(info));
  await send(before, 0, sorted[0]!.bytes);
  await stopSource(before);
  const world = await startSource(before);
  t.after(() => stopSource(world));
  const other = infoOf({ source: "yet another place" });
  await assert.rejects(
    world.source.beginUpload(planOf(other)),
    fails("CONFLICT", /another \.torrent/),
  );

  const { receivedBytes } = await world.source.beginUpload(planOf(info));
  assert.deepEqual(receivedBytes, [sorted[0]!.bytes.length, 0, 0, 0]);
  for (const index of [2, 3]) await send(world, index, sorted[index]!.bytes);
  const published = await world.source.publishUpload("thing", options);

  assert.equal(published.infoHash, sha1Hex(info));
});

test("UPL-14 an upload with a wrong piece is refused, and its files can be sent again", async (t) => {
  const world = await open(t);
  const info = infoOf();
  await world.source.beginUpload(planOf(info));
  // Piece 3 begins in z.bin and ends in a/first.bin.
  for (const [index, { path, bytes }] of sorted.entries()) {
    await send(world, index, path[0] === "a" ? spoiled(bytes, 10_000) : bytes);
  }

  await assert.rejects(
    world.source.publishUpload("thing", options),
    fails("HASH_MISMATCH", /piece 3 of 0 to 13, in "z\.bin" and 1 more, is not/, {
      pieceIndex: 3,
      path: "z.bin",
    }),
  );

  assert.deepEqual(await world.source.list(), []);
  const { receivedBytes } = await world.source.uploadStatus("thing");
  assert.deepEqual(receivedBytes, [0, 0, 300_001, 0]);
  await send(world, 0, files[1].bytes);
  await send(world, 3, files[0].bytes);
  const published = await world.source.publishUpload("thing", options);
  assert.equal(published.infoHash, sha1Hex(info));
});

test("UPL-13 a folder of another name keeps it where it lies", async (t) => {
  const world = await open(t);
  const [info, path] = [infoOf({ private: 1 }), await localFolder(t)];
  const content = { name: "thing", path, keptInfo: info };

  const published = await world.source.publishLocal(content, { ...options, isPrivate: true });

  assert.equal(published.infoHash, sha1Hex(info));
  assert.equal(published.contentName, "Old name");
  assert.ok(world.host.seeded.has(published.infoHash));
});

test("UPL-14 what lies there is refused by its first wrong piece", async (t) => {
  const world = await open(t);
  const path = await localFolder(t, { "m.bin": spoiled(spoiled(files[3].bytes, 0), 300_000) });
  const content = { name: "thing", path, keptInfo: infoOf() };

  await assert.rejects(
    world.source.publishLocal(content, options),
    fails("HASH_MISMATCH", /piece 4 of 0 to 13, in "a\/first\.bin"/, { pieceIndex: 4 }),
  );

  assert.deepEqual(await world.source.list(), []);
});

const refusals: readonly (readonly [string, Partial<ContentPlan>, string, RegExp])[] = [
  [
    "a missing file",
    { files: planOf(infoOf()).files.slice(1) },
    "META_FILES",
    /lists "a\/first.bin", which/,
  ],
  [
    "a file too many",
    { files: [...planOf(infoOf()).files, { path: ["extra"], length: 1 }] },
    "META_FILES",
    /does not list "extra"/,
  ],
  [
    "another length",
    { files: planOf(infoOf()).files.map((file) => ({ ...file, length: file.length + 1 })) },
    "META_FILES",
    /"z\.bin" with 100000 bytes; here it has 100001/,
  ],
  [
    "a hybrid",
    { keptInfo: infoOf({ "meta version": 2 }) },
    "META_HYBRID_MISMATCH",
    /cannot be kept/,
  ],
  ["hostile names", { keptInfo: infoOf({ name: "../x" }) }, "META_NAME", /cannot be kept/],
  ["another name", { contentName: "New name" }, "META_NAME", /Old name/],
  ["no info at all", { keptInfo: new Uint8Array(3) }, "BENC_SYNTAX", /cannot be kept/],
];

for (const [what, changes, code, message] of refusals) {
  test(`UPL-13 a plan with ${what} is refused before a byte comes`, async (t) => {
    const world = await open(t);
    const plan = { ...planOf(infoOf()), ...changes };
    await assert.rejects(world.source.beginUpload(plan), fails(code, message));
  });
}

test("UPL-13 the private flag and the length of pieces are the torrent's, or it is refused", async (t) => {
  const world = await open(t);
  await upload(world, infoOf());
  const publish = (more: object) => world.source.publishUpload("thing", { ...options, ...more });

  await assert.rejects(publish({ isPrivate: true }), fails("META_PRIVATE", /is not private/));
  await assert.rejects(
    publish({ pieceLength: PIECE }),
    fails("USAGE", /leave the piece length out/),
  );
  const path = await localFolder(t);
  const content = { name: "local", path, keptInfo: infoOf({ private: 1 }) };
  await assert.rejects(
    world.source.publishLocal(content, options),
    fails("META_PRIVATE", /is private.*choose the catalogue members or private/),
  );

  assert.deepEqual(await world.source.list(), []);
});

test("the same info hash is published once", async (t) => {
  const world = await open(t);
  await upload(world, infoOf());
  await world.source.publishUpload("thing", options);
  const content = { name: "twin", path: await localFolder(t), keptInfo: infoOf() };

  await assert.rejects(
    world.source.publishLocal(content, options),
    fails("CONFLICT", /published already/, { reason: "ALREADY_PUBLISHED", name: "thing" }),
  );
});
