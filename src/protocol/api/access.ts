/** What the API tells of accounts, tokens, grants and the audit log, as JSON: docs/api.md. */
import type { ApiCatalogue } from "./values.ts";

/** What an account may at most. */
export type ApiRole = "downloader" | "publisher" | "maintainer";

/** What a token may be used for. */
export type ApiScope = "download" | "publish" | "read:stats" | "admin";

/** Who is logged in, or whose token it is. */
export interface ApiAccount {
  readonly name: string;
  readonly role: ApiRole;
  readonly scopes: readonly ApiScope[];
  readonly session?: { readonly idleEndsAt: string; readonly endsAt: string };
}

/** A part of a list. */
export interface ApiPage {
  /** Path of the next page; absent on the last one. */
  readonly next?: string;
}

/** An account, as maintainers see it. */
export interface ApiUser {
  readonly name: string;
  readonly role: ApiRole;
  readonly isDisabled: boolean;
  readonly hasPassword: boolean;
  readonly createdAt: string;
}

/** A token, without its text. */
export interface ApiToken {
  readonly id: string;
  readonly user?: string;
  readonly scopes: readonly ApiScope[];
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly lastUsedAt?: string;
  readonly revokedAt?: string;
}

/** A token that was just made, with its text, which is told this once. */
export interface ApiMadeToken extends ApiToken {
  readonly token: string;
}

/** A right of one account beyond its role's: about a publication or a catalogue. */
export interface ApiGrant {
  readonly id: string;
  readonly user?: string;
  readonly right: "download" | "publish";
  readonly publication?: string;
  readonly catalogue?: ApiCatalogue;
  readonly createdAt: string;
  readonly expiresAt?: string;
}

/** A line of the audit log. */
export interface ApiAuditEntry {
  readonly number: number;
  readonly at: string;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly outcome: "done" | "denied" | "failed";
  readonly address: string;
}

/** `GET /api/v1/users` */
export interface ApiUserPage extends ApiPage {
  readonly users: readonly ApiUser[];
}

/** `GET /api/v1/tokens` */
export interface ApiTokenPage extends ApiPage {
  readonly tokens: readonly ApiToken[];
}

/** `GET /api/v1/grants` */
export interface ApiGrantPage extends ApiPage {
  readonly grants: readonly ApiGrant[];
}

/** `GET /api/v1/audit` */
export interface ApiAuditPage extends ApiPage {
  readonly entries: readonly ApiAuditEntry[];
  /** Number of the first entry that is not what was written. */
  readonly brokenAt?: number;
}
