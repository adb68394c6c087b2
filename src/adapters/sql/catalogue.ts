/** The catalogue in an SQL database; what `create` and `update` acknowledged survives a crash. */
import { type Kysely, type RawBuilder, sql, type SqlBool } from "kysely";
import { BtPublisherError } from "../../base/errors.ts";
import type { InfoHash } from "../../base/units.ts";
import {
  type Catalogue,
  type CataloguePage,
  type Publication,
  type PublicationAccess,
  type PublicationContent,
  type PublicationPolicy,
  type PublicationSummary,
  type PublishedFile,
  publicAccess,
  summaryOf,
} from "../../ports/catalogue.ts";
import type { CatalogueTables, PublicationTable } from "./catalogue-schema.ts";

type ContentSummary = NonNullable<PublicationSummary["content"]>;

/** The SQL adapter of the catalogue port. Its owner closes the database. */
export class SqlCatalogue implements Catalogue {
  readonly #db: Kysely<CatalogueTables>;

  constructor(db: Kysely<CatalogueTables>) {
    this.#db = db;
  }

  async create(publication: Publication): Promise<void> {
    const result = await this.#db
      .insertInto("publication")
      .values(rowOf(publication))
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirst()
      .catch(translate);
    if (result.numInsertedOrUpdatedRows === 1n) return;
    const { name } = publication;
    throw new BtPublisherError(
      "CONFLICT",
      `there is a publication named ${name}, or of the same content, already`,
      { detail: { name } },
    );
  }

  async get(name: string): Promise<Publication | undefined> {
    return this.#find("name", name);
  }

  async findByInfoHash(infoHash: InfoHash): Promise<Publication | undefined> {
    return this.#find("info_hash", infoHash);
  }

  async list(page: CataloguePage = {}): Promise<readonly PublicationSummary[]> {
    const { text } = page;
    const rows = await this.#db
      .selectFrom("publication")
      .select(["name", "state", "created_at", "policy", "access", "summary"])
      .where("created_at", "<", page.before ?? Number.MAX_SAFE_INTEGER)
      .$if(text !== undefined, (query) => query.where(hasInName(text as string)))
      .orderBy("created_at", "desc")
      .limit(page.limit ?? 100)
      .execute();
    return rows.map((row) => ({
      name: row.name,
      state: row.state,
      createdAt: row.created_at,
      policy: parsePolicy(row.policy),
      access: parseAccess(row.access),
      content: row.summary === null ? undefined : (JSON.parse(row.summary) as ContentSummary),
    }));
  }

  async update(publication: Publication): Promise<void> {
    const { name, content } = publication;
    const count = await this.#db
      .transaction()
      .execute(async (transaction) => {
        if (content !== undefined) {
          const twin = await transaction
            .selectFrom("publication")
            .select("name")
            .where("info_hash", "=", content.infoHash)
            .where("name", "<>", name)
            .executeTakeFirst();
          if (twin !== undefined) throw sameContent(twin.name);
        }
        const result = await transaction
          .updateTable("publication")
          .set(rowOf(publication))
          .where("name", "=", name)
          .executeTakeFirst();
        return result.numUpdatedRows;
      })
      .catch(translate);
    if (count === 1n) return;
    throw new BtPublisherError("NOT_FOUND", `there is no publication named ${name}`);
  }

  async remove(name: string): Promise<void> {
    await this.#db.deleteFrom("publication").where("name", "=", name).execute().catch(translate);
  }

  async #find(column: "name" | "info_hash", value: string): Promise<Publication | undefined> {
    const row = await this.#db
      .selectFrom("publication")
      .selectAll()
      .where(column, "=", value)
      .executeTakeFirst();
    return row === undefined ? undefined : publicationOf(row);
  }
}

/** Literal: what has a meaning in patterns has none here. */
function hasInName(text: string): RawBuilder<SqlBool> {
  const isIn = (name: RawBuilder<unknown>) =>
    sql<SqlBool>`instr(lower(${name}), lower(${text})) > 0`;
  return sql<SqlBool>`(${isIn(sql`name`)} or ${isIn(sql`coalesce(summary ->> '$.contentName', '')`)})`;
}

function rowOf(publication: Publication): PublicationTable {
  const { name, state, createdAt, policy, access, content } = publication;
  return {
    name,
    state,
    created_at: createdAt,
    policy: JSON.stringify(policy),
    access: JSON.stringify(access),
    info_hash: content?.infoHash ?? null,
    summary: content === undefined ? null : JSON.stringify(summaryOf(publication).content),
    files: content === undefined ? null : JSON.stringify(content.files),
    info: content?.info ?? null,
    ends_with_request: publication.endsWithRequest === true ? 1 : null,
  };
}

function publicationOf(row: PublicationTable): Publication {
  const head = {
    name: row.name,
    state: row.state,
    createdAt: row.created_at,
    policy: parsePolicy(row.policy),
    access: parseAccess(row.access),
    ...(row.ends_with_request === 1 && { endsWithRequest: true }),
  };
  if (row.summary === null || row.files === null || row.info === null) {
    return { ...head, content: undefined };
  }
  const { fileCount: _fileCount, ...summary } = JSON.parse(row.summary) as ContentSummary;
  const files = JSON.parse(row.files) as readonly PublishedFile[];
  const content: PublicationContent = { ...summary, files, info: row.info };
  return { ...head, content };
}

/** JSON leaves undefined fields out; in a policy each has its place. */
function parsePolicy(json: string): PublicationPolicy {
  const policy = JSON.parse(json) as PublicationPolicy;
  return {
    policy: policy.policy,
    floor: policy.floor,
    minRateBytesPerSecond: policy.minRateBytesPerSecond,
    egressBudgetBytes: policy.egressBudgetBytes,
    onBudgetEnd: policy.onBudgetEnd,
    deadline: policy.deadline,
  };
}

function parseAccess(json: string | null): PublicationAccess {
  if (json === null) return publicAccess;
  const { catalogue, level, ownerId } = JSON.parse(json) as PublicationAccess;
  return { catalogue, level, ownerId };
}

function sameContent(name: string): BtPublisherError {
  return new BtPublisherError("CONFLICT", `the same content is published as ${name} already`, {
    detail: { name, reason: "ALREADY_PUBLISHED" },
  });
}

const SQLITE_FULL = 13;
const SQLITE_IOERR = 10;

/** A full or broken disk under the database is the operator's matter, and it may pass. */
function translate(error: unknown): never {
  const code = ((error as { errcode?: number }).errcode ?? 0) & 0xff;
  if (code === SQLITE_FULL) {
    throw new BtPublisherError("STORAGE_FULL", "the disk of the catalogue is full", {
      cause: error,
    });
  }
  if (code === SQLITE_IOERR) {
    throw new BtPublisherError("STORAGE_IO", "the catalogue cannot be written", { cause: error });
  }
  throw error;
}
