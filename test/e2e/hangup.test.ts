/** A running server that is told to read its settings again. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { startLoopbackServer } from "../support/loopback-server.ts";

test("CFG-10 SIGHUP reads the settings again, a bad file changes nothing, and the server goes on", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "btp-hangup-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const config = join(folder, "server.toml");
  writeFileSync(config, 'max-upload = "1M"\n');
  const { program, url } = await startLoopbackServer(folder, 0, "--config", config);
  t.after(() => program.stop());

  writeFileSync(config, 'max-upload = "fast"\n');
  program.child.kill("SIGHUP");
  const failed = await program.waitFor("event", "settings-failed");
  assert.match(String(failed["message"]), /server\.toml: max-upload.*stay in use/s);

  writeFileSync(config, 'max-upload = "2M"\nworkers = 2\n');
  program.child.kill("SIGHUP");
  const reloaded = await program.waitFor("event", "settings-reloaded");
  assert.deepEqual(reloaded["needRestart"], ["workers"]);
  assert.equal((await fetch(`${url}/healthz`)).status, 200);

  program.child.kill("SIGTERM");
  assert.equal(await program.end(), 0, program.stderr);
});
