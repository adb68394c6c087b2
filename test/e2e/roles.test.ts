/** Tracker, SourceNode and Announcer as processes of their own, started in any order. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { runCommand, startCommand } from "../support/command-line.ts";
import { testBytes } from "../support/odd-tree.ts";
import type { Program } from "../support/programs.ts";

describe("roles apart", () => {
  let folder: string;
  let trackerUrl: string;
  let announcerUrl: string;
  const programs: Program[] = [];

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "btp-roles-"));
    writeFileSync(join(folder, "one.iso"), testBytes(3_000_001, 9));
    trackerUrl = await start("tracker");
    // The Announcer comes before the SourceNode that it needs.
    announcerUrl = await start("announcer", ...joined());
    await start("source", "--peer-port", "0", ...joined());
  });

  after(async () => {
    for (const program of programs.toReversed()) await program.stop();
    rmSync(folder, { recursive: true });
  });

  const joined = () => ["--control", trackerUrl, "--control-key", "tracker/control.key"];

  async function start(role: string, ...more: readonly string[]): Promise<string> {
    const place = ["--data", role, "--host", "127.0.0.1", "--http-port", "0"];
    const program = startCommand(folder, role, "--json", ...place, ...more);
    programs.push(program);
    return String((await program.waitFor("event", "ready"))["url"]);
  }

  test("publish, download, ledger and unpublish work across them", async () => {
    await programs[1]?.waitFor("event", "reconciled");
    const server = ["--server", announcerUrl];
    const published = await runCommand(folder, "publish", "one.iso", ...server);
    assert.equal(published.code, 0, published.stderr);

    mkdirSync(join(folder, "got"));
    const got = await runCommand(folder, "get", `${announcerUrl}/p/one.iso`, "-o", "got");
    assert.equal(got.code, 0, got.stderr);
    const [sent, arrived] = ["one.iso", "got/one.iso"].map((path) =>
      readFileSync(join(folder, path)),
    );
    assert.deepEqual(arrived, sent);

    const log = await runCommand(folder, "log", "one.iso", "--json", ...server);
    assert.match(log.stdout, /"event":"sent"/);
    const status = await runCommand(folder, "status", "--json", ...server);
    assert.match(status.stdout, /"isAlive":true/);
    assert.equal((await runCommand(folder, "unpublish", "one.iso", ...server)).code, 0);
    assert.equal((await fetch(`${announcerUrl}/p/one.iso`)).status, 404);
  });

  test("each tells whether it lives and works", async () => {
    const ready = await Promise.all(
      programs.map((program) => fetch(`${String(program.lines[0]?.["url"])}/readyz`)),
    );
    assert.deepEqual(
      ready.map(({ status }) => status),
      [200, 200, 200],
    );
  });

  test("a role whose Tracker is gone lives, is not ready, and says why", async () => {
    const [tracker, announcer, source] = programs as [Program, Program, Program];
    await tracker.stop();
    for (const program of [source, announcer]) {
      await program.waitFor("event", "control-disconnected");
      const url = String(program.lines[0]?.["url"]);
      const ready = await fetch(`${url}/readyz`);
      const text = await ready.text();
      assert.equal(ready.status, 503, text);
      assert.match(text, /^not ready$[^]*^data-folder: ok$[^]*^control-link: the Tracker is not/m);
      assert.equal((await fetch(`${url}/healthz`)).status, 200);
    }
  });

  test("CFG-06 a role without the service key, or with a bad one, does not start", async () => {
    const place = ["source", "--data", "x", "--http-port", "0", "--peer-port", "0"];
    const control = ["--control", trackerUrl];
    writeFileSync(join(folder, "bad.key"), "changeme", { mode: 0o600 });
    const table = [
      [[...place], 64],
      [[...place, ...control], 78],
      [[...place, ...control, "--control-key", "missing.key"], 78],
      [[...place, ...control, "--control-key", "bad.key"], 78],
    ] as const;
    for (const [args, code] of table) {
      const ended = await runCommand(folder, ...args);
      assert.equal(ended.code, code, ended.stderr);
    }
  });
});
