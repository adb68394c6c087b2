import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { createSystemClock, createSystemRandom } from "./clock.ts";

test("a timer fires later, and never before its time", async () => {
  const clock = createSystemClock();
  for (const delayMs of [0, 0.3, 1, 2.5]) {
    const dueAt = clock.now() + delayMs;
    let isSynchronous = true;
    const firedAt = new Promise<number>((resolve) => {
      clock.setTimer(delayMs, () => {
        assert.equal(isSynchronous, false);
        resolve(clock.now());
      });
    });
    isSynchronous = false;
    assert.ok((await firedAt) >= dueAt);
  }
});

test("a cancelled timer never fires, nor does one of many years at once", async () => {
  const clock = createSystemClock();
  const fired: string[] = [];

  clock.setTimer(0, () => fired.push("cancelled")).cancel();
  const years = clock.setTimer(2 ** 40, () => fired.push("years"));
  await new Promise<void>((resolve) => clock.setTimer(2, resolve));
  years.cancel();

  assert.deepEqual(fired, []);
});

test("a timer whose time is past fires without a warning of Node's", async (t) => {
  const warnings: string[] = [];
  const hear = (warning: Error): void => void warnings.push(warning.name);
  process.on("warning", hear);
  t.after(() => process.off("warning", hear));

  await new Promise<void>((resolve) => createSystemClock().setTimer(-5, resolve));

  assert.deepEqual(warnings, []);
});

test("the wall clock counts from the Unix epoch", () => {
  assert.ok(createSystemClock().unixNow() > Date.UTC(2026, 0, 1));
});

test("each random generator has its own seed", () => {
  const numbers = [createSystemRandom(), createSystemRandom()].map((random) =>
    Array.from({ length: 4 }, () => random.nextUint32()),
  );

  assert.notDeepEqual(numbers[0], numbers[1]);
});
