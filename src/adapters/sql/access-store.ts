/** Accounts, tokens, sessions, grants, passkeys and the audit log in an SQL database. */
import type { Kysely, Selectable } from "kysely";
import { BtPublisherError } from "../../base/errors.ts";
import type { InfoHash, UnixMillis } from "../../base/units.ts";
import type {
  AccessStore,
  ApiToken,
  AuditEntry,
  Grant,
  KeyFilter,
  Passkey,
  Scope,
  Session,
  UserAccount,
} from "../../ports/access-store.ts";
import {
  type AccessTables,
  accessMigrations,
  type ApiTokenTable,
  type GrantTable,
  type PasskeyTable,
  type SessionTable,
  type UserTable,
} from "./access-schema.ts";
import { findDatabaseFault, openDatabase } from "./database.ts";

/** The SQL adapter of the access store, in a database of its own. */
export class SqlAccessStore implements AccessStore {
  readonly #db: Kysely<AccessTables>;

  private constructor(db: Kysely<AccessTables>) {
    this.#db = db;
  }

  /** Opens the database at `path`. @throws as `openDatabase`. */
  static async open(path: string): Promise<SqlAccessStore> {
    return new SqlAccessStore(await openDatabase<AccessTables>(path, accessMigrations));
  }

  /** What is wrong with the database; undefined: it answers. Never rejects. */
  findFault(): Promise<string | undefined> {
    return findDatabaseFault(this.#db);
  }

  async addUser(user: UserAccount): Promise<void> {
    const result = await this.#db
      .insertInto("user")
      .values(userRow(user))
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirst();
    if (result.numInsertedOrUpdatedRows === 1n) return;
    const message = `there is a user named ${user.name} already`;
    throw new BtPublisherError("CONFLICT", message, { detail: { name: user.name } });
  }

  async updateUser(user: UserAccount): Promise<void> {
    const { id, ...row } = userRow(user);
    await this.#db.updateTable("user").set(row).where("id", "=", id).execute();
  }

  userById(id: string): Promise<UserAccount | undefined> {
    return this.#user("id", id);
  }

  userByName(name: string): Promise<UserAccount | undefined> {
    return this.#user("name", name);
  }

  async users(): Promise<readonly UserAccount[]> {
    const rows = await this.#db.selectFrom("user").selectAll().orderBy("name").execute();
    return rows.map(userOf);
  }

  async removeUser(id: string): Promise<void> {
    await this.#db.deleteFrom("user").where("id", "=", id).execute();
  }

  async addToken(token: ApiToken): Promise<void> {
    await this.#db.insertInto("api_token").values(tokenRow(token)).execute();
  }

  async tokenById(id: string): Promise<ApiToken | undefined> {
    const query = this.#db.selectFrom("api_token").selectAll().where("id", "=", id);
    const row = await query.executeTakeFirst();
    return row && tokenOf(row);
  }

  async tokens(userId?: string): Promise<readonly ApiToken[]> {
    let query = this.#db.selectFrom("api_token").selectAll();
    if (userId !== undefined) query = query.where("user_id", "=", userId);
    return (await query.orderBy("created_at").orderBy("id").execute()).map(tokenOf);
  }

  async touchToken(id: string, lastUsedAt: UnixMillis): Promise<void> {
    const query = this.#db.updateTable("api_token").set({ last_used_at: lastUsedAt });
    await query.where("id", "=", id).execute();
  }

  async revokeToken(id: string, revokedAt: UnixMillis): Promise<void> {
    const query = this.#db.updateTable("api_token").set({ revoked_at: revokedAt });
    await query.where("id", "=", id).execute();
  }

  async addSession(session: Session): Promise<void> {
    await this.#db.insertInto("session").values(sessionRow(session)).execute();
  }

  async session(digest: string): Promise<Session | undefined> {
    const query = this.#db.selectFrom("session").selectAll().where("digest", "=", digest);
    const row = await query.executeTakeFirst();
    return row && sessionOf(row);
  }

  async sessions(userId: string): Promise<readonly Session[]> {
    const query = this.#db.selectFrom("session").selectAll().where("user_id", "=", userId);
    return (await query.orderBy("created_at").orderBy("digest").execute()).map(sessionOf);
  }

  async touchSession(digest: string, lastSeenAt: UnixMillis): Promise<void> {
    const query = this.#db.updateTable("session").set({ last_seen_at: lastSeenAt });
    await query.where("digest", "=", digest).execute();
  }

  async removeSession(digest: string): Promise<void> {
    await this.#db.deleteFrom("session").where("digest", "=", digest).execute();
  }

  async removeSessionsBefore(before: {
    readonly createdAt: UnixMillis;
    readonly lastSeenAt: UnixMillis;
  }): Promise<void> {
    await this.#db
      .deleteFrom("session")
      .where((is) =>
        is.or([
          is("created_at", "<", before.createdAt),
          is("last_seen_at", "<", before.lastSeenAt),
        ]),
      )
      .execute();
  }

  async addGrant(grant: Grant): Promise<void> {
    await this.#db.insertInto("grant").values(grantRow(grant)).execute();
  }

  async grants(userId?: string): Promise<readonly Grant[]> {
    let query = this.#db.selectFrom("grant").selectAll();
    if (userId !== undefined) query = query.where("user_id", "=", userId);
    return (await query.orderBy("created_at").orderBy("id").execute()).map(grantOf);
  }

  async removeGrant(id: string): Promise<void> {
    await this.#db.deleteFrom("grant").where("id", "=", id).execute();
  }

  async putPasskey(passkey: Passkey): Promise<void> {
    const row = passkeyRow(passkey);
    await this.#db
      .insertInto("passkey")
      .values(row)
      .onConflict((conflict) => conflict.column("digest").doUpdateSet(row))
      .execute();
  }

  async passkeys({ userId, infoHash }: KeyFilter): Promise<readonly Passkey[]> {
    let query = this.#db.selectFrom("passkey").selectAll();
    if (userId !== undefined) query = query.where("user_id", "=", userId);
    if (infoHash !== undefined) query = query.where("info_hash", "=", infoHash);
    return (await query.orderBy("created_at").orderBy("generation").execute()).map(passkeyOf);
  }

  async appendAudit({ number, ...entry }: AuditEntry): Promise<void> {
    await this.#db
      .insertInto("audit")
      .values({ number, ...entry })
      .execute();
  }

  audit(page: {
    readonly limit: number;
    readonly before?: number | undefined;
  }): Promise<readonly AuditEntry[]> {
    return this.#db
      .selectFrom("audit")
      .selectAll()
      .where("number", "<", page.before ?? Number.MAX_SAFE_INTEGER)
      .orderBy("number", "desc")
      .limit(page.limit)
      .execute();
  }

  /** No call may be open or follow. */
  async close(): Promise<void> {
    await this.#db.destroy();
  }

  async #user(column: "id" | "name", value: string): Promise<UserAccount | undefined> {
    const query = this.#db.selectFrom("user").selectAll().where(column, "=", value);
    const row = await query.executeTakeFirst();
    return row && userOf(row);
  }
}

function userRow(user: UserAccount): UserTable {
  return {
    id: user.id,
    name: user.name,
    role: user.role,
    password_hash: user.passwordHash ?? null,
    created_at: user.createdAt,
    is_disabled: Number(user.isDisabled),
  };
}

function userOf(row: Selectable<UserTable>): UserAccount {
  return {
    id: row.id,
    name: row.name,
    role: row.role,
    passwordHash: row.password_hash ?? undefined,
    createdAt: row.created_at,
    isDisabled: row.is_disabled !== 0,
  };
}

function tokenRow(token: ApiToken): ApiTokenTable {
  return {
    id: token.id,
    user_id: token.userId,
    digest: token.digest,
    scopes: token.scopes.join(" "),
    created_at: token.createdAt,
    expires_at: token.expiresAt,
    last_used_at: token.lastUsedAt ?? null,
    revoked_at: token.revokedAt ?? null,
  };
}

function tokenOf(row: Selectable<ApiTokenTable>): ApiToken {
  return {
    id: row.id,
    userId: row.user_id,
    digest: row.digest,
    scopes: row.scopes.split(" ").filter((scope) => scope !== "") as Scope[],
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    lastUsedAt: row.last_used_at ?? undefined,
    revokedAt: row.revoked_at ?? undefined,
  };
}

function sessionRow({ digest, userId, createdAt, lastSeenAt }: Session): SessionTable {
  return { digest, user_id: userId, created_at: createdAt, last_seen_at: lastSeenAt };
}

function sessionOf(row: Selectable<SessionTable>): Session {
  const { digest, user_id: userId, created_at: createdAt, last_seen_at: lastSeenAt } = row;
  return { digest, userId, createdAt, lastSeenAt };
}

function grantRow({ target, ...grant }: Grant): GrantTable {
  return {
    id: grant.id,
    user_id: grant.userId,
    right: grant.right,
    publication: target.type === "publication" ? target.name : null,
    catalogue: target.type === "catalogue" ? target.catalogue : null,
    created_at: grant.createdAt,
    expires_at: grant.expiresAt ?? null,
  };
}

function grantOf(row: Selectable<GrantTable>): Grant {
  const target =
    row.catalogue === null
      ? ({ type: "publication", name: row.publication ?? "" } as const)
      : ({ type: "catalogue", catalogue: row.catalogue } as const);
  return {
    id: row.id,
    userId: row.user_id,
    right: row.right,
    target,
    createdAt: row.created_at,
    expiresAt: row.expires_at ?? undefined,
  };
}

function passkeyRow(passkey: Passkey): PasskeyTable {
  return {
    digest: passkey.digest,
    user_id: passkey.userId,
    info_hash: passkey.infoHash,
    generation: passkey.generation,
    created_at: passkey.createdAt,
    valid_until: passkey.validUntil ?? null,
  };
}

function passkeyOf(row: Selectable<PasskeyTable>): Passkey {
  return {
    digest: row.digest,
    userId: row.user_id,
    infoHash: row.info_hash as InfoHash,
    generation: row.generation,
    createdAt: row.created_at,
    validUntil: row.valid_until ?? undefined,
  };
}
