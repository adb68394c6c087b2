import assert from "node:assert/strict";
import { test } from "node:test";
import { copyIntoSharedMemory } from "./copy-bytes.ts";

test("copies any bytes to any place, and nothing beside it", () => {
  const target = new Uint8Array(new SharedArrayBuffer(64));
  const source = Uint8Array.from({ length: 30 }, (_, i) => i + 1);
  for (const [from, length, at] of [
    [0, 30, 0],
    [13, 17, 47],
    [3, 1, 63],
    [5, 0, 64],
  ] as const) {
    target.fill(0);
    copyIntoSharedMemory(source.subarray(from, from + length), target, at);

    const expected = new Uint8Array(64);
    expected.set(source.subarray(from, from + length), at);
    assert.deepEqual(Uint8Array.from(target), expected);
  }
});
