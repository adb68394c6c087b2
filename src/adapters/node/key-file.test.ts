import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { BtPublisherError } from "../../base/errors.ts";
import { readOrCreateKey } from "./key-file.ts";

function scratch(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "btpublisher-"));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

const hasCode = (code: string) => (error: unknown) =>
  error instanceof BtPublisherError && error.code === code && error.message.includes("service.key");

test("the key is made once, for its owner only, and nothing else is left behind", async (t) => {
  const directory = scratch(t);
  const path = join(directory, "service.key");

  const keys = await Promise.all([
    readOrCreateKey(path),
    readOrCreateKey(path),
    readOrCreateKey(path),
  ]);

  assert.equal(keys[0]?.length, 32);
  for (const key of keys) assert.deepEqual(key, keys[0]);
  assert.deepEqual(await readOrCreateKey(path), keys[0]);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(directory), ["service.key"]);
});

test("two keys differ", async (t) => {
  const directory = scratch(t);
  const one = await readOrCreateKey(join(directory, "one"));
  const two = await readOrCreateKey(join(directory, "two"));
  assert.notDeepEqual(one, two);
});

test("CFG-06 a key that others may read, or that is short, is refused", async (t) => {
  const path = join(scratch(t), "service.key");
  writeFileSync(path, "00".repeat(32));

  for (const mode of [0o640, 0o604]) {
    chmodSync(path, mode);
    await assert.rejects(readOrCreateKey(path), hasCode("CONFIG"));
  }
  chmodSync(path, 0o600);
  for (const text of ["", "00".repeat(31), "zz".repeat(32), "00".repeat(33)]) {
    writeFileSync(path, text);
    await assert.rejects(readOrCreateKey(path), hasCode("CONFIG"));
  }
});

test("a key that cannot be made says where", async (t) => {
  const path = join(scratch(t), "missing", "service.key");
  await assert.rejects(readOrCreateKey(path), hasCode("STORAGE_IO"));
});
