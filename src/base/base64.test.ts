import assert from "node:assert/strict";
import { test } from "node:test";
import { parseBase64, toBase64 } from "./base64.ts";

test("both ways agree with the platform, for every length", () => {
  for (let length = 0; length < 100; length++) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 151 + length * 7) & 255);
    const text = toBase64(bytes);
    assert.equal(text, Buffer.from(bytes).toString("base64"));
    assert.deepEqual(parseBase64(text), bytes);
  }
});

test("what is not canonical base64 is none", () => {
  for (const text of [
    "A",
    "AA",
    "AAA",
    "A===",
    "AA=A",
    "AB==",
    "AAB=",
    "A-_A",
    "AA\n=",
    "====",
    " AAA",
  ]) {
    assert.equal(parseBase64(text), undefined, text);
  }
});
