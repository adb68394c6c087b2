/** Tests of the way from error codes to exit codes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BtPublisherError, type ErrorCode } from "../base/errors.ts";
import { exitCodeOf } from "./exit.ts";

const cases: readonly [string, ErrorCode, number][] = [
  ["CLI-02 a missing file", "NO_INPUT", 66],
  ["CLI-03 a bad torrent", "META_PIECES", 65],
  ["CLI-03 bad bencoding", "BENC_TRUNCATED", 65],
  ["a bad magnet", "MAG_HASH", 65],
  ["CLI-04 a place that cannot be written", "STORAGE_PATH", 73],
  ["CLI-05 a full disk", "STORAGE_FULL", 74],
  ["CLI-06 no tracker", "TRK_UNREACHABLE", 69],
  ["CLI-07 access denied", "DENIED", 77],
  ["CLI-09 cut short", "CANCELLED", 130],
  ["CLI-16 started twice", "LOCKED", 75],
  ["a wrong use", "USAGE", 64],
  ["a bad configuration", "CONFIG", 78],
];
for (const [name, code, expected] of cases) {
  test(`${name} exits ${expected}`, () => {
    assert.equal(exitCodeOf(new BtPublisherError(code, "what happened")), expected);
  });
}

test("a bug of ours exits 70", () => assert.equal(exitCodeOf(new TypeError("x")), 70));
