import { pathToFileURL } from "url";
const { Server } = await import(
  pathToFileURL(
    (process.env.PEERS_DIR || "/tmp/peers") + "/node_modules/bittorrent-tracker/index.js",
  ).href
);
const s = new Server({
  udp: true,
  http: true,
  ws: process.env.LAB_WS === "1",
  stats: false,
  trustProxy: false,
});
s.on("error", (e) => console.error("error", e.message));
s.on("warning", (e) => {
  if (process.env.LAB_DEBUG) console.error("warn", e.message);
});
s.listen(+process.argv[3], process.argv[2]);
