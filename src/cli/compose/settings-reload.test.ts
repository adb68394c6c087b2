/** Settings that are read again under a running server. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { resolveServerSettings } from "../config.ts";
import { type ReloadEvent, SettingsReload } from "./settings-reload.ts";

async function setUp(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), "btp-reload-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const config = join(folder, "server.toml");
  const write = (text: string) => writeFileSync(config, text);
  const read = () => resolveServerSettings({ config, host: "::1" }, { data: "d", httpPort: 8080 });
  write('max-upload = "1M"\n');
  const events: ReloadEvent[] = [];
  const reload = new SettingsReload(await read(), read, (event) => events.push(event));
  const limits: (number | undefined)[] = [];
  reload.add(({ maxUpload }) => void limits.push(maxUpload));
  return { config, write, events, reload, limits };
}

test("what can be taken over is, and what needs a restart is named, as often as asked", async (t) => {
  const { write, events, reload, limits } = await setUp(t);
  write('max-upload = "2M"\n');
  await reload.run();
  assert.deepEqual(limits, [2_000_000]);
  assert.deepEqual(events, [{ type: "settings-reloaded", needRestart: [] }]);

  write('http-port = 8081\nworkers = 2\nhost = "::2"\n');
  await Promise.all([reload.run(), reload.run()]);
  assert.deepEqual(limits, [2_000_000, undefined, undefined]);
  const needRestart = ["http-port", "workers"];
  const message = "restart the server for http-port, workers";
  const told = { type: "settings-reloaded", needRestart, message };
  assert.deepEqual(events.slice(1), [told, told]);
});

test("CFG-10 a file that cannot be used changes nothing, and is told with its place", async (t) => {
  const { config, write, events, reload, limits } = await setUp(t);
  for (const bad of ["max-upload = \n", 'max-uplaod = "1M"\n', "workers = 0\n"]) {
    write(bad);
    await reload.run();
  }
  rmSync(config);
  await reload.run();

  assert.deepEqual(limits, []);
  const messages = events.map((event) => `${event.type} ${event.message}`);
  assert.equal(messages.length, 4);
  for (const message of messages) {
    assert.match(message, /^settings-failed .*server\.toml.*; the settings that were read before/s);
  }
  assert.match(String(messages[1]), /did you mean "max-upload"/);
});
