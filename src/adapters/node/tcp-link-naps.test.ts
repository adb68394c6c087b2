import assert from "node:assert/strict";
import { test } from "node:test";
import { SteppedClock } from "../../../test/support/stepped-clock.ts";
import { LoopNaps, NapLength } from "./tcp-link-naps.ts";

const MB = 1_000_000;

/** How long naps are with `count` links, each read every 5 ms at `bytesPerSecond`, after half a second. */
function napWith(count: number, bytesPerSecond: number): number {
  const links = Array.from({ length: count }, () => ({}));
  const length = new NapLength(0);
  let napMs = 0;
  for (let now = 5; now <= 500; now += 5) {
    for (const link of links) napMs = length.handleRead(now, link, bytesPerSecond / 200);
  }
  return napMs;
}

test("several slow links have the longest naps, a single one shorter ones, fast ones none", () => {
  assert.equal(napWith(8, 0.4 * MB), 10);
  assert.equal(napWith(1, 2.5 * MB), 3);
  assert.equal(napWith(1, 20 * MB), 3);
  assert.equal(napWith(8, 20 * MB), 0);
});

test("there is no nap before the traffic is known, nor when reads are few or much is sent", () => {
  const link = {};
  const length = new NapLength(0);
  for (let now = 10; now < 100; now += 10) assert.equal(length.handleRead(now, link, 1000), 0);
  assert.equal(length.handleRead(100, link, 1000), 3);
  for (let now = 150; now < 1000; now += 50) length.handleRead(now, link, 1000);
  assert.equal(length.handleRead(1000, link, 1000), 0);
  for (let now = 1010; now < 1200; now += 10) length.handleRead(now, link, 1000);
  assert.equal(length.handleRead(1200, link, 1000), 3);
  length.handleWrite(80 * MB);
  for (let now = 1210; now < 1300; now += 10) length.handleRead(now, link, 1000);
  assert.equal(length.handleRead(1300, link, 1000), 0);
});

test("all reads of one turn of the loop share one nap", async () => {
  const clock = new SteppedClock();
  const slept: number[] = [];
  const naps = new LoopNaps(clock, (ms) => slept.push(ms));
  for (let step = 0; step < 12; step++) {
    clock.advance(10);
    naps.handleRead(clock, 1000);
  }
  await new Promise(setImmediate);
  assert.deepEqual(slept, [3]);
});
