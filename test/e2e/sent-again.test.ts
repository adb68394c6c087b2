/** A request that makes something, sent again to a server that was killed after it had answered. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { authorized, killAndRestart, startLoopbackServer } from "../support/loopback-server.ts";

test("API-16 T12 a token whose answer was lost is told again after kill -9, and is in no file", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "btp-again-"));
  let server = await startLoopbackServer(folder);
  t.after(async () => {
    await server.program.stop();
    rmSync(folder, { recursive: true });
  });
  const post = async (path: string, body: object) => {
    const headers = {
      authorization: `Bearer ${server.token}`,
      "content-type": "application/json",
      "idempotency-key": "8e03978e-40d5-43dd-bc93-6894a57f9324",
    };
    const init = { method: "POST", body: JSON.stringify(body), headers };
    const response = await fetch(new URL(path, server.url), init);
    return { status: response.status, text: await response.text() };
  };
  await post("/api/v1/users", { name: "alice", role: "downloader" });
  const first = await post("/api/v1/tokens", { user: "alice" });
  assert.equal(first.status, 201);
  server = await killAndRestart(folder, server);
  assert.deepEqual(await post("/api/v1/tokens", { user: "alice" }), first);

  const list = await authorized(server, "/api/v1/tokens?user=alice");
  assert.equal(((await list.json()) as { readonly tokens: readonly object[] }).tokens.length, 1);
  const { token } = JSON.parse(first.text) as { readonly token: string };
  // Behind the id, which is no secret; it may have underscores of its own.
  const secret = /^btpt_[0-9a-f]+_(.{43})$/.exec(token)?.[1] ?? assert.fail("another form");
  for (const file of readdirSync(join(folder, "data"), { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue;
    const path = join(file.parentPath, file.name);
    assert.equal(readFileSync(path).includes(secret), false, path);
  }
});
