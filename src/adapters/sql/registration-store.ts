/** Registrations in the Tracker's SQLite database. */
import type { Generated, Kysely } from "kysely";
import type { InfoHash } from "../../base/units.ts";
import {
  MAX_STATES,
  type RegistrationStore,
  type StoredRegistration,
} from "../../ports/registration-store.ts";
import type { Registration } from "../../ports/tracker-control.ts";
import type { HeldState } from "../../protocol/control/participation.ts";
import { isHeldState } from "../../protocol/control/participation-messages.ts";
import { type Migration, findDatabaseFault, openDatabase } from "./database.ts";

interface Tables {
  readonly registration: {
    readonly info_hash: string;
    readonly name: string;
    readonly content_length: number;
    readonly piece_count: number;
    readonly is_private: number;
    readonly downloaded: number;
    /** JSON of a `HeldState`. */
    readonly held: string | null;
  };
  readonly state_change: {
    readonly number: Generated<number>;
    readonly info_hash: string;
    /** JSON of a `HeldState`. */
    readonly held: string;
  };
}

const createRegistration: Migration = (db) =>
  db.schema
    .createTable("registration")
    .addColumn("info_hash", "text", (column) => column.primaryKey())
    .addColumn("name", "text", (column) => column.notNull())
    .addColumn("content_length", "bigint", (column) => column.notNull())
    .addColumn("piece_count", "integer", (column) => column.notNull())
    .addColumn("is_private", "integer", (column) => column.notNull())
    .addColumn("downloaded", "bigint", (column) => column.notNull().defaultTo(0))
    .addColumn("was_served", "integer", (column) => column.notNull().defaultTo(0))
    .execute();

const addHeldState: Migration = (db) =>
  db.schema.alterTable("registration").addColumn("held", "text").execute();

const createStateChange: Migration = async (db) => {
  await db.schema
    .createTable("state_change")
    .addColumn("number", "integer", (column) => column.primaryKey().autoIncrement())
    .addColumn("info_hash", "text", (column) =>
      column.notNull().references("registration.info_hash").onDelete("cascade"),
    )
    .addColumn("held", "text", (column) => column.notNull())
    .execute();
  await db.schema
    .createIndex("state_change_of_registration")
    .on("state_change")
    .columns(["info_hash", "number"])
    .execute();
};

/** What is registered is served: whoever registers it has it. */
const dropWasServed: Migration = (db) =>
  db.schema.alterTable("registration").dropColumn("was_served").execute();

const migrations: readonly Migration[] = [
  createRegistration,
  addHeldState,
  createStateChange,
  dropWasServed,
];

/** A registration store in a database file of its own. */
export class SqlRegistrationStore implements RegistrationStore {
  readonly #db: Kysely<Tables>;

  private constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  /** Opens the Tracker's database at `path`. @throws as `openDatabase`. */
  static async open(path: string): Promise<SqlRegistrationStore> {
    return new SqlRegistrationStore(await openDatabase<Tables>(path, migrations));
  }

  /** What is wrong with the database; undefined: it answers. Never rejects. */
  findFault(): Promise<string | undefined> {
    return findDatabaseFault(this.#db);
  }

  async put(registration: Registration): Promise<void> {
    const row = {
      name: registration.name,
      content_length: registration.contentLength,
      piece_count: registration.pieceCount,
      is_private: Number(registration.isPrivate),
    };
    await this.#db
      .insertInto("registration")
      .values({ info_hash: registration.infoHash, ...row, downloaded: 0 })
      .onConflict((conflict) => conflict.column("info_hash").doUpdateSet(row))
      .execute();
  }

  async holdState(infoHash: InfoHash, held: HeldState): Promise<void> {
    const text = JSON.stringify(held);
    await this.#db.transaction().execute(async (db) => {
      const query = db.updateTable("registration").set({ held: text });
      const { numUpdatedRows } = await query.where("info_hash", "=", infoHash).executeTakeFirst();
      if (numUpdatedRows === 0n) return;
      await db.insertInto("state_change").values({ info_hash: infoHash, held: text }).execute();
      const kept = db
        .selectFrom("state_change")
        .select("number")
        .where("info_hash", "=", infoHash)
        .orderBy("number", "desc")
        .limit(MAX_STATES);
      await db
        .deleteFrom("state_change")
        .where("info_hash", "=", infoHash)
        .where("number", "not in", kept)
        .execute();
    });
  }

  async states(infoHash: InfoHash): Promise<readonly HeldState[]> {
    const query = this.#db.selectFrom("state_change").select("held");
    const rows = await query.where("info_hash", "=", infoHash).orderBy("number").execute();
    return rows.flatMap((row) => heldOf(row.held) ?? []);
  }

  async addDownloaded(infoHash: InfoHash, count: number): Promise<void> {
    await this.#db
      .updateTable("registration")
      .set((column) => ({ downloaded: column("downloaded", "+", count) }))
      .where("info_hash", "=", infoHash)
      .execute();
  }

  async remove(infoHash: InfoHash): Promise<void> {
    await this.#db.deleteFrom("registration").where("info_hash", "=", infoHash).execute();
  }

  async all(): Promise<readonly StoredRegistration[]> {
    const rows = await this.#db.selectFrom("registration").selectAll().execute();
    return rows.map((row) => ({
      infoHash: row.info_hash as InfoHash,
      name: row.name,
      contentLength: row.content_length,
      pieceCount: row.piece_count,
      isPrivate: row.is_private !== 0,
      downloaded: row.downloaded,
      held: heldOf(row.held),
    }));
  }

  /** No call may be open or follow. */
  async close(): Promise<void> {
    await this.#db.destroy();
  }
}

/** A state that cannot be read is as good as none: evidence decides anew. */
function heldOf(text: string | null): HeldState | undefined {
  if (text === null) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isHeldState(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
