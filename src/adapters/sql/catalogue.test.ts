import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { testCatalogue } from "../../../test/support/catalogue-contract.ts";
import { SqlCatalogue } from "./catalogue.ts";
import { type CatalogueTables, catalogueMigrations } from "./catalogue-schema.ts";
import { openDatabase } from "./database.ts";

testCatalogue("SQLite", async (t) => {
  const db = await openDatabase<CatalogueTables>(":memory:", catalogueMigrations);
  t.after(() => db.destroy());
  return new SqlCatalogue(db);
});

test("SQLite: a restart finds what was created", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "btpublisher-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, "announcer.sqlite");
  const open = () => openDatabase<CatalogueTables>(path, catalogueMigrations);

  const before = await open();
  const policy = {
    policy: "fast",
    floor: undefined,
    minRateBytesPerSecond: undefined,
    egressBudgetBytes: undefined,
    onBudgetEnd: "ignore",
    deadline: 5,
  } as const;
  const access = { catalogue: "members", level: "admitted", ownerId: "ab" } as const;
  const publication = { name: "x", state: "uploading", createdAt: 7, policy, access } as const;
  await new SqlCatalogue(before).create({ ...publication, content: undefined });
  await before.destroy();

  const after = await open();
  const found = await new SqlCatalogue(after).get("x");
  await after.destroy();
  assert.deepEqual(found, { ...publication, content: undefined });
});
