import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { toHex } from "../base/bytes.ts";
import { HashIndex } from "./hash-index.ts";

/** Few enough that they meet: keys that differ in their first, their second or their last word. */
const key = fc
  .tuple(fc.constantFrom(0, 4, 16), fc.nat({ max: 40 }))
  .map(([at, number]) => new Uint8Array(20).fill(number, at, at + 1));

test("whatever is put and taken away, it holds what a Map holds", () => {
  const steps = fc.array(fc.record({ key, isRemoval: fc.boolean() }), { maxLength: 300 });
  fc.assert(
    fc.property(steps, fc.integer(), (all, seed) => {
      const index = new HashIndex<number>(seed);
      const model = new Map<string, number>();
      for (const [i, step] of all.entries()) {
        if (step.isRemoval) {
          index.delete(step.key);
          model.delete(toHex(step.key));
        } else {
          index.set(step.key, i);
          model.set(toHex(step.key), i);
        }
      }
      assert.equal(index.size, model.size);
      for (const step of all) assert.equal(index.get(step.key), model.get(toHex(step.key)));
    }),
  );
});

test("a key is found where it lies among other bytes", () => {
  const index = new HashIndex<string>(7);
  const bytes = Uint8Array.from({ length: 60 }, (_, i) => i);
  index.set(bytes.slice(16, 36), "here");
  assert.equal(index.get(bytes, 16), "here");
  assert.equal(index.get(bytes, 17), undefined);
});
