/** Our Tracker's doors, one at a time, with other people's clients and ours; and our client elsewhere. */
import assert from "node:assert/strict";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { readTorrentFile } from "../../src/cli/torrent-file.ts";
import { encodeMetainfo } from "../../src/protocol/metainfo/create.ts";
import type { Info } from "../../src/protocol/metainfo/metainfo.ts";
import { clientKinds, rtorrent, startOpentracker } from "../support/clients.ts";
import { runOn, startOn, TestNetwork, whyNoNamespaces } from "../support/netns.ts";
import { npmClientsFolder, webtorrent } from "../support/npm-clients.ts";
import { hashFiles } from "../support/odd-tree.ts";
import { publishOn, type Server, startOurs, startServer } from "../support/our-programs.ts";

const npmClient = fileURLToPath(new URL("../support/npm-tracker-client.mjs", import.meta.url));

describe("doors of the Tracker", { skip: whyNoNamespaces() }, () => {
  let folder: string;
  let content: string;
  let info: Info;
  let network: TestNetwork;
  let server: Server;
  let urls: readonly string[];
  let count = 0;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "btp-doors-"));
    // opentracker reads its list as nobody.
    chmodSync(folder, 0o755);
    content = join(folder, "content.bin");
    writeFileSync(content, Buffer.alloc(3_000_000, "doors"));
    network = new TestNetwork();
    const host = network.addHost("server");
    server = await startServer(host, join(folder, "server"), "--workers", "2");
    const published = await publishOn(host, server, content);
    const torrent = join(folder, "all.torrent");
    await runOn(host, "curl", "-sSf", "-o", torrent, String(published["torrentUrl"]));
    const metainfo = await readTorrentFile(torrent);
    info = metainfo.info;
    urls = metainfo.announceTiers.flat();
  });

  after(async () => {
    await server.program.stop();
    network.close();
    rmSync(folder, { recursive: true });
  });

  /** A .torrent with one tracker and no web seed. */
  function torrentWith(announceUrl: string): string {
    const path = join(folder, `${count++}.torrent`);
    const announceTiers = [[announceUrl]];
    writeFileSync(path, encodeMetainfo({ infoRaw: info.raw, announceTiers, webSeeds: [] }));
    return path;
  }

  function place(name: string) {
    const own = `${name}-${count++}`;
    const directory = join(folder, own);
    mkdirSync(directory);
    return { host: network.addHost(own), directory, scratch: join(folder, `${own}-scratch`) };
  }

  const urlOf = (scheme: string) => urls.find((url) => url.startsWith(scheme)) ?? assert.fail();
  const webUrl = () => urlOf("http").replace("http", "ws");

  for (const scheme of ["http", "udp"]) {
    for (const kind of [...clientKinds, rtorrent, webtorrent]) {
      test(`${kind.name} downloads with the ${scheme} tracker alone`, async () => {
        const { host, directory, scratch } = place(kind.name);
        const torrent = torrentWith(urlOf(scheme));
        const task = { host, directory, scratch, torrent, usesUdp: scheme === "udp" };
        const client = kind.start("leech", task);
        try {
          await client.complete(kind.limitMs);
        } finally {
          await client.stop();
        }
        assert.deepEqual(hashFiles(join(directory, "content.bin")), hashFiles(content));
      });
    }

    test(`ours downloads from ours with opentracker over ${scheme}`, async () => {
      const tracker = network.addHost(`opentracker-${scheme}`);
      const scratch = join(folder, `opentracker-${scheme}`);
      const program = startOpentracker(tracker, { infoHash: info.infoHash, scratch });
      const torrent = torrentWith(`${scheme}://${tracker.ip}:6969/announce`);
      const from = place("seed");
      cpSync(content, join(from.directory, "content.bin"));
      const seed = startOurs(from.host, "seed", torrent, "--data", from.directory);
      const to = place("leech");
      try {
        await startOurs(to.host, "get", torrent, "-o", to.directory).succeed(90_000);
      } finally {
        await seed.stop();
        await program.stop();
      }
      assert.deepEqual(hashFiles(to.directory), hashFiles(from.directory));
    });
  }

  for (const scheme of ["http", "udp", "ws"]) {
    test(`ours downloads with the ${scheme} tracker alone`, async () => {
      const { host, directory } = place("ours");
      const url = scheme === "ws" ? webUrl() : urlOf(scheme);
      await startOurs(host, "get", torrentWith(url), "-o", directory).succeed();
      assert.deepEqual(hashFiles(join(directory, "content.bin")), hashFiles(content));
    });
  }

  describe("with npm's clients", () => {
    for (const scheme of ["http", "udp", "ws"]) {
      test(`bittorrent-tracker's client announces and scrapes over ${scheme}`, async () => {
        const { host } = place("npm");
        const url = scheme === "ws" ? webUrl() : urlOf(scheme);
        const args = [npmClientsFolder(), info.infoHash, url];
        const client = startOn(host, [process.execPath, npmClient, ...args]);
        try {
          const update = await client.waitFor("event", "update");
          assert.ok(Number(update["incomplete"]) >= 1);
          const scraped = await client.waitFor("event", "scrape");
          assert.ok(Number(scraped["incomplete"]) >= 1);
          // Over WebSocket a peer is somebody's answer to an offer.
          if (scheme === "ws") return;
          const peer = await client.waitFor("event", "peer");
          assert.equal(peer["address"], `${new URL(server.url).hostname}:6881`);
        } finally {
          await client.stop();
        }
      });
    }

    test("webtorrent downloads from webtorrent by WebRTC, with the WebSocket tracker alone", async () => {
      const torrent = torrentWith(webUrl());
      const from = place("web-seed");
      cpSync(content, join(from.directory, "content.bin"));
      const seed = webtorrent.start("seed", { ...from, torrent });
      // Two that offer each other a connection at the same time may drop both, and try again much later.
      await seed.announced();
      try {
        for (let attempt = 1; !(await downloadsByWebRtc(torrent, attempt)); attempt++);
      } finally {
        await seed.stop();
      }
    });

    /**
     * False when the client's library dropped the connection because a candidate came before the description
     * that it belongs to: the client would try again after an announce interval, and another one tries at once.
     */
    async function downloadsByWebRtc(torrent: string, attempt: number): Promise<boolean> {
      const to = place("web-leech");
      const leech = webtorrent.start("leech", { ...to, torrent });
      try {
        await leech.complete(webtorrent.limitMs / 3);
      } catch (error) {
        if (attempt === 3 || !String(error).includes("libdatachannel")) throw error;
        return false;
      } finally {
        await leech.stop();
      }
      assert.deepEqual(hashFiles(join(to.directory, "content.bin")), hashFiles(content));
      return true;
    }
  });
});
