/**
 * webtorrent as a peer for the tests: webtorrent-client.mjs FOLDER ROLE TORRENT DIR PORT SECURE, FOLDER
 * being where npm put it. ROLE is seed or leech, SECURE its option of that name. Says
 * {"event": "announced"} when a tracker knows it, {"event": "complete"} when all is there and verified; runs until
 * SIGTERM.
 */
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [folder, role, torrent, path, port, secure] = process.argv.slice(2);
const index = `${folder}/node_modules/webtorrent/index.js`;
const { default: WebTorrent } = await import(pathToFileURL(index).href);
const say = (event, fields) => console.log(JSON.stringify({ event, ...fields }));
const off = { dht: false, lsd: false, utp: false, utPex: false, natUpnp: false, natPmp: false };
// No STUN servers: nothing leaves the test's network.
const tracker = { rtcConfig: { iceServers: [] } };
const options = { webSeeds: false, secure: Number(secure), torrentPort: Number(port), tracker };
const client = new WebTorrent({ ...off, ...options });
client.on("error", (error) => say("error", { message: String(error) }));
process.once("SIGTERM", () => process.exit(0));
const task = client.add(readFileSync(torrent), { path, skipVerify: role === "seed" });
task.on("warning", (warning) => say("warning", { message: String(warning) }));
task.on("trackerAnnounce", () => say("announced"));
task.on("done", () => say("complete"));
