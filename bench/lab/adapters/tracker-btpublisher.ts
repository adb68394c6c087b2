/** Our Tracker for the lab: all its doors, with the torrents of a list registered. */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import process from "node:process";
import { MemoryRegistrationStore } from "../../../src/adapters/memory/registration-store.ts";
import { nodeMemory } from "../../../src/adapters/node/answer-memory.ts";
import { createSystemClock, createSystemRandom } from "../../../src/adapters/node/clock.ts";
import { FrontServer } from "../../../src/adapters/node/front-server.ts";
import { UdpTrackerSocket } from "../../../src/adapters/node/udp-tracker-socket.ts";
import type { InfoHash } from "../../../src/base/units.ts";
import { TrackerHttpDoor } from "../../../src/tracker/http-door.ts";
import { resolveTrackerOptions } from "../../../src/tracker/options.ts";
import { UdpThreads } from "../../../src/cli/compose/udp-threads.ts";
import { announceDoor } from "../../../src/cli/compose/announce-door.ts";
import { WebTrackerSockets } from "../../../src/adapters/node/web-tracker-sockets.ts";
import { passkeyDigest } from "../../../src/adapters/node/secrets.ts";
import { TrackerAccess } from "../../../src/tracker/tracker-access.ts";
import { TrackerWebDoor } from "../../../src/tracker/web-door.ts";
import { Tracker } from "../../../src/tracker/tracker.ts";
import { TrackerUdpDoor } from "../../../src/tracker/udp-door.ts";

const [host = "", port = "", , listPath = ""] = process.argv.slice(2);

const store = new MemoryRegistrationStore();
const torrents = readFileSync(listPath, "utf8").trim().split("\n");
for (const line of torrents) {
  const infoHash = line as InfoHash;
  const about = { name: infoHash, contentLength: 2 ** 30, pieceCount: 1024, isPrivate: false };
  await store.put({ infoHash, ...about });
}

// The load comes from one address, which would otherwise be a single house, and each of its peers
// announces several times a second, which would otherwise be a flood.
const options = resolveTrackerOptions({ maxPeersPerNetwork: 100_000, earlyMs: 0 });
const clock = createSystemClock();
// With LAB_KEYS=N each swarm is private, and N peers of each have a key that the access model judges,
// with the addresses and the peers of every key, as it does for a server.
const keyCount = Number(process.env["LAB_KEYS"] ?? 0);

/** The access model, told by an Announcer of a line for each torrent: the keys of `loadgen --keys`. */
function openAccess(torrents: readonly string[]): TrackerAccess {
  const { intervalMs } = options;
  const isPrivate = () => true;
  const access = new TrackerAccess({
    clock,
    digestOf: passkeyDigest,
    isPrivate,
    intervalMs,
    onEvent: () => undefined,
  });
  const digestKey = "01".repeat(32);
  const digits = (number: number) => String(number).padStart(20, "0");
  const keysOf = (infoHash: InfoHash, swarm: number) =>
    Array.from({ length: keyCount }, (_, peer) => ({
      digest: passkeyDigest(digestKey, digits(swarm) + digits(peer)),
      infoHash,
      principal: `u${peer}`,
      expiresAt: undefined,
    }));
  access.apply({
    feed: "1",
    number: 0,
    isWhole: true,
    isLast: true,
    digestKey,
    torrents: torrents.map((infoHash) => ({ infoHash: infoHash as InfoHash, level: "tracker" })),
    keys: torrents.flatMap((infoHash, swarm) => keysOf(infoHash as InfoHash, swarm)),
    revoked: [],
    guests: [],
  });
  return access;
}

const tracker = await Tracker.open(options, {
  ...(keyCount > 0 && { access: openAccess(torrents) }),
  store,
  clock,
  random: createSystemRandom(),
  announceUrls: () => [`http://${host}:${port}/announce`],
  onStoreError: (error) => process.stderr.write(`${String(error)}\n`),
});
const udp = new TrackerUdpDoor(tracker, {
  secret: randomBytes(18),
  now: () => clock.now(),
  memory: nodeMemory,
  maxStrangersPerSecond: 1e6,
});
const workers = Number(process.env["LAB_WORKERS"] ?? 1);
if (workers > 1) {
  await UdpThreads.open({
    host,
    port: Number(port),
    count: workers,
    secret: randomBytes(18),
    door: udp,
    maxStrangersPerSecond: 1e6,
    onEvent: (event) => process.stderr.write(`${JSON.stringify(event)}\n`),
  });
} else {
  await UdpTrackerSocket.open({
    host,
    port: Number(port),
    answer: (packet, sender) => udp.answer(packet, sender),
    onError: (error) => process.stderr.write(`${String(error)}\n`),
  });
}
const door = new TrackerHttpDoor(tracker, { trustedProxies: [] });
const web = new TrackerWebDoor(tracker, {
  clock,
  random: createSystemRandom(),
  maxPeersPerNetwork: 100_000,
});
const sockets = new WebTrackerSockets({
  open: (link, asker) => web.open(link, asker),
  trustedProxies: [],
});
const limits = { maxConnectionsPerAddress: 1e6 };
const front = await FrontServer.open({ host, port: Number(port), tls: undefined, limits });
front.serve({
  announces: announceDoor(door, []),
  routes: ["/announce", "/scrape"].map((prefix) => ({
    prefix,
    takesLongUrls: true,
    handle: ({ method = "", url: target = "", socket }, response) => {
      const { remoteAddress: socketAddress, localAddress } = socket;
      const query = { method, target, socketAddress, localAddress, forwardedFor: undefined };
      const answer = door.answer(query);
      response.writeHead(answer?.status ?? 404, answer?.headers);
      response.end(answer?.body);
    },
  })),
  fallback: undefined,
  upgrade: (request, socket, head) => sockets.handleUpgrade(request, socket, head),
});
