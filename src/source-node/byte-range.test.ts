import assert from "node:assert/strict";
import { test } from "node:test";
import { decideRange, type RangeDecision } from "./byte-range.ts";

const whole: RangeDecision = { type: "whole" };
const unsatisfiable: RangeDecision = { type: "unsatisfiable" };
const part = (start: number, end: number): RangeDecision => ({ type: "part", start, end });

const rows: readonly (readonly [header: string | undefined, length: number, RangeDecision])[] = [
  [undefined, 10, whole],
  ["bytes=0-0", 10, part(0, 1)],
  ["bytes=0-9", 10, part(0, 10)],
  ["bytes=3-", 10, part(3, 10)],
  ["bytes=9-9", 10, part(9, 10)],
  ["bytes=-1", 10, part(9, 10)],
  ["bytes=-10", 10, part(0, 10)],
  ["bytes=-11", 10, part(0, 10)],
  ["Bytes= 0-0 ", 10, part(0, 1)],
  ["bytes=0-10", 10, part(0, 10)],
  ["bytes=10-", 10, unsatisfiable],
  ["bytes=10-20", 10, unsatisfiable],
  ["bytes=-0", 10, unsatisfiable],
  ["bytes=5-2", 10, unsatisfiable],
  ["bytes=0-0", 0, unsatisfiable],
  ["bytes=-1", 0, unsatisfiable],
  ["bytes=0-99999999999999999999999", 10, part(0, 10)],
  ["bytes=99999999999999999999999-", 10, unsatisfiable],
  ["bytes=-99999999999999999999999", 10, part(0, 10)],
  ["bytes=0-0,2-3", 10, whole],
  [`bytes=${Array.from({ length: 1000 }, (_, i) => `${i}-${i}`).join(",")}`, 2000, whole],
  ["bytes=", 10, whole],
  ["bytes=-", 10, whole],
  ["bytes=a-b", 10, whole],
  ["bytes=1.5-2", 10, whole],
  ["bytes=0x1-2", 10, whole],
  ["bytes=--1", 10, whole],
  ["items=0-1", 10, whole],
  ["0-1", 10, whole],
  ["", 10, whole],
];

test("API-21 ranges: first, suffix, reversed, many, beyond every number", () => {
  for (const [header, length, expected] of rows) {
    assert.deepEqual(decideRange(header, length), expected, `${header} of ${length}`);
  }
});
