/**
 * bittorrent-tracker's own client: npm-tracker-client.mjs FOLDER INFO_HASH ANNOUNCE_URL, FOLDER being
 * where npm put it. Says what it hears as JSON lines until it is stopped.
 */
import { pathToFileURL } from "node:url";

const [folder, infoHash, announce] = process.argv.slice(2);
const index = `${folder}/node_modules/bittorrent-tracker/index.js`;
const { Client } = await import(pathToFileURL(index).href);
const say = (event, fields) => console.log(JSON.stringify({ event, ...fields }));
const peerId = Buffer.from("-TT0001-".padEnd(20, "x"));
const rtcConfig = { iceServers: [] };
const client = new Client({ infoHash, announce: [announce], peerId, port: 7000, rtcConfig });
client.on("error", (error) => say("error", { message: error.message }));
client.on("warning", (error) => say("warning", { message: error.message }));
client.once("update", ({ complete, incomplete }) => {
  say("update", { complete, incomplete });
  client.scrape();
});
client.once("peer", (address) => say("peer", { address }));
client.once("scrape", ({ complete, incomplete }) => say("scrape", { complete, incomplete }));
client.start({ left: 100 });
process.once("SIGTERM", () => client.destroy(() => process.exit(0)));
