import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { concatBytes, latin1Bytes } from "../../base/bytes.ts";
import { type BencodeInput, encodeBencode } from "../bencode/encode.ts";
import {
  encodeMetadataMessage,
  type MetadataMessage,
  parseMetadataMessage,
} from "./ut-metadata.ts";

const parse = (value: BencodeInput, ...data: number[]) =>
  parseMetadataMessage(concatBytes([encodeBencode(value), Uint8Array.from(data)]));

test("messages have the form of BEP 9's examples", () => {
  const examples: readonly (readonly [MetadataMessage, string])[] = [
    [{ type: "request", piece: 0 }, "d8:msg_typei0e5:piecei0ee"],
    [{ type: "reject", piece: 7 }, "d8:msg_typei2e5:piecei7ee"],
    [
      { type: "data", piece: 0, totalSize: 3425, data: latin1Bytes("xxxx") },
      "d8:msg_typei1e5:piecei0e10:total_sizei3425eexxxx",
    ],
  ];
  for (const [message, text] of examples) {
    assert.deepEqual(encodeMetadataMessage(message), latin1Bytes(text));
    assert.deepEqual(parseMetadataMessage(latin1Bytes(text)), message);
  }
});

test("EXT-09 a piece that is negative or outside is malformed", () => {
  for (const value of [
    { msg_type: 0, piece: -1 },
    { msg_type: 0, piece: 611 },
    { msg_type: 2, piece: 2 ** 40 },
    { msg_type: 0, piece: "0" },
    { msg_type: 0 },
  ] as BencodeInput[]) {
    assert.deepEqual(parse(value), { type: "malformed" });
  }
  assert.deepEqual(parse({ msg_type: 1, piece: 1, total_size: 16_384 }, 1), { type: "malformed" });
  assert.deepEqual(parse({ msg_type: 1, piece: -1, total_size: 16_384 }, 1), { type: "malformed" });
});

test("EXT-10 data of another length is passed on with that length, to be discarded", () => {
  const message = parse({ msg_type: 1, piece: 0, total_size: 40_000 }, 1, 2, 3);

  assert.equal(message?.type === "data" && message.data.length, 3);
});

test("EXT-12 the total size is passed on, to be compared; one that cannot be is malformed", () => {
  const message = parse({ msg_type: 1, piece: 0, total_size: 40_000 }, 1);

  assert.equal(message?.type === "data" && message.totalSize, 40_000);
  for (const size of [0, -1, 10_000_001, "40000"]) {
    const value = { msg_type: 1, piece: 0, total_size: size };
    assert.deepEqual(parse(value, 1), { type: "malformed" });
  }
});

test("EXT-17 messages of another type are ignored", () => {
  assert.equal(parse({ msg_type: 3, piece: 0 }), undefined);
  assert.equal(parse({ msg_type: "x", piece: 0 }), undefined);
  assert.equal(parse({ piece: 0 }), undefined);
});

test("EXT-18 data without data, and what is no dictionary, is malformed", () => {
  assert.deepEqual(parse({ msg_type: 1, piece: 0, total_size: 100 }), { type: "malformed" });
  for (const text of ["", "i1e", "d8:msg_type", "garbage"]) {
    assert.deepEqual(parseMetadataMessage(latin1Bytes(text)), { type: "malformed" }, text);
  }
});

test("random payloads never throw", () => {
  const payload = fc.oneof(
    fc.uint8Array({ maxLength: 100 }),
    fc.string({ maxLength: 40 }).map((text) => encodeBencode({ msg_type: 1, piece: 0, text })),
  );
  fc.assert(fc.property(payload, (bytes) => void parseMetadataMessage(bytes)));
});
