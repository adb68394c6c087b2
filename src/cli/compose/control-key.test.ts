import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { readControlKey } from "./control-key.ts";

const digits = "0f".repeat(32);

test("the service key comes from the environment, else from its file", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "btpublisher-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, "control.key");
  writeFileSync(path, `${"ab".repeat(32)}\n`, { mode: 0o600 });

  const fromVariable = await readControlKey(path, { BTPUBLISHER_CONTROL_KEY: `${digits}\n` });
  assert.deepEqual([...fromVariable], Array(32).fill(0x0f));
  assert.deepEqual([...(await readControlKey(path, {}))], Array(32).fill(0xab));
});

test("CFG-09 a key in the environment that is none is refused, and named", async () => {
  for (const text of ["", "changeme", digits.slice(2), `${digits}00`]) {
    await assert.rejects(readControlKey(undefined, { BTPUBLISHER_CONTROL_KEY: text }), {
      code: "CONFIG",
      message: /BTPUBLISHER_CONTROL_KEY/,
    });
  }
});

test("no key, or no file at its path, is refused and nothing is made", async () => {
  for (const path of [undefined, "/nonexistent/control.key"]) {
    await assert.rejects(readControlKey(path, {}), { code: "CONFIG" });
  }
});
