/** Clients from npm, for tests alone: `npm test` installs them beside our own packages. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { type ClientKind, type ClientTask, PEER_PORT } from "./clients.ts";
import { startOn } from "./netns.ts";

/** Where they are: see `installNpmClients` in tools/run.mjs. @throws when they are not there. */
export function npmClientsFolder(): string {
  const own = fileURLToPath(new URL("../../node_modules/.cache/npm-clients", import.meta.url));
  const folder = process.env["PEERS_DIR"] ?? own;
  const isThere = existsSync(join(folder, "node_modules", "webtorrent"));
  assert.ok(isThere, "needs the clients from npm: run `npm test`, which installs them");
  return folder;
}

/** webtorrent in Node; it takes every kind of tracker, and WebRTC as a browser does. */
export const webtorrent = {
  name: "webtorrent",
  limitMs: 60_000,
  createsEmptyFiles: true,
  start(role: "seed" | "leech", { host, torrent, directory, requiresEncryption }: ClientTask) {
    const script = fileURLToPath(new URL("webtorrent-client.mjs", import.meta.url));
    const place = [torrent, directory, String(PEER_PORT)];
    // 1 is its default: it begins with encryption, and takes both.
    const args = [npmClientsFolder(), role, ...place, requiresEncryption ? "2" : "1"];
    const program = startOn(host, [process.execPath, script, ...args]);
    return {
      /** Resolves when a tracker knows it. */
      announced: async () => void (await program.waitFor("event", "announced")),
      complete: async (limitMs?: number) =>
        void (await program.waitFor("event", "complete", limitMs)),
      stop: () => program.stop(),
    };
  },
} satisfies ClientKind;
