import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { sql } from "kysely";
import { BtPublisherError } from "../../base/errors.ts";
import { type Migration, openDatabase } from "./database.ts";

interface Tables {
  readonly fruit: { readonly name: string; readonly colour: string | null };
}

const createFruit: Migration = (db) =>
  db.schema.createTable("fruit").addColumn("name", "text").execute();
const addColour: Migration = (db) =>
  db.schema.alterTable("fruit").addColumn("colour", "text").execute();

function scratch(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "btpublisher-"));
  t.after(() => rmSync(directory, { recursive: true }));
  return join(directory, "role.sqlite");
}

const hasCode = (code: string) => (error: unknown) =>
  error instanceof BtPublisherError && error.code === code;

test("a new database is private, in WAL mode, fully synchronous, with foreign keys", async (t) => {
  const path = scratch(t);
  const db = await openDatabase<Tables>(path, [createFruit]);

  const pragma = async (name: string) =>
    Object.values((await sql.raw(`PRAGMA ${name}`).execute(db)).rows[0] as object)[0] as unknown;

  assert.equal(await pragma("journal_mode"), "wal");
  assert.equal(await pragma("synchronous"), 2);
  assert.equal(await pragma("foreign_keys"), 1);
  assert.equal(await pragma("user_version"), 1);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(statSync(`${path}-wal`).mode & 0o777, 0o600);
  await db.destroy();
});

test("CFG-11 an older schema is migrated once, its backup kept", async (t) => {
  const path = scratch(t);
  const old = await openDatabase<Tables>(path, [createFruit]);
  await sql`INSERT INTO fruit (name) VALUES ('plum')`.execute(old);
  await old.destroy();

  for (let start = 0; start < 2; start++) {
    const db = await openDatabase<Tables>(path, [createFruit, addColour]);
    const rows = await db.selectFrom("fruit").selectAll().execute();
    assert.deepEqual(
      rows.map((row) => ({ ...row })),
      [{ name: "plum", colour: null }],
    );
    await db.destroy();
  }

  const backup = new DatabaseSync(`${path}.v1.bak`);
  assert.deepEqual({ ...backup.prepare("SELECT * FROM fruit").get() }, { name: "plum" });
  backup.close();
});

test("CFG-11 a newer schema is refused and left alone", async (t) => {
  const path = scratch(t);
  await (await openDatabase(path, [createFruit, addColour])).destroy();

  await assert.rejects(openDatabase(path, [createFruit]), hasCode("CONFIG"));

  await (await openDatabase(path, [createFruit, addColour])).destroy();
});

test("CFG-11 a migration that fails leaves nothing of itself", async (t) => {
  const path = scratch(t);
  await (await openDatabase(path, [createFruit])).destroy();
  const failing: Migration = async (db) => {
    await addColour(db);
    throw new BtPublisherError("INTERNAL", "half way");
  };
  await assert.rejects(openDatabase(path, [createFruit, failing]), hasCode("INTERNAL"));

  const db = await openDatabase<Tables>(path, [createFruit, addColour]);
  assert.deepEqual(await db.selectFrom("fruit").selectAll().execute(), []);
  await db.destroy();
});

test("a file that is no database, and a path that cannot be opened, say so", async (t) => {
  const path = scratch(t);
  writeFileSync(
    path,
    "not a database, but long enough to have a header of one hundred bytes".repeat(3),
  );

  await assert.rejects(openDatabase(path, [createFruit]), hasCode("CONFIG"));
  await assert.rejects(openDatabase(`${path}/below.sqlite`, []), hasCode("STORAGE_IO"));
});

test("transactions of concurrent callers do not mix", async (t) => {
  const db = await openDatabase<Tables>(":memory:", [createFruit, addColour]);
  t.after(() => db.destroy());

  const add = (name: string, isGood: boolean) =>
    db.transaction().execute(async (transaction) => {
      await transaction.insertInto("fruit").values({ name, colour: null }).execute();
      if (!isGood) throw new Error("bad fruit");
    });
  const results = await Promise.allSettled([
    add("pear", true),
    add("rot", false),
    add("fig", true),
  ]);

  assert.deepEqual(
    results.map((result) => result.status),
    ["fulfilled", "rejected", "fulfilled"],
  );
  const names = await db.selectFrom("fruit").select("name").orderBy("name").execute();
  assert.deepEqual(
    names.map((row) => row.name),
    ["fig", "pear"],
  );
});
