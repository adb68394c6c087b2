import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { InfoHash } from "../../base/units.ts";
import { SqlAccessStore } from "./access-store.ts";

const user = {
  id: "0011223344556677",
  name: "dora",
  role: "downloader",
  passwordHash: undefined,
  createdAt: 1,
  isDisabled: false,
} as const;
const token = {
  id: "aa",
  userId: user.id,
  digest: "d",
  scopes: ["download", "read:stats"],
  createdAt: 2,
  expiresAt: 3,
  lastUsedAt: undefined,
  revokedAt: undefined,
} as const;
const grant = {
  id: "bb",
  userId: user.id,
  right: "download",
  target: { type: "publication", name: "x'; DROP TABLE user; --" },
  createdAt: 4,
  expiresAt: undefined,
} as const;
const passkey = {
  digest: "ee",
  userId: user.id,
  infoHash: "ab".repeat(20) as InfoHash,
  generation: 1,
  createdAt: 5,
  validUntil: undefined,
};

test("what was written is there after a restart; what belongs to a user goes with it", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "btp-access-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "access.sqlite");
  const before = await SqlAccessStore.open(path);
  await before.addUser(user);
  await before.addToken(token);
  await before.addGrant(grant);
  await before.putPasskey(passkey);
  await before.putPasskey({ ...passkey, validUntil: 9 });
  await before.close();

  const after = await SqlAccessStore.open(path);
  t.after(() => after.close());
  assert.deepEqual(await after.userByName("dora"), user);
  assert.deepEqual(await after.tokenById("aa"), token);
  assert.deepEqual(await after.grants(user.id), [grant]);
  const { infoHash } = passkey;
  assert.deepEqual(await after.passkeys({ infoHash }), [{ ...passkey, validUntil: 9 }]);
  await assert.rejects(after.addUser({ ...user, id: "other" }), { code: "CONFLICT" });

  await after.removeUser(user.id);
  assert.deepEqual(await after.tokens(), []);
  assert.deepEqual(await after.grants(), []);
  assert.deepEqual(await after.passkeys({}), []);
});

test("the audit log takes entries, and nothing else", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "btp-access-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "access.sqlite");
  const store = await SqlAccessStore.open(path);
  const entry = {
    number: 1,
    at: 1,
    actor: "server",
    action: "x",
    subject: "",
    outcome: "done",
    address: "",
    hash: "h",
  } as const;
  await store.appendAudit(entry);
  await store.close();

  const database = new DatabaseSync(path);
  t.after(() => database.close());
  assert.throws(() => database.exec("UPDATE audit SET actor = 'x'"), /append-only/);
  assert.throws(() => database.exec("DELETE FROM audit"), /append-only/);
});
