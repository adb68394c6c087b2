import assert from "node:assert/strict";
import { test } from "node:test";
import { RateMeter } from "./rate-meter.ts";

test("a rate is the mean of the last three seconds, and 0 when nothing moves", () => {
  const meter = new RateMeter();
  assert.equal(meter.rate("a", 0, 500), 0);
  assert.equal(meter.rate("a", 500, 1000), 1000);
  for (let at = 1000; at <= 5000; at += 500) meter.rate("a", at, at * 2);
  assert.equal(meter.rate("a", 5500, 11_000), 2000);
  for (let at = 6000; at < 8500; at += 500) assert.ok(meter.rate("a", at, 11_000) > 0, `${at}`);
  assert.equal(meter.rate("a", 8500, 11_000), 0);
});

test("a counter or a clock that goes back begins anew; what nobody asks for is forgotten", () => {
  const meter = new RateMeter();
  meter.rate("a", 0, 1000);
  assert.equal(meter.rate("a", 1000, 10), 0);
  assert.equal(meter.rate("a", 2000, 20), 10);
  assert.equal(meter.rate("a", 1500, 30), 0);
  meter.forgetOthers();
  meter.forgetOthers();
  assert.equal(meter.rate("a", 5000, 1000), 0);
});
