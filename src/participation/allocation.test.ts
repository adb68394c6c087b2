import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Allocation, type Urgency } from "./allocation.ts";
import { Uplink } from "./uplink.ts";

function anAllocation(bytesPerSecond = 1000): Allocation {
  return new Allocation(new Uplink(() => bytesPerSecond));
}

/** Swarms by their number of downloaders. */
function swarms(allocation: Allocation, ...downloaders: readonly number[]): readonly object[] {
  return downloaders.map((count) => {
    const swarm = {};
    allocation.setDownloaders(swarm, count);
    return swarm;
  });
}

describe("the direct share", () => {
  test("is the uplink, divided by all downloaders of all swarms", () => {
    const allocation = anAllocation();
    assert.equal(allocation.directShare, 1000);
    const [a = {}, b = {}] = swarms(allocation, 3, 1);
    assert.equal(allocation.directShare, 250);
    allocation.setDownloaders(a, 1);
    assert.equal(allocation.directShare, 500);
    allocation.setDownloaders(a, 0);
    allocation.setDownloaders(b, 0);
    allocation.setDownloaders(b, 0);
    assert.equal(allocation.directShare, 1000);
  });
});

describe("room for offers", () => {
  /** Offers until there is no room. @returns how many. */
  function offerAll(allocation: Allocation, pieceLength = 1000): number {
    let offered = 0;
    for (; allocation.hasRoom(pieceLength); offered++) allocation.handleOffered(pieceLength);
    return offered;
  }

  /** One that has run for ten seconds. */
  function aRunningAllocation(bytesPerSecond: number): Allocation {
    const allocation = anAllocation(bytesPerSecond);
    for (let at = -10_000; at < 0; at += 100) allocation.handleTick(at);
    return allocation;
  }

  const table = [
    { bytesPerSecond: 100_000, pieceLength: 1000, first: 75, later: 25 },
    { bytesPerSecond: 100_000, pieceLength: 12_500, first: 6, later: 2 },
    { bytesPerSecond: 1000, pieceLength: 1000, first: 2, later: 2 },
    { bytesPerSecond: 0, pieceLength: 1000, first: 2, later: 2 },
  ];
  for (const { bytesPerSecond, pieceLength, first, later } of table) {
    test(`is a quarter of a second, more at first, and two pieces at least: ${bytesPerSecond} B/s, pieces of ${pieceLength}`, () => {
      assert.equal(offerAll(anAllocation(bytesPerSecond), pieceLength), first);
      const allocation = aRunningAllocation(bytesPerSecond);
      assert.equal(offerAll(allocation, pieceLength), later);
      allocation.handleSettled(pieceLength);
      assert.equal(allocation.hasRoom(pieceLength), true);
    });
  }

  /** Ticks with offers that fill the room while `sent` of the uplink is used. */
  function fill(allocation: Allocation, { ticks, sent }: { ticks: number; sent: number }): number {
    let offered = 0;
    for (let tick = 0; tick <= ticks; tick++) {
      offered += offerAll(allocation);
      allocation.handleSent(10_000 * sent);
      allocation.handleTick(tick * 100);
    }
    return offered;
  }

  test("grows while peers are slow to ask, up to a bound", () => {
    const offered = fill(aRunningAllocation(100_000), { ticks: 30, sent: 0.5 });
    assert.ok(offered > 100, `${offered}`);
    assert.equal(fill(aRunningAllocation(100_000), { ticks: 300, sent: 0.5 }), 25 + 128);
  });

  test("does not grow while the uplink is busy", () => {
    assert.equal(fill(aRunningAllocation(100_000), { ticks: 100, sent: 1 }), 25);
  });

  test("does not grow while requests wait: more offers would only spread the uplink thinner", () => {
    const allocation = aRunningAllocation(100_000);
    allocation.setRequested({}, 40_000);
    assert.equal(fill(allocation, { ticks: 10, sent: 0 }), 25);
  });

  test("does not grow while nobody asks for room", () => {
    const allocation = aRunningAllocation(100_000);
    for (let tick = 0; tick < 100; tick++) allocation.handleTick(tick * 100);
    assert.equal(offerAll(allocation), 25);
  });
});

describe("whose turn it is", () => {
  const order: readonly Urgency[] = ["owed", "floor", "new-capped", "again", "new"];

  test("goes by urgency, whatever the swarm's size", () => {
    for (const [i, mine] of order.entries()) {
      for (const [j, theirs] of order.entries()) {
        if (i === j) continue;
        const allocation = anAllocation();
        const [large = {}, small = {}] = swarms(allocation, 100, 1);
        allocation.permits(0, large, theirs);
        assert.equal(allocation.permits(0, small, mine), i < j, `${mine} against ${theirs}`);
      }
    }
  });

  test("goes by size where the urgency is the same; whoever is owed is served everywhere", () => {
    for (const urgency of order) {
      const allocation = anAllocation();
      const [large = {}, small = {}, same = {}] = swarms(allocation, 4, 1, 4);
      assert.equal(allocation.permits(0, large, urgency), true);
      assert.equal(allocation.permits(0, same, urgency), true);
      assert.equal(allocation.permits(0, small, urgency), urgency === "owed", urgency);
    }
  });

  test("a want ends when the swarm rests, has nobody left, or did not repeat it", () => {
    const table: readonly (readonly [string, (allocation: Allocation, swarm: object) => number])[] =
      [
        ["rests", (allocation, swarm) => (allocation.rests(swarm), 0)],
        ["is empty", (allocation, swarm) => (allocation.setDownloaders(swarm, 0), 0)],
        ["did not repeat it", () => 301],
      ];
    for (const [name, end] of table) {
      const allocation = anAllocation();
      const [large = {}, small = {}] = swarms(allocation, 4, 1);
      allocation.permits(0, large, "new");
      assert.equal(allocation.permits(300, small, "new"), false, name);
      const now = end(allocation, large);
      assert.equal(allocation.permits(now, small, "new"), true, name);
    }
  });

  test("a swarm does not refrain for itself", () => {
    const allocation = anAllocation();
    const [swarm = {}] = swarms(allocation, 1);
    assert.equal(allocation.permits(0, swarm, "owed"), true);
    assert.equal(allocation.permits(0, swarm, "new"), true);
  });
});
