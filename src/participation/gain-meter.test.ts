import assert from "node:assert/strict";
import { test } from "node:test";
import { GainMeter } from "./gain-meter.ts";

function aMeter(): GainMeter {
  const meter = new GainMeter();
  meter.handlePeers(1000, 1);
  return meter;
}

test("there is no crowd before the first peer and after the last one", () => {
  const meter = new GainMeter();
  assert.equal(meter.figures(0), undefined);
  meter.handlePeers(1000, 1);
  assert.equal(meter.figures(1500)?.elapsedMs, 500);
  meter.handlePeers(2000, 0);
  assert.equal(meter.figures(3000), undefined);
});

test("counts belong to one crowd, and go on when somebody joins it", () => {
  const meter = aMeter();
  meter.handleGained(50);
  meter.handleSent(30);
  meter.handleOffered("owed");
  meter.handleOffered("owed");
  meter.handleOffered("floor");
  meter.handlePeers(2000, 2);
  assert.deepEqual(meter.figures(4000), {
    elapsedMs: 3000,
    gainedBytes: 50,
    sentBytes: 30,
    exchangePeak: 0,
    offers: { owed: 2, floor: 1 },
  });

  meter.handlePeers(5000, 0);
  meter.handlePeers(6000, 1);
  assert.deepEqual(meter.figures(6000), {
    elapsedMs: 0,
    gainedBytes: 0,
    sentBytes: 0,
    exchangePeak: 0,
    offers: {},
  });
});

test("what peers gave each other is what they gained and the source did not send", () => {
  const meter = aMeter();
  meter.handleGained(10_000);
  meter.handleSent(4000);
  meter.handleTick(2900);
  assert.deepEqual([meter.exchangePeak, meter.gainRate], [0, 0], "too early to tell");
  meter.handleTick(3000);
  assert.deepEqual([meter.exchangePeak, meter.gainRate], [3000, 5000]);

  // What was sent and is still on its way is no exchange.
  meter.handleGained(2000);
  meter.handleSent(9000);
  meter.handleTick(5000);
  assert.deepEqual([meter.exchangePeak, meter.gainRate], [3000, 1000]);
});

test("what is outside is given again to few: four pieces, and a hundredth of what was gained", () => {
  const meter = aMeter();
  for (let i = 0; i < 4; i++) {
    assert.ok(meter.mayGiveAgain(100));
    meter.handleOffered("again");
  }
  assert.ok(!meter.mayGiveAgain(100));
  meter.handleGained(1);
  assert.ok(meter.mayGiveAgain(100));
  meter.handleOffered("again");
  meter.handleGained(9999);
  assert.ok(!meter.mayGiveAgain(100));
});
