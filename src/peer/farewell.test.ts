/** When a Peer that is done may leave. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FAREWELL_LIMIT_MS, mustStay } from "./farewell.ts";

test("it stays while it holds what nobody else has, a minute at most", () => {
  assert.equal(mustStay(0, 3), true);
  assert.equal(mustStay(59_999, 1), true);
  assert.equal(mustStay(FAREWELL_LIMIT_MS, 1), false);
  assert.equal(mustStay(0, 0), false);
});
