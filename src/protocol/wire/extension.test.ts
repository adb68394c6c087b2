import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { latin1Bytes } from "../../base/bytes.ts";
import { type BencodeInput, encodeBencode } from "../bencode/encode.ts";
import { encodeExtensionHandshake, parseExtensionHandshake } from "./extension.ts";

const parse = (value: BencodeInput) => parseExtensionHandshake(encodeBencode(value));

const nothing = {
  extensions: new Map(),
  clientName: undefined,
  listenPort: undefined,
  maxRequests: 250,
  metadataSize: undefined,
};

test("a handshake survives encoding and parsing", () => {
  const handshake = {
    extensions: new Map([
      ["ut_metadata", 1],
      ["ut_pex", 2],
    ]),
    clientName: "BTPublisher 0.1.0 µ",
    listenPort: 6881,
    maxRequests: 500,
    metadataSize: 31_235,
  };

  assert.deepEqual(parseExtensionHandshake(encodeExtensionHandshake(handshake)), handshake);
});

test("what is left out is not encoded", () => {
  const payload = encodeExtensionHandshake({ ...nothing, maxRequests: undefined });

  assert.deepEqual(payload, latin1Bytes("d1:mdee"));
  assert.deepEqual(parseExtensionHandshake(payload), nothing);
});

test("the example of BEP 10 is read", () => {
  const payload = latin1Bytes(
    "d1:md11:LT_metadatai1e7:\xc2\xb5T_PEXi2ee1:pi6881e1:v13:\xc2\xb5Torrent 1.2e",
  );

  assert.deepEqual(parseExtensionHandshake(payload), {
    ...nothing,
    extensions: new Map([
      ["LT_metadata", 1],
      ["µT_PEX", 2],
    ]),
    clientName: "µTorrent 1.2",
    listenPort: 6881,
  });
});

test("EXT-01 what is no dictionary is no handshake; without a usable m there are no extensions", () => {
  for (const text of ["", "le", "i1e", "4:spam", "d1:m", "d1:mdee trailing", "nonsense"]) {
    assert.equal(parseExtensionHandshake(latin1Bytes(text)), undefined, text);
  }
  assert.deepEqual(parse({}), nothing);
  assert.deepEqual(parse({ m: ["ut_metadata"] }), nothing);
  assert.deepEqual(parse({ m: "ut_metadata" }), nothing);
});

test("EXT-02 ids that are none are dropped, 0 disables, names are capped", () => {
  const ids = { zero: 0, least: 1, most: 255, over: 256, negative: -1, text: "1", huge: 2n ** 63n };
  const many = Object.fromEntries(
    Array.from({ length: 1000 }, (_, i) => [`ut_${i}`, 1 + (i % 255)]),
  );

  assert.deepEqual(
    parse({ m: ids })?.extensions,
    new Map([
      ["least", 1],
      ["most", 255],
    ]),
  );
  assert.equal(parse({ m: many })?.extensions.size, 64);
  assert.deepEqual(parse({ m: { ["x".repeat(65)]: 1 } })?.extensions, new Map());
});

test("EXT-06 a bad port is dropped, the name is cut, the number of requests is clamped", () => {
  assert.equal(parse({ p: 0 })?.listenPort, undefined);
  assert.equal(parse({ p: 70_000 })?.listenPort, undefined);
  assert.equal(parse({ p: 65_535 })?.listenPort, 65_535);
  assert.deepEqual(parse({ yourip: "abc" }), nothing);
  assert.equal(parse({ v: "x".repeat(60_000) })?.clientName, "x".repeat(64));
  assert.equal(parse({ v: "a\u0000b\u001b[31m\u202ec" })?.clientName, "ab[31mc");
  assert.equal(parse({ v: Uint8Array.of(0xff, 0xfe) })?.clientName, undefined);
  for (const [reqq, expected] of [
    [-1, 1],
    [0, 1],
    [1, 1],
    [2000, 2000],
    [1e9, 2000],
  ] as const) {
    assert.equal(parse({ reqq })?.maxRequests, expected);
  }
});

test("EXT-07 a metadata size that cannot be is dropped", () => {
  for (const size of [0, -1, 2 ** 31, 10_000_001, "31235"]) {
    assert.equal(parse({ metadata_size: size })?.metadataSize, undefined, String(size));
  }
  assert.equal(parse({ metadata_size: 10_000_000 })?.metadataSize, 10_000_000);
});

test("random payloads never throw", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void parseExtensionHandshake(bytes)),
  );
});
