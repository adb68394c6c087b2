/** What a server leaves behind when it ends by a bug, or is asked for a report: no secrets. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { program as btpublisher } from "../support/command-line.ts";
import { authorized } from "../support/loopback-server.ts";
import { Program } from "../support/programs.ts";

const PASSWORD = "correct horse battery staple";
const ENVIRONMENT_TOKEN = `btpt_0123456789abcdef_${"E".repeat(43)}`;

/** A bug that shows itself at a signal: what it says has every kind of secret in it. */
const bug = `
  import { readFileSync } from "node:fs";
  const say = () => new Error("broken by " + readFileSync("secrets", "utf8"));
  process.on("SIGWINCH", () => setImmediate(() => { throw say(); }));
  process.on("SIGURG", () => void Promise.reject(new TypeError("it failed", { cause: say() })));
`;

describe("a server that breaks", () => {
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "btp-crash-"));
    mkdirSync(join(folder, "reports"));
    writeFileSync(join(folder, "bug.mjs"), bug);
  });

  after(() => rmSync(folder, { recursive: true }));

  /** Starts a server with accounts and a private torrent in use. @returns it and all its secrets. */
  async function start(): Promise<{ program: Program; secrets: readonly string[] }> {
    const options = ["--report-on-signal", `--report-directory=${join(folder, "reports")}`];
    const preload = `--import=${pathToFileURL(join(folder, "bug.mjs")).href}`;
    const env = {
      ...process.env,
      NODE_OPTIONS: [preload, ...options].join(" "),
      BTPUBLISHER_TOKEN: ENVIRONMENT_TOKEN,
    };
    const [node, script] = btpublisher;
    const place = ["--data", "data", "--host", "127.0.0.1", "--http-port", "0", "--peer-port", "0"];
    const args = [script, "serve", "--json", ...place];
    const child = spawn(node, args, { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
    const program = new Program("a server with a bug", child);
    const ready = await program.waitFor("event", "ready");
    const token = readFileSync(String(ready["tokenFile"]), "utf8").trim();
    const server = { program, ready, url: String(ready["url"]), token };
    const post = async (path: string, body: object) =>
      (await authorized(server, path, { method: "POST", body: JSON.stringify(body) })).json();
    await post("/api/v1/users", { name: "alice", role: "downloader", password: PASSWORD });
    const made = (await post("/api/v1/tokens", { user: "alice" })) as { readonly token: string };
    const passkey = "0123456789abcdef0123456789abcdef01234567";
    const secrets = [token, made.token, passkey, ENVIRONMENT_TOKEN];
    const announce = `http://127.0.0.1/announce/${passkey}?x`;
    writeFileSync(join(folder, "secrets"), [token, made.token, announce].join(" "));
    return { program, secrets: [...secrets, PASSWORD] };
  }

  function assertSilent(text: string, secrets: readonly string[]): void {
    for (const secret of secrets) assert.equal(text.includes(secret), false, secret.slice(0, 10));
  }

  for (const [signal, what] of [
    ["SIGWINCH", "an error that nobody caught"],
    ["SIGURG", "a promise that nobody awaited"],
  ] as const) {
    test(`T12 ${what} ends it with 70, says where, and has no secret in it`, async () => {
      const { program, secrets } = await start();
      program.child.kill(signal);
      assert.equal(await program.end(), 70);
      assert.match(program.stderr, /broken by .*\[redacted\]/);
      assert.match(program.stderr, /bug\.mjs:\d+/);
      assertSilent(program.stdout + program.stderr, secrets);
    });
  }

  test("T12 a report of Node's tells nothing that came by the environment or was made", async () => {
    const { program, secrets } = await start();
    const reports = join(folder, "reports");
    const limit = AbortSignal.timeout(30_000);
    program.child.kill("SIGUSR2");
    // Node says on standard error when it is written; the server itself says nothing.
    while (!program.stderr.includes("Node.js report completed") && !limit.aborted) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    await program.stop();
    const files = readdirSync(reports).map((name) => readFileSync(join(reports, name), "utf8"));
    assert.equal(files.length, 1);
    assert.match(files[0] ?? "", /"javascriptStack"/);
    assertSilent(files.join("\n") + program.stdout + program.stderr, secrets);
  });
});
