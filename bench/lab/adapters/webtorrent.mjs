#!/usr/bin/env node
// webtorrent 3.0.21 (npm, installed in /tmp/peers with --ignore-scripts)
import fs from "fs";
import { pathToFileURL } from "url";
const root = process.env.PEERS_DIR || "/tmp/peers";
const A = {};
for (let i = 2; i < process.argv.length; i++) {
  const k = process.argv[i].replace(/^--/, "");
  const n = process.argv[i + 1];
  if (n === undefined || n.startsWith("--")) A[k] = true;
  else {
    A[k] = n;
    i++;
  }
}
const ev = (k, o = {}) =>
  fs.writeSync(1, JSON.stringify({ ev: k, t: Date.now() / 1000, ...o }) + "\n");
ev("pid", { pid: process.pid });
const WebTorrent = (await import(pathToFileURL(root + "/node_modules/webtorrent/index.js").href))
  .default;
process.on("SIGTERM", () => process.exit(0));
const client = new WebTorrent({
  dht: false,
  lsd: false,
  utp: false,
  utPex: false,
  natUpnp: false,
  natPmp: false,
  webSeeds: false,
  torrentPort: +A.port,
  secure: false,
  tracker: { wrtc: false },
});
client.on("error", (e) => {
  ev("error", { msg: String(e) });
});
ev("armed");
await new Promise((r) => process.stdin.once("data", r));
process.stdin.pause();
const t = client.add(fs.readFileSync(A.torrent), {
  path: A.data,
  skipVerify: A.role === "seed",
  ...(A.mode === "rarest" ? { strategy: "rarest" } : {}),
});
t.on("warning", (e) => {
  if (process.env.LAB_DEBUG) console.error("warn", e);
});
if (A.role === "seed") t.on("done", () => ev("ready"));
else {
  let first = false;
  t.on("verified", () => {
    if (!first) {
      first = true;
      if (A.first) ev("first");
    }
  });
  t.on("done", () => {
    ev("complete");
    if (A["exit-when-done"]) process.exit(0);
  });
}
setInterval(() => {}, 1 << 30);
