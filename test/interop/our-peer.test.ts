/** Content that other people's clients seed, downloaded by `get`; and what `seed` serves, by them. */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { assertArrived } from "../support/arrived.ts";
import { clientKinds, startOpentracker } from "../support/clients.ts";
import { runCommand } from "../support/command-line.ts";
import { TestNetwork, whyNoNamespaces } from "../support/netns.ts";
import { hashFiles, writeOddTree } from "../support/odd-tree.ts";
import { startOurs } from "../support/our-programs.ts";
import type { Program } from "../support/programs.ts";

describe("our peer, with opentracker", { skip: whyNoNamespaces() }, () => {
  let folder: string;
  let tree: string;
  let torrent: string;
  let network: TestNetwork;
  let tracker: Program;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "btp-peer-"));
    // opentracker gives up root, and must still get to its list.
    chmodSync(folder, 0o755);
    tree = join(folder, "tree");
    torrent = join(folder, "tree.torrent");
    writeOddTree(tree);
    network = new TestNetwork();
    const host = network.addHost("tracker");
    const announce = `http://${host.ip}:6969/announce`;
    await runCommand(folder, "create", "tree", "--announce", announce);
    const { stdout } = await runCommand(folder, "inspect", torrent, "--json");
    const { infoHash } = JSON.parse(stdout) as { readonly infoHash: string };
    tracker = startOpentracker(host, { infoHash, scratch: join(folder, "tracker") });
  });

  afterEach(async () => {
    await tracker.stop();
    network.close();
    rmSync(folder, { recursive: true });
  });

  for (const kind of clientKinds) {
    test(`downloads what ${kind.name} seeds`, async () => {
      const [directory, scratch] = [join(folder, "got"), join(folder, "scratch")];
      const task = { host: network.addHost("seed"), torrent, directory: folder, scratch };
      const seed = kind.start("seed", task);
      const ours = startOurs(network.addHost("ours"), "get", torrent, "-o", directory);
      try {
        await ours.succeed(kind.limitMs);
      } finally {
        await ours.stop();
        await seed.stop();
      }
      assert.deepEqual(hashFiles(join(directory, "tree")), hashFiles(tree));
    });

    test(`seeds to ${kind.name}`, async () => {
      const [directory, scratch] = [join(folder, "got"), join(folder, "scratch")];
      mkdirSync(directory);
      const seedHost = network.addHost("ours");
      const seed = startOurs(seedHost, "seed", torrent, "--data", folder);
      await seed.waitFor("event", "ready");
      const task = { host: network.addHost("leech"), torrent, directory, scratch };
      const leech = kind.start("leech", task);
      try {
        await leech.complete(kind.limitMs);
      } finally {
        await leech.stop();
        await seed.stop();
      }
      assertArrived(kind, tree, join(directory, "tree"));
    });
  }
});
