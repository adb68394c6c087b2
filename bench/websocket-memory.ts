/**
 * What a connection of the Tracker's WebSocket door costs: many peers connect, announce once and stay.
 * Resident bytes a connection, without V8's room for new objects.
 *
 *     node --expose-gc bench/websocket-memory.ts [connections, default 10000; open files: twice that]
 */
import { fork } from "node:child_process";
import { connect } from "node:net";
import process from "node:process";
import { getHeapSpaceStatistics } from "node:v8";
import { MemoryRegistrationStore } from "../src/adapters/memory/registration-store.ts";
import { createSystemClock, createSystemRandom } from "../src/adapters/node/clock.ts";
import { FrontServer } from "../src/adapters/node/front-server.ts";
import { WebTrackerSockets } from "../src/adapters/node/web-tracker-sockets.ts";
import type { InfoHash } from "../src/base/units.ts";
import { Tracker } from "../src/tracker/tracker.ts";
import { TrackerWebDoor } from "../src/tracker/web-door.ts";

const SWARMS = 100;
const HOST = "127.0.0.1";
/** Under way at a time. */
const WINDOW = 50;
const hashOf = (swarm: number) => String(swarm).padStart(20, "h");

/** A masked text frame, its mask all zeros. */
function frame(text: string): Buffer {
  const head = Buffer.from([0x81, 0x80 | 126, text.length >> 8, text.length & 255, 0, 0, 0, 0]);
  return Buffer.concat([head, Buffer.from(text)]);
}

/** Connects and announces; resolves with the answer. */
function join(port: number, number: number): Promise<void> {
  const localAddress = `127.0.0.${1 + (number % 200)}`;
  const socket = connect({ port, host: HOST, localAddress });
  const key = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==";
  const upgrade = "Upgrade: websocket\r\nConnection: Upgrade";
  socket.write(`GET /announce HTTP/1.1\r\nHost: ${HOST}\r\n${upgrade}\r\n${key}\r\n\r\n`);
  const announce = {
    action: "announce",
    info_hash: hashOf(number % SWARMS),
    peer_id: String(number).padStart(20, "p"),
    left: 1,
    numwant: 0,
    offers: [],
  };
  return new Promise((resolve, reject) => {
    socket.on("error", reject);
    socket.once("data", () => {
      socket.write(frame(JSON.stringify(announce)));
      socket.on("data", () => resolve());
    });
  });
}

async function runClients(port: number, count: number): Promise<void> {
  let next = 0;
  const work = async () => {
    while (next < count) await join(port, next++);
  };
  await Promise.all(Array.from({ length: WINDOW }, work));
  process.send?.("joined");
  await new Promise(() => setInterval(() => undefined, 60_000));
}

function memory(): { readonly resident: number; readonly heap: number } {
  for (let i = 0; i < 5; i++) globalThis.gc?.();
  const young = getHeapSpaceStatistics().find((space) => space.space_name === "new_space");
  const { rss, heapUsed } = process.memoryUsage();
  return { resident: rss - (young?.physical_space_size ?? 0), heap: heapUsed };
}

async function openServer(): Promise<FrontServer> {
  const store = new MemoryRegistrationStore();
  for (let swarm = 0; swarm < SWARMS; swarm++) {
    const infoHash = Buffer.from(hashOf(swarm), "latin1").toString("hex") as InfoHash;
    await store.put({
      infoHash,
      name: infoHash,
      contentLength: 1,
      pieceCount: 1,
      isPrivate: false,
    });
  }
  const clock = createSystemClock();
  const random = createSystemRandom();
  const onStoreError = (error: unknown) => console.error(error);
  const dependencies = { store, clock, random, announceUrls: () => [], onStoreError };
  const tracker = await Tracker.open({}, dependencies);
  const web = new TrackerWebDoor(tracker, { clock, random, maxPeersPerNetwork: 100_000 });
  const open: ConstructorParameters<typeof WebTrackerSockets>[0]["open"] = (link, asker) =>
    web.open(link, asker);
  const sockets = new WebTrackerSockets({ open, trustedProxies: [] });
  const front = await FrontServer.open({ host: HOST, port: 0, tls: undefined });
  front.serve({
    routes: [],
    fallback: undefined,
    upgrade: (request, socket, head) => sockets.handleUpgrade(request, socket, head),
  });
  return front;
}

async function measure(count: number): Promise<void> {
  const front = await openServer();
  const before = memory();
  const begin = process.cpuUsage();
  const clients = fork(process.argv[1] as string, [String(count), String(front.port)]);
  await new Promise((resolve) => clients.once("message", resolve));
  const { user, system } = process.cpuUsage(begin);
  const after = memory();
  const figures = {
    connections: count,
    residentBytes: Math.round((after.resident - before.resident) / count),
    heapBytes: Math.round((after.heap - before.heap) / count),
    cpuUsToConnectAndAnnounce: Math.round((user + system) / count),
  };
  console.log(JSON.stringify(figures));
  clients.kill();
  process.exit();
}

const [count = 10_000, port] = process.argv.slice(2).map(Number);
await (port === undefined ? measure(count) : runClients(port, count));
