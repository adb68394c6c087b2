/** What `serve` publishes, downloaded by other people's clients, by curl and by ours. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { readTorrentFile } from "../../src/cli/torrent-file.ts";
import { encodeMetainfo } from "../../src/protocol/metainfo/create.ts";
import { assertArrived } from "../support/arrived.ts";
import { type ClientKind, clientKinds, type RunningClient } from "../support/clients.ts";
import { runOn, TestNetwork, whyNoNamespaces } from "../support/netns.ts";
import { hashFiles, writeOddTree } from "../support/odd-tree.ts";
import { publishOn, type Server, startOurs, startServer } from "../support/our-programs.ts";
import type { Line } from "../support/programs.ts";

describe("our source", { skip: whyNoNamespaces() }, () => {
  let folder: string;
  let tree: string;
  let torrent: string;
  /** The same without web seeds: then only BitTorrent leads to the content. */
  let bareTorrent: string;
  let published: Line;
  let network: TestNetwork;
  let server: Server;
  let leechCount = 0;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "btp-source-"));
    tree = join(folder, "tree");
    torrent = join(folder, "tree.torrent");
    bareTorrent = join(folder, "bare.torrent");
    writeOddTree(tree);
    network = new TestNetwork();
    const host = network.addHost("server");
    server = await startServer(host, join(folder, "server"));
    published = await publishOn(host, server, tree);
    await runOn(host, "curl", "-sSf", "-o", torrent, String(published["torrentUrl"]));
    const { info, announceTiers } = await readTorrentFile(torrent);
    const bare = { infoRaw: info.raw, announceTiers, webSeeds: [] };
    writeFileSync(bareTorrent, encodeMetainfo(bare));
  });

  after(async () => {
    await server.program.stop();
    network.close();
    rmSync(folder, { recursive: true });
  });

  /** Starts a download by a client on a host of its own. */
  function startLeech(
    kind: ClientKind,
    torrentPath: string,
  ): {
    readonly kind: ClientKind;
    readonly client: RunningClient;
    readonly directory: string;
  } {
    const name = `${kind.name}-${leechCount++}`;
    const directory = join(folder, name);
    mkdirSync(directory);
    const scratch = join(folder, `${name}-scratch`);
    const host = network.addHost(name);
    const task = { host, torrent: torrentPath, directory, scratch };
    return { kind, client: kind.start("leech", task), directory };
  }

  for (const kind of clientKinds) {
    test(`${kind.name} downloads a folder of odd names over BitTorrent alone`, async () => {
      const { client, directory } = startLeech(kind, bareTorrent);
      try {
        await client.complete(kind.limitMs);
      } finally {
        await client.stop();
      }
      assertArrived(kind, tree, join(directory, "tree"));
    });
  }

  test("curl downloads every file by its own address, and goes on in the middle of one", async () => {
    const host = network.addHost("curl");
    const directory = join(folder, "curl");
    const urls = published["fileUrls"] as string[];

    for (const url of urls) {
      const path = decodeURIComponent(new URL(url).pathname).replace("/files/tree/tree/", "");
      await runOn(host, "curl", "-sSf", "--create-dirs", "-o", join(directory, path), url);
    }
    assert.deepEqual(hashFiles(directory), hashFiles(tree));

    const large = urls.find((url) => url.endsWith("/large.bin")) as string;
    const target = join(directory, "large.bin");
    rmSync(target);
    await runOn(host, "curl", "-sSf", "-r", "0-1000002", "-o", target, large);
    await runOn(host, "curl", "-sSf", "-C", "-", "-o", target, large);
    assert.deepEqual(hashFiles(directory), hashFiles(tree));
  });

  test("all of them and ours download at once, in one swarm and from the web seed", async () => {
    const directory = join(folder, "ours");
    const pageUrl = String(published["pageUrl"]);
    const leeches = clientKinds.map((kind) => startLeech(kind, torrent));
    const ours = startOurs(network.addHost("ours"), "get", pageUrl, "-o", directory);
    try {
      const downloads = leeches.map(({ client, kind }) => client.complete(kind.limitMs));
      await Promise.all([ours.succeed(), ...downloads]);
    } finally {
      await ours.stop();
      await Promise.all(leeches.map(({ client }) => client.stop()));
    }

    for (const leech of leeches) assertArrived(leech.kind, tree, join(leech.directory, "tree"));
    assert.deepEqual(hashFiles(join(directory, "tree")), hashFiles(tree));
  });
});
