import assert from "node:assert/strict";
import { test } from "node:test";
import { ReadPace } from "./disk-read-pace.ts";

const BYTES = 1_048_576;
const FAST_MS = 0.2;
const SLOW_MS = 5;

/** Reads by the pool until one may block again. */
function poolReads(pace: ReadPace): number {
  let count = 0;
  while (!pace.mayBlock) count++;
  return count;
}

test("one slow read among fast ones is the scheduler's doing", () => {
  const pace = new ReadPace();
  for (let i = 0; i < 10; i++) {
    pace.heard(SLOW_MS, BYTES);
    for (let k = 0; k < 4; k++) pace.heard(FAST_MS, BYTES);
    assert.equal(poolReads(pace), 0);
  }
});

test("two slow reads send the next ones to the pool, each slow trial twice as many", () => {
  const pace = new ReadPace();
  pace.heard(SLOW_MS, BYTES);
  pace.heard(SLOW_MS, BYTES);
  const penalties = Array.from({ length: 12 }, () => {
    const count = poolReads(pace);
    pace.heard(SLOW_MS, BYTES);
    return count;
  });
  assert.deepEqual(penalties.slice(0, 3), [16, 32, 64]);
  assert.equal(penalties.at(-1), 4096);
});

test("a disk whose every second read waits looks slow, too", () => {
  const pace = new ReadPace();
  pace.heard(SLOW_MS, BYTES);
  pace.heard(FAST_MS, BYTES);
  pace.heard(SLOW_MS, BYTES);
  assert.equal(poolReads(pace), 16);
});

test("after enough fast reads all is forgotten", () => {
  const pace = new ReadPace();
  for (let i = 0; i < 4; i++) {
    pace.heard(SLOW_MS, BYTES);
    poolReads(pace);
  }
  for (let i = 0; i < 8; i++) pace.heard(FAST_MS, BYTES);
  pace.heard(SLOW_MS, BYTES);
  assert.equal(poolReads(pace), 0);
  pace.heard(SLOW_MS, BYTES);
  assert.equal(poolReads(pace), 16);
});
