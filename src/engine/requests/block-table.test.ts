import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BlockTable } from "./block-table.ts";

const BLOCK = 16_384;

test("entries come back in the order of their coming, whatever left in between", () => {
  const table = new BlockTable<{ readonly name: string }>();
  for (const [i, name] of ["a", "b", "c", "d"].entries()) table.set(i * BLOCK, { name });
  table.delete(1 * BLOCK);
  table.set(0, { name: "A" });
  assert.deepEqual(
    [...table],
    [
      [0, { name: "A" }],
      [2 * BLOCK, { name: "c" }],
      [3 * BLOCK, { name: "d" }],
    ],
  );
  assert.deepEqual(
    [...table.values()].map(({ name }) => name),
    ["A", "c", "d"],
  );
});

test("entries may be deleted while they are walked through", () => {
  const table = new BlockTable<object>();
  for (let i = 0; i < 300; i++) table.set(i * BLOCK, {});
  const seen: number[] = [];
  for (const [number] of table) {
    seen.push(number / BLOCK);
    table.delete(number);
    table.delete(number + BLOCK);
  }
  assert.deepEqual(
    seen,
    Array.from({ length: 150 }, (_, i) => 2 * i),
  );
  assert.equal(table.size, 0);
});

test("it does as a Map does, with any numbers of blocks in any order", () => {
  // Few numbers, so that they meet again; beyond 32 bits, unaligned, and of one bucket.
  const number = fc.constantFrom(0, 1, BLOCK, 7 * BLOCK, 1024 * BLOCK, 2 ** 31, 2 ** 40 + 5);
  const step = fc.oneof(
    fc.record({ do: fc.constant("set" as const), number }),
    fc.record({ do: fc.constant("delete" as const), number }),
    fc.record({ do: fc.constant("clear" as const), number }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const table = new BlockTable<object>();
      const map = new Map<number, object>();
      for (const { do: what, number } of steps) {
        const value = {};
        if (what === "set") {
          map.set(number, value);
          table.set(number, value);
        } else if (what === "delete") assert.equal(table.delete(number), map.delete(number));
        else if (number === 0) {
          map.clear();
          table.clear();
        }
        assert.equal(table.size, map.size);
        assert.equal(table.get(number), map.get(number));
        assert.equal(table.has(number), map.has(number));
      }
      assert.deepEqual([...table], [...map]);
    }),
  );
});
