/** BTPublisher as a client of the lab: its Peer role, by the contract in the lab's README. */
import { once } from "node:events";
import { writeSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import { openDiskPieceStore } from "../../../src/adapters/node/disk-piece-store.ts";
import { Bitfield } from "../../../src/base/bitfield.ts";
import { startPeerNode } from "../../../src/cli/compose/peer.ts";
import { readTorrentFile } from "../../../src/cli/torrent-file.ts";
import type { Download } from "../../../src/peer/download.ts";

const { values: options } = parseArgs({
  options: {
    role: { type: "string", default: "" },
    torrent: { type: "string", default: "" },
    data: { type: "string", default: "" },
    port: { type: "string", default: "0" },
    "exit-when-done": { type: "boolean", default: false },
    first: { type: "boolean", default: false },
    // Taken and not needed: other clients need them, or they are for other roles.
    ip: { type: "string" },
    tmp: { type: "string" },
    mode: { type: "string" },
    source: { type: "string" },
  },
});

/** How often it is looked for the first piece. */
const FIRST_INTERVAL_MS = 2;

function say(ev: string, fields: Readonly<Record<string, unknown>> = {}): void {
  writeSync(1, `${JSON.stringify({ ev, t: Date.now() / 1000, ...fields })}\n`);
}

async function seed(): Promise<void> {
  const node = await startPeerNode({ port: Number(options.port) });
  const metainfo = await readTorrentFile(options.torrent);
  const { info } = metainfo;
  const { pool } = node;
  const store = await openDiskPieceStore({ info, directory: options.data, mode: "seed", pool });
  const have = Bitfield.full(info.geometry.pieceCount);
  node.peer.seed(metainfo, { info, store, have }, { path: store.path });
  say("ready");
}

async function leech(): Promise<void> {
  const { peer } = await startPeerNode({ port: Number(options.port) });
  const metainfo = await readTorrentFile(options.torrent);
  const download = await peer.download(
    { type: "metainfo", metainfo },
    { directory: options.data, onTrouble: (trouble) => say("trouble", { trouble }) },
  );
  if (options.first) watchFirst(download);
  await download.completed;
  say("complete");
  if (options["exit-when-done"]) process.exit(0);
}

function watchFirst(download: Download): void {
  const timer = setInterval(() => {
    if (download.figures().verifiedBytes === 0) return;
    clearInterval(timer);
    say("first");
  }, FIRST_INTERVAL_MS);
}

process.on("SIGTERM", () => process.exit(0));
say("pid", { pid: process.pid });
say("armed");
await once(process.stdin, "data");
process.stdin.pause();
await (options.role === "seed" ? seed() : leech());
