import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Bitfield } from "../../src/base/bitfield.ts";
import { MemorySwarm, type SwarmEvent, type SwarmMember } from "../support/memory-swarm.ts";
import { anInfo, someContent } from "../support/torrents.ts";

const KIB = 1024;
const source = { kind: "source", role: { dialsPeers: false } } as const;

async function addPeers(swarm: MemorySwarm, count: number): Promise<SwarmMember[]> {
  const peers: SwarmMember[] = [];
  for (let i = 0; i < count; i++) {
    const rates = { upBytesPerSecond: 25_000, downBytesPerSecond: 100_000 };
    peers.push(await swarm.add(`10.0.1.${i + 1}`, rates));
  }
  return peers;
}

function assertContent(peers: readonly SwarmMember[], content: Uint8Array): void {
  for (const peer of peers) assert.deepEqual(peer.store.content, content);
}

/** 1 MiB from a source of 0.5 kB/s, so that it takes thousands of virtual seconds. */
async function flashCrowd(seed: number): Promise<readonly SwarmEvent[]> {
  const content = someContent(1024 * KIB, 7);
  const swarm = new MemorySwarm(anInfo(content, 64 * KIB), seed);
  await swarm.add("10.0.0.1", { ...source, content, upBytesPerSecond: 500 });
  const peers = await addPeers(swarm, 50);
  swarm.introduceAll();

  assert.ok(await swarm.runUntilComplete(peers), "not every peer completed");
  assertContent(peers, content);
  return swarm.events;
}

describe("a swarm in virtual time", () => {
  test("1 source and 50 peers complete, and one seed gives one event log", async () => {
    const first = await flashCrowd(42);
    const second = await flashCrowd(42);

    assert.deepEqual(second, first);
    const lastAt = first.at(-1)?.[0] as number;
    assert.ok(lastAt > 2_000_000, `over after ${lastAt} virtual ms`);
  });

  test("another seed gives another log", async () => {
    const content = someContent(512 * KIB, 7);
    const runs: (readonly SwarmEvent[])[] = [];
    for (const seed of [1, 2]) {
      const swarm = new MemorySwarm(anInfo(content, 32 * KIB), seed);
      await swarm.add("10.0.0.1", { ...source, content, upBytesPerSecond: 50_000 });
      const peers = await addPeers(swarm, 4);
      swarm.introduceAll();
      assert.ok(await swarm.runUntilComplete(peers));
      runs.push(swarm.events);
    }

    assert.notDeepEqual(runs[0], runs[1]);
  });

  test("a peer that serves wrong bytes is found by the hash, and the others finish it", async () => {
    const content = someContent(1024 * KIB, 3);
    const swarm = new MemorySwarm(anInfo(content, 64 * KIB), 5);
    await swarm.add("10.0.0.1", { ...source, content, upBytesPerSecond: 50_000 });
    const liar = await swarm.add("10.0.0.2", {
      content,
      upBytesPerSecond: 1_000_000,
      corrupt: (_offset, bytes) => bytes.fill(0),
    });
    const peers = await addPeers(swarm, 3);
    swarm.introduceAll();

    assert.ok(await swarm.runUntilComplete(peers));
    assertContent(peers, content);
    assert.equal(liar.runner.figures().connections, 0, "somebody still talks to the liar");
  });

  test("WIR-27 only the culprit is banned when honest peers shared the bad piece", async () => {
    const content = someContent(1024 * KIB, 3);
    const swarm = new MemorySwarm(anInfo(content, 512 * KIB), 6);
    const honest = await swarm.add("10.0.0.1", { content, upBytesPerSecond: 60_000 });
    const liar = await swarm.add("10.0.0.2", {
      content,
      upBytesPerSecond: 60_000,
      corrupt: (_offset, bytes) => {
        bytes[0] = (bytes[0] as number) ^ 1;
      },
    });
    const [peer] = (await addPeers(swarm, 1)) as [SwarmMember];
    swarm.introduceAll();

    assert.ok(await swarm.runUntilComplete([peer]));
    assertContent([peer], content);
    assert.equal(liar.runner.figures().connections, 0);
    assert.ok(honest.runner.figures().uploadedBytes >= content.length);
  });

  test("peers finish among themselves once the source is gone", async () => {
    const content = someContent(512 * KIB, 9);
    const swarm = new MemorySwarm(anInfo(content, 32 * KIB), 11);
    const first = await swarm.add("10.0.0.1", { ...source, content, upBytesPerSecond: 200_000 });
    const peers = await addPeers(swarm, 6);
    swarm.introduceAll();
    const pieceCount = first.have.size;
    const isSpread = () => {
      const union = new Bitfield(first.have.size);
      for (const peer of peers) for (const index of peer.have) union.add(index);
      return union.count === pieceCount;
    };
    assert.ok(await swarm.clock.run({ isDone: isSpread, until: 600_000 }));
    swarm.network.removeHost(first.ip);

    assert.ok(await swarm.runUntilComplete(peers));
    assertContent(peers, content);
  });

  test("an upload limit holds over many peers, and all get their share", async () => {
    const content = someContent(512 * KIB, 2);
    const swarm = new MemorySwarm(anInfo(content, 64 * KIB), 8);
    const seed = { ...source, content, maxUploadBytesPerSecond: 40_000 };
    await swarm.add("10.0.0.1", { ...seed, role: { dialsPeers: false } });
    const peers: SwarmMember[] = [];
    for (let i = 0; i < 4; i++) {
      const peer = await swarm.add(`10.0.1.${i}`, { role: { uploadSlots: 0 } });
      peers.push(peer);
    }
    swarm.introduceAll();

    assert.ok(await swarm.runUntilComplete(peers));
    const expectedMs = ((4 * content.length) / 40_000) * 1000;
    const ends = peers.map((peer) => peer.completedAt as number);
    const first = Math.min(...ends);
    const last = Math.max(...ends);
    assert.ok(last > expectedMs * 0.97, `over after ${last} of ${expectedMs} ms`);
    assert.ok(last < expectedMs * 1.15, `over only after ${last} of ${expectedMs} ms`);
    assert.ok(first > last * 0.7, `unequal shares: the first after ${first}, the last ${last} ms`);
  });
});
