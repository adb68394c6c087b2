import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createRandom } from "../../base/random.ts";
import { type ChokeCandidate, chooseOptimistic, chooseUnchoked } from "./choker.ts";

function aPeer(key: number, fields: Partial<ChokeCandidate> = {}): ChokeCandidate {
  return {
    key,
    isUnchoked: false,
    isSnubbed: false,
    givesBytesPerSecond: 0,
    turnBytes: 0,
    changedAt: 0,
    ...fields,
  };
}
const leech = {
  mode: "leech",
  slots: 2,
  seedTurnBytes: 100,
  seedTurnMs: 60_000,
  now: 30,
  optimistic: undefined,
} as const;
const seed = { ...leech, mode: "seed" } as const;

describe("chooseUnchoked", () => {
  test("unchokes everybody while there is room", () => {
    assert.deepEqual([...chooseUnchoked([aPeer(1), aPeer(2)], leech)], [1, 2]);
  });

  test("a leech prefers those who give most, and keeps the optimistic peer", () => {
    const peers = [1, 2, 3, 4].map((key) => aPeer(key, { givesBytesPerSecond: key * 100 }));

    assert.deepEqual([...chooseUnchoked(peers, leech)], [4, 3]);
    assert.deepEqual([...chooseUnchoked(peers, { ...leech, optimistic: 1 })], [1, 4]);
  });

  test("a leech passes over a peer that lets it wait", () => {
    const peers = [aPeer(1, { givesBytesPerSecond: 900, isSnubbed: true }), aPeer(2), aPeer(3)];

    assert.ok(!chooseUnchoked(peers, leech).has(1));
  });

  test("S3 a seed gives the slot of a peer that had its turn to the one that waited longest", () => {
    const peers = [
      aPeer(1, { isUnchoked: true, turnBytes: 100 }),
      aPeer(2, { isUnchoked: true, turnBytes: 99 }),
      aPeer(3, { changedAt: 20 }),
      aPeer(4, { changedAt: 10 }),
    ];

    assert.deepEqual([...chooseUnchoked(peers, seed)].sort(), [2, 4]);
  });
});

test("a seed ends the turn of a peer that asks for nothing, once somebody waits", () => {
  const idle = [1, 2].map((key) => aPeer(key, { isUnchoked: true }));
  const late = { ...seed, now: 70_000 };

  assert.ok(!chooseUnchoked([...idle, aPeer(3, { changedAt: 5 })], seed).has(3));
  assert.ok(chooseUnchoked([...idle, aPeer(3, { changedAt: 5 })], late).has(3));
});

test("chooseOptimistic gives every choked peer a chance, and nobody else", () => {
  const peers = [aPeer(1, { isUnchoked: true }), aPeer(2), aPeer(3), aPeer(4, { isSnubbed: true })];
  const random = createRandom(7);
  const chosen = new Set(Array.from({ length: 50 }, () => chooseOptimistic(peers, random)));

  assert.deepEqual([...chosen].sort(), [2, 3]);
  assert.equal(chooseOptimistic([aPeer(1, { isUnchoked: true })], random), undefined);
});
