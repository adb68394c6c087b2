import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { LinkRests, ReadPace } from "./tcp-link-rests.ts";

const MB = 1_000_000;

/** What a link that is read every 10 ms at `bytesPerSecond` is told after half a second. */
function toldAt(bytesPerSecond: number): boolean {
  const pace = new ReadPace(0);
  let isRestful = false;
  for (let now = 10; now <= 500; now += 10) {
    isRestful = pace.handleRead(now, bytesPerSecond / 100);
  }
  return isRestful;
}

test("links rest that bring some packets in a rest, and do not fill the system's buffer", () => {
  const rates = [0, 0.2 * MB, MB, 9.5 * MB, 25 * MB, 100 * MB, 800 * MB];
  assert.deepEqual(rates.map(toldAt), [false, false, true, true, true, false, false]);
});

test("a link does not rest before its rate is known, and when it became fast", () => {
  const pace = new ReadPace(0);
  assert.equal(pace.handleRead(99, MB), false);
  assert.equal(pace.handleRead(200, MB), true);
  assert.equal(pace.handleRead(300, 80 * MB), false);
});

test("resting links are resumed together, each once", async () => {
  const rests = new LinkRests();
  const heard: string[] = [];
  const resumed = new EventTarget();
  const link = (name: string) => ({
    pause: () => heard.push(`${name} rests`),
    resume: () => {
      heard.push(`${name} reads`);
      if (name === "b") resumed.dispatchEvent(new Event("all"));
    },
  });
  const all = once(resumed, "all");
  rests.rest(link("a"));
  rests.rest(link("b"));
  await all;
  assert.deepEqual(heard, ["a rests", "b rests", "a reads", "b reads"]);
});
