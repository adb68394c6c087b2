/** Lists of more than one page, from the real server to what the commands print. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { runCommand } from "../support/command-line.ts";
import { startLoopbackServer } from "../support/loopback-server.ts";

/** One more than a page has. */
const COUNT = 101;

test("user ls, token ls and grant ls show everything, however many pages that is", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "btp-lists-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const server = await startLoopbackServer(folder);
  t.after(() => server.program.stop());
  const make = async (list: string, body: object): Promise<void> => {
    const headers = {
      authorization: `Bearer ${server.token}`,
      "content-type": "application/json",
    };
    const init = { method: "POST", headers, body: JSON.stringify(body) };
    const answer = await fetch(`${server.url}/api/v1/${list}`, init);
    assert.equal(answer.status, 201, await answer.text());
  };
  for (let i = 0; i < COUNT; i++) {
    await make("users", { name: `user-${i}`, role: "downloader" });
    await make("tokens", { user: "user-0" });
    await make("grants", { user: "user-0", catalogue: "private" });
  }
  const place = ["--server", server.url, "--token", server.token, "--json"];
  for (const args of [
    ["user", "ls"],
    ["token", "ls"],
    ["token", "ls", "--user", "user-0"],
    ["grant", "ls"],
    ["grant", "ls", "user-0"],
  ]) {
    const ended = await runCommand(folder, ...args, ...place);
    assert.equal(ended.code, 0, ended.stderr);
    const items = ended.stdout.trimEnd().split("\n");
    assert.equal(items.length, COUNT, args.join(" "));
    assert.equal(new Set(items).size, COUNT, args.join(" "));
  }
});
