/** Tracker, SourceNode and Announcer on three hosts publish and serve as one `serve` does. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { assertArrived } from "../support/arrived.ts";
import { clientKinds } from "../support/clients.ts";
import { type Host, runOn, TestNetwork, whyNoNamespaces } from "../support/netns.ts";
import { hashFiles, writeOddTree } from "../support/odd-tree.ts";
import { publishOn, startOurs } from "../support/our-programs.ts";
import type { Line, Program } from "../support/programs.ts";

describe("roles on three hosts", { skip: whyNoNamespaces() }, () => {
  let folder: string;
  let tree: string;
  let network: TestNetwork;
  let published: Line;
  const programs: Program[] = [];

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "btp-hosts-"));
    tree = join(folder, "tree");
    writeOddTree(tree);
    network = new TestNetwork();
    const [tracker, source, announcer] = ["tracker", "source", "announcer"].map((name) =>
      network.addHost(name),
    ) as [Host, Host, Host];
    await startRole("tracker", tracker);
    const control = ["--control", urlOf(tracker), "--control-key", keyOf("tracker")];
    await startRole("source", source, ...control);
    const program = await startRole("announcer", announcer, ...control);
    await program.waitFor("event", "reconciled");
    published = await publishOn(announcer, { url: urlOf(announcer) }, tree);
  });

  after(async () => {
    for (const program of programs.toReversed()) await program.stop();
    network.close();
    rmSync(folder, { recursive: true });
  });

  const urlOf = (host: Host) => `http://${host.ip}:8080`;
  const keyOf = (role: string) => join(folder, role, "control.key");

  async function startRole(role: string, host: Host, ...args: readonly string[]): Promise<Program> {
    const place = [
      "--data",
      join(folder, role),
      "--http-port",
      "8080",
      "--public-url",
      urlOf(host),
    ];
    const program = startOurs(host, role, ...place, ...args);
    programs.push(program);
    await program.waitFor("event", "ready");
    return program;
  }

  test("ours downloads, and so does another client at the same time", async () => {
    const torrent = join(folder, "tree.torrent");
    const directory = join(folder, "ours");
    const ours = network.addHost("ours");
    await runOn(ours, "curl", "-sSf", "-o", torrent, String(published["torrentUrl"]));

    const kind = clientKinds.find(({ name }) => name === "libtorrent")!;
    const task = { torrent, directory: join(folder, "theirs"), scratch: join(folder, "scratch") };
    const theirs = kind.start("leech", { ...task, host: network.addHost("theirs") });
    const get = startOurs(ours, "get", String(published["pageUrl"]), "-o", directory);
    try {
      await Promise.all([get.succeed(), theirs.complete(kind.limitMs)]);
    } finally {
      await get.stop();
      await theirs.stop();
    }

    assert.deepEqual(hashFiles(join(directory, "tree")), hashFiles(tree));
    assertArrived(kind, tree, join(task.directory, "tree"));
  });

  test("curl downloads from the Announcer's address", async () => {
    const host = network.addHost("curl");
    const url = (published["fileUrls"] as string[]).find((one) => one.endsWith("/large.bin"));
    const target = join(folder, "large.bin");

    await runOn(host, "curl", "-sSfL", "-o", target, url as string);

    assert.deepEqual([...hashFiles(target).values()], [hashFiles(tree).get("large.bin")]);
  });
});
