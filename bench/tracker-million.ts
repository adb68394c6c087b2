/**
 * A million peers in ten thousand swarms in one Tracker, without sockets: resident bytes a peer, CPU
 * time of an announce (UDP door, 50 peers an answer), the longest sweep for expired peers.
 *
 *     node --expose-gc bench/tracker-million.ts [swarms, default 10000] [peers of each, default 100]
 */
import { randomBytes } from "node:crypto";
import process from "node:process";
import { getHeapSpaceStatistics } from "node:v8";
import { MemoryRegistrationStore } from "../src/adapters/memory/registration-store.ts";
import { nodeMemory } from "../src/adapters/node/answer-memory.ts";
import { createSystemClock, createSystemRandom } from "../src/adapters/node/clock.ts";
import type { InfoHash } from "../src/base/units.ts";
import { Tracker } from "../src/tracker/tracker.ts";
import { TrackerUdpDoor } from "../src/tracker/udp-door.ts";

const [swarms = 10_000, peers = 100] = process.argv.slice(2).map(Number);
const store = new MemoryRegistrationStore();
const hashes = Array.from({ length: swarms }, () => randomBytes(20));
for (const hash of hashes) {
  const infoHash = hash.toString("hex") as InfoHash;
  await store.put({ infoHash, name: infoHash, contentLength: 1, pieceCount: 1, isPrivate: false });
}
const clock = createSystemClock();
const tracker = await Tracker.open(
  { earlyMs: 0 },
  {
    store,
    clock,
    random: createSystemRandom(),
    announceUrls: () => [],
    onStoreError: (error) => console.error(error),
  },
);
const options = { now: () => clock.now(), memory: nodeMemory, maxStrangersPerSecond: 1e9 };
const door = new TrackerUdpDoor(tracker, { ...options, secret: randomBytes(18) });
const asker = { address: new Uint8Array(4), reachedAt: undefined };
const connect = Buffer.from("000004172710198000000000abcdef01", "hex");
const packet = Buffer.alloc(98);
packet.writeUInt32BE(1, 8);
packet.writeInt32BE(50, 92);
packet.write("-LG0001-", 36);

/** An announce of peer `peer` of swarm `swarm`, each from an address of its own. */
function announce(swarm: number, peer: number): void {
  const number = swarm * peers + peer;
  (hashes[swarm] as Buffer).copy(packet, 16);
  packet.writeUInt32BE(number, 52);
  packet[71] = peer % 4 === 0 ? 0 : 1;
  packet.writeUInt16BE(1024 + (number % 60_000), 96);
  for (let i = 0; i < 4; i++) asker.address[i] = (i === 0 ? 11 : 0) + (number >> (24 - 8 * i));
  (door.answer(connect, asker) as Buffer).copy(packet, 0, 8, 16);
  if (door.answer(packet, asker)?.[3] !== 1) throw new Error("refused");
}

/** Longest stall of the event loop from now on; the sweeps are what happens in it. */
async function sweepFor(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

/** Resident, without V8's room for new objects: it grows with the pace, not with the peers. */
function residentBytes(): number {
  for (let i = 0; i < 5; i++) globalThis.gc?.();
  const young = getHeapSpaceStatistics().find((space) => space.space_name === "new_space");
  return process.memoryUsage().rss - (young?.physical_space_size ?? 0);
}

// Until all code is compiled.
for (let i = 0; i < 300_000; i++) announce(i % 50, i % peers);
const before = residentBytes();
for (let peer = 0; peer < peers; peer++) {
  for (let swarm = 0; swarm < swarms; swarm++) announce(swarm, peer);
}
const after = residentBytes();

const rounds = 1_000_000;
const begin = process.cpuUsage();
for (let i = 0; i < rounds; i++) {
  announce(Math.floor(Math.random() * swarms), Math.floor(Math.random() * peers));
}
const { user, system } = process.cpuUsage(begin);
tracker.counters.longestSweepMs = 0;
await sweepFor(8_000);
const figures = {
  peers: tracker.totals().peers,
  residentBytesPerPeer: Math.round((after - before) / (swarms * peers)),
  rssMiB: Math.round(process.memoryUsage().rss / 2 ** 20),
  cpuUsPerConnectAndAnnounce: Number(((user + system) / rounds).toFixed(2)),
  longestSweepMs: Number(tracker.counters.longestSweepMs.toFixed(2)),
};
console.log(JSON.stringify(figures));
await tracker.close();
