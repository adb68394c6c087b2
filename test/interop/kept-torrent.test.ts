/** A project moves to us with the .torrent that it has: the old links and the old info hash go on. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { readTorrentFile } from "../../src/cli/torrent-file.ts";
import { assertArrived } from "../support/arrived.ts";
import { type ClientKind, clientKinds } from "../support/clients.ts";
import { type Host, loopbackHost, runOn, TestNetwork, whyNoNamespaces } from "../support/netns.ts";
import { hashFiles, testBytes, writeOddTree } from "../support/odd-tree.ts";
import { publishOn, type Server, startOurs, startServer } from "../support/our-programs.ts";

const FOREIGN = "http://tracker.elsewhere.example:6969/announce";

/** Programs that make .torrent files, with a tracker that is not ours. */
const makers = [
  {
    name: "mktorrent",
    command: (tree: string, torrent: string) => [
      "mktorrent",
      "-l",
      "15",
      "-a",
      FOREIGN,
      "-c",
      "theirs",
      "-o",
      torrent,
      tree,
    ],
  },
  {
    name: "transmission-create",
    command: (tree: string, torrent: string) => [
      "transmission-create",
      "-s",
      "64",
      "-t",
      FOREIGN,
      "-c",
      "theirs",
      "-o",
      torrent,
      tree,
    ],
  },
] as const;

describe("a kept .torrent", { skip: whyNoNamespaces() }, () => {
  let folder: string;
  let network: TestNetwork;
  let host: Host;
  let server: Server;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "btp-kept-"));
    network = new TestNetwork();
    host = network.addHost("server");
    server = await startServer(host, join(folder, "server"));
  });

  after(async () => {
    await server.program.stop();
    network.close();
    rmSync(folder, { recursive: true });
  });

  /** Downloads by the info hash of the old .torrent and our Tracker alone. */
  async function downloadByMagnet(kind: ClientKind, infoHash: string): Promise<string> {
    const directory = join(folder, `${kind.name}-${infoHash}`);
    mkdirSync(directory);
    const magnet = `magnet:?xt=urn:btih:${infoHash}&tr=${encodeURIComponent(`${server.url}/announce`)}`;
    const where = { host: network.addHost(`leech-${infoHash.slice(0, 4)}`), directory };
    const scratch = join(folder, `${infoHash}-scratch`);
    const client = kind.start("leech", { ...where, torrent: magnet, scratch });
    try {
      await client.complete(kind.limitMs);
    } finally {
      await client.stop();
    }
    return directory;
  }

  for (const [index, maker] of makers.entries()) {
    // One by upload, one where it lies.
    const how = index === 0 ? ["--copy"] : [];
    test(`UPL-13 one of ${maker.name}: our .torrent has its info hash, and none of its trackers`, async () => {
      const tree = join(folder, maker.name, "old name");
      const old = join(folder, `${maker.name}.torrent`);
      writeOddTree(tree);
      writeFileSync(join(tree, "its own.txt"), testBytes(1000 + index, 99));
      // transmission-create leaves empty files out.
      if (index === 1) rmSync(join(tree, "empty.dat"));
      await runOn(loopbackHost, ...maker.command(tree, old));
      const { info, announceTiers } = await readTorrentFile(old);
      assert.deepEqual(announceTiers, [[FOREIGN]]);
      const moved = join(folder, maker.name, "new name");
      renameSync(tree, moved);

      const args = [moved, "--torrent", old, "--name", `kept-${index}`, ...how];
      const published = await publishOn(host, server, ...args);

      assert.equal(published["infoHash"], info.infoHash);
      const ours = join(folder, `${maker.name}-ours.torrent`);
      await runOn(host, "curl", "-sSf", "-o", ours, String(published["torrentUrl"]));
      const metainfo = await readTorrentFile(ours);
      assert.deepEqual(metainfo.info.raw, info.raw);
      assert.ok(metainfo.announceTiers.flat().every((url) => url.includes(host.ip)));
      assert.equal(metainfo.comment, published["pageUrl"]);
      assert.equal(metainfo.createdBy, "BTPublisher");
      const [aria2] = clientKinds as [ClientKind];
      const got = await downloadByMagnet(aria2, info.infoHash);
      assertArrived(aria2, moved, join(got, "old name"));
    });
  }

  test("UPL-14 a single file that is another one by now is refused with its first wrong piece", async () => {
    const path = join(folder, "image.iso");
    const old = join(folder, "image.torrent");
    writeFileSync(path, testBytes(300_000, 7));
    await runOn(loopbackHost, "mktorrent", "-l", "15", "-a", FOREIGN, "-o", old, path);
    const bytes = testBytes(300_000, 7);
    bytes[200_000] = 1 ^ (bytes[200_000] as number);
    writeFileSync(path, bytes);
    for (const more of [[], ["--copy"]]) {
      const run = startOurs(
        host,
        "publish",
        path,
        "--torrent",
        old,
        "--server",
        server.url,
        ...more,
      );
      assert.equal(await run.end(), 65, run.stdout);
      assert.match(run.stderr + run.stdout, /HASH_MISMATCH.*piece 6 of 0 to 9, in \\?"image\.iso/);
      assert.match(run.stderr + run.stdout, /"pieceIndex":6/);
    }

    // The upload is still open: as it was it is published, though the file has another name now.
    const right = join(folder, "renamed.iso");
    writeFileSync(right, testBytes(300_000, 7));
    const published = await publishOn(host, server, right, "--torrent", old, "--copy");
    const { info } = await readTorrentFile(old);
    assert.equal(published["infoHash"], info.infoHash);
    const got = join(folder, "got.iso");
    await runOn(host, "curl", "-sSf", "-o", got, (published["fileUrls"] as string[])[0] as string);
    assert.deepEqual(hashFiles(got), hashFiles(right));
  });
});
