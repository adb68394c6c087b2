/** Signatures of publishers as users meet them: real processes, and somebody on the way who changes things. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type Ended, runCommand } from "../support/command-line.ts";
import { type LoopbackServer, startLoopbackServer } from "../support/loopback-server.ts";
import { testBytes } from "../support/odd-tree.ts";
import type { Line } from "../support/programs.ts";

/** What stands between a downloader and the server: `change` gets what the server said. */
interface Middleman {
  readonly url: string;
  readonly server: Server;
  change: (path: string, bytes: Buffer) => Buffer | undefined;
}

async function startMiddleman(target: string): Promise<Middleman> {
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    void fetch(`${target}${path}`).then(async (answer) => {
      const bytes = Buffer.from(await answer.arrayBuffer());
      const changed = answer.ok ? middleman.change(path, bytes) : undefined;
      response.writeHead(changed === undefined ? 404 : 200).end(changed);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const middleman: Middleman = { url, server, change: (_path, bytes) => bytes };
  return middleman;
}

/** `bytes` with one bit of the byte at `index` changed. */
function flip(bytes: Buffer, index: number): Buffer {
  const changed = Buffer.from(bytes);
  changed[index] = changed[index]! ^ 1;
  return changed;
}

describe("signatures", () => {
  let folder: string;
  let server: LoopbackServer;
  let middleman: Middleman;
  let publicKey: string;
  let gets = 0;

  const run = (...args: readonly string[]) => runCommand(folder, ...args, "--json");
  const events = ({ stdout }: Ended) =>
    stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Line);
  const said = (ended: Ended, event: string): Line => {
    const line = events(ended).find((each) => each["event"] === event);
    assert.ok(line, ended.stdout + ended.stderr);
    return line;
  };
  /** Into a folder of its own each time. */
  const get = (ref: string, ...more: readonly string[]) =>
    run("get", ref, "-o", `got-${++gets}`, "--timeout", "20s", ...more);
  const hasNothing = () => !existsSync(join(folder, `got-${gets}`, "a.bin"));

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "btp-sign-"));
    for (const name of ["a.bin", "b.bin", "c.bin"]) {
      writeFileSync(join(folder, name), testBytes(100_000, name.charCodeAt(0)));
    }
    server = await startLoopbackServer(folder);
    middleman = await startMiddleman(server.url);
    publicKey = String(said(await run("key"), "key")["publicKey"]);
    const publish = ["publish", "a.bin", "--server", server.url, "--sign", "minisign.key"];
    const ended = await run(...publish);
    assert.equal(ended.code, 0, ended.stdout + ended.stderr);
    assert.equal(said(ended, "signed")["publicKey"], publicKey);
    await run("publish", "b.bin", "--server", server.url);
  });

  after(async () => {
    middleman.server.close();
    await server.program.stop();
    rmSync(folder, { recursive: true });
  });

  test("a secret key is for its owner, and no key is ever overwritten", async () => {
    assert.equal(statSync(join(folder, "minisign.key")).mode & 0o777, 0o600);
    assert.ok(readFileSync(join(folder, "minisign.key.pub"), "utf8").includes(publicKey));
    const secret = readFileSync(join(folder, "minisign.key"), "utf8");

    const again = await run("key");

    assert.equal(again.code, 73);
    assert.equal(said(again, "error")["code"], "STORAGE_EXISTS");
    assert.equal(readFileSync(join(folder, "minisign.key"), "utf8"), secret);
  });

  for (const ending of ["", ".torrent"]) {
    test(`what was signed is downloaded, by /p/NAME${ending}`, async () => {
      const ended = await get(`${middleman.url}/p/a.bin${ending}`, "--signed-by", publicKey);

      assert.equal(ended.code, 0, ended.stdout + ended.stderr);
      assert.equal(said(ended, "signature")["publicKey"], publicKey);
      const got = readFileSync(join(folder, `got-${gets}`, "a.bin"));
      assert.deepEqual(got, readFileSync(join(folder, "a.bin")));
    });
  }

  const torrentOfB = async () =>
    Buffer.from(await (await fetch(`${server.url}/p/b.bin.torrent`)).arrayBuffer());
  const changes: Readonly<Record<string, (path: string, bytes: Buffer) => Buffer | undefined>> = {
    "the info hash in the list": (path, bytes) =>
      path.endsWith(".sha256") ? flip(bytes, 30) : bytes,
    "a checksum in the list": (path, bytes) => (path.endsWith(".sha256") ? flip(bytes, 80) : bytes),
    "the signature": (path, bytes) => (path.endsWith(".minisig") ? flip(bytes, 100) : bytes),
    "the signature is taken away": (path, bytes) => (path.endsWith(".minisig") ? undefined : bytes),
    "the signature is no text": (path, bytes) =>
      path.endsWith(".minisig") ? Buffer.from([0xff, 0xfe]) : bytes,
  };
  for (const [what, change] of Object.entries(changes)) {
    test(`CLI-08 a signature is required and bad: ${what}`, async (t) => {
      t.after(() => (middleman.change = (_path, bytes) => bytes));
      middleman.change = change;

      const ended = await get(`${middleman.url}/p/a.bin`, "--signed-by", publicKey);

      assert.equal(ended.code, 65, ended.stdout);
      assert.equal(said(ended, "error")["code"], "BAD_SIGNATURE");
      assert.ok(hasNothing());
    });
  }

  test("A11 a .torrent that was changed on its way, or is another one, is not downloaded", async (t) => {
    t.after(() => (middleman.change = (_path, bytes) => bytes));
    const other = await torrentOfB();
    const tampered = [
      () => other,
      // In the piece hashes, which stand at the end of the info.
      (bytes: Buffer) => flip(bytes, bytes.indexOf("6:pieces") + 20),
    ];
    for (const tamper of tampered) {
      middleman.change = (path, bytes) => (path.endsWith(".torrent") ? tamper(bytes) : bytes);

      const ended = await get(`${middleman.url}/p/a.bin.torrent`, "--signed-by", publicKey);

      assert.equal(ended.code, 65, ended.stdout);
      assert.equal(said(ended, "error")["code"], "BAD_SIGNATURE");
      assert.ok(hasNothing());
    }
  });

  test("another key, no signature, no page, no key: each is said", async () => {
    const stranger = String(said(await run("key", "other.key"), "key")["publicKey"]);
    const cases: readonly [string, string, number, RegExp][] = [
      [`${server.url}/p/a.bin`, stranger, 65, /another key/],
      [`${server.url}/p/b.bin`, publicKey, 65, /has not signed it/],
      [`magnet:?xt=urn:btih:${"a".repeat(40)}`, publicKey, 64, /no page/],
      [`${server.url}/p/a.bin`, "nonsense", 64, /no public key/],
    ];
    for (const [ref, key, code, message] of cases) {
      const ended = await get(ref, "--signed-by", key);
      assert.equal(ended.code, code, ended.stdout);
      assert.match(String(said(ended, "error")["message"]), message);
    }
  });

  test("sign tells what it signs, and signs nothing that is not what lies here", async () => {
    const sign = ["sign", "b.bin", "--server", server.url, "--key", "minisign.key"];
    const refused = await run(...sign, "--content", "c.bin");
    assert.equal(refused.code, 65);
    assert.equal(said(refused, "error")["code"], "DIGEST");
    assert.equal((await fetch(`${server.url}/p/b.bin.sha256.minisig`)).status, 404);

    const signed = await run(...sign, "--content", "b.bin");

    assert.equal(signed.code, 0, signed.stdout + signed.stderr);
    assert.match(String(said(signed, "signed")["trustedComment"]), /file:b\.bin\.sha256/);
    const ended = await get(`${server.url}/p/b.bin`, "--signed-by", publicKey);
    assert.equal(ended.code, 0, ended.stdout);
    const endless = await run("sign", "b.bin", "--server", server.url, "--key", "/dev/zero");
    assert.equal(endless.code, 66, endless.stdout);
    const unclear = await run("sign", "b.bin", "--server", server.url);
    assert.equal(unclear.code, 64);
  });
});
