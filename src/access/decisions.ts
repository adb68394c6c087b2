/**
 * Who may do what. Pure: a principal, what it wants, the wall clock; and every decision has its
 * reason. Default deny: what is not allowed here is not allowed.
 */
import type { UnixMillis } from "../base/units.ts";
import type { Grant } from "../ports/access-store.ts";
import type { CatalogueName, Publication } from "../ports/catalogue.ts";
import { hasScope, type Principal } from "./principal.ts";

/** A decision. */
export type Decision =
  | {
      readonly isAllowed: true;
      readonly reason: "public" | "owner" | "maintainer" | "member" | "own" | "grant";
    }
  | { readonly isAllowed: false; readonly reason: "no-account" | "no-scope" | "no-grant" };

/** What is asked about a publication. */
export type PublicationSubject = Pick<Publication, "name" | "createdAt" | "access">;

/** What a grant may be about. */
type Granted = { readonly catalogue: CatalogueName } & Partial<PublicationSubject>;

/** Whether `principal` may see and download a publication. */
export function decideDownload(
  principal: Principal,
  subject: PublicationSubject,
  now: UnixMillis,
): Decision {
  const { catalogue } = subject.access;
  if (catalogue === "public") return allow("public");
  const standing = standingOf(principal, subject, hasScope(principal, "download"));
  if (standing !== undefined) return standing;
  if (catalogue === "members") return allow("member");
  const wanted = { ...subject, catalogue };
  return findGrant(principal, now, "download", wanted) ? allow("grant") : deny("no-grant");
}

/** Whether `principal` may publish into `catalogue`. */
export function decidePublish(
  principal: Principal,
  catalogue: CatalogueName,
  now: UnixMillis,
): Decision {
  const standing = standingOf(principal, undefined, hasScope(principal, "publish"));
  if (standing !== undefined) return standing;
  return findGrant(principal, now, "publish", { catalogue }) ? allow("grant") : deny("no-grant");
}

/** Whether `principal` may change or end a publication: its own, or as a maintainer. */
export function decideManage(principal: Principal, subject: PublicationSubject): Decision {
  return standingOf(principal, subject, hasScope(principal, "publish")) ?? deny("no-grant");
}

/** Whether `principal` may see what the system does for a publication: its own, or as a maintainer. */
export function decideStats(principal: Principal, subject: PublicationSubject): Decision {
  return standingOf(principal, subject, hasScope(principal, "read:stats")) ?? deny("no-grant");
}

/** Whether `principal` may see and change accounts, tokens, grants and the audit log. */
export function decideAdmin(principal: Principal): Decision {
  return standingOf(principal, undefined, hasScope(principal, "admin")) ?? deny("no-grant");
}

/** Until when `principal`'s right to download lasts as things are; undefined: without an end. */
export function downloadEndsAt(
  principal: Principal,
  subject: PublicationSubject,
  now: UnixMillis,
): UnixMillis | undefined {
  if (principal.type !== "user" || decideDownload(principal, subject, now).reason !== "grant") {
    return undefined;
  }
  const ends = principal.grants
    .filter((grant) =>
      fits(grant, "download", { ...subject, catalogue: subject.access.catalogue }, now),
    )
    .map(({ expiresAt }) => expiresAt ?? Number.POSITIVE_INFINITY);
  const last = Math.max(...ends);
  return Number.isFinite(last) ? last : undefined;
}

/** The answer that needs no grant, either way; undefined: grants decide. */
function standingOf(
  principal: Principal,
  subject: PublicationSubject | undefined,
  isInScope: boolean,
): Decision | undefined {
  if (principal.type === "owner") return allow("owner");
  if (principal.type === "anonymous") return deny("no-account");
  if (!isInScope) return deny("no-scope");
  const { role, id } = principal.user;
  if (role === "maintainer") return allow("maintainer");
  return subject?.access.ownerId === id ? allow("own") : undefined;
}

function findGrant(
  principal: Principal,
  now: UnixMillis,
  right: Grant["right"],
  subject: Granted,
): boolean {
  if (principal.type !== "user") return false;
  return principal.grants.some((grant) => fits(grant, right, subject, now));
}

function fits(
  { right, target, createdAt, expiresAt }: Grant,
  wanted: Grant["right"],
  subject: Granted,
  now: UnixMillis,
): boolean {
  if (right !== wanted || (expiresAt !== undefined && expiresAt <= now)) return false;
  if (target.type === "catalogue") return target.catalogue === subject.catalogue;
  return target.name === subject.name && createdAt >= (subject.createdAt ?? 0);
}

function allow(reason: Extract<Decision, { readonly isAllowed: true }>["reason"]): Decision {
  return { isAllowed: true, reason };
}

function deny(reason: Extract<Decision, { readonly isAllowed: false }>["reason"]): Decision {
  return { isAllowed: false, reason };
}
