import assert from "node:assert/strict";
import { test } from "node:test";
import { SipHash } from "./siphash.ts";

/** Of the paper's reference implementation: key 00 01 … 0f, messages of 0, 1, 2 … bytes 00 01 02 …. */
const vectors: Readonly<Record<number, string>> = {
  0: "726fdb47dd0e0e31",
  1: "74f839c593dc67fd",
  7: "ab0200f58b01d137",
  8: "93f5f5799a932462",
  15: "a129ca6149be45e5",
  63: "958a324ceb064572",
};

test("hashes as the reference implementation does", () => {
  const sip = new SipHash(Uint8Array.from({ length: 16 }, (_, i) => i));
  const message = Uint8Array.from({ length: 64 }, (_, i) => i);
  for (const [length, expected] of Object.entries(vectors)) {
    sip.hash(message, Number(length));
    const hex = (half: number) => (half >>> 0).toString(16).padStart(8, "0");
    assert.equal(hex(sip.high) + hex(sip.low), expected, length);
  }
});

test("a key of another length is refused", () => {
  assert.throws(() => new SipHash(new Uint8Array(15)), RangeError);
});
