/** The ledger says, for each node and door, what that node really received. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { runCommand, startCommand } from "../support/command-line.ts";
import { type LoopbackServer, startLoopbackServer } from "../support/loopback-server.ts";
import { testBytes } from "../support/odd-tree.ts";

const content = testBytes(24 * 2 ** 20 + 123, 9);

interface Entry {
  readonly door: string;
  readonly peerId: string;
  readonly address: string;
  readonly pieceIndex: number;
  readonly bytes: number;
}

describe("the ledger", () => {
  let folder: string;
  let server: LoopbackServer;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "btp-ledger-"));
    writeFileSync(join(folder, "content.bin"), content);
    server = await startLoopbackServer(folder);
    const published = await run("publish", "content.bin", "--name", "told");
    assert.equal(published.code, 0, published.stderr);
  });

  after(async () => {
    await server.program.stop();
    rmSync(folder, { recursive: true });
  });

  const run = (...args: readonly string[]) => runCommand(folder, ...args, "--server", server.url);

  async function entries(): Promise<Entry[]> {
    const log = startCommand(folder, "log", "told", "--json", "--server", server.url);
    await log.succeed();
    return log.lines as unknown as Entry[];
  }

  function assertWithin1Percent(told: readonly Entry[], received: number): void {
    const sum = told.reduce((bytes, entry) => bytes + entry.bytes, 0);
    assert.ok(Math.abs(sum - received) <= received / 100, `${sum} told, ${received} received`);
  }

  test("tells what a peer got by BitTorrent, piece by piece", async () => {
    const torrent = `${server.url}/p/told.torrent`;
    const got = await runCommand(folder, "get", torrent, "-o", "peer", "--no-web-seed");
    assert.equal(got.code, 0, got.stderr);

    const told = (await entries()).filter((entry) => entry.door === "bittorrent");
    assertWithin1Percent(told, statSync(join(folder, "peer", "content.bin")).size);
    assert.equal(new Set(told.map((entry) => entry.peerId)).size, 1);
    const pieces = new Set(told.map((entry) => entry.pieceIndex));
    assert.deepEqual(
      [...pieces].toSorted((a, b) => a - b),
      [...pieces.keys()].map((_, i) => i),
    );
  });

  test("tells what curl got by HTTP, a part of the file too", async () => {
    const url = `${server.url}/files/told/content.bin`;
    const length = 3_000_000;
    const part = execFileSync("curl", ["-sf", "-r", `1000000-${999_999 + length}`, url], {
      maxBuffer: 2 ** 26,
    });
    assert.ok(part.equals(content.subarray(1_000_000, 1_000_000 + length)));
    const whole = execFileSync("curl", ["-sf", url], { maxBuffer: 2 ** 26 });
    assert.ok(whole.equals(content));

    const told = (await entries()).filter((entry) => entry.door === "http");
    assertWithin1Percent(told, part.length + whole.length);
    assert.deepEqual([...new Set(told.map((entry) => entry.address))], ["127.0.0.1"]);
  });

  test("is still there after the server was started again", async () => {
    const before = await entries();
    await server.program.stop();
    server = await startLoopbackServer(folder);
    assert.deepEqual(await entries(), before);
  });
});
