import assert from "node:assert/strict";
import { test } from "node:test";
import { Bitfield } from "../base/bitfield.ts";
import { createRandom } from "../base/random.ts";
import { Copies } from "./copies.ts";

function setOf(size: number, ...pieces: readonly number[]): Bitfield {
  const set = new Bitfield(size);
  for (const piece of pieces) set.add(piece);
  return set;
}

test("nobody holds anything at first", () => {
  const copies = new Copies(3);
  assert.deepEqual([copies.of(0), copies.least], [0, 0]);
  assert.deepEqual([copies.countBelow(0), copies.firstBelow(0)], [0, undefined]);
  assert.deepEqual([copies.countBelow(1), copies.firstBelow(1)], [3, 0]);
});

test("the copies of a swarm are those of its rarest piece", () => {
  const copies = new Copies(3);
  assert.equal(copies.add(0), 1);
  assert.equal(copies.add(0), 2);
  copies.addAll(setOf(3, 1, 2));
  assert.equal(copies.least, 1);
  copies.add(2);
  assert.deepEqual([copies.countBelow(2), copies.firstBelow(2)], [1, 1]);
  assert.equal(copies.remove(1), 0);
  assert.deepEqual([copies.least, copies.firstBelow(1)], [0, 1]);
});

test("whoever leaves takes along exactly what it brought", () => {
  const copies = new Copies(9);
  const brought = setOf(9, 0, 4, 8);
  copies.addAll(Bitfield.full(9));
  copies.addAll(brought);
  copies.removeAll(brought);
  assert.deepEqual(
    Array.from({ length: 9 }, (_, piece) => copies.of(piece)),
    Array.from({ length: 9 }, () => 1),
  );
  assert.deepEqual([copies.least, copies.countBelow(2)], [1, 9]);
});

test("the histogram agrees with counting, whatever comes and goes", () => {
  const random = createRandom(3);
  const copies = new Copies(20);
  const counts = Array.from({ length: 20 }, () => 0);
  for (let i = 0; i < 2000; i++) {
    const piece = random.nextUint32() % 20;
    const count = counts[piece] as number;
    const isAdded = count === 0 || random.fraction() < 0.5;
    counts[piece] = isAdded ? copies.add(piece) : copies.remove(piece);
    assert.equal(counts[piece], isAdded ? count + 1 : count - 1);
    const floor = random.nextUint32() % 6;
    const below = counts.filter((each) => each < floor).length;
    const first = counts.findIndex((each) => each < floor);
    assert.equal(copies.least, Math.min(...counts));
    assert.equal(copies.countBelow(floor), below);
    assert.equal(copies.firstBelow(floor), first < 0 ? undefined : first);
  }
});
