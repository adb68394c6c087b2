/**
 * Our peers that leave when they are done, with what they and the SourceNode tell each other: what
 * others still wait for must not leave with them, with the server or without it.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { mustStay } from "../../src/peer/farewell.ts";
import type { SwarmController } from "../../src/participation/swarm-controller.ts";
import { aController, MBIT, someTorrent, sourceOptions } from "../support/crowd.ts";
import { MemorySwarm, type SwarmMember } from "../support/memory-swarm.ts";

const { content, info } = someTorrent(32, 128);
/** How often `get` looks whether it may leave. */
const LOOK_MS = 250;

interface World {
  readonly swarm: MemorySwarm;
  readonly source: SwarmMember;
  readonly peers: readonly SwarmMember[];
  readonly controller: SwarmController;
}

/** A source and peers that say that they leave when they are done. */
async function aSwarm(
  seed: number,
  uplinks: readonly number[],
  policy: "balanced" | "thrifty" = "thrifty",
): Promise<World> {
  const swarm = new MemorySwarm(info, seed);
  const controller = aController(swarm, { policy });
  const source = await swarm.add("10.0.0.1", sourceOptions(content, controller, 80));
  const peers: SwarmMember[] = [];
  for (const [i, uplink] of uplinks.entries()) {
    const rates = { upBytesPerSecond: uplink * MBIT, downBytesPerSecond: 80 * MBIT };
    peers.push(await swarm.add(`10.0.1.${i + 1}`, { ...rates, role: { leavesWhenDone: true } }));
  }
  swarm.introduceAll();
  return { swarm, source, peers, controller };
}

/** Runs until each peer has left as `get` does. @returns how long each stayed, in milliseconds. */
async function runUntilAllLeft({ swarm, peers }: World, until: number): Promise<readonly number[]> {
  const present = new Set(peers);
  const stays: number[] = [];
  while (present.size > 0 && swarm.clock.now() < until) {
    const next = swarm.clock.now() + LOOK_MS;
    await swarm.clock.run({ isDone: () => false, until: next });
    for (const peer of present) {
      const { completedAt } = peer;
      if (completedAt === undefined) continue;
      const stayed = swarm.clock.now() - completedAt;
      if (mustStay(stayed, peer.runner.figures().solePieces)) continue;
      present.delete(peer);
      stays.push(stayed);
      swarm.network.removeHost(peer.ip);
    }
  }
  return stays;
}

const crowds = {
  equal: [20, 20, 20, 20, 20, 20, 20, 20],
  unequal: [5, 10, 20, 40, 5, 10, 20, 40],
};

describe("thrifty, the server killed 1 s after its last new piece was seen outside", () => {
  for (const [name, uplinks] of Object.entries(crowds)) {
    for (const seed of [7, 8, 9]) {
      test(`${name} uplinks, seed ${seed}: all finish, though each leaves when it is done`, async () => {
        const world = await aSwarm(seed, uplinks);
        const { swarm, controller, source } = world;
        const isOut = () => controller.evidence.copies.least > 0;
        assert.ok(await swarm.clock.run({ isDone: isOut, until: 60_000 }));
        await swarm.clock.run({ isDone: () => false, until: swarm.clock.now() + 1000 });
        swarm.network.removeHost(source.ip);

        const stays = await runUntilAllLeft(world, 300_000);
        assert.equal(stays.length, uplinks.length, "somebody waits for ever");
        assert.ok(Math.max(...stays) <= 61_000, `${Math.max(...stays)} ms`);
      });
    }
  }
});

describe("the server stays", () => {
  test("thrifty: peers that leave when they are done cost it hardly more than those that stay", async () => {
    const world = await aSwarm(7, crowds.unequal);
    const stays = await runUntilAllLeft(world, 300_000);
    assert.equal(stays.length, 8);
    const copies = world.source.runner.figures().uploadedBytes / content.length;
    assert.ok(copies <= 1.1, `${copies} copies`);
  });

  test("nobody stays when all have everything", async () => {
    const world = await aSwarm(7, [20, 20], "balanced");
    const stays = await runUntilAllLeft(world, 300_000);
    const last = Math.min(...stays);
    assert.ok(last <= 2 * LOOK_MS, `${last} ms`);
  });
});
