import assert from "node:assert/strict";
import { test } from "node:test";
import { WebSeedDoor, type WebSeedView } from "./web-seed-door.ts";

/** A swarm that somebody downloads in. */
const busy: WebSeedView = {
  isConnected: false,
  downloaders: 3,
  isThrifty: false,
  isReleased: false,
  isOverBudget: false,
};
const empty = { ...busy, downloaders: 0 };

test("what a newcomer and one who asked for 5 s are told", () => {
  const table: readonly (readonly [string, WebSeedView, number | undefined, number | undefined])[] =
    [
      ["cannot connect", busy, 5, undefined],
      ["is connected", { ...busy, isConnected: true }, 30, 30],
      ["is alone", empty, 2, undefined],
      ["is alone, and thrifty", { ...empty, isThrifty: true }, 5, undefined],
      ["swarm in S2", { ...busy, isReleased: true }, 5, 60],
      ["budget is spent", { ...empty, isOverBudget: true }, 60, 60],
      ["budget is spent, connected", { ...busy, isConnected: true, isOverBudget: true }, 60, 60],
    ];
  for (const [name, view, atFirst, later] of table) {
    const door = new WebSeedDoor();
    assert.equal(door.waitSeconds(0, "192.0.2.1", view), atFirst, name);
    assert.equal(door.waitSeconds(5000, "192.0.2.1", view), later, `${name}, later`);
  }
});

test("the wait is what is left of 5 s, in whole seconds", () => {
  const door = new WebSeedDoor();
  const waits = [0, 1, 1000, 4999, 5000].map((now) => door.waitSeconds(now, "192.0.2.1", busy));
  assert.deepEqual(waits, [5, 5, 4, 1, undefined]);
});

test("of two who cannot connect nobody is alone, and each has its own 5 s", () => {
  const door = new WebSeedDoor();
  assert.equal(door.waitSeconds(0, "192.0.2.1", empty), 2);
  assert.equal(door.waitSeconds(3000, "192.0.2.2", empty), 5);
  assert.equal(door.waitSeconds(4000, "192.0.2.1", empty), 1);
  assert.equal(door.waitSeconds(5000, "192.0.2.1", empty), undefined);
  assert.equal(door.waitSeconds(5000, "192.0.2.2", empty), 3);
});

test("who did not ask for a minute is a newcomer again", () => {
  const door = new WebSeedDoor();
  door.waitSeconds(0, "192.0.2.1", busy);
  assert.equal(door.waitSeconds(59_999, "192.0.2.1", busy), undefined);
  assert.equal(door.waitSeconds(119_998, "192.0.2.1", busy), undefined);
  assert.equal(door.waitSeconds(179_998, "192.0.2.1", busy), 5);
});

test("who asked long ago is not there any more: the next one is alone", () => {
  const door = new WebSeedDoor();
  door.waitSeconds(0, "192.0.2.1", empty);
  assert.equal(door.waitSeconds(59_999, "192.0.2.2", empty), 5);
  assert.equal(door.waitSeconds(60_000, "192.0.2.2", empty), 2);
});

test("a thousand askers are remembered, and no more", () => {
  const door = new WebSeedDoor();
  for (let i = 0; i <= 1000; i++) door.waitSeconds(0, `192.0.2.${i}`, busy);
  assert.equal(door.waitSeconds(5000, "192.0.2.1", busy), undefined);
  assert.equal(door.waitSeconds(5000, "192.0.2.0", busy), 5, "the oldest was forgotten");
});
