import assert from "node:assert/strict";
import { test } from "node:test";
import { findClockFault } from "./clock-fault.ts";

test("CFG-12 a clock before 2020 is told, with its date and what to do; a later one is not", () => {
  assert.match(String(findClockFault(0)), /clock says 1970-01-01: set it/);
  assert.match(String(findClockFault(Date.UTC(2020) - 1)), /2019-12-31/);
  assert.equal(findClockFault(Date.UTC(2020)), undefined);
  assert.equal(findClockFault(Date.now()), undefined);
});
