import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { unwrap } from "../../src/base/errors.ts";
import { type PolicyName, resolvePolicy } from "../../src/participation/policy.ts";
import { Allocation } from "../../src/participation/allocation.ts";
import { SwarmController } from "../../src/participation/swarm-controller.ts";
import { Uplink } from "../../src/participation/uplink.ts";
import { MemorySwarm, type SwarmMember } from "../support/memory-swarm.ts";
import { anInfo, someContent } from "../support/torrents.ts";

const MBIT = 125_000;
const UPLINK = 80 * MBIT;
const content = someContent(32 * 1024 * 1024, 5);
const info = anInfo(content, 128 * 1024);

interface Outcome {
  /** Content that the source sent, in copies. */
  readonly copies: number;
  /** Last completion ÷ the fluid bound at the copies really sent, T*(E). */
  readonly timeRatio: number;
}

/** A flash crowd of our peers with `uplinks` (bytes per second) under `policy`. */
async function flashCrowd(policy: PolicyName, uplinks: readonly number[]): Promise<Outcome> {
  const swarm = new MemorySwarm(info, 42);
  const serving = new SwarmController(
    info.geometry,
    {
      policy: unwrap(resolvePolicy(policy)),
      allocation: new Allocation(new Uplink(() => UPLINK)),
      spentBytes: () => 0,
      knowsPeer: () => false,
    },
    swarm.clock.now(),
  );
  const role = { dialsPeers: false, keepsSeeds: true, uploadSlots: 1000, serving };
  const source = await swarm.add("10.0.0.1", {
    content,
    kind: "source",
    upBytesPerSecond: UPLINK,
    role,
  });
  const peers: SwarmMember[] = [];
  for (const [i, upBytesPerSecond] of uplinks.entries()) {
    const rates = { upBytesPerSecond, downBytesPerSecond: 80 * MBIT };
    peers.push(await swarm.add(`10.0.1.${i + 1}`, rates));
  }
  swarm.introduceAll();
  assert.ok(await swarm.runUntilComplete(peers, 600_000), "not every peer completed");
  const sent = source.runner.figures().uploadedBytes;
  const totalUplink = uplinks.reduce((sum, uplink) => sum + uplink, 0);
  const least = Math.max(
    content.length / UPLINK,
    (peers.length * content.length - sent) / totalUplink,
  );
  const last = Math.max(...peers.map((peer) => peer.completedAt as number)) / 1000;
  return { copies: sent / content.length, timeRatio: last / least };
}

const equal = Array.from({ length: 8 }, () => 20 * MBIT);

describe("a source that shows each peer only what it wants spread", () => {
  for (const policy of ["thrifty", "balanced"] as const) {
    test(`${policy}: pays for about one copy, at nearly the time that one copy allows`, async () => {
      const { copies, timeRatio } = await flashCrowd(policy, equal);
      assert.ok(copies <= 1.1, `${copies} copies`);
      assert.ok(timeRatio <= 1.12, `${timeRatio} × T*(E)`);
    });
  }

  test("thrifty: with unequal uplinks the slow ones do not set the pace", async () => {
    const uplinks = [5, 10, 20, 40, 5, 10, 20, 40].map((rate) => rate * MBIT);
    const { copies, timeRatio } = await flashCrowd("thrifty", uplinks);
    assert.ok(copies <= 1.35, `${copies} copies`);
    assert.ok(timeRatio <= 1.3, `${timeRatio} × T*(E)`);
  });

  test("fast: sends more, and ends sooner", async () => {
    const thrifty = await flashCrowd("thrifty", equal);
    const fast = await flashCrowd("fast", equal);
    assert.ok(fast.copies > thrifty.copies);
  });
});
