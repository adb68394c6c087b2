import assert from "node:assert/strict";
import { test } from "node:test";
import { concatBytes, latin1Bytes } from "../../base/bytes.ts";
import {
  encodeHandshake,
  HANDSHAKE_LENGTH,
  isHandshakeBeginning,
  parseHandshake,
} from "./handshake.ts";
import type { Handshake } from "./message.ts";

const handshake: Handshake = {
  infoHash: new Uint8Array(20).fill(0xaa),
  peerId: latin1Bytes("-BP0010-abcdefghijkl"),
  supportsFast: true,
  supportsExtended: true,
};

test("a handshake has BEP 3's layout", () => {
  const expected = concatBytes([
    latin1Bytes("\x13BitTorrent protocol"),
    Uint8Array.of(0, 0, 0, 0, 0, 0x10, 0, 0x04),
    handshake.infoHash,
    handshake.peerId,
  ]);

  assert.deepEqual(encodeHandshake(handshake), expected);
});

test("a handshake survives encoding and parsing, with each combination of bits", () => {
  for (const supportsFast of [false, true]) {
    for (const supportsExtended of [false, true]) {
      const value = { ...handshake, supportsFast, supportsExtended };
      assert.deepEqual(parseHandshake(encodeHandshake(value)), value);
    }
  }
});

test("WIR-01 what is no BitTorrent handshake is refused by its first bytes", () => {
  const openings: Record<string, Uint8Array> = {
    "HTTP GET": latin1Bytes("GET / HTTP/1.1\r\n"),
    "TLS hello": Uint8Array.of(0x16, 3, 1, 2, 0),
    "wrong length byte": latin1Bytes("\x12BitTorrent protocol"),
    "wrong string": latin1Bytes("\x13BitTorrent protocoL"),
  };

  for (const [name, bytes] of Object.entries(openings)) {
    assert.equal(isHandshakeBeginning(bytes), false, name);
    assert.equal(parseHandshake(concatBytes([bytes, new Uint8Array(68)])), undefined, name);
  }
});

test("every beginning of a handshake is recognised, and parsed only when complete", () => {
  const bytes = encodeHandshake(handshake);
  for (let length = 0; length < HANDSHAKE_LENGTH; length++) {
    assert.equal(isHandshakeBeginning(bytes.subarray(0, length)), true);
    assert.equal(parseHandshake(bytes.subarray(0, length)), undefined);
  }
});

test("WIR-07 all reserved bits set is fine", () => {
  const bytes = encodeHandshake(handshake);
  bytes.fill(0xff, 20, 28);

  assert.deepEqual(parseHandshake(bytes), handshake);
});
