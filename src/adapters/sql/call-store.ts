/** Requests with an `Idempotency-Key` in the Announcer's SQL database. */
import type { Kysely } from "kysely";
import type { UnixMillis } from "../../base/units.ts";
import type { CallStore, KeptCall } from "../../ports/call-store.ts";
import type { CatalogueTables } from "./catalogue-schema.ts";

/** The SQL adapter of the port. Its owner closes the database. */
export class SqlCallStore implements CallStore {
  readonly #db: Kysely<CatalogueTables>;

  constructor(db: Kysely<CatalogueTables>) {
    this.#db = db;
  }

  async find(id: string): Promise<KeptCall | undefined> {
    const query = this.#db.selectFrom("call").selectAll().where("id", "=", id);
    const row = await query.executeTakeFirst();
    if (row === undefined) return undefined;
    const { digest, started_at: startedAt, answer } = row;
    return { id, digest, startedAt, answer: answer ?? undefined };
  }

  async begin({ id, digest, startedAt }: Omit<KeptCall, "answer">): Promise<void> {
    const row = { digest, started_at: startedAt, answer: null };
    await this.#db
      .insertInto("call")
      .values({ id, ...row })
      .onConflict((conflict) => conflict.column("id").doUpdateSet(row))
      .execute();
  }

  async complete(id: string, answer: Uint8Array): Promise<void> {
    await this.#db.updateTable("call").set({ answer }).where("id", "=", id).execute();
  }

  async remove(id: string): Promise<void> {
    await this.#db.deleteFrom("call").where("id", "=", id).execute();
  }

  async prune({
    before,
    most,
  }: {
    readonly before: UnixMillis;
    readonly most: number;
  }): Promise<void> {
    await this.#db.deleteFrom("call").where("started_at", "<", before).execute();
    const newest = this.#db.selectFrom("call").select("id").orderBy("started_at", "desc");
    await this.#db.deleteFrom("call").where("id", "not in", newest.limit(most)).execute();
  }
}
