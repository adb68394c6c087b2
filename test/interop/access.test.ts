/**
 * What is not for everybody, between machines: Tracker, SourceNode and Announcer on hosts of their
 * own, other people's clients that hold a passkey, strangers that hold none; and the end of it.
 */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, test } from "node:test";
import { encodeMetainfo } from "../../src/protocol/metainfo/create.ts";
import { readTorrentFile } from "../../src/cli/torrent-file.ts";
import { type ClientKind, clientKinds, type RunningClient } from "../support/clients.ts";
import { type Host, runOn, startOn, TestNetwork, whyNoNamespaces } from "../support/netns.ts";
import { hashFiles, testBytes } from "../support/odd-tree.ts";
import { publishOn, startOurs } from "../support/our-programs.ts";
import type { Line, Program } from "../support/programs.ts";

/** At this rate the download takes minutes: nobody is done before it is revoked. */
const SLOW_RATE = "100k";
const CONTENT_LENGTH = 24 * 2 ** 20;
/** The promise is 60 s. */
const REVOKED_WITHIN_MS = 60_000;

/** Shakes hands as a peer would, and says how many bytes came back before the end. */
const STRANGER = `
  const [host, port, infoHash] = process.argv.slice(1);
  const socket = require("node:net").connect(Number(port), host);
  let bytes = 0;
  socket.on("data", (data) => (bytes += data.length));
  socket.on("error", () => {});
  socket.on("close", () => console.log(JSON.stringify({ event: "closed", bytes })));
  const head = Buffer.from("\\x13BitTorrent protocol\\0\\0\\0\\0\\0\\x10\\0\\x05", "latin1");
  const peerId = Buffer.from("-XX0001-" + "0".repeat(12));
  socket.write(Buffer.concat([head, Buffer.from(infoHash, "hex"), peerId]));
`;

describe("what is not for everybody", { skip: whyNoNamespaces() }, () => {
  let folder: string;
  let network: TestNetwork;
  let hosts: Readonly<Record<"tracker" | "source" | "announcer", Host>>;
  let source: Program;
  let published: Line;
  const programs: Program[] = [];
  /** All secrets that were given to somebody. */
  const secrets: string[] = [];

  const urlOf = (host: Host) => `http://${host.ip}:8080`;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "btp-access-"));
    network = new TestNetwork();
    hosts = {
      tracker: network.addHost("tracker"),
      source: network.addHost("source"),
      announcer: network.addHost("announcer"),
    };
    await startRole("tracker");
    const control = ["--control", urlOf(hosts.tracker)];
    const key = ["--control-key", join(folder, "tracker", "control.key")];
    const limits = ["--max-upload", SLOW_RATE, "--verbose"];
    source = await startRole("source", ...control, ...key, ...limits);
    const announcer = await startRole("announcer", ...control, ...key, "--insecure");
    await announcer.waitFor("event", "reconciled");
    const content = join(folder, "secret.bin");
    writeFileSync(content, testBytes(CONTENT_LENGTH, 11));
    const access = ["--catalogue", "members", "--access", "admitted"];
    published = await publishOn(
      hosts.announcer,
      { url: urlOf(hosts.announcer) },
      content,
      ...access,
    );
  });

  after(async () => {
    for (const program of programs.toReversed()) await program.stop();
    network.close();
    rmSync(folder, { recursive: true });
  });

  async function startRole(
    role: "tracker" | "source" | "announcer",
    ...args: readonly string[]
  ): Promise<Program> {
    const host = hosts[role];
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

  /** A command of the maintainer. @returns its last line. */
  async function manage(...args: readonly string[]): Promise<Line> {
    const run = startOurs(hosts.announcer, ...args, "--server", urlOf(hosts.announcer));
    await run.succeed();
    programs.push(run);
    return run.lines.at(-1) as Line;
  }

  /** An account with a token, and its own .torrent, fetched from its own host. */
  async function enter(name: string): Promise<{ host: Host; torrent: string; token: string }> {
    const host = network.addHost(name);
    await manage("user", "add", name);
    const made = startOurs(
      hosts.announcer,
      "token",
      "create",
      name,
      "--server",
      urlOf(hosts.announcer),
    );
    const token = String((await made.waitFor("event", "token"))["token"]);
    const torrent = join(folder, `${name}.torrent`);
    const header = `Authorization: Bearer ${token}`;
    await runOn(host, "curl", "-sSf", "-H", header, "-o", torrent, String(published["torrentUrl"]));
    secrets.push(token, keyIn(torrent));
    return { host, torrent, token };
  }

  function keyIn(torrent: string): string {
    const key = /\/announce\/([0-9a-f]{40})/.exec(readFileSync(torrent, "latin1"))?.[1];
    assert.ok(key !== undefined);
    return key;
  }

  function startLeech(kind: ClientKind, name: string, host: Host, torrent: string): RunningClient {
    const directory = join(folder, `${name}-files`);
    mkdirSync(directory);
    return kind.start("leech", { host, torrent, directory, scratch: join(folder, `${name}-own`) });
  }

  /** What the Tracker answers to an announce from `host`. */
  async function announce(host: Host, key: string | undefined): Promise<string> {
    const path = key === undefined ? "/announce" : `/announce/${key}`;
    const infoHash = String(published["infoHash"]).replaceAll(/../g, "%$&");
    const query = `info_hash=${infoHash}&peer_id=-XX0001-00000000000${host.ip.at(-1)}&port=6999&left=1`;
    const target = join(folder, "answer");
    await runOn(host, "curl", "-sS", "-o", target, `${urlOf(hosts.tracker)}${path}?${query}`);
    return readFileSync(target, "latin1");
  }

  test("S1 T10 strangers get no page, no .torrent, no peers, no handshake and no byte", async () => {
    const host = network.addHost("stranger");
    const { fileUrls, torrentUrl, pageUrl, infoHash } = published;
    for (const url of [torrentUrl, pageUrl, ...(fileUrls as string[])]) {
      const target = join(folder, "refused");
      await runOn(host, "curl", "-sS", "-D", target, "-o", "/dev/null", String(url));
      assert.match(readFileSync(target, "latin1"), /^HTTP\/1.1 404 /, String(url));
    }
    assert.match(await announce(host, undefined), /failure reason13:access denied/);
    assert.match(await announce(host, "0".repeat(40)), /failure reason13:access denied/);

    const port = String(source.lines[0]?.["peerPort"]);
    const place = [hosts.source.ip, port, String(infoHash)];
    const peer = startOn(host, [process.execPath, "-e", STRANGER, ...place]);
    assert.equal((await peer.waitFor("event", "closed"))["bytes"], 0);
    const unknown = [hosts.source.ip, port, "00".repeat(20)];
    const other = startOn(host, [process.execPath, "-e", STRANGER, ...unknown]);
    assert.equal((await other.waitFor("event", "closed"))["bytes"], 0);
  });

  test("S1 a .torrent without its key leads nowhere, even to who knows where the source is", async () => {
    const { torrent } = await enter("leaky");
    const { info } = await readTorrentFile(torrent);
    const bare = join(folder, "bare.torrent");
    const announceTiers = [[`${urlOf(hosts.tracker)}/announce`]];
    writeFileSync(bare, encodeMetainfo({ infoRaw: info.raw, announceTiers, webSeeds: [] }));
    const port = String(source.lines[0]?.["peerPort"]);
    const host = network.addHost("keyless");
    const peer = ["--peer", `${hosts.source.ip}:${port}`, "--timeout", "5s"];
    const get = startOurs(host, "get", bare, "-o", join(folder, "keyless"), ...peer);
    assert.notEqual(await get.end(), 0);
  });

  for (const name of ["aria2", "transmission"]) {
    test(`T13 ${name} downloads with its key, and is out within a minute once it is revoked`, async (t) => {
      const kind = clientKinds.find((each) => each.name === name) as ClientKind;
      const { host, torrent } = await enter(name);
      const client = startLeech(kind, name, host, torrent);
      try {
        await waitForBytesTo(host);

        const revokedAt = performance.now();
        await manage("user", "rm", name);
        const answer = await announce(host, keyIn(torrent));
        const deniedMs = performance.now() - revokedAt;
        const closed = await waitForEndOf(host);
        const closedMs = performance.now() - revokedAt;

        assert.match(answer, /failure reason13:access denied/);
        assert.equal((closed["reason"] as Line)["why"], "not-admitted");
        assert.ok(closedMs < REVOKED_WITHIN_MS);
        const url = String((published["fileUrls"] as string[])[0]);
        const head = join(folder, "after");
        await runOn(host, "curl", "-sS", "-D", head, "-o", "/dev/null", url);
        assert.match(readFileSync(head, "latin1"), /^HTTP\/1.1 404 /);
        t.diagnostic(
          `denied after ${deniedMs.toFixed(0)} ms, closed after ${closedMs.toFixed(0)} ms`,
        );
      } finally {
        await client.stop();
      }
    });
  }

  describe("what wants tickets", () => {
    let closed: Line;
    let seed: Program;
    let seedHost: Host;

    before(async () => {
      const content = join(folder, "closed.bin");
      writeFileSync(content, testBytes(300_000, 13));
      const access = ["--catalogue", "members", "--access", "ticketed"];
      const where = { url: urlOf(hosts.announcer) };
      closed = await publishOn(hosts.announcer, where, content, ...access);
    });

    async function enterClosed(name: string): Promise<{ host: Host; torrent: string }> {
      const { host, token } = await enter(name);
      const torrent = join(folder, `${name}-closed.torrent`);
      const header = `Authorization: Bearer ${token}`;
      await runOn(host, "curl", "-sSf", "-H", header, "-o", torrent, String(closed["torrentUrl"]));
      secrets.push(keyIn(torrent));
      return { host, torrent };
    }

    function get(host: Host, torrent: string, name: string, ...more: readonly string[]): Program {
      const directory = join(folder, `${name}-files`);
      const limits = ["--no-web-seed", "--verbose", ...more];
      const program = startOurs(host, "get", torrent, "-o", directory, ...limits);
      programs.push(program);
      return program;
    }

    const hashesOf = (name: string) => hashFiles(join(folder, `${name}-files`)).get("closed.bin");
    const expected = () => hashFiles(join(folder, "closed.bin")).get("");

    test("EXT-24 comes with a ticket, and without one not even with the key", async () => {
      const { host, torrent } = await enterClosed("dan");
      seedHost = host;
      seed = get(host, torrent, "dan", "--seed", "forever", "--port", "6881");
      await seed.waitFor("event", "complete");
      assert.deepEqual(hashesOf("dan"), expected());

      const { info, announceTiers } = await readTorrentFile(torrent);
      const bare = join(folder, "closed-bare.torrent");
      writeFileSync(bare, encodeMetainfo({ infoRaw: info.raw, announceTiers, webSeeds: [] }));
      const ticketless = join(folder, "ticketless");
      const other = startOurs(host, "get", bare, "-o", ticketless, "--timeout", "5s");
      assert.notEqual(await other.end(), 0);
      assert.ok(
        other.lines.every((line) => (line["bytes"] ?? 0) === 0 || line["event"] === "started"),
      );
    });

    test("EXT-24 a stock client with a good key gets nothing from our peers either", async () => {
      const { host, torrent } = await enterClosed("mallory");
      const aria2 = clientKinds.find((each) => each.name === "aria2") as ClientKind;
      const client = startLeech(aria2, "mallory", host, torrent);
      try {
        const end = await closedTo(seed, host);
        assert.equal((end["reason"] as Line)["why"], "no-ticket");
        assert.notEqual(hashesOf("mallory"), expected());
      } finally {
        await client.stop();
      }
    });

    test("our peers show each other tickets and serve each other", async () => {
      const { host, torrent } = await enterClosed("erin");
      const peer = ["--peer", `${seedHost.ip}:6881`];
      const program = get(host, torrent, "erin", ...peer);
      const complete = await program.waitFor("event", "complete");
      assert.deepEqual(hashesOf("erin"), expected());
      assert.ok(Number(complete["fromPeers"]) > 0, JSON.stringify(complete));
    });

    /** How the connection of `program` with `host` ended, said or still to come. */
    async function closedTo(program: Program, host: Host): Promise<Line> {
      const limit = AbortSignal.timeout(60_000);
      for (;;) {
        const found = program.lines.find(
          (line) =>
            line["event"] === "peer-closed" && String(line["address"]).startsWith(`${host.ip}:`),
        );
        if (found !== undefined) return found;
        limit.throwIfAborted();
        await program.heard(limit);
      }
    }
  });

  test("T12 none of the secrets is in what was said, logged or kept", () => {
    const said = programs.map((program) => program.stdout + program.stderr).join("\n");
    assert.ok(said.length > 1000);
    assert.ok(secrets.length >= 6);
    for (const secret of secrets) assert.ok(!said.includes(secret), "a secret was said");
    for (const role of Object.keys(hosts)) {
      const files = readdirSync(join(folder, role), { recursive: true, withFileTypes: true });
      for (const file of files.filter((each) => each.isFile())) {
        const text = readFileSync(join(file.parentPath, file.name), "latin1");
        for (const secret of secrets) assert.ok(!text.includes(secret), `${role}: ${file.name}`);
      }
    }
  });

  test("what is private arrives whole with a token, and its page is found by name", async () => {
    const { host, token } = await enter("carol");
    const content = join(folder, "small.bin");
    writeFileSync(content, testBytes(100_000, 12));
    const where = { url: urlOf(hosts.announcer) };
    const small = await publishOn(hosts.announcer, where, content, "--catalogue", "private");
    const directory = join(folder, "carol-files");
    const page = String(small["pageUrl"]);
    const refused = startOurs(host, "get", page, "-o", directory, "--token", token);
    assert.equal(await refused.end(), 66);

    await manage("grant", "add", "carol", "small.bin");
    const get = startOurs(host, "get", page, "-o", directory, "--token", token);
    await get.succeed();
    assert.deepEqual(hashFiles(directory).get("small.bin"), hashFiles(content).get(""));
  });

  /** Resolves when the source has sent something to `host`. */
  async function waitForBytesTo(host: Host): Promise<void> {
    const limit = AbortSignal.timeout(90_000);
    for (;;) {
      const run = startOurs(
        hosts.announcer,
        "log",
        "secret.bin",
        "--server",
        urlOf(hosts.announcer),
      );
      await run.succeed();
      if (run.lines.some((line) => String(line["address"]).startsWith(`${host.ip}:`))) return;
      limit.throwIfAborted();
    }
  }

  /** The end of the source's connection with `host`, said or still to come. */
  async function waitForEndOf(host: Host): Promise<Line> {
    const limit = AbortSignal.timeout(REVOKED_WITHIN_MS);
    for (;;) {
      const found = source.lines.find(
        (line) =>
          line["event"] === "peer-closed" &&
          String(line["address"]).startsWith(`${host.ip}:`) &&
          (line["reason"] as Line)["why"] === "not-admitted",
      );
      if (found !== undefined) return found;
      limit.throwIfAborted();
      await source.heard(limit);
    }
  }
});
