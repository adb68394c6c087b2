/** Publishing as users do it: real processes over loopback, cut and killed in the middle. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer, type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { parseMetainfo } from "../../src/protocol/metainfo/parse.ts";
import { sha1 } from "../../src/adapters/node/disk-hash.ts";
import { Client } from "../../src/client/client.ts";
import { program, runCommand, startCommand } from "../support/command-line.ts";
import {
  authorized,
  beginAppend,
  killAndRestart,
  type LoopbackServer,
  startLoopbackServer,
} from "../support/loopback-server.ts";
import { testBytes, writeOddTree } from "../support/odd-tree.ts";
import type { Line } from "../support/programs.ts";

const MiB = 2 ** 20;

describe("publish", () => {
  let folder: string;
  let server: LoopbackServer;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "btp-publish-"));
    writeOddTree(join(folder, "tree"));
    writeFileSync(join(folder, "big.bin"), testBytes(24 * MiB, 5));
    writeFileSync(join(folder, "cut.bin"), testBytes(4 * MiB, 6));
    server = await startLoopbackServer(folder);
  });

  after(async () => {
    await server.program.stop();
    rmSync(folder, { recursive: true });
  });

  const run = (...args: readonly string[]) => runCommand(folder, ...args, "--server", server.url);

  /** Publishes with --json. @returns the last event. */
  async function publish(...args: readonly string[]): Promise<Line> {
    const ended = await run("publish", ...args, "--json");
    assert.equal(ended.code, 0, ended.stdout + ended.stderr);
    const last = JSON.parse(ended.stdout.trimEnd().split("\n").at(-1) as string) as Line;
    assert.equal(last["event"], "published");
    return last;
  }

  test("the first line of serve says all that is needed", () => {
    const [first] = server.program.lines;
    assert.equal(first?.["event"], "ready");
    const udpUrl = `udp://127.0.0.1:${String(first["udpPort"])}/announce`;
    assert.deepEqual(first["announceUrls"], [`${server.url}/announce`, udpUrl]);
    assert.equal(typeof first["peerPort"], "number");
    assert.equal(statSync(String(first["tokenFile"])).mode & 0o777, 0o600);
  });

  for (const how of ["where it lies", "as a copy"]) {
    test(`a folder ${how}: page, .torrent and every file by HTTP`, async () => {
      const name = how.replaceAll(" ", "-");
      const copy = how === "as a copy" ? ["--copy"] : [];
      const published = await publish("tree", "--name", name, ...copy);

      const page = await (await fetch(String(published["pageUrl"]))).text();
      assert.ok(page.includes(String(published["infoHash"])));
      const torrent = await fetch(String(published["torrentUrl"]));
      assert.equal(torrent.headers.get("content-type"), "application/x-bittorrent");
      const metainfo = parseMetainfo(new Uint8Array(await torrent.arrayBuffer()), { sha1 });
      assert.ok(metainfo.ok);
      assert.equal(metainfo.value.info.infoHash, published["infoHash"]);
      assert.deepEqual(metainfo.value.announceTiers, [
        [`${server.url}/announce`],
        [`${server.url.replace("http:", "udp:")}/announce`],
      ]);
      assert.deepEqual(metainfo.value.webSeeds, [`${server.url}/webseed/${name}/`]);

      const urls = published["fileUrls"] as readonly string[];
      for (const [index, { path }] of metainfo.value.info.files.entries()) {
        const expected = readFileSync(join(folder, "tree", ...path));
        await assertServes(urls[index] as string, expected);
      }
      assert.equal((await run("unpublish", name)).code, 0);
      assert.equal((await fetch(String(published["pageUrl"]))).status, 404);
      assert.equal((await fetch(urls[0] as string)).status, 404);
    });
  }

  test("CLI-10 what nobody reads any more is published all the same, and a log just ends", async () => {
    const script = '"$0" "$@" | true; echo "${PIPESTATUS[0]}"';
    const unread = (...args: readonly string[]) =>
      spawnSync("bash", ["-c", script, ...program, ...args, "--server", server.url], {
        cwd: folder,
        encoding: "utf8",
      });

    writeFileSync(join(folder, "unread.bin"), testBytes(8 * MiB, 8));
    const published = unread("publish", "unread.bin", "--copy");
    assert.equal(published.stdout, "0\n", published.stderr);
    assert.equal(published.stderr, "");
    assert.match((await run("ls", "--json")).stdout, /"name":"unread\.bin"/);

    await (await fetch(`${server.url}/files/unread.bin/unread.bin`)).arrayBuffer();
    const log = unread("log", "unread.bin");
    assert.match(log.stdout, /^(0|141)\n$/);
    assert.equal(log.stderr, "");
  });

  test("what is published where it lies is not copied", async () => {
    await publish("big.bin");
    const kept = readdirSync(join(folder, "data", "content", "big.bin"), { recursive: true });
    assert.deepEqual(kept, ["publication.json"]);

    const again = await run("publish", "big.bin");
    assert.equal(again.code, 73);
    assert.match(again.stderr, /published|already/);
    const unpublished = await run("unpublish", `${server.url}/p/big.bin`);
    assert.equal(unpublished.code, 0, unpublished.stderr);
    assert.ok(statSync(join(folder, "big.bin")).size > 0);
  });

  test("S9 what changed on the server's disk is withdrawn everywhere, and get says why", async () => {
    const path = join(folder, "edited.bin");
    writeFileSync(path, testBytes(1 * MiB, 9));
    const { pageUrl, fileUrls } = await publish("edited.bin");
    appendFileSync(path, "more");
    // The door finds out when it opens the file.
    assert.equal((await fetch((fileUrls as string[])[0] as string)).status, 503);

    // The Announcer asks its SourceNode once a second.
    let listed = "";
    for (let i = 0; i < 20 && !listed.includes("withdrawn"); i++) {
      listed = (await run("ls")).stdout;
    }
    assert.match(listed, /edited\.bin +\S+ \S+ +withdrawn/);
    assert.match(listed, /edited\.bin: edited\.bin was changed/);
    const status = JSON.parse((await run("status", "edited.bin", "--json")).stdout) as Line;
    assert.equal(status["state"], "withdrawn");
    assert.equal((status["withdrawn"] as Line)["path"], "edited.bin");
    assert.match(
      await (await fetch(String(pageUrl))).text(),
      /Withdrawn.*\n.*edited\.bin was changed/,
    );

    const got = await runCommand(folder, "get", String(pageUrl), "-o", "got", "--timeout", "1s");
    assert.equal(got.code, 69);
    assert.match(got.stderr, /warning: .*edited\.bin was changed/);
    assert.match(got.stderr, /error: nothing arrived .*edited\.bin was changed/);
  });

  test("F-05 an upload goes on where the server was killed", async () => {
    const bytes = readFileSync(join(folder, "cut.bin"));
    const plan = {
      contentName: "cut.bin",
      isDirectory: false,
      files: [{ path: ["cut.bin"], length: bytes.length }],
    };
    const body = JSON.stringify(plan);
    await authorized(server, "/api/v1/publications", { method: "POST", body });
    const file = "/api/v1/publications/cut.bin/files/0";
    beginAppend(server, file, { bytes: bytes.subarray(0, MiB), length: bytes.length });
    for (let tries = 0; (await offsetOf(file)) < MiB; tries++) assert.ok(tries < 20_000);

    server = await killAndRestart(folder, server);
    const kept = await offsetOf(file);
    assert.equal(kept, MiB);
    const published = await publish("cut.bin", "--copy");

    await assertServes((published["fileUrls"] as string[])[0] as string, bytes);
  });

  test("F-05 the command itself goes on when the server comes back", async () => {
    const args = ["publish", "big.bin", "--copy", "--name", "survivor", "--server", server.url];
    const publishing = startCommand(folder, ...args, "--json");
    await publishing.waitFor("event", "progress");

    server = await killAndRestart(folder, server);
    await publishing.succeed();

    const waited = await publishing.waitFor("event", "warning");
    assert.match(String(waited["message"]), /; it is tried again in 0\.5 s$/);
    const published = await publishing.waitFor("event", "published");
    const [url] = published["fileUrls"] as string[];
    await assertServes(url as string, readFileSync(join(folder, "big.bin")));
  });

  test("a get that does not seed is counted as a completed download, and ls finds it", async () => {
    writeFileSync(join(folder, "counted.bin"), testBytes(MiB, 8));
    const published = await publish("counted.bin", "--name", "counted");
    const got = await run("get", String(published["torrentUrl"]), "--output", "counted");
    assert.equal(got.code, 0, got.stderr);

    const status = await run("status", "counted");
    assert.match(status.stdout, /completed +1 times/);
    const listed = await run("ls", "OUNTE", "--json");
    assert.deepEqual(listed.stdout.match(/"name":"[^"]+"/g), ['"name":"counted"']);
    assert.match((await run("ls", "%")).stdout, /nothing here is named %/);
  });

  test("a restart keeps what was published", async () => {
    const before = (await run("ls", "--json")).stdout.match(/"infoHash":"\w+"/g);
    assert.ok(before !== null && before.length > 0);

    server = await killAndRestart(folder, server);

    assert.deepEqual((await run("ls", "--json")).stdout.match(/"infoHash":"\w+"/g), before);
  });

  test("RES-12 a second server on the same data is told so", async () => {
    const second = await runCommand(folder, "serve", "--data", "data", "--http-port", "0");
    assert.equal(second.code, 75);
  });

  test("CFG-04 a port in use is named, with exit 69", async () => {
    const { port } = new URL(server.url);
    const args = ["--data", "other", "--host", "127.0.0.1", "--http-port", port];
    const second = await runCommand(folder, "serve", ...args, "--peer-port", "0");
    assert.equal(second.code, 69);
    assert.ok(second.stderr.includes(`127.0.0.1, port ${port}`));
  });

  test("what cannot be published is refused with the fitting exit code", async () => {
    const table = [
      [["publish", "missing"], 66],
      [["publish", "tree", "--name", "Not A Slug"], 64],
      [["publish", "tree", "--token", "wrong"], 77],
      [["publish", "tree", "--deadline", "2020-01-01"], 64],
      [["unpublish", "missing"], 66],
      [["publish", "tree", "big.bin", "--name", "two"], 64],
    ] as const;
    for (const [args, code] of table) {
      const ended = await run(...args);
      assert.equal(ended.code, code, `${args.join(" ")}: ${ended.stderr}`);
    }
    const nobody = await runCommand(folder, "ls", "--server", "http://127.0.0.1:1");
    assert.equal(nobody.code, 69);
  });

  test("UPL-12 a body is asked for only from whom may publish", async () => {
    for (const [token, answer] of [
      ["wrong", 401],
      [server.token, 404],
    ] as const) {
      const sending = request(new URL("/api/v1/publications/none/files/0", server.url), {
        method: "PATCH",
        headers: {
          authorization: `Bearer ${token}`,
          "content-type": "application/octet-stream",
          "content-length": 1_000_000_000,
          "upload-offset": "0",
          expect: "100-continue",
        },
      });
      let isAskedFor = false;
      sending.on("continue", () => (isAskedFor = true));
      sending.flushHeaders();
      const [response] = (await once(sending, "response")) as [IncomingMessage];
      assert.equal(response.statusCode, answer);
      assert.equal(isAskedFor, answer === 404);
      response.resume();
      await once(response, "close");
      sending.destroy();
    }
  });

  test("one call of curl publishes a file, and a cut one leaves nothing", async () => {
    const path = join(folder, "by-curl.bin");
    writeFileSync(path, testBytes(5 * MiB, 9));
    const url = `${server.url}/api/v1/files/big.bin?name=by-curl&policy=thrifty`;
    const cut = request(new URL("/api/v1/files/cut-short.bin", server.url), {
      method: "PUT",
      headers: { authorization: `Bearer ${server.token}`, "content-length": 2 * MiB },
    });
    cut.on("error", () => undefined);
    cut.write(testBytes(MiB, 8));
    const status = async () =>
      (await authorized(server, "/api/v1/publications/cut-short.bin/status")).status;
    for (let tries = 0; tries < 1000 && (await status()) !== 200; tries++);
    assert.equal(await status(), 200);
    cut.destroy();
    for (let tries = 0; tries < 1000 && (await status()) !== 404; tries++);
    assert.equal(await status(), 404);

    const authorization = ["-H", `Authorization: Bearer ${server.token}`];
    const sent = spawnSync("curl", ["-sSfg", "-T", path, url, ...authorization]);
    assert.equal(sent.status, 0, String(sent.stderr));
    assert.equal((JSON.parse(String(sent.stdout)) as Line)["name"], "by-curl");
    const got = await fetch(`${server.url}/files/by-curl/big.bin`);
    const bytes = new Uint8Array(await got.arrayBuffer());
    assert.deepEqual(sha1(bytes), sha1(readFileSync(path)));
  });

  test("F-05 killed in the middle of one that is published by one request, it can be sent again", async () => {
    const put = { authorization: `Bearer ${server.token}`, "content-length": 2 * MiB };
    const path = "/api/v1/files/half-sent.bin";
    const half = request(new URL(path, server.url), { method: "PUT", headers: put });
    half.on("error", () => undefined);
    half.write(testBytes(MiB, 8));
    const status = async (name: string) =>
      (await authorized(server, `/api/v1/publications/${name}/status`)).status;
    for (let tries = 0; tries < 1000 && (await status("half-sent.bin")) !== 200; tries++);
    assert.equal(await status("half-sent.bin"), 200);

    server = await killAndRestart(folder, server);

    assert.equal(await status("half-sent.bin"), 404);
    assert.equal(await status("by-curl"), 200, "what was published stays");
    const client = new Client({ url: server.url, token: server.token });
    const again = await client.publishFile("half-sent.bin", new Uint8Array(testBytes(2 * MiB, 8)));
    assert.deepEqual([again.name, again.bytes], ["half-sent.bin", 2 * MiB]);
    await client.unpublish(again.name);
  });

  test("A11 a .torrent that was changed on its way completes nothing", async () => {
    writeFileSync(join(folder, "changed.bin"), testBytes(3 * MiB, 77));
    await publish("changed.bin", "--name", "changed");
    const answer = await fetch(`${server.url}/p/changed.torrent`);
    const bytes = new Uint8Array(await answer.arrayBuffer());
    const pieces = Buffer.from(bytes).indexOf("6:pieces");
    const at = bytes.indexOf(":".charCodeAt(0), pieces + 8) + 1;
    bytes[at] = bytes[at]! ^ 1;
    writeFileSync(join(folder, "changed.torrent"), bytes);
    const place = ["-o", "changed", "--timeout", "3s"];
    const got = await runCommand(folder, "get", "changed.torrent", "--json", ...place);
    assert.notEqual(got.code, 0);
    assert.doesNotMatch(got.stdout, /"event":"complete"/);
    assert.equal((await run("unpublish", "changed")).code, 0);
  });

  test("A14 an address where a path belongs is not fetched from", async () => {
    let calls = 0;
    const canary = createServer((_request, response) => {
      calls++;
      response.end("hello");
    });
    await once(canary.listen(0, "127.0.0.1"), "listening");
    const { port } = canary.address() as AddressInfo;
    const host = `127.0.0.1:${port}`;
    for (const path of [`http://${host}/x`, `file://${host}/x`, `//${host}/x`, `\\\\${host}\\x`]) {
      const init = { method: "POST", body: JSON.stringify({ path, name: "fetched" }) };
      const text = await (await authorized(server, "/api/v1/local-publications", init)).text();
      assert.match(text, /"code":"(?:NO_INPUT|USAGE|STORAGE_\w+|META_\w+)"/, `${path}: ${text}`);
    }
    canary.close();
    assert.equal(calls, 0);
  });

  test("F-61 SIGTERM ends the server cleanly", async () => {
    server.program.child.kill("SIGTERM");
    assert.equal(await server.program.end(10_000), 0);
    server = await startLoopbackServer(folder);
  });

  async function offsetOf(file: string): Promise<number> {
    const response = await authorized(server, file, { method: "HEAD" });
    return Number(response.headers.get("upload-offset"));
  }
});

/** The whole of a file, and a range of it. */
async function assertServes(url: string, expected: Uint8Array): Promise<void> {
  const whole = new Uint8Array(await (await fetch(url)).arrayBuffer());
  assert.equal(digest(whole), digest(expected), url);
  if (expected.length < 2) return;
  const half = expected.length >> 1;
  const part = await fetch(url, { headers: { range: `bytes=${half}-${expected.length - 1}` } });
  assert.equal(part.status, 206);
  assert.equal(digest(new Uint8Array(await part.arrayBuffer())), digest(expected.subarray(half)));
}

function digest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
