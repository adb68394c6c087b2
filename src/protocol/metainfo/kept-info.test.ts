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
  type RawFields,
  sha1,
  sha1Hex,
} from "../../../test/support/metainfo.ts";
import {
  checkKeptPrivacy,
  filesOfPiece,
  findWrongPiece,
  hashMismatch,
  matchKeptFiles,
  parseKeptInfo,
  parseKeptTorrent,
} from "./kept-info.ts";

const kept = (fields: RawFields) => parseKeptInfo(bencode(fields), sha1);

test("UPL-13 of a .torrent the info dictionary is kept, whatever stands around it", () => {
  const info = infoFields({ source: "elsewhere" });
  const torrent = bencode(
    // Unsorted, as no strict reader takes it, and with trackers that no client could use.
    new Pairs([
      ["url-list", "http://127.0.0.1:9091/transmission/rpc"],
      ["info", info],
      ["created by", "somebody"],
      ["announce", "ftp://tracker.example/"],
    ]),
  );

  const read = good(parseKeptTorrent(torrent, sha1));

  assert.equal(read.infoHash, sha1Hex(bencode(info)));
  assert.equal(Buffer.compare(read.raw, bencode(info)), 0);
  assert.equal(read.raw.buffer.byteLength, read.raw.length, "nothing of the rest stays in memory");
});

const refused: readonly (readonly [string, RawFields, string])[] = [
  ["an odd name", infoFields({ name: "a\u202etxt" }), "META_NAME"],
  ["a path upwards", directoryFields([fileFields("../a")]), "META_NAME"],
  ["a name of Windows' devices", infoFields({ name: "CON" }), "META_NAME"],
  ["paths that differ by case only", twoFiles("a", "A"), "META_PATH_COLLISION"],
  ["pieces of 48 KiB", infoFields({ "piece length": 48 * 1024 }), "META_PIECE_LENGTH"],
  ["a private flag of 2", infoFields({ private: 2 }), "META_PRIVATE"],
  ["a hybrid", hybridFields(), "META_UNSUPPORTED_VERSION"],
  ["pad files", paddedFields(), "META_FILES"],
  ["keys too many for clients", infoFields({ source: "x".repeat(9_600_000) }), "META_SIZE"],
];

for (const [what, fields, code] of refused) {
  test(`UPL-13 ${what} in it is refused, with words`, () => {
    const read = kept(fields);
    assert.equal(codeOf(read), code);
    assert.match(read.ok ? "" : read.message, /^this \.torrent cannot be kept: /);
  });
}

function twoFiles(first: string, second: string): RawFields {
  return directoryFields([fileFields(first), fileFields(second)]);
}

function hybridFields(): RawFields {
  const tree = { "a.txt": { "": { length: 5, "pieces root": "r".repeat(32) } } };
  return infoFields({ "file tree": tree, "meta version": 2 });
}

function paddedFields(): RawFields {
  const pad = fileFields(".pad/16383", 16_383, { attr: "p" });
  return directoryFields([fileFields("a"), pad, fileFields("b")]);
}

test("UPL-13 the private flag must be what the publication's access asks for", () => {
  const [open, closed] = [good(kept(infoFields())), good(kept(infoFields({ private: 1 })))];

  assert.ok(checkKeptPrivacy(open, false).ok);
  assert.ok(checkKeptPrivacy(closed, true).ok);
  assert.equal(codeOf(checkKeptPrivacy(open, true)), "META_PRIVATE");
  assert.equal(codeOf(checkKeptPrivacy(closed, false)), "META_PRIVATE");
});

test("files are found by path in any order, a single one by its length alone", () => {
  const folder = good(kept(directoryFields([fileFields("b/c", 2), fileFields("a", 1)])));
  const [a, c] = [
    { path: ["a"], length: 1 },
    { path: ["b", "c"], length: 2 },
  ];
  const match = (...files: readonly (typeof a)[]) =>
    matchKeptFiles(folder, { isDirectory: true, files });

  assert.deepEqual(good(match(a, c)), [1, 0]);
  for (const files of [[a], [a, a], [a, c, { path: ["d"], length: 0 }], [a, { ...c, length: 3 }]]) {
    assert.equal(codeOf(match(...files)), "META_FILES");
  }
  assert.equal(codeOf(matchKeptFiles(folder, { isDirectory: false, files: [a] })), "META_FILES");
  const single = good(kept(infoFields({ length: 1 })));
  assert.deepEqual(good(matchKeptFiles(single, { isDirectory: false, files: [a] })), [0]);
});

test("UPL-14 the first wrong piece is found, and told with its file", () => {
  const files = [fileFields("a", 20_000), fileFields("empty", 0), fileFields("b", 30_000)];
  const info = good(kept(directoryFields(files)));
  const digests = info.pieceHashes.slice(20);

  assert.equal(findWrongPiece(info, digests, 1), undefined);
  digests[20] = 0;
  assert.equal(findWrongPiece(info, digests, 1), 2);
  assert.deepEqual([filesOfPiece(info, 1), filesOfPiece(info, 2)], [[0, 2], [2]]);
  const { code, message, detail } = hashMismatch(info, 1);
  assert.deepEqual([code, detail], ["HASH_MISMATCH", { pieceIndex: 1, path: "a" }]);
  assert.match(message, /piece 1 of 0 to 3, in "a" and 1 more, is not what the \.torrent says/);
});
