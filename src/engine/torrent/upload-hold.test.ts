import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { UploadHold, type UploadView } from "./upload-hold.ts";

const weak: UploadView = {
  downRate: 2_500_000,
  upRate: 125_000,
  isBacklogged: true,
  isComplete: false,
};

/** A hold that has seen `view` for `seconds`. */
function after(view: UploadView, seconds: number): UploadHold {
  const hold = new UploadHold();
  for (let second = 0; second <= seconds; second++) hold.update(second * 1000, view);
  return hold;
}

describe("UploadHold", () => {
  test("holds what is next to nothing beside the download, once that is measured", () => {
    assert.equal(after(weak, 1).isHeld, false);
    assert.equal(after(weak, 2).isHeld, true);
  });

  const kept: readonly [string, Partial<UploadView>][] = [
    ["an uplink that counts", { upRate: 400_000 }],
    ["a weak uplink that gives a third of what it gets", { downRate: 375_000 }],
    ["little demand", { isBacklogged: false }],
    ["a seed", { isComplete: true }],
  ];
  for (const [what, change] of kept) {
    test(`never holds: ${what}`, () => {
      assert.equal(after({ ...weak, ...change }, 30).isHeld, false);
    });
  }

  const released: readonly [string, Partial<UploadView>][] = [
    ["the download is slow without it", { downRate: 240_000 }],
    ["we are complete", { isComplete: true }],
  ];
  for (const [what, change] of released) {
    test(`lets go when ${what}`, () => {
      const hold = after(weak, 5);
      assert.equal(hold.update(6000, { ...weak, upRate: 0, ...change }), false);
    });
  }

  test("measures again after a minute", () => {
    const hold = after(weak, 5);
    assert.equal(hold.update(60_000, { ...weak, upRate: 0 }), true);
    assert.equal(hold.update(70_000, { ...weak, upRate: 0 }), false);
  });
});
