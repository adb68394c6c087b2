/** Who asks: nobody in particular, the server's owner by its publish token, or an account. */
import type { UnixMillis } from "../base/units.ts";
import type { Grant, Scope, UserAccount, UserRole } from "../ports/access-store.ts";

/** Somebody who asks for something. */
export type Principal =
  | { readonly type: "anonymous" }
  /** Holds the publish token that lies in the server's data folder. */
  | { readonly type: "owner" }
  | {
      readonly type: "user";
      readonly user: UserAccount;
      /** Of the token that was shown. */
      readonly scopes: readonly Scope[];
      readonly grants: readonly Grant[];
      /** When the token ends that was shown; undefined for a session. */
      readonly endsAt?: UnixMillis;
    };

/** Shows nothing. */
export const anonymous: Principal = { type: "anonymous" };

/** The most that tokens of a role may be used for. */
export const scopesOfRole: Readonly<Record<UserRole, readonly Scope[]>> = {
  downloader: ["download"],
  publisher: ["download", "publish", "read:stats"],
  maintainer: ["download", "publish", "read:stats", "admin"],
};

/** What the audit log calls it. No user can have these names: they are reserved. */
export function nameOf(principal: Principal): string {
  switch (principal.type) {
    case "anonymous":
      return "anonymous";
    case "owner":
      return "server";
    case "user":
      return principal.user.name;
    default:
      return principal satisfies never;
  }
}

/** Whether it may act as `scope` says at all: by its role, and by the token it shows. */
export function hasScope(principal: Principal, scope: Scope): boolean {
  if (principal.type === "owner") return true;
  if (principal.type === "anonymous" || principal.user.isDisabled) return false;
  return scopesOfRole[principal.user.role].includes(scope) && principal.scopes.includes(scope);
}
