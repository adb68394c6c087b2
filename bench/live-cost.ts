/**
 * What a dashboard costs the server: `node bench/live-cost.ts [--seconds N] [--peers N]
 * [--publications N] [--pieces N]`.
 *
 * A swarm in memory where every peer gains pieces all the time, seen by a SourceNode's own code, told
 * to one reader of the overview and one of the publication, twice a second. Prints the share of a core.
 */
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { LiveHub } from "../src/announcer/live/live-hub.ts";
import type { KnownPublication } from "../src/announcer/live/live-states.ts";
import { createSystemClock } from "../src/adapters/node/clock.ts";
import type { InfoHash } from "../src/base/units.ts";
import { defaultPolicy } from "../src/ports/publication-policy.ts";
import { LOOK_MS, type PublicationLook, type SwarmLook } from "../src/ports/source-look.ts";
import { pieceCharacters } from "../src/protocol/api/live.ts";
import type { PeerReport } from "../src/protocol/wire/participation.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "20" },
    peers: { type: "string", default: "500" },
    publications: { type: "string", default: "20" },
    pieces: { type: "string", default: "4096" },
  },
});
const [seconds, peers, publications, pieces] = [
  values.seconds,
  values.peers,
  values.publications,
  values.pieces,
].map(Number) as [number, number, number, number];

const PIECE_LENGTH = 1024 * 1024;
const infoHashes = Array.from({ length: publications }, (_, i) => {
  return i.toString(16).padStart(40, "0") as InfoHash;
});
const known = infoHashes.map((infoHash, i): KnownPublication => {
  const held = { state: "S1", reason: { code: "source-sending" }, since: 1 } as const;
  const content = { infoHash, contentName: `content ${i}`, contentLength: pieces * PIECE_LENGTH };
  return {
    name: `publication-${i}`,
    state: "published",
    createdAt: i,
    policy: defaultPolicy,
    access: { catalogue: "public", level: "tracker", ownerId: undefined },
    content: { ...content, isDirectory: false, fileCount: 1, publishedAt: i },
    counts: { complete: 1, incomplete: peers, downloaded: 0, participation: held },
    withdrawal: undefined,
    progress: undefined,
  };
});

let tick = 0;
function swarmOf(infoHash: InfoHash): SwarmLook {
  const done = tick * PIECE_LENGTH;
  return {
    infoHash,
    piecesBelowFloor: 5,
    participation: {
      evidence: {
        peers,
        downloaders: peers,
        copies: 1,
        floor: 2,
        pieceBelowFloor: { piece: tick, copies: 1 },
        hasForwarded: true,
        owedBytes: 0,
        sentAgoMs: 0,
      },
      figures: {
        spentBytes: done,
        gainedBytes: done * 20,
        uplink: 1e8,
        directShare: 1e8 / peers,
        crowd: {
          elapsedMs: tick * 500,
          gainedBytes: done * 20,
          sentBytes: done,
          exchangePeak: 1e8,
        },
      },
    },
  };
}

/** Every second peer is of our kind. */
function reportOf(key: number): PeerReport | undefined {
  if (key % 2 === 0) return undefined;
  const bytes = { sources: key * 1e6, ownPeers: key * 1e6, otherPeers: 0 };
  const rates = { downRate: key * 1000, upRate: key * 900, downlink: 1e7, uplink: 1e6 };
  const rest = { neighbours: 20, downLimit: 0, leavesWhenDone: true };
  return { downloaded: bytes, uploaded: bytes, ...rates, ...rest };
}

function look(): PublicationLook {
  const peerLooks = Array.from({ length: peers }, (_, key) => ({
    key,
    client: "aria2 1.37.0",
    host: `192.0.2.${key % 250}`,
    joinedAt: key,
    pieces: (tick * 3 + key) % pieces,
    gainedBytes: tick * PIECE_LENGTH * 2 + key * tick,
    sentBytes: tick * PIECE_LENGTH + key * tick,
    owedBytes: (tick * 7919 * key) % 1e7,
    // A report comes every two seconds.
    report: reportOf(key + 2 * Math.floor((tick + key) / 4)),
  }));
  return {
    at: Date.now(),
    swarm: swarmOf(infoHashes[0] as InfoHash),
    pieceLength: PIECE_LENGTH,
    bytesByDoor: { bittorrent: tick * 1e6, webseed: tick * 1e5, webrtc: 0, http: tick * 1e4 },
    copies: pieceCharacters(pieces, (piece) => (piece * 31 + (piece % 7 === 0 ? tick : 0)) % 40),
    sent: pieceCharacters(pieces, (piece) => (piece < tick * 20 ? 1 : 0)),
    peers: peerLooks,
    otherPeers: 0,
  };
}

async function* every<Look>(next: () => Look): AsyncIterable<Look> {
  for (;;) {
    tick++;
    yield next();
    await sleep(LOOK_MS, undefined, { ref: false });
  }
}

const load = { cpuFraction: 0.1, eventLoopDelayMs: 1, storageReadRate: 0, connections: peers };
const hub = new LiveHub({
  clock: createSystemClock(),
  content: {
    watch: () =>
      every(() => ({
        at: Date.now(),
        uplinkLimit: 1e8,
        uplinkCapacity: 1e8,
        ...load,
        swarms: infoHashes.map(swarmOf),
      })),
    watchPublication: () => every(look),
  },
  control: { states: async () => [] },
  publications: async () => known,
  publication: async () => known[0] as KnownPublication,
});

const sent = { events: 0, bytes: 0 };
const reader = () => ({
  isReady: true,
  send: (_event: string, text: string) => {
    sent.events++;
    sent.bytes += text.length;
  },
  end: () => undefined,
});
hub.watch(reader(), "one", { name: "all", maySee: () => true });
hub.watchPublication(reader(), "one", "publication-0");
await sleep(2000);
const [before, startedAt] = [process.cpuUsage(), performance.now()];
sent.events = 0;
sent.bytes = 0;
await sleep(seconds * 1000);
const { user, system } = process.cpuUsage(before);
const elapsed = (performance.now() - startedAt) / 1000;
hub.close();
const share = (100 * (user + system)) / 1e6 / elapsed;
process.stdout.write(
  `${peers} peers, ${publications} publications, ${pieces} pieces: ${share.toFixed(2)} % of a core, ` +
    `${(sent.events / elapsed).toFixed(1)} events/s, ${(sent.bytes / elapsed / 1000).toFixed(1)} kB/s\n`,
);
process.exit(0);
