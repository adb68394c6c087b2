import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { Bitfield } from "../../base/bitfield.ts";
import { createRandom } from "../../base/random.ts";
import { PieceOrder } from "./piece-order.ts";

function orderOf(order: PieceOrder, pieceCount: number): number[] {
  const left = Bitfield.full(pieceCount);
  const found: number[] = [];
  for (;;) {
    const next = order.rarestOf(left);
    if (next === undefined) return found;
    found.push(next);
    left.remove(next);
  }
}

function firstPieces(count: number): Bitfield {
  const pieces = new Bitfield(10);
  for (let i = 0; i < count; i++) pieces.add(i);
  return pieces;
}

describe("PieceOrder", () => {
  test("gives the rarest wanted piece that a peer has", () => {
    const order = new PieceOrder(3, createRandom(1));
    for (const index of [0, 1, 2]) order.want(index);
    for (const index of [0, 0, 1]) order.increment(index);
    const pieces = new Bitfield(3);
    pieces.add(0);
    pieces.add(1);

    assert.equal(order.rarestOf(pieces), 1);
    assert.equal(order.rarestOf(Bitfield.full(3)), 2);
    order.unwant(1);
    assert.equal(order.rarestOf(pieces), 0);
  });

  test("of equally rare pieces a preferred one comes first, never before a rarer one", () => {
    const order = new PieceOrder(4, createRandom(1));
    for (const index of [0, 1, 2, 3]) order.want(index);
    for (const index of [0, 1, 2, 3, 3]) order.increment(index);
    const preferred = new Bitfield(4);
    preferred.add(3);
    assert.notEqual(order.rarestOf(Bitfield.full(4), preferred), 3);
    preferred.add(2);
    assert.equal(order.rarestOf(Bitfield.full(4), preferred), 2);
    order.unwant(2);
    assert.notEqual(order.rarestOf(Bitfield.full(4), preferred), 3);
  });

  test("counts seeds apart, and the least available piece", () => {
    const order = new PieceOrder(2, createRandom(1));
    order.addSeed();
    order.increment(0);

    assert.equal(order.availabilityOf(0), 2);
    assert.equal(order.minAvailability(), 1);
    order.removeSeed();
    assert.equal(order.minAvailability(), 0);
  });

  test("breaks ties by chance", () => {
    const firsts = new Set<number>();
    for (let seed = 0; seed < 40; seed++) {
      const order = new PieceOrder(8, createRandom(seed));
      for (let index = 0; index < 8; index++) order.want(index);
      firsts.add(order.rarestOf(Bitfield.full(8)) as number);
    }
    assert.ok(firsts.size >= 4, `only ${[...firsts].join(", ")} came first`);
  });

  test("a piece wanted across an empty bucket leaves the others in their places", () => {
    const order = new PieceOrder(2, createRandom(1));
    order.want(0);
    order.increment(0);
    order.increment(0);
    order.want(1);
    order.decrement(0);

    assert.deepEqual(orderOf(order, 2), [1, 0]);
  });

  test("agrees with sorting after any sequence of events", () => {
    const kinds = ["want", "unwant", "increment", "decrement", "all come", "all leave"] as const;
    const event = fc.tuple(fc.constantFrom(...kinds), fc.nat(9));
    fc.assert(
      fc.property(fc.array(event, { maxLength: 200 }), fc.nat(), (events, seed) => {
        const order = new PieceOrder(10, createRandom(seed));
        const wanted = new Set<number>();
        const counts = Array.from({ length: 10 }, () => 0);
        for (const [kind, index] of events) {
          if (kind === "want") {
            wanted.add(index);
            order.want(index);
          } else if (kind === "unwant") {
            wanted.delete(index);
            order.unwant(index);
          } else if (kind === "increment") {
            counts[index] = (counts[index] as number) + 1;
            order.increment(index);
          } else if (kind === "all come") {
            for (let i = 0; i <= index; i++) counts[i] = (counts[i] as number) + 1;
            order.incrementAll(firstPieces(index + 1));
          } else if (kind === "all leave") {
            if (counts.slice(0, index + 1).some((count) => count === 0)) continue;
            for (let i = 0; i <= index; i++) counts[i] = (counts[i] as number) - 1;
            order.decrementAll(firstPieces(index + 1));
          } else if ((counts[index] as number) > 0) {
            counts[index] = (counts[index] as number) - 1;
            order.decrement(index);
          }
        }
        const found = orderOf(order, 10);
        assert.deepEqual(new Set(found), wanted);
        assert.equal(order.wantedCount, wanted.size);
        const levels = found.map((index) => counts[index] as number);
        assert.deepEqual(
          levels,
          levels.toSorted((a, b) => a - b),
        );
      }),
    );
  });
});
