import assert from "node:assert/strict";
import { test } from "node:test";
import { createRandom, type Random } from "../base/random.ts";
import { Runs, sampleRuns } from "./sample.ts";

const runs = new Runs(200);

/** `count` numbers of `bound` from `first` on, `hole` left out. */
function sample(
  bound: number,
  count: number,
  random: Random,
  [first, hole]: readonly [number, number] = [0, -1],
): number[] {
  runs.clear(first, hole);
  sampleRuns(bound, count, random, runs);
  const numbers: number[] = [];
  for (let run = 0; run < runs.count; run++) {
    for (let n = runs.begins[run] as number; n < (runs.ends[run] as number); n++) numbers.push(n);
  }
  return numbers;
}

const sorted = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b);

test("takes all when there are not more than wanted, none when none are wanted", () => {
  const random = createRandom(1);
  assert.deepEqual(sorted(sample(3, 5, random)), [0, 1, 2]);
  assert.deepEqual(sorted(sample(3, 3, random)), [0, 1, 2]);
  assert.deepEqual(sample(0, 5, random), []);
  assert.deepEqual(sample(3, 0, random), []);
  assert.deepEqual(sample(-1, 5, random), []);
  assert.deepEqual(sample(5, -1, random), []);
});

test("takes distinct numbers, each as often as another", () => {
  const random = createRandom(2);
  const rounds = 20_000;
  const hits = Array.from({ length: 10 }, () => 0);

  for (let round = 0; round < rounds; round++) {
    const chosen = sample(10, 3, random);
    assert.equal(new Set(chosen).size, 3);
    for (const number of chosen) hits[number] = (hits[number] as number) + 1;
  }

  // 3 of 10 each round; six standard deviations are 390.
  for (const count of hits) assert.ok(Math.abs(count - 0.3 * rounds) < 390, hits.join(" "));
});

test("takes distinct numbers below the bound, however many of how many", () => {
  const random = createRandom(3);
  for (let round = 0; round < 2000; round++) {
    const count = 1 + random.below(200);
    const bound = count + 1 + random.below(round % 2 === 0 ? 3 : 5000);
    const numbers = sample(bound, count, random);
    assert.equal(numbers.length, count);
    assert.equal(new Set(numbers).size, count);
    assert.ok(numbers.every((number) => number >= 0 && number < bound));
  }
});

test("takes runs of neighbours, each number as often as another", () => {
  const random = createRandom(4);
  const rounds = 20_000;
  const hits = Array.from({ length: 99 }, () => 0);
  for (let round = 0; round < rounds; round++) {
    for (const number of sample(99, 50, random)) hits[number] = (hits[number] as number) + 1;
  }
  // Six standard deviations are 424.
  const expected = (rounds * 50) / 99;
  for (const count of hits) assert.ok(Math.abs(count - expected) < 424, hits.join(" "));
});

test("leaves the hole out, and takes every other number as often as another", () => {
  const random = createRandom(5);
  const rounds = 20_000;
  const hits = Array.from({ length: 30 }, () => 0);
  for (let round = 0; round < rounds; round++) {
    const numbers = sample(19, 12, random, [10, 17]);
    assert.equal(new Set(numbers).size, 12);
    for (const number of numbers) hits[number] = (hits[number] as number) + 1;
  }
  const expected = (rounds * 12) / 19;
  for (const [number, count] of hits.entries()) {
    if (number < 10 || number === 17) assert.equal(count, 0);
    else assert.ok(Math.abs(count - expected) < 410, hits.join(" "));
  }
});
