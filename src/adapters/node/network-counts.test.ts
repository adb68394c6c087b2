/** Connections by network. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { NetworkCounts } from "./network-counts.ts";

test("an IPv4 address and an IPv6 /64 are a network each", () => {
  const counts = new NetworkCounts(2);
  const leave = counts.enter("2001:db8::1");
  assert.ok(leave);
  assert.ok(counts.enter("2001:db8::ffff"));
  assert.equal(counts.enter("2001:db8:0:0:1::2"), undefined);
  assert.ok(counts.enter("2001:db8:0:1::1"));
  assert.ok(counts.enter("192.0.2.1"));
  assert.ok(counts.enter("192.0.2.1"));
  assert.equal(counts.enter("192.0.2.1"), undefined);
  assert.ok(counts.enter("192.0.2.2"));

  leave();
  assert.ok(counts.enter("2001:db8::3"));
});
