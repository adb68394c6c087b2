/** `get` and `seed` as a user runs them, over loopback. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { runCommand, startCommand } from "../support/command-line.ts";
import type { Program } from "../support/programs.ts";
import { mountSmallFileSystem } from "../support/small-file-system.ts";
import { hashFiles, testBytes, writeOddTree } from "../support/odd-tree.ts";

/** Makes the download of `slow.bin` last for a minute. */
const SLOWLY = ["--max-download", "16Ki"] as const;

const NOBODY = "http://127.0.0.1:1/announce";

describe("get", () => {
  let folder: string;
  let web: Server;
  let webUrl: string;
  let folderCount = 0;
  const seeds = new Map<string, Program>();

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "btp-get-"));
    writeOddTree(join(folder, "tree"));
    writeFileSync(join(folder, "slow.bin"), testBytes(1_000_000, 3));
    for (const name of ["tree", "slow.bin"]) {
      await runCommand(folder, "create", name, "--piece-length", "16Ki", "--announce", NOBODY);
      seeds.set(name, startCommand(folder, "seed", `${name}.torrent`, "--data", ".", "--json"));
    }
    web = createServer((request, response) => {
      const answers: Record<string, () => void> = {
        "/p/tree": () => response.end("<html>a page</html>"),
        "/p/tree.torrent": () => response.end(readFileSync(join(folder, "tree.torrent"))),
        "/secret": () => response.writeHead(403).end(),
        "/announce": () => response.end("d14:failure reason13:access deniede"),
      };
      const answer = answers[(request.url ?? "").replace(/\?.*/, "")];
      if (answer === undefined) response.writeHead(404).end();
      else answer();
    }).listen(0, "127.0.0.1");
    await once(web, "listening");
    webUrl = `http://127.0.0.1:${(web.address() as AddressInfo).port}`;
  });

  after(async () => {
    web.close();
    for (const seed of seeds.values()) await seed.stop();
    rmSync(folder, { recursive: true });
  });

  async function peerOf(name: string): Promise<readonly string[]> {
    const ready = await seeds.get(name)!.waitFor("event", "ready");
    return ["--peer", `127.0.0.1:${String(ready["peerPort"])}`];
  }

  /** A folder that nothing was downloaded to. */
  const newFolder = () => join(folder, `downloads-${folderCount++}`);

  for (const [kind, ref] of [
    ["a .torrent file", () => "tree.torrent"],
    ["the URL of a .torrent", () => `${webUrl}/p/tree.torrent`],
    ["the URL of a page", () => `${webUrl}/p/tree`],
    [
      "a magnet link",
      async () => {
        const { stdout } = await runCommand(folder, "inspect", "tree.torrent", "--json");
        return (JSON.parse(stdout) as { magnet: string }).magnet;
      },
    ],
  ] as const) {
    test(`downloads by ${kind}`, async () => {
      const directory = newFolder();
      const peer = await peerOf("tree");

      const run = startCommand(folder, "get", await ref(), "-o", directory, ...peer, "--json");
      await run.succeed();

      const complete = await run.waitFor("event", "complete");
      assert.equal(complete["path"], join(directory, "tree"));
      assert.equal(complete["bytes"], complete["fromPeers"]);
      assert.deepEqual(hashFiles(join(directory, "tree")), hashFiles(join(folder, "tree")));
    });
  }

  test("inspect takes the address of a page", async () => {
    const { code, stdout } = await runCommand(folder, "inspect", `${webUrl}/p/tree`, "--json");
    assert.equal(code, 0);
    assert.equal((JSON.parse(stdout) as { name: string }).name, "tree");
  });

  test("downloads several at once, and one that fails does not stop the others", async () => {
    const directory = newFolder();
    const peers = [...(await peerOf("tree")), ...(await peerOf("slow.bin"))];
    const refs = ["tree.torrent", "none.torrent", "slow.bin.torrent"];

    const run = startCommand(folder, "get", ...refs, "-o", directory, ...peers, "--json");

    assert.equal(await run.end(), 66);
    assert.deepEqual(hashFiles(join(directory, "tree")), hashFiles(join(folder, "tree")));
    assert.deepEqual(hashFiles(join(directory, "slow.bin")), hashFiles(join(folder, "slow.bin")));
  });

  test("CLI-09 Ctrl-C stops it cleanly with exit 130, and the next run goes on", async () => {
    const directory = newFolder();
    const command = ["get", "slow.bin.torrent", "-o", directory, ...(await peerOf("slow.bin"))];

    const first = startCommand(folder, ...command, ...SLOWLY, "--json");
    await waitForSomething(first);
    first.child.kill("SIGINT");
    assert.equal(await first.end(), 130);
    const reached = Number(first.lines.findLast((line) => line["event"] === "progress")?.["bytes"]);

    const second = startCommand(folder, ...command, "--json");
    await second.succeed();
    const { bytes, fromPeers } = await second.waitFor("event", "complete");
    assert.ok(
      Number(fromPeers) <= Number(bytes) - reached,
      `${String(fromPeers)} after ${reached}`,
    );
    assert.deepEqual(hashFiles(join(directory, "slow.bin")), hashFiles(join(folder, "slow.bin")));
    assert.ok(
      !existsSync(join(directory, ".slow.bin.btpublisher")),
      "nothing but the content stays",
    );
  });

  for (const [signal, code] of [
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const) {
    test(`CLI-18 ${signal} stops it cleanly with exit ${code}`, async () => {
      const command = ["get", "slow.bin.torrent", "-o", newFolder(), ...(await peerOf("slow.bin"))];
      const run = startCommand(folder, ...command, ...SLOWLY, "--json");
      await waitForSomething(run);
      run.child.kill(signal);
      assert.equal(await run.end(), code);
    });
  }

  test("who is done serves what nobody else has, until Ctrl-C, and exits 0", async () => {
    const port = String(await freePort());
    const seed = await peerOf("slow.bin");
    const get = ["get", "slow.bin.torrent", "--json", "-o"];
    const limits = ["--max-download", "256Ki", "--port", port];
    const first = startCommand(folder, ...get, newFolder(), ...seed, ...limits);
    const fromFirst = ["--peer", `127.0.0.1:${port}`, ...SLOWLY];
    const second = startCommand(folder, ...get, newFolder(), ...fromFirst);
    try {
      await first.waitFor("event", "complete");
      const farewell = await first.waitFor("event", "farewell");
      assert.ok(Number(farewell["pieces"]) > 0);
      first.child.kill("SIGINT");
      assert.equal(await first.end(), 0, first.stderr);
    } finally {
      await first.stop();
      await second.stop();
    }
  });

  test("CLI-16 the same download started twice: the second exits 75", async () => {
    const command = ["get", "slow.bin.torrent", "-o", newFolder(), ...(await peerOf("slow.bin"))];
    const first = startCommand(folder, ...command, ...SLOWLY, "--json");
    await waitForSomething(first);

    const second = await runCommand(folder, ...command);

    assert.equal(second.code, 75);
    assert.match(second.stderr, /LOCKED/);
    await first.stop();
  });

  test("CLI-05 a full disk exits 74, says how much is needed, and the next run goes on", async (t) => {
    const disk = mountSmallFileSystem(newFolder(), 512 * 1024);
    if (disk === undefined) return t.diagnostic("may not mount: no disk can be filled here");
    t.after(() => disk.remove());
    const command = ["get", "slow.bin.torrent", "-o", disk.path, ...(await peerOf("slow.bin"))];

    const full = await runCommand(folder, ...command);

    assert.equal(full.code, 74);
    assert.match(full.stderr, /\d+ kB are still to come/);
    disk.resize(4 * 2 ** 20);
    const again = startCommand(folder, ...command, "--json");
    await again.succeed();
    const { bytes, fromPeers } = await again.waitFor("event", "complete");
    assert.ok(Number(fromPeers) < Number(bytes), "what had arrived is kept");
    assert.deepEqual(hashFiles(join(disk.path, "slow.bin")), hashFiles(join(folder, "slow.bin")));
  });

  test("CLI-06 when no tracker and no peer can be reached, it exits 69 and says why", async () => {
    const command = ["get", "tree.torrent", "-o", newFolder(), "--timeout", "1s"];
    const { code, stderr } = await runCommand(folder, ...command);
    assert.equal(code, 69);
    assert.match(stderr, /127\.0\.0\.1:1/);
  });

  test("CLI-07 what may not be read exits 77, a tracker's refusal too", async () => {
    const secret = await runCommand(folder, "get", `${webUrl}/secret`, "-o", newFolder());
    assert.equal(secret.code, 77);

    const options = ["-o", "denied.torrent", "--announce", `${webUrl}/announce`];
    await runCommand(folder, "create", "slow.bin", ...options);
    const command = ["get", "denied.torrent", "-o", newFolder(), "--timeout", "1s"];
    const denied = await runCommand(folder, ...command);
    assert.equal(denied.code, 77);
    assert.match(denied.stderr, /access denied/);
  });

  test("a URL with nothing there exits 66", async () => {
    const { code } = await runCommand(folder, "get", `${webUrl}/nothing`, "-o", newFolder());
    assert.equal(code, 66);
  });

  test("CLI-04 a folder that cannot be made exits 73", async () => {
    for (const [place, said] of [
      ["slow.bin/below", /slow\.bin" is a file/],
      ["/proc/none/below", /\/proc\/none/],
    ] as const) {
      const { code, stderr } = await runCommand(folder, "get", "tree.torrent", "-o", place);
      assert.equal(code, 73, place);
      assert.match(stderr, said);
    }
  });

  test("CLI-13 numbers out of range exit 64", async () => {
    for (const wrong of [
      ["--max-upload", "-1"],
      ["--max-download", "NaN"],
      ["--port", "65536"],
      ["--peer", "127.0.0.1:0"],
      ["--seed", "always"],
    ]) {
      const { code, stderr } = await runCommand(folder, "get", "tree.torrent", ...wrong);
      assert.equal(code, 64, wrong.join(" "));
      assert.match(stderr, /usage: /);
    }
  });
});

/** A port that nobody uses at the moment. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** Waits until some of the content has arrived. */
async function waitForSomething(run: Program): Promise<void> {
  await run.waitFor("event", "started");
  while (!run.lines.some((line) => line["event"] === "progress" && Number(line["bytes"]) > 0)) {
    await once(run.child.stdout!, "data");
  }
}
