/**
 * What the engine spends on each kind of event in a large swarm, without sockets and disks:
 * `node bench/many-core.ts [--pieces N] [--peers N]`, by default 2^17 pieces and 1,000 peers.
 *
 * Peers have random halves of the pieces, ten have one piece only, ten have everything. Blocks are
 * answered by the peer asked, at once.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { Bitfield } from "../src/base/bitfield.ts";
import { infoHashOf } from "../src/base/bytes.ts";
import { createRandom } from "../src/base/random.ts";
import { defaultChokerOptions } from "../src/engine/choking/choker.ts";
import { Torrent } from "../src/engine/torrent/torrent.ts";
import type { TorrentOutput } from "../src/engine/torrent/torrent-state.ts";
import type { Info } from "../src/protocol/metainfo/metainfo.ts";
import { type BlockRef, PieceGeometry } from "../src/protocol/metainfo/piece-geometry.ts";
import { unlimited } from "../src/runtime/peer-host.ts";

const { values } = parseArgs({
  options: {
    pieces: { type: "string", default: String(2 ** 17) },
    peers: { type: "string", default: "1000" },
    stored: { type: "string", default: "2000" },
  },
});
const pieceCount = Number(values.pieces);
const peerCount = Number(values.peers);
const PIECE_LENGTH = 64 * 1024;

const random = createRandom(1);
const geometry = new PieceGeometry(PIECE_LENGTH, pieceCount * PIECE_LENGTH);
const raw = new Uint8Array(20);
const info: Info = {
  infoHash: infoHashOf(raw),
  raw,
  name: "file",
  rawName: raw,
  isDirectory: false,
  files: [],
  geometry,
  pieceHashes: new Uint8Array(20 * pieceCount),
  isPrivate: false,
  version: "v1",
};
let now = 0;
const torrent = new Torrent(
  { info, have: new Bitfield(pieceCount), webSeedCount: 0 },
  {
    choker: defaultChokerOptions,
    maxPeers: peerCount + 1,
    maxConnecting: 20,
    dialsPeers: true,
    keepsSeeds: false,
    serving: undefined,
    pieceBufferBytes: 48 * 1024 * 1024,
    listenPort: undefined,
    peerId: new Uint8Array(20),
    clientName: "bench",
    uploadLimit: unlimited(),
    downloadLimit: unlimited(),
  },
  random,
  now,
);

/** Times of one kind of event, milliseconds. */
const times = new Map<string, number[]>();

function timed(what: string, act: () => void): void {
  const startedAt = performance.now();
  act();
  const list = times.get(what) ?? [];
  list.push(performance.now() - startedAt);
  times.set(what, list);
}

/** Blocks that peers were asked for. */
const asked: { readonly peer: number; readonly block: BlockRef }[] = [];
const complete: number[] = [];

function hear(outputs: readonly TorrentOutput[]): void {
  for (const output of outputs) {
    if (output.type === "request") {
      for (const block of output.blocks) asked.push({ peer: output.peer, block });
    } else if (output.type === "commit") complete.push(output.pieceIndex);
    else if (output.type === "close") throw new Error(`peer ${output.peer}: ${output.why}`);
  }
}

function piecesOf(key: number): Uint8Array {
  if (key % 100 === 1) return Bitfield.full(pieceCount).toBytes();
  const bytes = new Uint8Array(pieceCount / 8);
  if (key % 100 === 0) bytes[key] = 0x80;
  else for (let i = 0; i < bytes.length; i++) bytes[i] = random.below(256);
  return bytes;
}

for (let key = 0; key < peerCount; key++) {
  const peerId = new Uint8Array(20);
  new DataView(peerId.buffer).setUint32(0, key + 1);
  const bytes = piecesOf(key);
  timed("a connection opens", () =>
    torrent.handleLinkOpened(now, {
      key,
      peerId,
      host: `10.0.${key >> 8}.${key & 255}`,
      addressKey: `10.0.${key >> 8}.${key & 255}:6881`,
      direction: "incoming",
      supportsFast: true,
      supportsExtended: true,
      isSourceNode: false,
    }),
  );
  timed("a bitfield", () => torrent.handleMessage(now, key, { type: "bitfield", bytes }));
  timed("an interested", () => torrent.handleMessage(now, key, { type: "interested" }));
  hear(torrent.takeOutputs());
  now++;
}
for (let key = 0; key < peerCount; key++) {
  timed("an unchoke", () => torrent.handleMessage(now, key, { type: "unchoke" }));
  hear(torrent.takeOutputs());
}

for (let stored = 0; stored < Number(values.stored); ) {
  const next = asked.shift();
  if (next === undefined) break;
  const { peer, block } = next;
  timed("a block", () => {
    const isWanted = torrent.wantsBlock(peer, block);
    torrent.handleBlock(now, peer, block, isWanted);
    torrent.handleReadEnd(now, peer);
  });
  hear(torrent.takeOutputs());
  const piece = complete.pop();
  if (piece !== undefined) {
    timed("a stored piece", () => torrent.handleCommitted(now, piece, "stored"));
    hear(torrent.takeOutputs());
    stored++;
    const key = random.below(peerCount);
    timed("a HAVE", () => torrent.handleMessage(now, key, { type: "have", pieceIndex: piece }));
  }
  now += 0.05;
  const due = torrent.nextTimeout();
  if (due !== undefined && now >= due) {
    timed("a time-out", () => torrent.handleTimeout(now));
    hear(torrent.takeOutputs());
  }
}
timed("figures", () => torrent.figures(now));
for (let key = 0; key < peerCount / 10; key++) {
  timed("a connection ends", () => torrent.handleLinkClosed(now, key * 10 + 3));
  hear(torrent.takeOutputs());
}

process.stdout.write(`${pieceCount} pieces, ${peerCount} peers; per event:\n`);
for (const [what, list] of times) {
  const sorted = list.toSorted((a, b) => a - b);
  const mean = (list.reduce((sum, ms) => sum + ms, 0) / list.length) * 1000;
  const p99 = (sorted[Math.floor(0.99 * (sorted.length - 1))] as number) * 1000;
  const most = (sorted.at(-1) as number) * 1000;
  const [a, b, c] = [mean, p99, most].map((us) => us.toFixed(1).padStart(9));
  process.stdout.write(`${what.padEnd(20)} ${a} µs mean ${b} p99 ${c} max (${list.length})\n`);
}
