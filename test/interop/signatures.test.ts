/** Signatures and Debian's minisign: it verifies ours, we verify its. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { runCommand } from "../support/command-line.ts";
import { type LoopbackServer, startLoopbackServer } from "../support/loopback-server.ts";
import { whyNoNamespaces } from "../support/netns.ts";

// Where there are no namespaces there is no minisign either: both take root.
describe("minisign", { skip: whyNoNamespaces() }, () => {
  let folder: string;
  let server: LoopbackServer;
  const ours = async (...args: readonly string[]) => {
    const ended = await runCommand(folder, ...args);
    assert.equal(ended.code, 0, ended.stdout + ended.stderr);
    return ended.stdout;
  };
  const minisign = (...args: readonly string[]) =>
    spawnSync("minisign", args, { cwd: folder, encoding: "utf8", timeout: 30_000 });
  const fetchInto = async (file: string) => {
    const answer = await fetch(`${server.url}/p/${file}`);
    assert.equal(answer.status, 200, file);
    writeFileSync(join(folder, file), Buffer.from(await answer.arrayBuffer()));
  };

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "btp-minisign-"));
    writeFileSync(join(folder, "a.txt"), "hello\n");
    server = await startLoopbackServer(folder);
    await ours("publish", "a.txt", "--server", server.url);
  });

  after(async () => {
    await server.program.stop();
    rmSync(folder, { recursive: true });
  });

  test("it verifies what we signed, by the command on the page", async () => {
    const publicKey = (await ours("key", "ours.key")).split("\n")[0] as string;
    await ours("sign", "a.txt", "--server", server.url, "--key", "ours.key");
    await fetchInto("a.txt.sha256");
    await fetchInto("a.txt.sha256.minisig");

    const verified = minisign("-Vm", "a.txt.sha256", "-P", publicKey);

    assert.equal(verified.status, 0, verified.stderr);
    assert.match(verified.stdout, /Trusted comment: timestamp:\d+\tfile:a\.txt\.sha256\thashed/);
    assert.equal(minisign("-Vm", "a.txt.sha256", "-p", "ours.key.pub").status, 0);
    const checked = spawnSync("sha256sum", ["-c", "--strict", "a.txt.sha256"], { cwd: folder });
    assert.equal(checked.status, 0, String(checked.stderr));
    writeFileSync(join(folder, "a.txt.sha256"), "changed\n");
    assert.notEqual(minisign("-Vm", "a.txt.sha256", "-P", publicKey).status, 0);
  });

  test("our key signs with minisign, too, and we take what it made", async () => {
    await fetchInto("a.txt.sha256");
    const publicKey = (await ours("key", "both.key")).split("\n")[0] as string;
    const signed = minisign("-Sm", "a.txt.sha256", "-s", "both.key", "-t", "by hand");
    assert.equal(signed.status, 0, signed.stderr + signed.stdout);

    const file = ["--signature", "a.txt.sha256.minisig", "--public-key", publicKey];
    await ours("sign", "a.txt", "--server", server.url, ...file);

    const page = `${server.url}/p/a.txt`;
    const got = await ours("get", page, "-o", "got", "--signed-by", publicKey, "--json");
    assert.ok(got.includes('"trustedComment":"by hand"'), got);
  });

  test("its keys without a password sign here; of those with one we say what to do", async () => {
    const made = minisign("-GW", "-p", "its.pub", "-s", "its.key");
    assert.equal(made.status, 0, made.stderr + made.stdout);
    await ours("sign", "a.txt", "--server", server.url, "--key", "its.key");
    await fetchInto("a.txt.sha256");
    await fetchInto("a.txt.sha256.minisig");
    assert.equal(minisign("-Vm", "a.txt.sha256", "-p", "its.pub").status, 0);

    const input = "password\npassword\n";
    const options = { cwd: folder, input, encoding: "utf8", timeout: 60_000 } as const;
    spawnSync("minisign", ["-G", "-p", "safe.pub", "-s", "safe.key"], options);
    assert.match(readFileSync(join(folder, "safe.key"), "utf8"), /\nRWRTY0Iy/);
    const sign = ["sign", "a.txt", "--server", server.url, "--key", "safe.key"];
    const refused = await runCommand(folder, ...sign);
    assert.equal(refused.code, 64);
    assert.match(refused.stderr, /has a password.*--signature/s);
  });
});
