/** Other people's clients that take nothing but RC4, with our source and with our peer. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { readTorrentFile } from "../../src/cli/torrent-file.ts";
import { encodeMetainfo } from "../../src/protocol/metainfo/create.ts";
import { clientKinds, PEER_PORT, rtorrent } from "../support/clients.ts";
import { runOn, TestNetwork, whyNoNamespaces } from "../support/netns.ts";
import { webtorrent } from "../support/npm-clients.ts";
import { hashFiles } from "../support/odd-tree.ts";
import { publishOn, type Server, startOurs, startServer } from "../support/our-programs.ts";

const DEAD_TRACKER = "http://127.0.0.1:9/announce";

describe("clients that require encryption", { skip: whyNoNamespaces() }, () => {
  let folder: string;
  let content: string;
  /** Without web seeds: only BitTorrent leads to the content. */
  let torrent: string;
  /** Its tracker is dead, too (without any, rtorrent does not start): only an address leads to a peer. */
  let bareTorrent: string;
  let network: TestNetwork;
  let server: Server;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "btp-encryption-"));
    content = join(folder, "content.bin");
    torrent = join(folder, "content.torrent");
    bareTorrent = join(folder, "bare.torrent");
    writeFileSync(content, Buffer.alloc(5_000_000, "encryption"));
    network = new TestNetwork();
    const host = network.addHost("server");
    server = await startServer(host, join(folder, "server"));
    const published = await publishOn(host, server, content);
    await runOn(host, "curl", "-sSf", "-o", torrent, String(published["torrentUrl"]));
    const { info, announceTiers } = await readTorrentFile(torrent);
    const bare = { infoRaw: info.raw, webSeeds: [] };
    writeFileSync(torrent, encodeMetainfo({ ...bare, announceTiers }));
    writeFileSync(bareTorrent, encodeMetainfo({ ...bare, announceTiers: [[DEAD_TRACKER]] }));
  });

  after(async () => {
    await server.program.stop();
    network.close();
    rmSync(folder, { recursive: true });
  });

  for (const kind of [...clientKinds, rtorrent, webtorrent]) {
    test(`${kind.name} downloads from our source`, async () => {
      const directory = join(folder, `${kind.name}-leech`);
      mkdirSync(directory);
      const host = network.addHost(`${kind.name}-leech`);
      const task = { host, directory, torrent, scratch: `${directory}-scratch` };
      const client = kind.start("leech", { ...task, requiresEncryption: true });
      try {
        await client.complete(kind.limitMs);
      } finally {
        await client.stop();
      }
      assert.deepEqual(hashFiles(join(directory, "content.bin")), hashFiles(content));
    });
  }

  for (const kind of [...clientKinds, rtorrent, webtorrent]) {
    test(`our peer downloads from ${kind.name}`, async () => {
      const directory = join(folder, `from-${kind.name}`);
      const host = network.addHost(`${kind.name}-seed`);
      const task = { host, directory: folder, torrent: bareTorrent };
      const scratch = join(folder, `${kind.name}-seed-scratch`);
      const seed = kind.start("seed", { ...task, scratch, requiresEncryption: true });
      const peer = `${host.ip}:${PEER_PORT}`;
      const get = ["get", bareTorrent, "-o", directory, "--peer", peer];
      const ours = startOurs(network.addHost(`ours-${kind.name}`), ...get);
      try {
        await ours.succeed(kind.limitMs);
      } finally {
        await ours.stop();
        await seed.stop();
      }
      assert.deepEqual(hashFiles(join(directory, "content.bin")), hashFiles(content));
    });
  }
});
