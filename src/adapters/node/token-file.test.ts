import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { BtPublisherError } from "../../base/errors.ts";
import { openPublishToken } from "./token-file.ts";

function tokenPath(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "btpublisher-"));
  t.after(() => rmSync(directory, { recursive: true }));
  return join(directory, "publish.token");
}

const isConfigError = (error: unknown) =>
  error instanceof BtPublisherError && error.code === "CONFIG";

test("makes a token of 32 random bytes that only its owner may read, once", async (t) => {
  const path = tokenPath(t);
  const token = await openPublishToken(path);
  const text = readFileSync(path, "utf8").trim();

  assert.match(text, /^btp_[\w-]{43}$/);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(token.path, path);
  assert.ok(token.isValid(text));
  for (const wrong of ["", `${text} `, text.slice(0, -1), "x".repeat(100_000)]) {
    assert.ok(!token.isValid(wrong));
  }

  assert.ok((await openPublishToken(path)).isValid(text));
  assert.ok(!readFileSync(`${path}.sha256`, "utf8").includes(text));
});

test("stays valid when its file is moved away, and is replaced when both files are", async (t) => {
  const path = tokenPath(t);
  await openPublishToken(path);
  const text = readFileSync(path, "utf8").trim();

  rmSync(path);
  const moved = await openPublishToken(path);
  assert.equal(moved.path, undefined);
  assert.ok(moved.isValid(text));

  rmSync(`${path}.sha256`);
  assert.ok(!(await openPublishToken(path)).isValid(text));
});

test("another secret in the file replaces the token", async (t) => {
  const path = tokenPath(t);
  await openPublishToken(path);
  const secret = "s".repeat(40);
  writeFileSync(path, `${secret}\n`);

  await openPublishToken(path);
  rmSync(path);

  assert.ok((await openPublishToken(path)).isValid(secret));
});

test("CFG-06 a token that others can read, or that is short, is refused", async (t) => {
  const path = tokenPath(t);
  await openPublishToken(path);
  chmodSync(path, 0o644);
  await assert.rejects(openPublishToken(path), isConfigError);

  chmodSync(path, 0o600);
  writeFileSync(path, "changeme");
  await assert.rejects(openPublishToken(path), isConfigError);

  rmSync(path);
  writeFileSync(`${path}.sha256`, "changeme");
  await assert.rejects(openPublishToken(path), isConfigError);
});
