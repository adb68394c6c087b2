import assert from "node:assert/strict";
import { test } from "node:test";
import { SteppedClock } from "../../../test/support/stepped-clock.ts";
import { LoopNaps, LoopPace } from "./tcp-link-naps.ts";

const MB = 1_000_000;

/** What a loop that reads every `intervalMs` at `bytesPerSecond` is told after half a second. */
function toldAt(bytesPerSecond: number, intervalMs: number): boolean {
  const pace = new LoopPace(0);
  let mayNap = false;
  for (let now = intervalMs; now <= 500; now += intervalMs) {
    mayNap = pace.handleRead(now, (bytesPerSecond * intervalMs) / 1000);
  }
  return mayNap;
}

test("a loop that reads often and little may nap, a fast or a quiet one may not", () => {
  assert.deepEqual(
    [0.01 * MB, MB, 25 * MB, 100 * MB].map((rate) => toldAt(rate, 10)),
    [true, true, true, false],
  );
  assert.equal(toldAt(MB, 50), false);
});

test("a loop does not nap before its pace is known, nor once it sends much", () => {
  const pace = new LoopPace(0);
  for (let now = 10; now < 100; now += 10) assert.equal(pace.handleRead(now, 1000), false);
  assert.equal(pace.handleRead(100, 1000), true);
  pace.handleWrite(80 * MB);
  for (let now = 110; now < 200; now += 10) assert.equal(pace.handleRead(now, 1000), true);
  assert.equal(pace.handleRead(200, 1000), false);
});

test("all reads of one turn of the loop share one nap", async () => {
  const clock = new SteppedClock();
  const slept: number[] = [];
  const naps = new LoopNaps(clock, (ms) => slept.push(ms));
  for (let step = 0; step < 10; step++) {
    clock.advance(10);
    naps.handleRead(1000);
  }
  naps.handleRead(1000);
  await new Promise(setImmediate);
  assert.deepEqual(slept, [10]);
});
