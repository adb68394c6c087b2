/** Tables of the access database. What belongs to a user goes with it; the audit log never goes. */
import { type Kysely, sql } from "kysely";
import type { AuditEntry, Grant, UserRole } from "../../ports/access-store.ts";
import type { CatalogueName } from "../../ports/catalogue.ts";
import type { Migration } from "./database.ts";

/** Times are Unix milliseconds, everywhere. */
export interface UserTable {
  readonly id: string;
  readonly name: string;
  readonly role: UserRole;
  readonly password_hash: string | null;
  readonly created_at: number;
  readonly is_disabled: number;
}

/** Tokens of the API. */
export interface ApiTokenTable {
  readonly id: string;
  readonly user_id: string;
  readonly digest: string;
  /** Joined by spaces. */
  readonly scopes: string;
  readonly created_at: number;
  readonly expires_at: number;
  readonly last_used_at: number | null;
  readonly revoked_at: number | null;
}

/** Either `publication` or `catalogue` is set. */
export interface GrantTable {
  readonly id: string;
  readonly user_id: string;
  readonly right: Grant["right"];
  readonly publication: string | null;
  readonly catalogue: CatalogueName | null;
  readonly created_at: number;
  readonly expires_at: number | null;
}

/** Passkeys, by digest. */
export interface PasskeyTable {
  readonly digest: string;
  readonly user_id: string;
  readonly info_hash: string;
  readonly generation: number;
  readonly created_at: number;
  readonly valid_until: number | null;
}

/** Browsers' sessions, by digest. */
export interface SessionTable {
  readonly digest: string;
  readonly user_id: string;
  readonly created_at: number;
  readonly last_seen_at: number;
}

/** The access database. */
export interface AccessTables {
  readonly user: UserTable;
  readonly api_token: ApiTokenTable;
  readonly grant: GrantTable;
  readonly passkey: PasskeyTable;
  readonly session: SessionTable;
  readonly audit: AuditEntry;
}

const createAccounts: Migration = async (db: Kysely<unknown>) => {
  await db.schema
    .createTable("user")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("name", "text", (column) => column.notNull().unique())
    .addColumn("role", "text", (column) => column.notNull())
    .addColumn("password_hash", "text")
    .addColumn("created_at", "bigint", (column) => column.notNull())
    .addColumn("is_disabled", "integer", (column) => column.notNull())
    .execute();
  await db.schema
    .createTable("api_token")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("user_id", "text", (column) =>
      column.notNull().references("user.id").onDelete("cascade"),
    )
    .addColumn("digest", "text", (column) => column.notNull())
    .addColumn("scopes", "text", (column) => column.notNull())
    .addColumn("created_at", "bigint", (column) => column.notNull())
    .addColumn("expires_at", "bigint", (column) => column.notNull())
    .addColumn("last_used_at", "bigint")
    .addColumn("revoked_at", "bigint")
    .execute();
  await db.schema
    .createTable("grant")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("user_id", "text", (column) =>
      column.notNull().references("user.id").onDelete("cascade"),
    )
    .addColumn("right", "text", (column) => column.notNull())
    .addColumn("publication", "text")
    .addColumn("catalogue", "text")
    .addColumn("created_at", "bigint", (column) => column.notNull())
    .addColumn("expires_at", "bigint")
    .execute();
};

const createPasskeys: Migration = async (db: Kysely<unknown>) => {
  await db.schema
    .createTable("passkey")
    .addColumn("digest", "text", (column) => column.primaryKey())
    .addColumn("user_id", "text", (column) =>
      column.notNull().references("user.id").onDelete("cascade"),
    )
    .addColumn("info_hash", "text", (column) => column.notNull())
    .addColumn("generation", "integer", (column) => column.notNull())
    .addColumn("created_at", "bigint", (column) => column.notNull())
    .addColumn("valid_until", "bigint")
    .execute();
  await db.schema
    .createIndex("passkey_of_user")
    .on("passkey")
    .columns(["user_id", "info_hash"])
    .execute();
};

const createAudit: Migration = async (db: Kysely<unknown>) => {
  await db.schema
    .createTable("audit")
    .addColumn("number", "integer", (column) => column.primaryKey())
    .addColumn("at", "bigint", (column) => column.notNull())
    .addColumn("actor", "text", (column) => column.notNull())
    .addColumn("action", "text", (column) => column.notNull())
    .addColumn("subject", "text", (column) => column.notNull())
    .addColumn("outcome", "text", (column) => column.notNull())
    .addColumn("address", "text", (column) => column.notNull())
    .addColumn("hash", "text", (column) => column.notNull())
    .execute();
  for (const change of ["update", "delete"]) {
    await sql
      .raw(
        `CREATE TRIGGER audit_no_${change} BEFORE ${change.toUpperCase()} ON audit ` +
          `BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END`,
      )
      .execute(db);
  }
};

const createSessions: Migration = (db: Kysely<unknown>) =>
  db.schema
    .createTable("session")
    .addColumn("digest", "text", (column) => column.primaryKey())
    .addColumn("user_id", "text", (column) =>
      column.notNull().references("user.id").onDelete("cascade"),
    )
    .addColumn("created_at", "bigint", (column) => column.notNull())
    .addColumn("last_seen_at", "bigint", (column) => column.notNull())
    .execute();

/** Give these to `openDatabase`. */
export const accessMigrations: readonly Migration[] = [
  createAccounts,
  createPasskeys,
  createAudit,
  createSessions,
];
