import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import {
  bencode,
  codeOf,
  directoryFields,
  fileFields,
  good,
  infoFields,
  Pairs,
  type Raw,
  readTorrent,
  sha1,
  sha1Hex,
} from "../../../test/support/metainfo.ts";
import { parseMetainfo } from "./parse.ts";

const codeOfBytes = (bytes: Uint8Array): string => codeOf(parseMetainfo(bytes, { sha1 }));

test("reads a whole .torrent file", () => {
  const torrent = good(
    readTorrent(
      {
        announce: "http://t.example/announce",
        "announce-list": [
          ["http://t.example/announce", "udp://t.example:6969"],
          ["wss://w.example"],
        ],
        "url-list": ["https://mirror.example/files/"],
        comment: "Grüße\nzweite Zeile",
        "created by": "somebody",
        "creation date": 1_700_000_000,
      },
      { isStrict: true },
    ),
  );
  assert.equal(torrent.info.infoHash, sha1Hex(bencode(infoFields())));
  assert.deepEqual(torrent.announceTiers, [
    ["http://t.example/announce", "udp://t.example:6969"],
    ["wss://w.example"],
  ]);
  assert.deepEqual(torrent.webSeeds, ["https://mirror.example/files/"]);
  assert.equal(torrent.comment, "Grüße\nzweite Zeile");
  assert.equal(torrent.createdBy, "somebody");
  assert.equal(torrent.creationDate, 1_700_000_000);
});

test("reads a .torrent file that is nothing but an info dictionary", () => {
  const torrent = good(readTorrent({}, { isStrict: true }));
  assert.deepEqual(torrent.announceTiers, []);
  assert.deepEqual(torrent.webSeeds, []);
  assert.equal(torrent.comment, undefined);
  assert.equal(torrent.createdBy, undefined);
  assert.equal(torrent.creationDate, undefined);
});

test("the info hash is over the bytes that came, wherever they stand", () => {
  const info = new Pairs(Object.entries(infoFields() as Record<string, Raw>).reverse());
  const bytes = bencode(
    new Pairs([
      ["zz", 1],
      ["info", info],
      ["announce", "http://t.example"],
    ]),
  );
  const torrent = good(parseMetainfo(bytes, { sha1 }));
  assert.equal(torrent.info.infoHash, sha1Hex(bencode(info)));
  assert.deepEqual(Buffer.from(torrent.info.raw), bencode(info));
});

test("BEN-02 one newline may follow a .torrent file, and nothing else", () => {
  const bytes = bencode({ info: infoFields() });
  const followedBy = (text: string): Uint8Array => Buffer.concat([bytes, Buffer.from(text)]);
  assert.equal(codeOfBytes(followedBy("\n")), "ok");
  assert.equal(codeOfBytes(followedBy("\n\n")), "BENC_TRAILING");
  assert.equal(codeOfBytes(followedBy("i2e")), "BENC_TRAILING");
  assert.equal(codeOf(parseMetainfo(followedBy("\n"), { sha1, isStrict: true })), "BENC_TRAILING");
  assert.equal(codeOfBytes(Buffer.from("\n")), "BENC_EMPTY");
});

const torrent = bencode({ info: infoFields() });
const otherFiles: readonly (readonly [name: string, bytes: Uint8Array])[] = [
  ["UTF-16 text", Buffer.from(`\ufeff${torrent.toString("latin1")}`, "utf16le")],
  ["an HTML page", Buffer.from("<!DOCTYPE html><html></html>")],
  ["JSON", Buffer.from('{"info": {}}')],
  ["a gzipped torrent", gzipSync(torrent)],
  ["a byte order mark and a torrent", Buffer.concat([Buffer.from("\ufeff"), torrent])],
];
for (const [name, bytes] of otherFiles) {
  test(`BEN-18 ${name}`, () => {
    const result = parseMetainfo(bytes, { sha1 });
    assert.ok(!result.ok);
    assert.equal(result.code, "BENC_SYNTAX");
    assert.match(
      result.message,
      /^this is not a \.torrent file: 0x[0-9a-f]+ is no value at byte 0$/,
    );
  });
}

test("TOR-01 a file of 10,000,001 bytes", () => {
  assert.equal(codeOfBytes(new Uint8Array(10_000_001)), "META_SIZE");
  assert.equal(codeOfBytes(new Uint8Array(10_000_000)), "BENC_SYNTAX");
});

test("TOR-02 no info, or one that is no dictionary", () => {
  assert.equal(codeOf(readTorrent({ info: undefined })), "META_INFO_MISSING");
  assert.equal(codeOf(readTorrent({ info: ["a"] })), "META_TYPE");
  assert.equal(codeOfBytes(bencode([infoFields()])), "META_TYPE");
});

test("TOR-03 info twice", () => {
  const info: readonly [string, Raw] = ["info", infoFields()];
  assert.equal(codeOfBytes(bencode(new Pairs([info, info]))), "BENC_DUP_KEY");
  assert.equal(codeOfBytes(bencode(new Pairs([info, ["a", 1], info]))), "BENC_DUP_KEY");
});

test("TOR-37 creation dates that no calendar shows", () => {
  const dateOf = (value: Raw): number | undefined =>
    good(readTorrent({ "creation date": value })).creationDate;
  assert.equal(dateOf(0), 0);
  assert.equal(dateOf(253_402_300_799), 253_402_300_799);
  for (const value of [-1, 2n ** 63n - 1n, "1700000000", 253_402_300_800, [1]] as const) {
    assert.equal(dateOf(value), undefined);
  }
});

test("TOR-38 a comment of 1 MB, and one that talks to terminals", () => {
  const commentOf = (comment: Raw): string | undefined => good(readTorrent({ comment })).comment;
  assert.equal(commentOf("x".repeat(1_000_000)), "x".repeat(4096));
  assert.equal(commentOf(`${"x".repeat(4095)}ü`), "x".repeat(4095));
  assert.equal(
    commentOf("\u001b]0;title\u0007\u202etxt.exe\t\r\n\u0085"),
    "_]0;title_txt.exe\t\n_",
  );
  assert.equal(commentOf(Buffer.from("a\xff\xc0\xafb", "latin1")), "a__b");
  assert.equal(commentOf("<b>bold</b>"), "<b>bold</b>");
  assert.equal(commentOf(["a list"]), undefined);
  const createdBy = good(readTorrent({ "created by": "\u009b31m" })).createdBy;
  assert.equal(createdBy, "_31m");
});

test("TOR-45 a hybrid without piece layers", () => {
  const fileTree: Raw = { "a.txt": { "": { length: 5, "pieces root": "r".repeat(32) } } };
  const info = infoFields({ "meta version": 2, "file tree": fileTree });
  assert.equal(good(readTorrent({ info })).info.version, "hybrid");
});

test("TOR-46 DHT nodes of any kind change nothing", () => {
  const nodes = [["", 1], ["host", 70_000], "x", [[], {}]];
  assert.equal(codeOf(readTorrent({ nodes })), "ok");
});

test("an info dictionary that would have to be much deeper or larger to be read", () => {
  const deep = (depth: number): Raw => (depth === 0 ? 1 : [deep(depth - 1)]);
  assert.equal(codeOf(readTorrent({ x: deep(200) })), "BENC_DEPTH");
  assert.equal(codeOfBytes(Buffer.alloc(9_000_000, "l")), "BENC_DEPTH");
});

const goodTorrent = bencode({
  announce: "http://t.example/a",
  info: directoryFields([fileFields("x/b", 20_000), fileFields("pad", 3, { attr: "p" })]),
  "url-list": "http://m.example/",
});

test("every prefix of a good torrent is refused", () => {
  for (let length = 0; length < goodTorrent.length; length++) {
    const code = codeOfBytes(goodTorrent.subarray(0, length));
    assert.match(code, /^BENC_(TRUNCATED|EMPTY)$/, `${length} bytes`);
  }
});

test("no mutation of a good torrent throws, and all that is accepted holds together", () => {
  const mutation = fc.tuple(fc.nat(goodTorrent.length - 1), fc.integer({ min: 0, max: 255 }));
  fc.assert(
    fc.property(fc.array(mutation, { minLength: 1, maxLength: 3 }), (mutations) => {
      const bytes = Uint8Array.from(goodTorrent);
      for (const [index, byte] of mutations) bytes[index] = byte;
      const result = parseMetainfo(bytes, { sha1 });
      if (!result.ok) return assert.match(result.code, /^(BENC|META)_/);
      const { info } = result.value;
      assert.equal(info.pieceHashes.length, 20 * info.geometry.pieceCount);
      const last = info.files.at(-1);
      assert.equal((last?.offset ?? 0) + (last?.length ?? 0), info.geometry.contentLength);
    }),
    { numRuns: 5000 },
  );
});

test("random bytes never throw", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      assert.match(codeOfBytes(bytes), /^(BENC|META)_/);
    }),
  );
});
