/** Tables of the Announcer's database. Lists and policies are JSON: they are never searched. */
import type { Kysely } from "kysely";
import type { Publication } from "../../ports/catalogue.ts";
import type { Migration } from "./database.ts";

/** One row for each publication. The columns from `info_hash` on are set once it is published. */
export interface PublicationTable {
  readonly name: string;
  readonly state: Publication["state"];
  /** Unix milliseconds, unique. */
  readonly created_at: number;
  /** JSON of a `PublicationPolicy`. */
  readonly policy: string;
  /** JSON of a `PublicationAccess`; null: public. */
  readonly access: string | null;
  readonly info_hash: string | null;
  /** JSON of what a `PublicationSummary` tells of the content. */
  readonly summary: string | null;
  /** JSON of the list of `PublishedFile`. */
  readonly files: string | null;
  readonly info: Uint8Array | null;
  /** 1: one request brings and publishes it. */
  readonly ends_with_request: number | null;
}

/** Requests that came with an `Idempotency-Key`. */
export interface CallTable {
  /** Keyed digest. */
  readonly id: string;
  readonly digest: string;
  /** Unix milliseconds. */
  readonly started_at: number;
  /** Sealed; null while it is being worked on. */
  readonly answer: Uint8Array | null;
}

/** The Announcer's database. */
export interface CatalogueTables {
  readonly publication: PublicationTable;
  readonly call: CallTable;
}

const createPublication: Migration = (db: Kysely<unknown>) =>
  db.schema
    .createTable("publication")
    .addColumn("name", "text", (column) => column.primaryKey())
    .addColumn("state", "text", (column) => column.notNull())
    .addColumn("created_at", "bigint", (column) => column.notNull().unique())
    .addColumn("policy", "text", (column) => column.notNull())
    .addColumn("info_hash", "text", (column) => column.unique())
    .addColumn("summary", "text")
    .addColumn("files", "text")
    .addColumn("info", "blob")
    .execute();

const addAccess: Migration = (db: Kysely<unknown>) =>
  db.schema.alterTable("publication").addColumn("access", "text").execute();

const createCall: Migration = (db: Kysely<unknown>) =>
  db.schema
    .createTable("call")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("digest", "text", (column) => column.notNull())
    .addColumn("started_at", "bigint", (column) => column.notNull())
    .addColumn("answer", "blob")
    .execute();

const addEndsWithRequest: Migration = (db: Kysely<unknown>) =>
  db.schema.alterTable("publication").addColumn("ends_with_request", "integer").execute();

/** Give these to `openDatabase`. */
export const catalogueMigrations: readonly Migration[] = [
  createPublication,
  addAccess,
  createCall,
  addEndsWithRequest,
];
