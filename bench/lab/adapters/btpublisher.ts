/**
 * BTPublisher in the lab, by the contract in its README: the Peer role as seed and leech, and
 * `serve` with `publish` as server. Mode `http` is the HTTP door alone, as seed and as leech; mode
 * `web` a leech of any other HTTP server.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync, writeSync } from "node:fs";
import { flushCompileCache } from "node:module";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { openDiskPieceStore } from "../../../src/adapters/node/disk-piece-store.ts";
import { Bitfield } from "../../../src/base/bitfield.ts";
import { startPeerNode } from "../../../src/cli/compose/peer.ts";
import { readTorrentFile } from "../../../src/cli/torrent-file.ts";
import type { Download } from "../../../src/peer/download.ts";
import type { Metainfo } from "../../../src/protocol/metainfo/metainfo.ts";

const { values: options } = parseArgs({
  options: {
    role: { type: "string", default: "" },
    torrent: { type: "string", default: "" },
    data: { type: "string", default: "" },
    port: { type: "string", default: "0" },
    ip: { type: "string", default: "" },
    tmp: { type: "string", default: "" },
    mode: { type: "string", default: "normal" },
    file: { type: "string", default: "" },
    "piece-kib": { type: "string", default: "" },
    "uplink-mbit": { type: "string", default: "" },
    "exit-when-done": { type: "boolean", default: false },
    first: { type: "boolean", default: false },
    // For HTTP only: otherwise we find the source through the tracker.
    source: { type: "string", default: "" },
  },
});

/** How often it is looked for the first piece. */
const FIRST_INTERVAL_MS = 2;
/** How closely the event loop's delay is watched. */
const DELAY_RESOLUTION_MS = 5;

function say(ev: string, fields: Readonly<Record<string, unknown>> = {}): void {
  writeSync(1, `${JSON.stringify({ ev, t: Date.now() / 1000, ...fields })}\n`);
}

async function seed(): Promise<void> {
  if (options.mode === "http") return seedByHttp();
  await armed();
  const node = await startPeerNode({ port: Number(options.port) });
  const metainfo = await readTorrentFile(options.torrent);
  const { info } = metainfo;
  const { pool } = node;
  const store = await openDiskPieceStore({ info, directory: options.data, mode: "seed", pool });
  const have = Bitfield.full(info.geometry.pieceCount);
  node.peer.seed(metainfo, { info, store, have }, { path: store.path });
  say("ready");
}

/** In the modes for HTTP the source is a web seed, and there is no tracker. */
function withSources(metainfo: Metainfo): Metainfo {
  const { name } = metainfo.info;
  const path = { http: `files/${name}/${name}`, web: name }[options.mode];
  if (path === undefined) return metainfo;
  return { ...metainfo, announceTiers: [], webSeeds: [`http://${options.source}/${path}`] };
}

/** Opens all that needs no network before it says that it is armed, as the other adapters do. */
async function leech(): Promise<void> {
  const { peer } = await startPeerNode({ port: Number(options.port) });
  const metainfo = withSources(await readTorrentFile(options.torrent));
  await armed();
  const delays = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
  delays.enable();
  const download = await peer.download(
    { type: "metainfo", metainfo },
    { directory: options.data, onTrouble: (trouble) => say("trouble", { trouble }) },
  );
  if (options.first) watchFirst(download);
  await download.completed;
  const late_ms = Math.max(0, delays.percentile(99) / 1e6 - DELAY_RESOLUTION_MS);
  say("complete", { late_ms });
  if (options["exit-when-done"]) process.exit(0);
  // The lab kills us; whoever runs `get` finds what the run before compiled.
  flushCompileCache();
}

function watchFirst(download: Download): void {
  const timer = setInterval(() => {
    if (download.figures().verifiedBytes === 0) return;
    clearInterval(timer);
    say("first");
  }, FIRST_INTERVAL_MS);
}

type Line = Readonly<Record<string, unknown>>;

/** Starts a command of ours; it ends with this process. `hear` gets each line that it says. */
function startOurs(args: readonly string[], hear: (line: Line) => void): number {
  const main = fileURLToPath(new URL("../../../src/cli/main.ts", import.meta.url));
  const child = spawn(process.execPath, [main, "--json", ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  process.on("exit", () => child.kill("SIGKILL"));
  createInterface({ input: child.stdout }).on("line", (text) => hear(JSON.parse(text) as Line));
  return child.pid ?? 0;
}

/** A server with the content in place, for whoever comes to its HTTP port. */
async function seedByHttp(): Promise<void> {
  const { info } = await readTorrentFile(options.torrent);
  await armed();
  const url = `http://${options.ip}:${options.port}`;
  const place = ["--data", join(options.tmp, "server"), "--http-port", options.port];
  const pid = startOurs(["serve", ...place, "--public-url", url, "--peer-port", "0"], (line) => {
    if (line["event"] !== "ready") return;
    startOurs(["publish", join(options.data, info.name), "--server", url], ({ event }) => {
      if (event === "published") say("ready");
    });
  });
  say("pid", { pid });
}

/** A server and one publication; the peers get its .torrent. */
async function serve(): Promise<void> {
  await armed();
  const url = `http://${options.ip}:8080`;
  const place = ["--data", join(options.tmp, "server"), "--http-port", "8080", "--public-url", url];
  const limits = ["--peer-port", options.port, "--max-upload", `${options["uplink-mbit"]}Mbit`];
  const pid = startOurs(["serve", ...place, ...limits], ({ event, from, to, reason }) => {
    if (event === "ready") publish(url);
    if (event === "participation") say("state", { from, to, reason });
  });
  say("pid", { pid });
}

function publish(url: string): void {
  const policy = options.mode === "normal" ? [] : ["--policy", options.mode];
  const how = ["--server", url, "--piece-length", `${options["piece-kib"]}Ki`, ...policy];
  startOurs(["publish", options.file, ...how], ({ event, torrentUrl }) => {
    if (event === "published") void sayReady(String(torrentUrl));
  });
}

async function sayReady(torrentUrl: string): Promise<void> {
  const torrent = join(options.tmp, "published.torrent");
  writeFileSync(torrent, await (await fetch(torrentUrl)).bytes());
  say("ready", { torrent });
}

/** Says so, and resolves at the lab's "go". */
async function armed(): Promise<void> {
  say("armed");
  await once(process.stdin, "data");
  process.stdin.pause();
}

const roles: Readonly<Record<string, () => Promise<void>>> = { seed, leech, server: serve };
const role = roles[options.role];
if (role === undefined) throw new Error(`no role ${options.role}`);

process.on("SIGTERM", () => process.exit(0));
// A server's work is done by the process that it starts.
const isOwnWork = role !== serve && !(role === seed && options.mode === "http");
if (isOwnWork) say("pid", { pid: process.pid });
await role();
