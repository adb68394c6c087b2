import assert from "node:assert/strict";
import { test } from "node:test";
import {
  bencode,
  codeOf,
  directoryFields,
  fileFields,
  good,
  infoFields,
  Pairs,
  pathsOf,
  type Raw,
  readInfo,
  sha1,
  sha1Hex,
} from "../../../test/support/metainfo.ts";
import { latin1, latin1Bytes } from "../../base/bytes.ts";
import { pieceHash } from "./metainfo.ts";
import { parseInfo } from "./parse.ts";

/** Codes of a lenient and of a strict reader. */
function codes(fields: Raw): readonly [lenient: string, strict: string] {
  return [codeOf(readInfo(fields)), codeOf(readInfo(fields, { isStrict: true }))];
}

const bothOk = ["ok", "ok"];
const both = (code: string): readonly string[] => [code, code];

test("reads a single file; the info hash is that of another bencoder", () => {
  const raw = bencode(infoFields({ length: 20_000, pieces: "ab".repeat(20) }));
  assert.equal(
    raw.toString(),
    `d6:lengthi20000e4:name5:a.txt12:piece lengthi16384e6:pieces40:${"ab".repeat(20)}e`,
  );

  const info = good(parseInfo(raw, { sha1, isStrict: true }));

  assert.equal(info.infoHash, sha1Hex(raw));
  assert.equal(info.infoHash, "80381ef0a2c600c2218fbb4aa0cc2113ab6ab1fa");
  assert.deepEqual(latin1(info.raw), raw.toString("latin1"));
  assert.equal(info.name, "a.txt");
  assert.deepEqual(info.rawName, latin1Bytes("a.txt"));
  assert.equal(info.isDirectory, false);
  assert.deepEqual(info.files, [
    { path: ["a.txt"], rawPath: [latin1Bytes("a.txt")], length: 20_000, offset: 0, isPad: false },
  ]);
  assert.equal(info.geometry.pieceCount, 2);
  assert.equal(info.geometry.lengthOf(1), 3616);
  assert.deepEqual(pieceHash(info, 1), latin1Bytes("ab".repeat(10)));
  assert.equal(info.isPrivate, false);
  assert.equal(info.version, "v1");
});

test("reads a directory: offsets follow the order of the list", () => {
  const files = [fileFields("x/b", 20_000), fileFields("a", 0), fileFields("x/a", 3)];
  const info = good(readInfo(directoryFields(files, { private: 1 }), { isStrict: true }));

  assert.equal(info.isDirectory, true);
  assert.equal(info.isPrivate, true);
  assert.deepEqual(pathsOf(info), ["x/b", "a", "x/a"]);
  assert.deepEqual(
    info.files.map((file) => file.offset),
    [0, 20_000, 20_000],
  );
  assert.deepEqual(info.files[2]?.rawPath, [latin1Bytes("x"), latin1Bytes("a")]);
  assert.equal(info.geometry.contentLength, 20_003);
});

test("copies neither the raw bytes nor the piece hashes", () => {
  const raw = new Uint8Array(bencode(infoFields()));
  const info = good(parseInfo(raw, { sha1 }));
  assert.equal(info.raw, raw);
  assert.equal(info.pieceHashes.buffer, raw.buffer);
});

test("unsorted keys: lenient takes them, and hashes what came", () => {
  const fields = new Pairs(Object.entries(infoFields() as Record<string, Raw>).reverse());
  assert.deepEqual(codes(fields), ["ok", "BENC_ORDER"]);
  assert.equal(good(readInfo(fields)).infoHash, sha1Hex(bencode(fields)));
});

test("the info dictionary is no dictionary, or has bytes after it", () => {
  assert.deepEqual(codes(["a"]), both("META_TYPE"));
  const raw = Buffer.concat([bencode(infoFields()), Buffer.from("\n")]);
  assert.equal(codeOf(parseInfo(raw, { sha1 })), "BENC_TRAILING");
});

test("TOR-01 an info dictionary of 10,000,001 bytes", () => {
  assert.equal(codeOf(parseInfo(new Uint8Array(10_000_001), { sha1 })), "META_SIZE");
  assert.equal(codeOf(parseInfo(new Uint8Array(10_000_000), { sha1 })), "BENC_SYNTAX");
});

test("TOR-04 neither length nor files nor file tree", () => {
  assert.deepEqual(codes(infoFields({ length: undefined })), both("META_LENGTH"));
});

test("TOR-05 both length and files", () => {
  assert.deepEqual(codes(infoFields({ files: [fileFields("a")] })), both("META_AMBIGUOUS"));
});

const pieceLengths: readonly (readonly [
  id: string,
  value: Raw,
  lenient: string,
  strict: string,
])[] = [
  ["TOR-06", 0, "META_PIECE_LENGTH", "META_PIECE_LENGTH"],
  ["TOR-06", -16384, "META_PIECE_LENGTH", "META_PIECE_LENGTH"],
  ["TOR-06", 1, "META_PIECE_LENGTH", "META_PIECE_LENGTH"],
  ["TOR-06", 1024, "ok", "META_PIECE_LENGTH"],
  ["TOR-06", 16383, "ok", "META_PIECE_LENGTH"],
  ["TOR-06", 16384, "ok", "ok"],
  ["TOR-06", "16384", "META_PIECE_LENGTH", "META_PIECE_LENGTH"],
  ["TOR-07", 2 ** 26, "ok", "ok"],
  ["TOR-07", 2 ** 27, "META_PIECE_LENGTH", "META_PIECE_LENGTH"],
  ["TOR-07", 2 ** 31, "META_PIECE_LENGTH", "META_PIECE_LENGTH"],
  ["TOR-07", 2n ** 53n, "META_PIECE_LENGTH", "META_PIECE_LENGTH"],
  ["TOR-07", 2n ** 63n - 1n, "META_PIECE_LENGTH", "META_PIECE_LENGTH"],
  ["TOR-08", 48 * 1024, "ok", "META_PIECE_LENGTH"],
];
for (const [id, value, lenient, strict] of pieceLengths) {
  test(`${id} piece length ${latin1(bencode(value))}`, () => {
    assert.deepEqual(codes(infoFields({ "piece length": value })), [lenient, strict]);
  });
}

test("TOR-09 a piece hash too few or too many", () => {
  for (const count of [0, 2, 4]) {
    const fields = infoFields({ length: 40_000, pieces: "a".repeat(20 * count) });
    assert.deepEqual(codes(fields), both("META_PIECES_COUNT"));
  }
});

test("TOR-10 piece hashes of 119 bytes, or none", () => {
  assert.deepEqual(codes(infoFields({ pieces: "a".repeat(119) })), both("META_PIECES"));
  assert.deepEqual(codes(infoFields({ pieces: undefined })), both("META_PIECES"));
  assert.deepEqual(codes(infoFields({ pieces: 5 })), both("META_PIECES"));
});

test("TOR-11 the piece hashes twice", () => {
  const pairs = Object.entries(infoFields() as Record<string, Raw>);
  const pieces: readonly [string, Raw] = ["pieces", "b".repeat(20)];
  assert.deepEqual(codes(new Pairs([...pairs, pieces])), both("BENC_DUP_KEY"));
  assert.equal(codes(new Pairs([pieces, ...pairs]))[0], "BENC_DUP_KEY");
});

const names: readonly (readonly [id: string, name: string | Uint8Array, safe: string])[] = [
  ["TOR-14", "..", "hash"],
  ["TOR-14", ".", "hash"],
  ["TOR-14", "", "hash"],
  ["TOR-14", "/", "hash"],
  ["TOR-14", "\\", "hash"],
  ["TOR-14", "  ", "hash"],
  ["TOR-15", "C:\\Windows\\x", "C:Windowsx"],
  ["TOR-15", "//server/x", "serverx"],
  ["TOR-15", "file:///etc/passwd", "file:etcpasswd"],
  ["TOR-16", "CON", "CON"],
  ["TOR-21", Buffer.from("c0aec0ae2fc0af", "hex"), "___"],
];
for (const [id, name, safe] of names) {
  test(`${id} name ${JSON.stringify(String(name))}`, () => {
    const fields = infoFields({ name });
    const info = good(readInfo(fields));
    assert.equal(info.name, safe === "hash" ? info.infoHash : safe);
    assert.deepEqual(info.files[0]?.path, [info.name]);
    assert.deepEqual(info.rawName, new Uint8Array(Buffer.from(name)));
    assert.equal(codes(fields)[1], "META_NAME");
  });
}

test("TOR-16 reserved names get their underscore on Windows", () => {
  const fields = directoryFields([fileFields("aux/prn.txt")], { name: "CON" });
  const info = good(readInfo(fields, { nameRules: "windows" }));
  assert.equal(info.name, "_CON");
  assert.deepEqual(pathsOf(info), ["_aux/_prn.txt"]);
});

test("TOR-24 a name of megabytes", () => {
  const name = Buffer.alloc(5_000_000, 0xff);
  assert.deepEqual(codes(infoFields({ name })), both("META_PATH_LONG"));
});

test("TOR-14 no name, or one that is no string", () => {
  assert.deepEqual(codes(infoFields({ name: undefined })), both("META_NAME"));
  assert.deepEqual(codes(infoFields({ name: 5 })), both("META_NAME"));
});

test("TOR-32 only the integer 1 makes a torrent private", () => {
  const values: readonly (readonly [Raw, boolean, string])[] = [
    [0, false, "ok"],
    [1, true, "ok"],
    [2, false, "META_PRIVATE"],
    ["1", false, "META_PRIVATE"],
    [[1], false, "META_PRIVATE"],
    [-1, false, "META_PRIVATE"],
  ];
  for (const [value, isPrivate, strict] of values) {
    const fields = infoFields({ private: value });
    assert.equal(good(readInfo(fields)).isPrivate, isPrivate);
    assert.equal(codes(fields)[1], strict);
  }
});

test("TOR-39 a name in GBK: name.utf-8 is the better one, else no byte of it gets through", () => {
  const gbk = Uint8Array.of(0xd6, 0xd0, 0xce, 0xc4);
  const file = { ...fileFields("x"), path: [gbk], "path.utf-8": ["中文.txt"] };
  const more = { "name.utf-8": "中文", name: gbk, encoding: "GBK" };
  const info = good(readInfo(directoryFields([file], more)));
  assert.equal(info.name, "中文");
  assert.deepEqual(pathsOf(info), ["中文.txt"]);

  const plain = good(readInfo(infoFields({ name: gbk })));
  assert.equal(plain.name, "__");
  assert.deepEqual(plain.rawName, gbk);
});

const hybridFile = (length: number): Raw => ({ "": { length, "pieces root": "r".repeat(32) } });
const tree = (length = 5): Raw => ({ "a.txt": hybridFile(length) });

test("a hybrid torrent is read by its v1 part", () => {
  const fields = infoFields({ "meta version": 2, "file tree": tree() });
  assert.equal(good(readInfo(fields)).version, "hybrid");
  assert.deepEqual(codes(fields), bothOk);
});

test("a hybrid directory, with pad, empty and linked files", () => {
  const files = [
    fileFields("a/b", 16_380),
    fileFields(".pad/4", 4, { attr: "p" }),
    fileFields("a/empty", 0),
    fileFields("c", 7),
    fileFields("link", 0, { attr: "l", "symlink path": ["c"] }),
  ];
  const fileTree: Raw = {
    a: { b: hybridFile(16_380), empty: { "": { length: 0 } } },
    c: hybridFile(7),
    link: { "": { attr: "l", "symlink path": ["c"] } },
  };
  const fields = directoryFields(files, { "meta version": 2, "file tree": fileTree });
  assert.deepEqual(pathsOf(good(readInfo(fields))), ["a/b", ".pad/4", "a/empty", "c"]);
});

test("TOR-42 a hybrid whose parts name other files", () => {
  const trees: readonly (Raw | undefined)[] = [
    tree(6),
    { "b.txt": hybridFile(5) },
    { "a.txt": hybridFile(5), "b.txt": hybridFile(5) },
    { dir: { "a.txt": hybridFile(5) } },
    { "a.txt": "file" },
    { "a.txt": { "": { "pieces root": "r" } } },
    {},
    [],
    undefined,
  ];
  for (const fileTree of trees) {
    const fields = infoFields({ "meta version": 2, "file tree": fileTree });
    assert.deepEqual(codes(fields), both("META_HYBRID_MISMATCH"));
  }
});

test("TOR-42 a hybrid with more files than a torrent may have", () => {
  const leaf = { "": { length: 0 } };
  const many = Object.fromEntries(Array.from({ length: 100_001 }, (_, i) => [`f${i}`, leaf]));
  const fields = infoFields({ "meta version": 2, "file tree": many });
  assert.equal(codeOf(readInfo(fields)), "META_HYBRID_MISMATCH");
});

test("TOR-43 file tree keys that are no names: what is used are the v1 part's, made safe", () => {
  const files = [fileFields(["..", "/", "x"], 5)];
  const fileTree: Raw = { "..": { "/": { x: hybridFile(5) } } };
  const fields = directoryFields(files, { "meta version": 2, "file tree": fileTree });
  assert.deepEqual(pathsOf(good(readInfo(fields))), ["_/_/x"]);
  assert.equal(codes(fields)[1], "META_NAME");
});

test("TOR-44 a format version that is not known", () => {
  for (const version of [3, 1, 0, "2", [2]] as const) {
    const fields = infoFields({ "meta version": version, "file tree": tree() });
    assert.deepEqual(codes(fields), both("META_UNSUPPORTED_VERSION"));
  }
});

test("a torrent of v2 only is refused by its name", () => {
  const v2 = infoFields({ length: undefined, pieces: undefined, "file tree": tree() });
  assert.deepEqual(codes({ ...v2, "meta version": 2 }), both("META_V2_ONLY"));
  assert.deepEqual(codes(v2), both("META_V2_ONLY"));
});
