import assert from "node:assert/strict";
import { test } from "node:test";
import {
  bencode,
  codeOf,
  directoryFields,
  fileFields,
  good,
  infoFields,
  pathsOf,
  type Raw,
  type RawFields,
  readInfo,
  sha1,
} from "../../../test/support/metainfo.ts";
import { parseInfo } from "./parse.ts";

/** Codes of a lenient and of a strict reader. */
function codes(files: readonly RawFields[], changes: RawFields = {}): readonly string[] {
  const fields = directoryFields(files, changes);
  return [codeOf(readInfo(fields)), codeOf(readInfo(fields, { isStrict: true }))];
}

/** Safe paths of files with these paths, as a lenient reader sees them. */
function safePaths(...paths: (string | readonly (string | Uint8Array)[])[]): string[] {
  return pathsOf(good(readInfo(directoryFields(paths.map((path) => fileFields(path))))));
}

const both = (code: string): readonly string[] => [code, code];

test("TOR-12 lengths whose sum overflows", () => {
  const huge = (length: bigint): RawFields => fileFields("a", length);
  const pieces = { pieces: "" };
  assert.deepEqual(codes([huge(2n ** 62n), huge(2n ** 62n)], pieces), both("META_LENGTH"));
  const many = Array.from({ length: 64 }, (_, i) => fileFields(`${i}`, 2 ** 47));
  assert.deepEqual(codes(many, pieces), both("META_LENGTH"));
  assert.deepEqual(codes([fileFields("a"), fileFields("b", -1)], pieces), both("META_LENGTH"));
});

test("TOR-13 a file of 2^48 bytes", () => {
  const fields = infoFields({ length: 2 ** 48, pieces: "" });
  assert.equal(codeOf(readInfo(fields)), "META_LENGTH");
  assert.equal(codeOf(readInfo(infoFields({ length: 2 ** 48 - 1 }))), "META_PIECES_COUNT");
});

test("a length, a file, a path or an element of a wrong type", () => {
  const rows: readonly (readonly [RawFields, string])[] = [
    [{ length: "1", path: ["a"] }, "META_LENGTH"],
    [{ path: ["a"] }, "META_LENGTH"],
    [{ length: 1 }, "META_NAME"],
    [{ length: 1, path: [] }, "META_NAME"],
    [{ length: 1, path: "a" }, "META_NAME"],
    [{ length: 1, path: ["a", 5] }, "META_TYPE"],
  ];
  for (const [file, code] of rows) assert.deepEqual(codes([file], { pieces: "" }), both(code));
  const notFiles: readonly Raw[] = ["files", { a: 1 }, 5];
  for (const files of notFiles) {
    assert.equal(codeOf(readInfo(infoFields({ length: undefined, files }))), "META_LENGTH");
  }
  assert.equal(codeOf(readInfo(infoFields({ length: undefined, files: ["a"] }))), "META_TYPE");
});

test("TOR-14 path elements that name nothing become an underscore", () => {
  assert.deepEqual(safePaths(["a", "..", "c"]), ["a/_/c"]);
  assert.deepEqual(safePaths(["/..", ".", "c"]), ["_/_/c"]);
  assert.deepEqual(safePaths(["", "abc"]), ["_/abc"]);
  assert.deepEqual(safePaths(["abc", ""]), ["abc/_"]);
  assert.deepEqual(safePaths(["/a/", "\\b"]), ["a/b"]);
  assert.deepEqual(codes([fileFields(["a", ".."])]), ["ok", "META_NAME"]);
});

test("TOR-19 TOR-20 TOR-21 elements with control, invisible and broken characters", () => {
  const overlong = Buffer.from("c0ae", "hex");
  assert.deepEqual(safePaths(["a\u001b[2J", "b\u202ec", overlong]), ["a_[2J/bc/_"]);
  assert.deepEqual(codes([fileFields(["\u001b"])]), ["ok", "META_NAME"]);
  assert.deepEqual(codes([fileFields([overlong])]), ["ok", "META_NAME"]);
});

test("TOR-22 a path of 200 levels", () => {
  const path = (levels: number): RawFields => fileFields(Array<string>(levels).fill("a"));
  assert.deepEqual(codes([path(200)]), both("META_PATH_DEPTH"));
  assert.equal(codes([path(100)])[0], "ok");
});

test("TOR-23 an element of 300 bytes is cut", () => {
  const [path] = safePaths([`${"a".repeat(296)}.iso`]);
  assert.equal(path, `${"a".repeat(240)}.iso`);
  assert.deepEqual(codes([fileFields("b".repeat(300))]), ["ok", "META_NAME"]);
});

test("TOR-24 a path of more than 4096 bytes", () => {
  const path = Array<string>(21).fill("a".repeat(200));
  assert.deepEqual(codes([fileFields(path)]), both("META_PATH_LONG"));
});

test("TOR-25 files that differ only by case or composition", () => {
  assert.deepEqual(safePaths("d/A.txt", "D/a.txt"), ["d/A.txt", "D/a.1.txt"]);
  assert.deepEqual(safePaths("\u00e9", "e\u0301"), ["\u00e9", "e\u0301.1"]);
  assert.deepEqual(codes([fileFields("a"), fileFields("A")]), ["ok", "META_PATH_COLLISION"]);
});

test("TOR-25 files that become equal by being made safe", () => {
  assert.deepEqual(safePaths("a\u200b", "a", ["a/"]), ["a", "a.1", "a.2"]);
});

test("TOR-26 a file and a directory of one name", () => {
  assert.deepEqual(safePaths("a", "a/b"), ["a.1", "a/b"]);
  assert.deepEqual(codes([fileFields("a/b"), fileFields("a")]), ["ok", "META_PATH_COLLISION"]);
});

test("TOR-27 118 files of one name", () => {
  const files = Array.from({ length: 118 }, () => fileFields("same.txt"));
  assert.deepEqual(codes(files), ["META_TOO_MANY_DUPLICATES", "META_PATH_COLLISION"]);
});

/** An info dictionary of `count` empty files. */
function manyFiles(count: number): Uint8Array {
  const file = bencode(fileFields("a", 0)).toString("latin1");
  return Buffer.from(`d5:filesl${file.repeat(count)}e4:name1:a12:piece lengthi16384e6:pieces0:e`);
}

test("TOR-28 a million files are more than a torrent may have, in files and in bytes", () => {
  for (const isStrict of [false, true]) {
    const code = codeOf(parseInfo(manyFiles(100_001), { sha1, isStrict }));
    assert.equal(code, "META_TOO_MANY_FILES");
  }
  assert.equal(codeOf(parseInfo(manyFiles(1_000_000), { sha1 })), "META_SIZE");
});

test("TOR-29 all files empty, or none at all", () => {
  assert.deepEqual(codes([fileFields("a", 0), fileFields("b", 0)]), both("META_EMPTY"));
  assert.deepEqual(codes([]), both("META_EMPTY"));
  assert.equal(codeOf(readInfo(infoFields({ length: 0, pieces: "" }))), "META_EMPTY");
});

const links: readonly (readonly string[])[] = [
  ["..", "..", "etc", "passwd"],
  ["/etc/passwd"],
  ["b"],
  ["a"],
];
for (const target of links) {
  test(`TOR-30 a symbolic link to ${target.join("/")} is never made`, () => {
    const link = fileFields("a", 0, { attr: "lx", "symlink path": target });
    const files = [link, fileFields("c", 5)];
    assert.deepEqual(codes(files), ["ok", "META_SYMLINK"]);
    const info = good(readInfo(directoryFields(files)));
    assert.deepEqual(pathsOf(info), ["c"]);
    assert.equal(info.files[0]?.offset, 0);
  });
}

test("TOR-31 pad files keep their place, and need no path of their own", () => {
  const files = [
    fileFields("a", 16_000),
    { length: 384, attr: "p" },
    fileFields("b", 16_000),
    fileFields(".pad/384", 384, { attr: "xp" }),
    fileFields("c", 1),
  ];
  const info = good(readInfo(directoryFields(files), { isStrict: true }));
  assert.deepEqual(pathsOf(info), ["a", ".pad/384", "b", ".pad/384", "c"]);
  assert.deepEqual(
    info.files.map((file) => file.isPad),
    [false, true, false, true, false],
  );
  assert.equal(info.files[4]?.offset, 32_768);
});

test("TOR-31 pad files that collide with real ones, or pad wrongly", () => {
  const pad = (length: number, path = "a"): RawFields => fileFields(path, length, { attr: "p" });
  const colliding = good(readInfo(directoryFields([fileFields("a", 16_000), pad(384)])));
  assert.deepEqual(pathsOf(colliding), ["a", "a"]);
  const middle = [fileFields("a", 100), pad(28, ".pad/28"), fileFields("b", 100)];
  assert.deepEqual(codes(middle), ["ok", "META_LENGTH"]);
  const large = [fileFields("a", 16_384), pad(16_385)];
  assert.deepEqual(codes(large), both("META_LENGTH"));
});

test("TOR-31 BitComet's pad files", () => {
  const name = "_____padding_file_0_if you see this file, please update to BitComet 0.85____";
  const files = [fileFields("a", 16_000), fileFields(name, 384), fileFields("b", 1)];
  const info = good(readInfo(directoryFields(files)));
  assert.deepEqual(
    info.files.map((file) => file.isPad),
    [false, true, false],
  );
  assert.equal(codes(files)[1], "META_NAME");
});

test("20,000 files", () => {
  const files = Array.from({ length: 20_000 }, (_, i) =>
    fileFields(`folder ${i % 100}/a file with a usual name ${i}.bin`, 100_000),
  );
  const raw = bencode(directoryFields(files, { "piece length": 16_384 }));
  const info = good(parseInfo(raw, { sha1, isStrict: true }));
  assert.equal(info.files.length, 20_000);
  assert.equal(info.geometry.contentLength, 2_000_000_000);
});
