/**
 * One source and many peers: `node bench/many-peers.ts [--idle N] [--busy N] [--seconds S]`.
 *
 * The source is this process: TCP, engine and disk as in `serve`, 256 MiB in 4,096 pieces. The peers
 * are light clients in one other process. Printed: what a connected, idle, interested peer costs in
 * memory and time; what one and many downloading peers get; how late the event loop was.
 */
import { fork } from "node:child_process";
import { randomBytes, randomFillSync } from "node:crypto";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { getHeapSpaceStatistics } from "node:v8";
import { createSystemClock, createSystemRandom } from "../src/adapters/node/clock.ts";
import { openDiskPieceStore } from "../src/adapters/node/disk-piece-store.ts";
import { DiskPool } from "../src/adapters/node/disk-pool.ts";
import { createHttpClient } from "../src/adapters/node/http-client.ts";
import { createTcpTransport } from "../src/adapters/node/tcp-transport.ts";
import { Bitfield } from "../src/base/bitfield.ts";
import { infoHashBytes, infoHashOf } from "../src/base/bytes.ts";
import type { Info } from "../src/protocol/metainfo/metainfo.ts";
import { PieceGeometry } from "../src/protocol/metainfo/piece-geometry.ts";
import { createPeerId } from "../src/protocol/wire/peer-id.ts";
import { PeerHost, unlimited } from "../src/runtime/peer-host.ts";
import type { Answer, Order } from "./many-peers-clients.ts";

const { values: options } = parseArgs({
  options: {
    idle: { type: "string", default: "1000" },
    busy: { type: "string", default: "200" },
    seconds: { type: "string", default: "5" },
    directory: { type: "string", default: "/dev/shm" },
  },
});

const PIECE_COUNT = 4096;
const PIECE_LENGTH = 64 * 1024;
const GIB = 1024 ** 3;
/** Blocks that a downloading client asks for at once. */
const PIPELINE = 128;
/** What V8 had compiled and collected before is not counted. */
const WARM_UP_MS = 2000;
const DELAY_RESOLUTION_MS = 5;

const geometry = new PieceGeometry(PIECE_LENGTH, PIECE_COUNT * PIECE_LENGTH);
const name = "file";
const rawName = new TextEncoder().encode(name);
const info: Info = {
  infoHash: infoHashOf(randomBytes(20)),
  raw: rawName,
  name,
  rawName,
  isDirectory: false,
  files: [
    { path: [name], rawPath: [rawName], length: geometry.contentLength, offset: 0, isPad: false },
  ],
  geometry,
  // Nobody here looks at hashes.
  pieceHashes: new Uint8Array(20 * PIECE_COUNT),
  isPrivate: false,
  version: "v1",
};

const directory = mkdtempSync(join(options.directory, "btpublisher-many-"));
const file = openSync(join(directory, name), "w");
const random = randomFillSync(new Uint8Array(1024 * 1024));
for (let at = 0; at < geometry.contentLength; at += random.length) writeSync(file, random);
closeSync(file);

const clock = createSystemClock();
const pool = new DiskPool();
const host = new PeerHost(
  {
    clock,
    transport: createTcpTransport({ clock }),
    http: createHttpClient({ clock }),
    random: createSystemRandom(),
    isSourceNode: () => false,
  },
  {
    peerId: createPeerId("source", createSystemRandom()),
    clientName: "bench",
    host: "127.0.0.1",
    port: 0,
    uploadLimit: unlimited(),
    downloadLimit: unlimited(),
  },
);
const delays = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
const clients = fork(new URL("./many-peers-clients.ts", import.meta.url));

try {
  await host.listen();
  const store = await openDiskPieceStore({ info, directory, mode: "seed", pool });
  const content = { info, store, have: Bitfield.full(PIECE_COUNT) };
  // As a SourceNode plays its torrents.
  host.add(content, {}, { dialsPeers: false, keepsSeeds: true, maxPeers: 1000, uploadSlots: 1000 });
  delays.enable();
  await measureIdle(Number(options.idle));
  const alone = await measureBusy(1);
  const many = await measureBusy(Number(options.busy));
  console.log(`throughput of ${options.busy} peers to that of one: ${(many / alone).toFixed(2)}`);
} finally {
  clients.disconnect();
  await host.close();
  await pool.close();
  rmSync(directory, { recursive: true });
}

async function order(order: Order): Promise<readonly number[]> {
  clients.send(order);
  const [{ bytes }] = (await once(clients, "message")) as [Answer];
  return bytes;
}

function connect(peers: number, pipeline: number): Promise<unknown> {
  return order({
    type: "connect",
    peers,
    port: host.port ?? 0,
    infoHash: Buffer.from(infoHashBytes(info.infoHash)).toString("latin1"),
    pieceCount: PIECE_COUNT,
    pieceLength: PIECE_LENGTH,
    pipeline,
  });
}

/** Bytes of this process, everything collectable collected. */
interface OwnMemory {
  readonly heap: number;
  /** Without `young`. */
  readonly resident: number;
  /** V8's room for new objects: it grows with the pace of work, not with the peers. */
  readonly young: number;
}

function ownMemory(): OwnMemory {
  // Twice: what is let go of by the first goes with the second.
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  const spaces = getHeapSpaceStatistics();
  const young = spaces.find((space) => space.space_name === "new_space")?.physical_space_size ?? 0;
  return { heap: heapUsed + external, resident: rss - young, young };
}

async function measureIdle(peers: number): Promise<void> {
  await connect(16, 0);
  await order({ type: "end" });
  await sleep(WARM_UP_MS);
  const before = ownMemory();
  await connect(peers, 0);
  await sleep(WARM_UP_MS);
  const after = ownMemory();
  const cpu0 = process.cpuUsage();
  delays.reset();
  await sleep(Number(options.seconds) * 1000);
  const { user, system } = process.cpuUsage(cpu0);
  const core = ((user + system) / 1e6 / Number(options.seconds)) * 100;
  const perPeer = (bytes: number): string => `${(bytes / peers / 1024).toFixed(1)} KiB`;
  console.log(
    `${peers} idle peers: ${perPeer(after.resident - before.resident)} each resident ` +
      `(and ${perPeer(after.young - before.young)} more room for new objects), ` +
      `${perPeer(after.heap - before.heap)} on heaps, ${core.toFixed(1)} % of a core, ${delay()}`,
  );
  await order({ type: "end" });
}

/** @returns bytes a second of all. */
async function measureBusy(peers: number): Promise<number> {
  await connect(peers, PIPELINE);
  await sleep(WARM_UP_MS);
  const bytes0 = await order({ type: "count" });
  const startedAt = performance.now();
  const cpu0 = process.cpuUsage();
  delays.reset();
  await sleep(Number(options.seconds) * 1000);
  const late = delay();
  const { user, system } = process.cpuUsage(cpu0);
  const bytes = await order({ type: "count" });
  const seconds = (performance.now() - startedAt) / 1000;
  const each = bytes.map((count, i) => count - (bytes0[i] ?? 0));
  const total = each.reduce((sum, count) => sum + count, 0);
  const perGib = ((user + system) / 1e6 / total) * GIB;
  const least = (Math.min(...each) / total) * peers;
  console.log(
    `${peers} downloading: ${(total / seconds / 1e6).toFixed(0)} MB/s, the slowest ` +
      `${least.toFixed(2)} of the mean, source ${perGib.toFixed(2)} CPU-s/GiB ` +
      `(${((user / 1e6 / total) * GIB).toFixed(2)} user), ${delay() && late}`,
  );
  await order({ type: "end" });
  return total / seconds;
}

function delay(): string {
  const p99 = Math.max(0, delays.percentile(99) / 1e6 - DELAY_RESOLUTION_MS);
  const max = Math.max(0, delays.max / 1e6 - DELAY_RESOLUTION_MS);
  return `event loop late by ${p99.toFixed(1)} ms (p99), ${max.toFixed(0)} ms (max)`;
}
