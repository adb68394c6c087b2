import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MemorySwarm, type SwarmEvent } from "../support/memory-swarm.ts";
import { anInfo, someContent } from "../support/torrents.ts";

const KIB = 1024;

async function flashCrowd(seed: number, peerCount: number): Promise<readonly SwarmEvent[]> {
  const content = someContent(4 * 1024 * KIB, 7);
  const swarm = new MemorySwarm(anInfo(content, 64 * KIB), seed);
  const source = { content, kind: "source", role: { dialsPeers: false } } as const;
  await swarm.add("10.0.0.1", { ...source, upBytesPerSecond: 1_000_000 });
  const peers = [];
  for (let i = 0; i < peerCount; i++) {
    const rates = { upBytesPerSecond: 250_000, downBytesPerSecond: 1_000_000 };
    peers.push(await swarm.add(`10.0.1.${i + 1}`, rates));
  }
  swarm.introduceAll();

  assert.ok(await swarm.runUntilComplete(peers), "not every peer completed");
  for (const peer of peers) assert.deepEqual(peer.store.content, content);
  return swarm.events;
}

describe("a swarm in virtual time", () => {
  test("1 source and 50 peers complete, twice with one seed to the identical event log", async () => {
    const first = await flashCrowd(42, 50);
    const second = await flashCrowd(42, 50);
    const other = await flashCrowd(43, 50);

    assert.deepEqual(second, first);
    assert.notDeepEqual(other, first);
    console.log("last completion at virtual ms", first.at(-1)?.[0]);
  });
});
