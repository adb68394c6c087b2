import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { bencode, codeOf, good, pathsOf, sha1, sha1Hex } from "../../../test/support/metainfo.ts";
import { AssertionError } from "../../base/assert.ts";
import { BtPublisherError } from "../../base/errors.ts";
import {
  type ContentNames,
  checkContent,
  choosePieceLength,
  encodeInfo,
  encodeMetainfo,
  type InfoContent,
} from "./create.ts";
import { parseInfo, parseMetainfo } from "./parse.ts";

function hashes(count: number): Uint8Array {
  return new Uint8Array(20 * count).fill(7);
}

/** Content as given, with as many hashes as it needs. */
function content(names: Partial<ContentNames>, changes: Partial<InfoContent> = {}): InfoContent {
  const { name = "a.iso", isDirectory = false } = names;
  const files = names.files ?? [{ path: [name], length: 40_000 }];
  const pieceLength = changes.pieceLength ?? 16_384;
  const length = files.reduce((sum, file) => sum + file.length, 0);
  const pieceHashes = changes.pieceHashes ?? hashes(Math.ceil(length / pieceLength));
  return { name, isDirectory, files, pieceLength, pieceHashes, isPrivate: false, ...changes };
}

function directory(...paths: string[]): Partial<ContentNames> {
  const files = paths.map((path) => ({ path: path.split("/"), length: 1 }));
  return { name: "dir", isDirectory: true, files };
}

const withCode = (code: string) => (error: unknown) =>
  error instanceof BtPublisherError && error.code === code;

test("encodes a single file as another bencoder does", () => {
  const raw = encodeInfo(content({}));
  const fields = {
    length: 40_000,
    name: "a.iso",
    "piece length": 16_384,
    pieces: hashes(3),
  };
  assert.deepEqual(Buffer.from(raw), bencode(fields));
  assert.deepEqual(
    Buffer.from(encodeInfo(content({}, { isPrivate: true }))),
    bencode({ ...fields, private: 1 }),
  );
});

test("encodes a directory as another bencoder does", () => {
  const raw = encodeInfo(content(directory("b/ü.txt", "a")));
  assert.deepEqual(
    Buffer.from(raw),
    bencode({
      files: [
        { length: 1, path: ["b", "ü.txt"] },
        { length: 1, path: ["a"] },
      ],
      name: "dir",
      "piece length": 16_384,
      pieces: hashes(1),
    }),
  );
});

test("a directory of one file stays a directory", () => {
  const info = good(parseInfo(encodeInfo(content(directory("a"))), { sha1, isStrict: true }));
  assert.equal(info.isDirectory, true);
  assert.deepEqual(pathsOf(info), ["a"]);
});

const refused: readonly (readonly [code: string, names: Partial<ContentNames>])[] = [
  ["META_NAME", { name: "a:b" }],
  ["META_NAME", { name: "" }],
  ["META_NAME", { name: "a", files: [{ path: ["b"], length: 1 }] }],
  ["META_NAME", { name: "a", files: [] }],
  ["META_NAME", directory("a", "b/..")],
  ["META_NAME", { ...directory("a"), name: ".." }],
  ["META_NAME", { ...directory(), files: [{ path: [], length: 1 }], name: "" }],
  ["META_PATH_DEPTH", directory("a/".repeat(100) + "a")],
  ["META_PATH_LONG", directory(`${"a".repeat(200)}/`.repeat(20) + "a".repeat(200))],
  ["META_PATH_COLLISION", directory("a", "A")],
  ["META_PATH_COLLISION", directory("a/b", "a")],
  ["META_EMPTY", { files: [{ path: ["a.iso"], length: 0 }] }],
  ["META_EMPTY", directory()],
  ["META_LENGTH", { files: [{ path: ["a.iso"], length: -1 }] }],
  ["META_LENGTH", { files: [{ path: ["a.iso"], length: 1.5 }] }],
  ["META_LENGTH", { files: [{ path: ["a.iso"], length: Number.NaN }] }],
  ["META_LENGTH", { files: [{ path: ["a.iso"], length: 2 ** 48 }] }],
  ["META_TOO_MANY_FILES", directory(...Array<string>(100_001).fill("a"))],
];
for (const [code, names] of refused) {
  test(`${code} ${JSON.stringify(names).slice(0, 60)}`, () => {
    const full: ContentNames = content(names, { pieceHashes: hashes(0) });
    assert.equal(codeOf(checkContent(full)), code);
    assert.throws(() => encodeInfo(content(names, { pieceHashes: hashes(0) })), withCode(code));
  });
}

test("META_NAME all names that must change are told at once, each with its directory", () => {
  const odd = Array.from({ length: 12 }, (_, i) => `deep/odd?${i}`);
  const names = directory("fine", "sub/a:b", "bad?/one", "bad?/two", ...odd);
  const result = checkContent(content(names));
  assert.equal(codeOf(result), "META_NAME");
  const lines = result.ok ? [] : result.message.split("\n");
  assert.equal(lines.length, 11);
  assert.match(lines[0] ?? "", /"a:b" in ".+\/sub" has one of/);
  assert.match(lines[1] ?? "", /"bad\?" in "[^/]+" has one of/);
  assert.equal(lines[10], "and 4 more");
});

test("META_LENGTH files that are too long together", () => {
  const files = ["a", "b"].map((name) => ({ path: [name], length: 2 ** 47 + 2 ** 46 }));
  assert.equal(codeOf(checkContent({ name: "d", isDirectory: true, files })), "META_LENGTH");
});

test("names of all scripts that are fine everywhere", () => {
  const names = directory("large.bin", "100% & #1 [x] +'~.txt", "sub dir/Grüße – 日本語 ☃.txt");
  assert.equal(good(checkContent(content(names))), 3);
});

test("piece lengths that not all clients take", () => {
  for (const pieceLength of [0, 1, 8192, 16_383, 48 * 1024, 2 ** 27, Number.NaN]) {
    const bad = content({}, { pieceLength, pieceHashes: hashes(3) });
    assert.throws(() => encodeInfo(bad), withCode("META_PIECE_LENGTH"));
  }
});

test("more pieces than clients take, or than fit into a .torrent", () => {
  const files = [{ path: ["a.iso"], length: 16_384 * 2 ** 21 + 1 }];
  const tooMany = content({ files }, { pieceHashes: hashes(0) });
  assert.throws(() => encodeInfo(tooMany), withCode("META_PIECES_COUNT"));
  const half = [{ path: ["a.iso"], length: 16_384 * 2 ** 20 }];
  assert.throws(() => encodeInfo(content({ files: half })), withCode("META_SIZE"));
});

test("hashes that do not fit the content are a bug", () => {
  assert.throws(() => encodeInfo(content({}, { pieceHashes: hashes(2) })), AssertionError);
});

const infoRaw = encodeInfo(content({}));

test("encodes a .torrent file as another bencoder does, around the very info bytes", () => {
  const bytes = encodeMetainfo({
    infoRaw,
    announceTiers: [["http://a.example/announce", "udp://a.example:1"], [], ["wss://b.example"]],
    webSeeds: ["https://m.example/files/"],
    comment: "Grüße",
    createdBy: "BTPublisher",
    creationDate: 1_700_000_000,
  });
  const info = bencode({
    length: 40_000,
    name: "a.iso",
    "piece length": 16_384,
    pieces: hashes(3),
  });
  const around = bencode({
    announce: "http://a.example/announce",
    "announce-list": [["http://a.example/announce", "udp://a.example:1"], ["wss://b.example"]],
    comment: "Grüße",
    "created by": "BTPublisher",
    "creation date": 1_700_000_000,
    info: "INFO",
    "url-list": ["https://m.example/files/"],
  }).toString("latin1");
  const expected = around.replace("4:INFO", info.toString("latin1"));
  assert.equal(Buffer.from(bytes).toString("latin1"), expected);

  const torrent = good(parseMetainfo(bytes, { sha1, isStrict: true }));
  assert.equal(torrent.info.infoHash, sha1Hex(info));
  assert.equal(torrent.creationDate, 1_700_000_000);
});

test("one tracker needs no announce-list; what is not there is left out", () => {
  const one = encodeMetainfo({ infoRaw, announceTiers: [["http://a.example/"]], webSeeds: [] });
  assert.match(Buffer.from(one).toString("latin1"), /^d8:announce17:http:\/\/a\.example\/4:infod/);
  const none = encodeMetainfo({ infoRaw, announceTiers: [], webSeeds: [], comment: undefined });
  assert.deepEqual(
    Buffer.from(none),
    Buffer.concat([Buffer.from("d4:info"), infoRaw, Buffer.from("e")]),
  );
});

test("URLs that clients cannot use, and a message without the secret in them", () => {
  const announceTiers = [["http://user:secret@a.example/"]];
  const hidesSecret = (error: unknown): boolean =>
    withCode("META_TRACKER_URL")(error) && !String(error).includes("secret");
  assert.throws(() => encodeMetainfo({ infoRaw, announceTiers, webSeeds: [] }), hidesSecret);
  const webSeeds = ["ftp://a.example/"];
  assert.throws(() => encodeMetainfo({ infoRaw, announceTiers: [], webSeeds }), hidesSecret);
});

const KIB = 1024;
const MIB = 1024 * KIB;
const TIB = 1024 * 1024 * MIB;
const choices: readonly (readonly [contentLength: number, pieceLength: number])[] = [
  [1, 64 * KIB],
  [16 * MIB, 64 * KIB],
  [128 * MIB, 64 * KIB],
  [128 * MIB + 1, 128 * KIB],
  [700 * MIB, 512 * KIB],
  [4096 * MIB, 2 * MIB],
  [32 * 1024 * MIB, 16 * MIB],
  [100 * 1024 * MIB, 16 * MIB],
  [6 * TIB, 16 * MIB],
  [8 * TIB, 32 * MIB],
  [100 * TIB, 64 * MIB],
];
for (const [contentLength, pieceLength] of choices) {
  test(`pieces of ${pieceLength / KIB} KiB for ${contentLength} bytes`, () => {
    assert.equal(choosePieceLength(contentLength), pieceLength);
  });
}

test("from 64 MiB to 32 GiB there are 1024 to 2048 pieces", () => {
  fc.assert(
    fc.property(fc.integer({ min: 64 * MIB, max: 32 * 1024 * MIB }), (contentLength) => {
      const count = Math.ceil(contentLength / choosePieceLength(contentLength));
      assert.ok(count >= 1024 && count <= 2048, `${count} pieces`);
    }),
  );
});

test("what is written is what a strict reader reads", () => {
  const name = fc.stringMatching(/^[a-z0-9äöü日本 ._-]{0,8}[a-z0-9ü本]$/);
  const file = fc.record(
    {
      path: fc.array(name, { minLength: 1, maxLength: 4 }),
      length: fc.integer({ min: 0, max: 100_000 }),
    },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(name, fc.array(file, { minLength: 1, maxLength: 8 }), (dirName, files) => {
      const names = { name: dirName, isDirectory: true, files };
      if (!checkContent(names).ok) return;
      const info = good(parseInfo(encodeInfo(content(names)), { sha1, isStrict: true }));
      assert.equal(info.name, dirName);
      assert.deepEqual(
        info.files.map(({ path, length }) => ({ path, length })),
        files,
      );
    }),
  );
});
