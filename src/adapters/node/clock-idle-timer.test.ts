import assert from "node:assert/strict";
import { test } from "node:test";
import { SteppedClock } from "../../../test/support/stepped-clock.ts";
import { IdleTimer } from "./clock-idle-timer.ts";

function idleTimer() {
  const clock = new SteppedClock();
  const calls: number[] = [];
  const timer = new IdleTimer(clock, 100, () => calls.push(clock.now()));
  return { clock, calls, timer };
}

test("it calls once a whole time-out passed since the last watch", () => {
  const { clock, calls, timer } = idleTimer();

  timer.watch();
  clock.advance(60);
  timer.watch();
  clock.advance(60);
  assert.deepEqual(calls, []);
  clock.advance(40);

  assert.equal(calls.length, 1);
  assert.equal(clock.pendingCount, 0);
});

test("at rest it calls nothing, and after the end it holds no timer", () => {
  const { clock, calls, timer } = idleTimer();

  timer.watch();
  timer.rest();
  clock.advance(1000);
  timer.watch();
  timer.end();
  assert.equal(clock.pendingCount, 0);
  clock.advance(1000);

  assert.deepEqual(calls, []);
});

test("watching again after a rest counts from then", () => {
  const { clock, calls, timer } = idleTimer();

  timer.watch();
  clock.advance(90);
  timer.rest();
  timer.watch();
  clock.advance(90);
  assert.deepEqual(calls, []);
  clock.advance(10);

  assert.equal(calls.length, 1);
});
