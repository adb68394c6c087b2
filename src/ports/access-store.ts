/**
 * What the access model remembers: accounts, tokens, sessions, grants, passkeys and the audit log.
 * Secrets never come here: of tokens, sessions and passkeys there are digests only.
 */
import type { InfoHash, UnixMillis } from "../base/units.ts";
import type { CatalogueName } from "./catalogue.ts";

/** What an account is for. Each role may all that the one before it may. */
export type UserRole = "downloader" | "publisher" | "maintainer";

/** What a token may be used for; never more than its user's role may. */
export type Scope = "download" | "publish" | "read:stats" | "admin";

/** An account. */
export interface UserAccount {
  /** Random, hexadecimal; never used again. */
  readonly id: string;
  /** Unique lower-case slug. */
  readonly name: string;
  readonly role: UserRole;
  /** In the PHC string format; undefined: no password opens it. */
  readonly passwordHash: string | undefined;
  readonly createdAt: UnixMillis;
  /** May do nothing, until it is enabled again. */
  readonly isDisabled: boolean;
}

/** A token as it is kept. */
export interface ApiToken {
  /** Random, hexadecimal; stands in the token itself, and is no secret. */
  readonly id: string;
  readonly userId: string;
  /** Keyed digest of the whole token, hexadecimal. */
  readonly digest: string;
  readonly scopes: readonly Scope[];
  readonly createdAt: UnixMillis;
  readonly expiresAt: UnixMillis;
  /** To the minute. */
  readonly lastUsedAt: UnixMillis | undefined;
  readonly revokedAt: UnixMillis | undefined;
}

/** A browser's session as it is kept. */
export interface Session {
  /** Keyed digest of the cookie's value, hexadecimal. */
  readonly digest: string;
  readonly userId: string;
  readonly createdAt: UnixMillis;
  /** To the minute. */
  readonly lastSeenAt: UnixMillis;
}

/** What a grant is about. */
export type GrantTarget =
  | { readonly type: "publication"; readonly name: string }
  | { readonly type: "catalogue"; readonly catalogue: CatalogueName };

/** A right of one user beyond those of its role. */
export interface Grant {
  readonly id: string;
  readonly userId: string;
  /** `publish` is for publishers, and for catalogues only. */
  readonly right: "download" | "publish";
  /** A publication is meant only if it is older than the grant: names may be used again. */
  readonly target: GrantTarget;
  readonly createdAt: UnixMillis;
  /** Undefined: until it is taken back. */
  readonly expiresAt: UnixMillis | undefined;
}

/** A passkey as it is kept: one of a user, for one torrent. */
export interface Passkey {
  /** Keyed digest, hexadecimal. */
  readonly digest: string;
  readonly userId: string;
  readonly infoHash: InfoHash;
  /** Counts the keys of this user for this torrent. */
  readonly generation: number;
  readonly createdAt: UnixMillis;
  /** Set when it was replaced or revoked: it is good until then. */
  readonly validUntil: UnixMillis | undefined;
}

/** One line of the audit log. */
export interface AuditEntry {
  /** From 1 on, without gaps. */
  readonly number: number;
  readonly at: UnixMillis;
  /** Who: a user's name, `server` for the publish token, `anonymous`. */
  readonly actor: string;
  /** What: `user.add`, `publication.publish`. */
  readonly action: string;
  /** On what: a name or an id; empty when on nothing in particular. */
  readonly subject: string;
  readonly outcome: "done" | "denied" | "failed";
  /** Where from; empty when unknown. */
  readonly address: string;
  /** SHA-256 over this entry and the hash of the one before: what was changed later shows. */
  readonly hash: string;
}

/** Which of several. All that are given must match. */
export interface KeyFilter {
  readonly userId?: string | undefined;
  readonly infoHash?: InfoHash | undefined;
}

/** Durable: what resolved survives a crash. */
export interface AccessStore {
  /** @throws CONFLICT when there is a user of that name. */
  addUser(user: UserAccount): Promise<void>;
  /** Replaces the record of that id. Does nothing when there is none. */
  updateUser(user: UserAccount): Promise<void>;
  userById(id: string): Promise<UserAccount | undefined>;
  userByName(name: string): Promise<UserAccount | undefined>;
  /** By name. */
  users(): Promise<readonly UserAccount[]>;
  /** With its tokens, sessions, grants and passkeys. Idempotent. */
  removeUser(id: string): Promise<void>;

  addToken(token: ApiToken): Promise<void>;
  tokenById(id: string): Promise<ApiToken | undefined>;
  /** Oldest first. */
  tokens(userId?: string): Promise<readonly ApiToken[]>;
  touchToken(id: string, lastUsedAt: UnixMillis): Promise<void>;
  revokeToken(id: string, revokedAt: UnixMillis): Promise<void>;

  addSession(session: Session): Promise<void>;
  session(digest: string): Promise<Session | undefined>;
  /** Of one user, oldest first. */
  sessions(userId: string): Promise<readonly Session[]>;
  /** Does nothing when there is none. */
  touchSession(digest: string, lastSeenAt: UnixMillis): Promise<void>;
  /** Idempotent. */
  removeSession(digest: string): Promise<void>;
  /** Those that nobody can use any more. */
  removeSessionsBefore(before: {
    readonly createdAt: UnixMillis;
    readonly lastSeenAt: UnixMillis;
  }): Promise<void>;

  addGrant(grant: Grant): Promise<void>;
  /** Oldest first. */
  grants(userId?: string): Promise<readonly Grant[]>;
  /** Idempotent. */
  removeGrant(id: string): Promise<void>;

  /** Adds or replaces by digest. */
  putPasskey(passkey: Passkey): Promise<void>;
  /** Oldest first. */
  passkeys(filter: KeyFilter): Promise<readonly Passkey[]>;

  /** Appends; nothing is ever changed or removed. `number` is the one after the last. */
  appendAudit(entry: AuditEntry): Promise<void>;
  /** Newest first, those before `before`, at most `limit`. */
  audit(page: {
    readonly limit: number;
    readonly before?: number | undefined;
  }): Promise<readonly AuditEntry[]>;
}
