/**
 * Kill -9 of the download, of the server, and of both, at random moments, again and again: the
 * download ends all the same, right to the bit, and little of it comes twice.
 */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { createRandom } from "../../src/base/random.ts";
import { runCommand, startCommand } from "../support/command-line.ts";
import {
  killAndRestart,
  type LoopbackServer,
  startLoopbackServer,
} from "../support/loopback-server.ts";
import { testBytes } from "../support/odd-tree.ts";
import type { Program } from "../support/programs.ts";

const KILLS = 10;
const MIB = 2 ** 20;
const PIECE = 256 * 1024;
const content = testBytes(32 * MIB, 77);
/** Slow enough that a dozen kills find it under way. */
const RATE = "10M";
/** Moments of the kills; printed with a failure by the test's name. */
const random = createRandom(20_261_122);

describe("kill -9 ten times", () => {
  let folder: string;
  let output: string;
  let server: LoopbackServer;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "btp-kill-"));
    writeFileSync(join(folder, "content.bin"), content);
    server = await startLoopbackServer(folder);
    const options = ["--piece-length", String(PIECE), "--server", server.url];
    const published = await runCommand(
      folder,
      "publish",
      "content.bin",
      "--name",
      "killed",
      ...options,
    );
    assert.equal(published.code, 0, published.stderr);
  });

  beforeEach(() => {
    output = mkdtempSync(join(folder, "out-"));
  });

  after(async () => {
    await server.program.stop();
    rmSync(folder, { recursive: true });
  });

  function startGet(): Program {
    const page = `${server.url}/p/killed`;
    return startCommand(folder, "get", page, "-o", output, "--max-download", RATE, "--json");
  }

  /** Bytes that went out, as the server's ledger has it. */
  async function sentBytes(): Promise<number> {
    const { stdout } = await runCommand(folder, "log", "killed", "--json", "--server", server.url);
    const lines = stdout
      .trimEnd()
      .split("\n")
      .filter((line) => line !== "");
    return lines.reduce((sum, line) => sum + (JSON.parse(line) as { bytes: number }).bytes, 0);
  }

  async function killSoon(program: Program, atLeastMs: number): Promise<void> {
    await delay(atLeastMs + random.below(400));
    program.child.kill("SIGKILL");
    await program.end();
  }

  async function finish(get: Program): Promise<void> {
    await get.waitFor("event", "complete", 60_000);
    await get.succeed();
    assert.ok(readFileSync(join(output, "content.bin")).equals(content), "other bytes came out");
  }

  test("F-01 the download", async () => {
    for (let i = 0; i < KILLS; i++) await killSoon(startGet(), 250);
    await finish(startGet());

    const twice = (await sentBytes()) - content.length;
    // What was on its way, and the pieces that were begun.
    assert.ok(twice <= KILLS * (2 * MIB + 8 * PIECE), `${twice} bytes came twice`);
  });

  test("F-04 the server", async () => {
    const get = startGet();
    await get.waitFor("event", "progress");
    for (let i = 0; i < KILLS; i++) {
      await delay(100 + random.below(400));
      server = await killAndRestart(folder, server);
    }
    await finish(get);
  });

  test("F-08 both", async () => {
    for (let i = 0; i < KILLS; i++) {
      await killSoon(startGet(), 200);
      server = await killAndRestart(folder, server);
    }
    await finish(startGet());
  });
});
