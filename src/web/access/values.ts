/** What the API tells of accounts, tokens, grants and the audit log, and its addresses. */
import type { PublicationView, Role, Scope } from "../api.ts";
import type { ApiPage } from "../parts/paged-list.tsx";

/** An account. */
export interface User {
  readonly name: string;
  readonly role: Role;
  readonly isDisabled: boolean;
  readonly hasPassword: boolean;
  readonly createdAt: string;
}

/** A token, without its text. */
export interface Token {
  readonly id: string;
  readonly user?: string;
  readonly scopes: readonly Scope[];
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly lastUsedAt?: string;
  readonly revokedAt?: string;
}

/** A right of one account beyond its role's: about a publication or a catalogue. */
export interface Grant {
  readonly id: string;
  readonly user?: string;
  readonly right: "download" | "publish";
  readonly publication?: string;
  readonly catalogue?: PublicationView["catalogue"];
  readonly createdAt: string;
  readonly expiresAt?: string;
}

/** A line of the audit log. */
export interface AuditEntry {
  readonly number: number;
  readonly at: string;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly outcome: "done" | "denied" | "failed";
  readonly address: string;
}

/** `GET /api/v1/users` */
export interface UserPage extends ApiPage {
  readonly users: readonly User[];
}

/** `GET /api/v1/tokens` */
export interface TokenPage extends ApiPage {
  readonly tokens: readonly Token[];
}

/** `GET /api/v1/grants` */
export interface GrantPage extends ApiPage {
  readonly grants: readonly Grant[];
}

/** `GET /api/v1/audit` */
export interface AuditPage extends ApiPage {
  readonly entries: readonly AuditEntry[];
  /** Number of the first entry that is not what was written. */
  readonly brokenAt?: number;
}

/** The address of one account in the API. */
export function userPath(name: string, rest = ""): string {
  return `/api/v1/users/${encodeURIComponent(name)}${rest}`;
}

/** The page of one account. */
export function accountPage(name: string): string {
  return `/admin/access/accounts/${encodeURIComponent(name)}`;
}

/** `path`, about one account only if `user` is given. */
export function ofUser(path: string, user: string | undefined): string {
  return user === undefined ? path : `${path}?user=${encodeURIComponent(user)}`;
}
