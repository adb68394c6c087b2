import assert from "node:assert/strict";
import { test } from "node:test";
import { Uplink } from "./uplink.ts";

/** Sends `bytes` in each of `seconds` seconds from `from` on, told ten times a second. */
function send(
  uplink: Uplink,
  {
    from = 0,
    seconds,
    bytes,
    hasBacklog,
  }: {
    readonly from?: number;
    readonly seconds: number;
    readonly bytes: number;
    readonly hasBacklog: (tick: number) => boolean;
  },
): number {
  if (from === 0) uplink.handleTick(0, true);
  for (let tick = 1; tick <= seconds * 10; tick++) {
    uplink.handleSent(bytes / 10);
    uplink.handleTick(from + tick * 100, hasBacklog(tick));
  }
  return from + seconds * 1000;
}

const always = () => true;

test("a limit is what it can send, also when the limit changes", () => {
  const limit: { value: number | undefined } = { value: 5000 };
  const uplink = new Uplink(() => limit.value);
  send(uplink, { seconds: 6, bytes: 900_000, hasBacklog: always });
  assert.deepEqual([uplink.bytesPerSecond, uplink.isKnown], [5000, true]);
  limit.value = 7000;
  assert.equal(uplink.bytesPerSecond, 7000);
  limit.value = undefined;
  assert.equal(uplink.bytesPerSecond, 900_000);
});

test("without a limit it is guessed, 100 Mbit/s, until it was seen for 5 s", () => {
  const uplink = new Uplink();
  send(uplink, { seconds: 4, bytes: 1000, hasBacklog: always });
  assert.deepEqual([uplink.bytesPerSecond, uplink.isKnown], [12_500_000, false]);
  send(uplink, { from: 4000, seconds: 1, bytes: 2000, hasBacklog: always });
  assert.deepEqual([uplink.bytesPerSecond, uplink.isKnown], [1200, true]);
});

test("what is sent while nobody waits for more says nothing", () => {
  const uplink = new Uplink();
  // One tick without a backlog in the fourth second: five seconds in a row never come together.
  send(uplink, { seconds: 8, bytes: 1000, hasBacklog: (tick) => tick !== 35 });
  assert.equal(uplink.isKnown, false);
  send(uplink, { from: 8000, seconds: 1, bytes: 1000, hasBacklog: always });
  assert.equal(uplink.bytesPerSecond, 1000);
});

test("the highest mean counts: slower times do not lower it", () => {
  const uplink = new Uplink();
  const at = send(uplink, { seconds: 5, bytes: 3000, hasBacklog: always });
  send(uplink, { from: at, seconds: 10, bytes: 100, hasBacklog: always });
  assert.equal(uplink.bytesPerSecond, 3000);
  send(uplink, { from: at + 10_000, seconds: 5, bytes: 4000, hasBacklog: always });
  assert.equal(uplink.bytesPerSecond, 4000);
});
