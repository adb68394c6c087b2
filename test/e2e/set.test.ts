/** Changing a policy as users do it: a real server over loopback, and `btpublisher set`. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type Ended, runCommand } from "../support/command-line.ts";
import {
  killAndRestart,
  type LoopbackServer,
  startLoopbackServer,
} from "../support/loopback-server.ts";
import type { Line } from "../support/programs.ts";

describe("set", () => {
  let folder: string;
  let server: LoopbackServer;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "btp-set-"));
    writeFileSync(join(folder, "thing.bin"), "hello");
    server = await startLoopbackServer(folder);
    const published = await run("publish", "thing.bin", "--policy", "thrifty", "--floor", "3");
    assert.equal(published.code, 0, published.stderr);
  });

  after(async () => {
    await server.program.stop();
    rmSync(folder, { recursive: true });
  });

  const run = (...args: readonly string[]): Promise<Ended> =>
    runCommand(folder, ...args, "--server", server.url);

  /** The policy that the server tells. */
  async function policyNow(): Promise<unknown> {
    const headers = { authorization: `Bearer ${server.token}` };
    const url = `${server.url}/api/v1/publications/thing.bin/status`;
    const status = (await (await fetch(url, { headers })).json()) as { readonly policy: unknown };
    return status.policy;
  }

  test("changes what is named, and leaves the rest", async () => {
    const ended = await run("set", "thing.bin", "--policy", "fast", "--json");
    assert.equal(ended.code, 0, ended.stderr);
    const { event, name, policy } = JSON.parse(ended.stdout) as Line;
    assert.deepEqual([event, name], ["set", "thing.bin"]);
    assert.deepEqual(policy, await policyNow());
    const { policy: named, floor } = policy as Line;
    assert.deepEqual([named, floor], ["fast", 3]);
  });

  test("takes the address of its page, and says what is so now", async () => {
    const page = `${server.url}/p/thing.bin`;
    const ended = await runCommand(folder, "set", page, "--egress-budget", "5G");
    assert.equal(ended.code, 0, ended.stderr);
    assert.match(ended.stdout, /thing\.bin is served by fast now\./);
    assert.equal(((await policyNow()) as Line)["egressBudgetBytes"], 5e9);
  });

  test("none takes away what was set", async () => {
    const ended = await run("set", "thing.bin", "--egress-budget", "none", "--deadline", "none");
    assert.equal(ended.code, 0, ended.stderr);
    const policy = (await policyNow()) as Line;
    assert.deepEqual([policy["egressBudgetBytes"], policy["floor"]], [undefined, 3]);
  });

  test("what makes no sense is a wrong use, and changes nothing", async () => {
    const was = await policyNow();
    for (const args of [
      [],
      ["--policy", "generous"],
      ["--floor", "101"],
      ["--floor", "-1"],
      ["--min-rate", "much"],
      ["--deadline", "2020-01-01"],
    ]) {
      const { code, stderr } = await run("set", "thing.bin", ...args);
      assert.equal(code, 64, `${args.join(" ")}: ${stderr}`);
    }
    const missing = await run("set", "nothing", "--floor", "1");
    assert.notEqual(missing.code, 0);
    assert.match(missing.stderr, /no such publication/);
    assert.deepEqual(await policyNow(), was);
  });

  test("API-15 changes nothing that somebody else has changed meanwhile", async () => {
    const set = (version: unknown, ...args: readonly string[]) =>
      run("set", "thing.bin", ...args, "--if-version", String(version), "--json");
    const seen = JSON.parse(
      (await run("set", "thing.bin", "--floor", "5", "--json")).stdout,
    ) as Line;
    const mine = await set(seen["policyVersion"], "--policy", "thrifty");
    assert.equal(mine.code, 0, mine.stderr);
    const late = await set(seen["policyVersion"], "--policy", "balanced");
    assert.equal(late.code, 75, late.stderr);
    assert.match(late.stdout, /somebody else changed the policy meanwhile/);
    const status = await run("status", "thing.bin");
    const version = String((JSON.parse(mine.stdout) as Line)["policyVersion"]);
    assert.ok(status.stdout.includes(`thrifty (version ${version})`), status.stdout);
  });

  test("survives a server that is killed", async () => {
    const was = await policyNow();
    server = await killAndRestart(folder, server);
    assert.deepEqual(await policyNow(), was);
  });
});
