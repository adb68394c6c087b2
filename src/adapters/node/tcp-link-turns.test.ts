import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { LoopTurns } from "./tcp-link-turns.ts";

const TURN_BYTES = 4 * 1024 * 1024;
const endOfTick = (): Promise<void> => new Promise((done) => process.nextTick(done));

test("tasks run at the end of the tick, in order, and may plan others", async () => {
  const turns = new LoopTurns();
  const done: string[] = [];
  turns.plan(() => {
    done.push("first");
    turns.plan(() => done.push("third"));
  });
  turns.plan(() => done.push("second"));
  assert.deepEqual(done, []);
  await endOfTick();
  assert.deepEqual(done, ["first", "second", "third"]);
});

test("what is too much for one turn of the loop waits for the next ones, in order", async () => {
  const turns = new LoopTurns();
  const done: number[] = [];
  for (let i = 0; i < 5; i++) {
    turns.plan(() => {
      done.push(i);
      turns.spend(TURN_BYTES / 2);
    });
  }
  await endOfTick();
  assert.deepEqual(done, [0, 1]);
  turns.plan(() => done.push(5));
  await endOfTick();
  assert.deepEqual(done, [0, 1]);
  await nextTurn();
  assert.deepEqual(done, [0, 1, 2, 3]);
  await nextTurn();
  assert.deepEqual(done, [0, 1, 2, 3, 4, 5]);
});
