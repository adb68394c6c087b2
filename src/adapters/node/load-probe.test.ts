import assert from "node:assert/strict";
import { test } from "node:test";
import { createLoadProbe } from "./load-probe.ts";

test("a probe tells figures from its first look on, until it is closed", () => {
  const probe = createLoadProbe();
  for (let look = 0; look < 3; look++) {
    const { cpuFraction, eventLoopDelayMs, storageReadBytes } = probe.sample();

    assert.ok(cpuFraction >= 0 && Number.isFinite(cpuFraction));
    assert.ok(eventLoopDelayMs >= 0 && Number.isFinite(eventLoopDelayMs));
    assert.ok(storageReadBytes >= 0 && Number.isSafeInteger(storageReadBytes));
  }
  probe.close();
});
