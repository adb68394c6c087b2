import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { UploadCap, type UploadView } from "./upload-cap.ts";

const weak: UploadView = {
  downRate: 2_500_000,
  upRate: 125_000,
  isBacklogged: true,
  isComplete: false,
};

/** A cap that has seen `view` for `seconds`, and what it says then. */
function after(view: UploadView, seconds: number) {
  const cap = new UploadCap();
  let says: number | undefined;
  for (let second = 0; second <= seconds; second++) says = cap.update(second * 1000, view);
  return { cap, says };
}

describe("UploadCap", () => {
  test("leaves a third of a weak uplink free, once that is measured", () => {
    assert.equal(after(weak, 1).says, undefined);
    assert.equal(after(weak, 2).says, 81_250);
  });

  const free: readonly [string, Partial<UploadView>][] = [
    ["an uplink that counts", { upRate: 400_000 }],
    ["a weak uplink that gives a third of what it gets", { downRate: 375_000 }],
    ["little demand", { isBacklogged: false }],
    ["a seed", { isComplete: true }],
  ];
  for (const [what, change] of free) {
    test(`never caps ${what}`, () => {
      assert.equal(after({ ...weak, ...change }, 30).says, undefined);
    });
  }

  test("stays with what the uplink could do, however little goes out since", () => {
    assert.equal(after(weak, 5).cap.update(6000, { ...weak, upRate: 81_000 }), 81_250);
  });

  const released: readonly [string, Partial<UploadView>][] = [
    ["the download is slow all the same", { downRate: 240_000 }],
    ["we are complete", { isComplete: true }],
  ];
  for (const [what, change] of released) {
    test(`is over when ${what}`, () => {
      const { cap } = after(weak, 5);
      assert.equal(cap.update(6000, { ...weak, upRate: 81_000, ...change }), undefined);
    });
  }

  test("measures again after a minute", () => {
    const { cap } = after(weak, 5);
    assert.equal(cap.update(60_000, weak), 81_250);
    assert.equal(cap.update(70_000, weak), undefined);
  });
});
