import assert from "node:assert/strict";
import { test } from "node:test";
import { createRandom, type Random } from "../base/random.ts";
import { sampleDistinct as sampleInto } from "./sample.ts";

function sampleDistinct(bound: number, count: number, random: Random): number[] {
  const chosen = new Int32Array(10);
  return [...chosen.subarray(0, sampleInto(bound, count, random, chosen))];
}

const sorted = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b);

test("takes all when there are not more than wanted, none when none are wanted", () => {
  const random = createRandom(1);
  assert.deepEqual(sorted(sampleDistinct(3, 5, random)), [0, 1, 2]);
  assert.deepEqual(sorted(sampleDistinct(3, 3, random)), [0, 1, 2]);
  assert.deepEqual(sampleDistinct(0, 5, random), []);
  assert.deepEqual(sampleDistinct(3, 0, random), []);
  assert.deepEqual(sampleDistinct(-1, 5, random), []);
  assert.deepEqual(sampleDistinct(5, -1, random), []);
});

test("takes distinct numbers, each as often as another", () => {
  const random = createRandom(2);
  const rounds = 20_000;
  const hits = Array.from({ length: 10 }, () => 0);

  for (let round = 0; round < rounds; round++) {
    const chosen = sampleDistinct(10, 3, random);
    assert.equal(new Set(chosen).size, 3);
    for (const number of chosen) hits[number] = (hits[number] as number) + 1;
  }

  // 3 of 10 each round; six standard deviations are 390.
  for (const count of hits) assert.ok(Math.abs(count - 0.3 * rounds) < 390, hits.join(" "));
});

test("takes distinct numbers below the bound, however many of how many", () => {
  const random = createRandom(3);
  const chosen = new Int32Array(200);
  for (let round = 0; round < 2000; round++) {
    const count = 1 + random.below(200);
    const bound = count + 1 + random.below(round % 2 === 0 ? 3 : 5000);
    assert.equal(sampleInto(bound, count, random, chosen), count);
    const numbers = [...chosen.subarray(0, count)];
    assert.equal(new Set(numbers).size, count);
    assert.ok(numbers.every((number) => number >= 0 && number < bound));
  }
});

test("takes runs of neighbours, each number as often as another", () => {
  const random = createRandom(4);
  const chosen = new Int32Array(50);
  const rounds = 20_000;
  const hits = Array.from({ length: 99 }, () => 0);
  for (let round = 0; round < rounds; round++) {
    sampleInto(99, 50, random, chosen);
    for (const number of chosen) hits[number] = (hits[number] as number) + 1;
  }
  // Six standard deviations are 424.
  const expected = (rounds * 50) / 99;
  for (const count of hits) assert.ok(Math.abs(count - expected) < 424, hits.join(" "));
});
