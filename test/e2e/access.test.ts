/** Accounts as people manage them: commands on loopback, from the set-up link to the audit log. */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { InfoHash } from "../../src/base/units.ts";
import { encodeUdpAnnounce, encodeUdpConnect } from "../../src/protocol/tracker/udp-client.ts";
import { runCommand, startCommand } from "../support/command-line.ts";
import { type LoopbackServer, startLoopbackServer } from "../support/loopback-server.ts";
import { testBytes } from "../support/odd-tree.ts";
import type { Line } from "../support/programs.ts";

/** What a page says, apart from the path that was asked for by whoever reads it. */
function withoutPath(page: string, key: string): string {
  return page.replaceAll(`publications/${key}`, "");
}

/** What UDP answers to an announce with `key` in BEP 41's options, and to nonsense with it. */
async function askUdp(port: number, key: string): Promise<string> {
  const socket = createSocket("udp4");
  const answers: string[] = [];
  socket.on("message", (answer) => void answers.push(answer.toString("latin1")));
  const ask = async (packet: Uint8Array) => {
    socket.send(packet, port, "127.0.0.1");
    const [answer] = (await once(socket, "message")) as [Buffer];
    return answer;
  };
  const connected = await ask(encodeUdpConnect(1));
  const sizes = { uploaded: 0, downloaded: 0, left: 1, event: undefined, numWant: 5, key: 1 };
  const peerId = Buffer.from("-XX0001-000000000000");
  const about = { infoHash: "0".repeat(40) as InfoHash, peerId, port: 7000, ...sizes };
  const ids = { connectionId: connected.subarray(8, 16), transactionId: 2 };
  await ask(encodeUdpAnnounce(ids, about, `/announce/${key}`));
  await ask(encodeUdpAnnounce({ ...ids, transactionId: 3 }, about, `/announce/${key}/../x`));
  socket.close();
  return answers.join("\n");
}

/** What a WebSocket with `key` in its URL is told, of nonsense and at its end. */
async function askWebSocket(url: string, key: string): Promise<string> {
  const socket = new WebSocket(`${url.replace("http", "ws")}/announce/${key}`);
  const heard: string[] = [];
  socket.addEventListener("message", ({ data }) => void heard.push(String(data)));
  await once(socket, "open");
  socket.send(JSON.stringify({ action: "announce", info_hash: "x", peer_id: "y" }));
  await once(socket, "message");
  for (let i = 0; i < 3; i++) socket.send("nonsense");
  const [{ code, reason }] = (await once(socket, "close")) as [{ code: number; reason: string }];
  return [...heard, code, reason].join("\n");
}

const PASSWORD = "correct horse battery";

describe("accounts on a server", () => {
  let folder: string;
  let server: LoopbackServer;
  const said: string[] = [];
  const secrets: string[] = [PASSWORD];

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "btp-accounts-"));
    writeFileSync(join(folder, "secret.bin"), testBytes(200_000, 21));
    writeFileSync(join(folder, "open.bin"), testBytes(100_000, 22));
    writeFileSync(join(folder, "password"), `${PASSWORD}\n`);
    server = await startLoopbackServer(folder);
    secrets.push(server.token);
  });

  after(async () => {
    await server.program.stop();
    rmSync(folder, { recursive: true });
  });

  /** Runs a command with --json. @returns its exit code and last line. */
  async function run(...args: readonly string[]): Promise<{ code: number; last: Line }> {
    const ended = await runCommand(folder, ...args, "--server", server.url, "--json");
    const isTelling = args[0] === "token" && args[1] !== "ls" && args[1] !== "revoke";
    if (!isTelling) said.push(ended.stdout, ended.stderr);
    const last = ended.stdout.trimEnd().split("\n").at(-1) ?? "{}";
    return { code: ended.code, last: JSON.parse(last === "" ? "{}" : last) as Line };
  }

  async function runWell(...args: readonly string[]): Promise<Line> {
    const { code, last } = await run(...args);
    assert.equal(code, 0, JSON.stringify(last));
    return last;
  }

  test("A8 the link that serve prints makes the first maintainer, who gets a token", async () => {
    const ports = ["--host", "127.0.0.1", "--http-port", "0", "--peer-port", "0"];
    const other = startCommand(folder, "serve", "--data", "fresh", ...ports);
    const limit = AbortSignal.timeout(30_000);
    const link = () =>
      /^ *(http:\/\/127\.0\.0\.1:\d+\/setup#btps_[\w-]{43})$/m.exec(other.stdout)?.[1];
    while (link() === undefined && !limit.aborted) await other.heard(limit);
    const url = new URL(String(link()));
    const page = await (await fetch(url)).text();
    assert.match(page, /btpublisher user setup/);

    const given = ["--password-file", "password"];
    const made = await runCommand(folder, "user", "setup", url.href, "carol", ...given);
    assert.equal(made.code, 0, made.stderr);
    const again = await runCommand(folder, "user", "setup", url.href, "eve", ...given);
    assert.equal(again.code, 77);
    const place = ["--server", url.origin, "--json"];
    const login = await runCommand(folder, "token", "login", "carol", ...given, ...place);
    const { token } = JSON.parse(login.stdout) as { token: string };
    const users = await runCommand(folder, "user", "ls", "--token", token, ...place);
    assert.match(users.stdout, /"name":"carol","role":"maintainer"/);
    await other.stop();
  });

  test("what is public goes on as ever, beside accounts", async () => {
    await runWell("publish", "open.bin");
    const got = await runCommand(folder, "get", `${server.url}/p/open.bin`, "-o", "got");
    assert.equal(got.code, 0, got.stderr);
    assert.deepEqual(
      readFileSync(join(folder, "got", "open.bin")),
      readFileSync(join(folder, "open.bin")),
    );
  });

  test("a private file: published, granted, got, taken back", async () => {
    await runWell("publish", "secret.bin", "--catalogue", "private", "--access", "admitted");
    await runWell("user", "add", "alice");
    const { token, id } = await runWell("token", "create", "alice", "--expires", "1h");
    secrets.push(String(token));
    const page = `${server.url}/p/secret.bin`;
    const get = (...more: readonly string[]) =>
      runCommand(folder, "get", page, "-o", "alice", "--token", String(token), "--json", ...more);

    assert.equal((await get()).code, 66);
    const grant = await runWell("grant", "add", "alice", "secret.bin", "--expires", "1h");
    const got = await get();
    said.push(got.stdout, got.stderr);
    assert.equal(got.code, 0, got.stdout);
    const answer = await fetch(`${page}.torrent`, {
      headers: { authorization: `Bearer ${String(token)}` },
    });
    const torrent = Buffer.from(await answer.arrayBuffer()).toString("latin1");
    secrets.push(String(/announce\/([0-9a-f]{40})/.exec(torrent)?.[1]));
    writeFileSync(join(folder, "alice.torrent"), torrent, "latin1");
    const inspected = await runCommand(folder, "inspect", "alice.torrent", "--json");
    said.push(inspected.stdout);
    assert.match(inspected.stdout, /announce\/\[redacted\]/);

    await runWell("grant", "rm", String(grant["id"]));
    assert.equal((await get()).code, 66);
    await runWell("token", "revoke", String(id));
    assert.equal((await get()).code, 77);
  });

  test("a publisher publishes where it may; its token is in nothing but the environment", async () => {
    await runWell("user", "add", "bob", "--role", "publisher");
    const { token } = await runWell("token", "create", "bob", "--scope", "publish");
    secrets.push(String(token));
    const publish = async (name: string, ...more: readonly string[]) => {
      const place = ["--server", server.url, "--token", String(token), "--json"];
      const run = await runCommand(
        folder,
        "publish",
        "open.bin",
        "--name",
        name,
        ...more,
        ...place,
      );
      said.push(run.stdout, run.stderr);
      return run.code;
    };
    assert.equal(await publish("bobs", "--catalogue", "members"), 77);
    await runWell("grant", "add", "bob", "--publish", "--catalogue", "members");
    assert.equal(await publish("bobs", "--catalogue", "members"), 0);
    assert.equal(await publish("bobs-too", "--catalogue", "public"), 77);
    const place = ["--server", server.url, "--token", String(token)];
    const foreign = await runCommand(folder, "unpublish", "open.bin", ...place);
    assert.equal(foreign.code, 66);
  });

  test("CFG-08 what makes no sense is refused on the command line", async () => {
    const table = [
      ["publish", "open.bin", "--access", "admitted"],
      ["publish", "open.bin", "--catalogue", "public", "--access", "ticketed"],
      ["grant", "add", "alice"],
      ["grant", "add", "alice", "open.bin", "--catalogue", "members"],
      ["token", "create", "alice", "--scope", "everything"],
      ["token", "create", "alice", "--expires", "2000d"],
      ["user", "add", "Not A Name"],
      ["user", "add", "x", "--role", "king"],
    ];
    for (const args of table) assert.equal((await run(...args)).code, 64, args.join(" "));
    for (const command of ["user", "token", "grant", "audit"]) {
      const help = await runCommand(folder, command, "--help");
      assert.equal(help.code, 0);
      assert.match(help.stdout, /Examples:\n {2}\$ btpublisher/);
    }
  });

  test("the audit log tells all of it, in an unbroken chain", async () => {
    const log = await runCommand(folder, "audit", "--json", "--server", server.url);
    assert.equal(log.code, 0, log.stdout);
    const lines = log.stdout.trimEnd().split("\n");
    const done = lines.map((line) => {
      const { actor, action, subject, outcome } = JSON.parse(line) as Line;
      return [actor, action, subject, outcome].join(" ");
    });
    for (const expected of [
      "server user.add alice done",
      "server grant.add alice secret.bin done",
      "bob publication.publish bobs done",
    ]) {
      assert.ok(done.includes(expected), `${expected} in\n${done.join("\n")}`);
    }
    assert.ok(done.some((entry) => entry.startsWith("bob publication.publish bobs ")));
    said.push(log.stdout);
  });

  test("T12 a key that comes through every door, well and badly, is in no answer", async () => {
    const key = String(secrets.at(-2));
    assert.match(key, /^[0-9a-f]{40}$/);
    const { udpPort } = server.ready;
    const targets = [
      `/announce/${key}`,
      `/announce/${key}?info_hash=short`,
      `/announce/${key}/more?x=${"y".repeat(5000)}`,
      `/scrape/${key}?info_hash=${"%00".repeat(20)}`,
      `/ticket/${key}?h=${"0".repeat(40)}`,
      `/nowhere/announce/${key}`,
      `/p/announce/${key}`,
      `/api/v1/publications/${key}`,
    ];
    for (const target of targets) {
      const answer = await fetch(`${server.url}${target}`);
      said.push(JSON.stringify([...answer.headers]), withoutPath(await answer.text(), key));
    }
    said.push(await (await fetch(`${server.url}/metrics`)).text());
    said.push(await askUdp(Number(udpPort), key), await askWebSocket(server.url, key));

    // Error messages of our own programs name the tracker that they speak of.
    const torrent = readFileSync(join(folder, "alice.torrent"), "latin1");
    writeFileSync(join(folder, "broken.torrent"), torrent.slice(0, -1), "latin1");
    for (const args of [
      ["get", "alice.torrent", "-o", "late", "--timeout", "2s", "--verbose"],
      ["get", "broken.torrent", "-o", "late"],
      ["get", `${server.url}/announce/${key}`, "-o", "late"],
      ["seed", "alice.torrent", "--data", "nowhere"],
      ["verify", "alice.torrent", "--data", "nowhere"],
      ["inspect", `http://127.0.0.1:1/announce/${key}`],
    ]) {
      const ended = await runCommand(folder, ...args);
      assert.notEqual(ended.code, 0, args[0]);
      said.push(ended.stdout, ended.stderr);
    }
  });

  test("T12 no secret is in what the server or a command said, nor in the server's databases", () => {
    said.push(server.program.stdout, server.program.stderr);
    const text = said.join("\n");
    for (const secret of secrets) assert.ok(!text.includes(secret));
    for (const name of readdirSync(join(folder, "data")).filter((each) =>
      each.includes("sqlite"),
    )) {
      const bytes = readFileSync(join(folder, "data", name), "latin1");
      for (const secret of secrets) assert.ok(!bytes.includes(secret), name);
    }
  });
});
