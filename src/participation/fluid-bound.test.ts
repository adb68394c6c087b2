import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  copiesOfDirectShare,
  distanceFromBound,
  type FluidSwarm,
  leastSeconds,
  leastSecondsWhenSent,
} from "./fluid-bound.ts";

const F = 64 * 1024 * 1024;
const MBIT = 125_000;

/** A source of 80 Mbit/s and `count` peers, 80 Mbit/s down and `up` Mbit/s up. */
function swarmOf(count: number, up = 20): FluidSwarm {
  return {
    contentLength: F,
    sourceUplink: 80 * MBIT,
    peerUplinks: Array.from({ length: count }, () => up * MBIT),
    slowestDownlink: 80 * MBIT,
  };
}

function assertNear(actual: number, expected: number, tolerance: number): void {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual}, not ${expected}`);
}

describe("the least time", () => {
  /** Copies that a source must send so that T*(E) is `times` T*. */
  function copiesFor(swarm: FluidSwarm, times: number): number {
    const { peerUplinks } = swarm;
    const fromPeers = leastSeconds(swarm) * times * peerUplinks.reduce((a, b) => a + b, 0);
    return Math.max(1, peerUplinks.length - fromPeers / F);
  }

  // N; T*(F)/T*; copies to reach T*, 1.05 T*, 1.1 T*.
  const table = [
    [4, 1.5, 2, 1.9, 1.8],
    [8, 1.31, 2.67, 2.4, 2.13],
    [16, 1.17, 3.2, 2.56, 1.92],
    [50, 1.06, 3.7, 1.39, 1],
    [200, 1.015, 3.92, 1, 1],
    [1000, 1.003, 3.98, 1, 1],
  ] as const;
  for (const [count, oneCopy, fastest, within5, within10] of table) {
    test(`of ${count} peers: what one copy costs, and what the fastest way costs`, () => {
      const swarm = swarmOf(count);
      const least = leastSeconds(swarm);
      assertNear(leastSecondsWhenSent(swarm, F) / least, oneCopy, 0.005);
      for (const [times, copies] of [
        [1, fastest],
        [1.05, within5],
        [1.1, within10],
      ] as const) {
        const sent = copiesFor(swarm, times);
        assertNear(sent, copies, 0.01);
        assert.ok(leastSecondsWhenSent(swarm, sent * F) <= least * times * 1.000_001);
      }
    });
  }

  test("is bound by the source, the slowest peer, or all uplinks together", () => {
    const swarm = swarmOf(8);
    const cases = [
      [swarmOf(1), F / (80 * MBIT)],
      [{ ...swarm, slowestDownlink: MBIT }, F / MBIT],
      [{ ...swarm, sourceUplink: MBIT }, F / MBIT],
      [swarm, (8 * F) / (240 * MBIT)],
    ] as const;
    for (const [each, seconds] of cases) assertNear(leastSeconds(each), seconds, 1e-9);
  });

  test("of a source that sends everything to everybody is that of its uplink", () => {
    const swarm = swarmOf(8, 0);
    assertNear(leastSecondsWhenSent(swarm, 8 * F), F / (80 * MBIT), 1e-9);
    assert.equal(leastSecondsWhenSent(swarm, 7 * F), Number.POSITIVE_INFINITY);
  });
});

test("peers without uplink cost plain C/S, strong ones one copy", () => {
  assertNear(copiesOfDirectShare(swarmOf(8, 0)), 8, 1e-9);
  assertNear(copiesOfDirectShare(swarmOf(8, 1)), 7.2, 1e-9);
  assertNear(copiesOfDirectShare(swarmOf(50, 1)), 18.75, 1e-9);
  assert.equal(copiesOfDirectShare(swarmOf(8, 20)), 1);
});

describe("the distance of a crowd from the bound", () => {
  const crowd = {
    elapsedMs: 20_000,
    gainedBytes: 80_000,
    sentBytes: 10_000,
    exchangePeak: 7000,
    uplink: 10_000,
  };

  test("is its time in terms of the longest that sources or peers need", () => {
    const table = [
      [{}, 2],
      [{ sentBytes: 40_000, exchangePeak: 40_000 }, 5],
      [{ elapsedMs: 10_000 }, 1],
      [{ elapsedMs: 100 }, 1],
      [{ sentBytes: 200_000, exchangePeak: 0 }, 2.5],
    ] as const;
    for (const [changes, expected] of table) {
      assertNear(distanceFromBound({ ...crowd, ...changes }) ?? 0, expected, 1e-9);
    }
  });

  test("is unknown before anybody gained anything", () => {
    assert.equal(distanceFromBound({ ...crowd, gainedBytes: 0, sentBytes: 0 }), undefined);
    assert.equal(distanceFromBound({ ...crowd, gainedBytes: 0 }), undefined);
    assert.equal(distanceFromBound({ ...crowd, sentBytes: 0, exchangePeak: 0 }), undefined);
  });
});
