/**
 * A role's SQLite database: opened durable (WAL, every commit synced), brought to the newest
 * schema by numbered migrations, and spoken to through Kysely, so that the queries also run on
 * another engine. Each role has a file of its own; nothing else opens it.
 */
import { chmodSync, closeSync, openSync, rmSync } from "node:fs";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { type Dialect, Kysely, type SqliteStatement, SqliteDialect, sql } from "kysely";
import { BtPublisherError } from "../../base/errors.ts";

/**
 * One step of a schema. Migration number n (from 1) is the n-th of its list: append to the list,
 * never change or remove a migration that was released. It runs in a transaction of its own.
 */
export type Migration = (db: Kysely<unknown>) => Promise<void>;

/**
 * Opens the database at `path` (`:memory:` for one that lives as long as the handle), makes it
 * with mode 0600 when it is missing, and runs the migrations that it lacks. Before an existing
 * schema changes, the old database is kept beside it as `PATH.v<number>.bak`.
 * Close it with `destroy()`.
 *
 * @throws BtPublisherError CONFIG when the file is no database or of a newer version (CFG-11);
 * LOCKED when another process holds it; STORAGE_IO when it cannot be opened.
 */
export async function openDatabase<Tables>(
  path: string,
  migrations: readonly Migration[],
): Promise<Kysely<Tables>> {
  const database = openFile(path);
  try {
    refuseNewer(database, path, migrations.length);
    backUpOlder(database, path, migrations.length);
  } catch (error) {
    database.close();
    throw translate(error, path);
  }
  const db = new Kysely<Tables>({ dialect: nodeSqliteDialect(database) });
  try {
    await migrate(db as unknown as Kysely<unknown>, migrations, schemaVersion(database));
  } catch (error) {
    await db.destroy();
    throw translate(error, path);
  }
  return db;
}

/** What is wrong with an open database; undefined: it answers. Never rejects. */
export async function findDatabaseFault<Tables>(db: Kysely<Tables>): Promise<string | undefined> {
  try {
    await sql`SELECT count(*) FROM sqlite_schema`.execute(db);
    return undefined;
  } catch (error) {
    return `the database does not answer: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Kysely's SQLite dialect over an open `node:sqlite` database; `destroy()` closes it. */
export function nodeSqliteDialect(database: DatabaseSync): Dialect {
  const prepare = (text: string): SqliteStatement => {
    const statement = database.prepare(text);
    const values = (parameters: readonly unknown[]) => parameters as SQLInputValue[];
    return {
      reader: statement.columns().length > 0,
      all: (parameters) => statement.all(...values(parameters)),
      run: (parameters) => statement.run(...values(parameters)),
      iterate: (parameters) => statement.iterate(...values(parameters)),
    };
  };
  return new SqliteDialect({ database: { prepare, close: () => database.close() } });
}

function openFile(path: string): DatabaseSync {
  try {
    if (path !== ":memory:") restrictAccess(path);
    const database = new DatabaseSync(path, { timeout: 5000 });
    // A commit that was acknowledged survives a power cut: FULL, where WAL's default would not.
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON");
    return database;
  } catch (error) {
    throw translate(error, path);
  }
}

/** SQLite gives its side files the mode of the database, so the mode is set before it is made. */
function restrictAccess(path: string): void {
  closeSync(openSync(path, "a", 0o600));
  chmodSync(path, 0o600);
}

function refuseNewer(database: DatabaseSync, path: string, newest: number): void {
  const version = schemaVersion(database);
  if (version <= newest) return;
  throw new BtPublisherError(
    "CONFIG",
    `the database ${path} has version ${version}, newer than this program knows (${newest}): ` +
      "use the program version that wrote it, or a newer one",
    { detail: { path, version, newest } },
  );
}

function backUpOlder(database: DatabaseSync, path: string, newest: number): void {
  const version = schemaVersion(database);
  if (version === 0 || version === newest || path === ":memory:") return;
  const copy = `${path}.v${version}.bak`;
  rmSync(copy, { force: true });
  database.prepare("VACUUM INTO ?").run(copy);
}

async function migrate(
  db: Kysely<unknown>,
  migrations: readonly Migration[],
  version: number,
): Promise<void> {
  for (const [index, migration] of migrations.entries()) {
    if (index < version) continue;
    await db.transaction().execute(async (transaction) => {
      await migration(transaction);
      await sql.raw(`PRAGMA user_version = ${index + 1}`).execute(transaction);
    });
  }
}

/** How many migrations the database has had. */
function schemaVersion(database: DatabaseSync): number {
  return database.prepare("PRAGMA user_version").get()?.["user_version"] as number;
}

const SQLITE_BUSY = 5;
const SQLITE_NOTADB = 26;

function translate(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || error instanceof BtPublisherError) return error;
  const sqliteCode = (error as { errcode?: number }).errcode;
  const options = { detail: { path }, cause: error };
  if (sqliteCode === SQLITE_NOTADB) {
    const message = `${path} is not a database of this program: move it away or restore a backup`;
    return new BtPublisherError("CONFIG", message, options);
  }
  if (sqliteCode === SQLITE_BUSY) {
    const message = `another process uses the database ${path}: end that process first`;
    return new BtPublisherError("LOCKED", message, options);
  }
  return new BtPublisherError(
    "STORAGE_IO",
    `cannot open the database ${path}: ${error.message}`,
    options,
  );
}
