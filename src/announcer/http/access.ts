/**
 * Who may do what over HTTP, decided before a body is read (UPL-12). Every route says its access;
 * one that does not is refused at start. A token or a session goes only where nobody can listen:
 * from this machine, over TLS, or where the operator said that the network is trusted.
 */
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { AccessControl } from "../../access/access-control.ts";
import { anonymous, hasScope, type Principal } from "../../access/principal.ts";
import type { OpenSession } from "../../access/sessions.ts";
import { problem, type Problem } from "./problem.ts";
import { isCrossSite } from "./same-site.ts";
import { sessionTextIn } from "./session-cookie.ts";

/** Who may use a route. What it shows of which publication is decided by the route itself. */
export type Access =
  /** Everybody; a token is not looked at. */
  | "public"
  /** Everybody; whoever shows a token or has a session may see more. */
  | "reader"
  /** Everybody, where nobody can listen: the request brings a secret of its own. */
  | "secret"
  /** Whoever shows any good token or has a session. */
  | "user"
  /** Whoever may publish something. */
  | "publisher"
  /** A maintainer on this very machine: the route takes paths of its disk, the server's own too. */
  | "local-publisher"
  /** Whoever may see what the system does. */
  | "stats"
  /** Whoever administers the server. */
  | "maintainer";

/** Where a request came from, proxies accounted for. */
export interface RequestOrigin {
  /** From this machine itself, not through a proxy. */
  readonly isLocal: boolean;
  /** It came over HTTPS, as far as the client is concerned. */
  readonly isEncrypted: boolean;
  /** Nobody on the way can have read it: HTTPS, or it never left this machine. */
  readonly isPrivate: boolean;
  /** IP address of the client; undefined when it is gone, or a proxy did not say. */
  readonly address: string | undefined;
}

/** What decides about access, apart from accounts. */
export interface AccessRules {
  originOf(request: IncomingMessage): RequestOrigin;
  /** Take tokens also over plain HTTP from elsewhere (`--insecure`). */
  readonly allowsPlainTokens: boolean;
  /** Whether paths of this machine's disk mean the same to the SourceNode: it is on it, too. */
  readonly takesLocalPaths: boolean;
  /** Whether a Host header names this server (421 otherwise). */
  isKnownHost(host: string): boolean;
}

/** Who a request comes from, or why it is refused. */
export type Admittance =
  | {
      readonly type: "admitted";
      readonly principal: Principal;
      /** Set when that is who it is by. */
      readonly session: OpenSession | undefined;
    }
  | {
      readonly type: "refused";
      readonly problem: Problem;
      /** Who it was, if that is known: for the audit log. */
      readonly principal: Principal;
    };

/** Query parameters in which people have put tokens; a URL is logged in too many places. */
const TOKEN_PARAMETERS = ["token", "access_token", "api_key", "apikey", "passkey"];

/** What decides, and how. */
export interface Deciders {
  readonly rules: AccessRules;
  readonly control: AccessControl;
  /** A session is not used by it: nobody did anything. */
  readonly isPassive?: boolean;
}

/** Decides whether `request` may use a route of that access. */
export async function admit(
  request: IncomingMessage,
  access: Access,
  { rules, control, isPassive = false }: Deciders,
): Promise<Admittance> {
  const origin = rules.originOf(request);
  const early = refusalOfForm(request, rules);
  if (early !== undefined) return refused(early);
  const credential = credentialIn(request.headers, origin, rules);
  if (isCrossSite(request, credential.type === "session")) {
    return refused(denied(403, "CROSS_SITE", "this request was made by a page of another site"));
  }
  if (access === "public") return admitted(anonymous);
  if (access === "reader" && credential.type === "none") return admitted(anonymous);
  const misplaced = refusalOfPlace(access, origin, rules);
  if (misplaced !== undefined) return refused(misplaced);
  if (access === "secret") return admitted(anonymous);
  if (credential.type === "none") return refused(denied(401, "NO_TOKEN", "a token is needed"));
  const shown = await identify(credential, control, isPassive);
  if (shown === undefined) {
    // What is public stays so for a browser whose session is over.
    if (access === "reader" && credential.type === "session") return admitted(anonymous);
    const what = credential.type === "session" ? "session" : "token";
    return refused(denied(401, "BAD_TOKEN", `this ${what} is not valid here (any more)`));
  }
  const { principal, session } = shown;
  if (mayUse(principal, access, control)) return admitted(principal, session);
  const what = session === undefined ? "token" : "account";
  return refused(denied(403, "NO_RIGHT", `this ${what} does not allow that`), principal);
}

/** By what a request says who it comes from. */
type Credential =
  | { readonly type: "none" }
  | { readonly type: "token"; readonly text: string }
  | { readonly type: "session"; readonly text: string };

/** A header `Authorization` counts for more than a cookie, whatever it says. */
function credentialIn(
  headers: IncomingHttpHeaders,
  { isPrivate, isEncrypted }: RequestOrigin,
  rules: AccessRules,
): Credential {
  if (headers.authorization !== undefined) {
    const text = /^Bearer +([\w.~+/-]+=*)$/i.exec(headers.authorization)?.[1] ?? "";
    return { type: "token", text };
  }
  const text = sessionTextIn(headers, isEncrypted);
  const isHeard = text !== undefined && !isPrivate && !rules.allowsPlainTokens;
  return text === undefined || isHeard ? { type: "none" } : { type: "session", text };
}

async function identify(
  credential: Exclude<Credential, { readonly type: "none" }>,
  control: AccessControl,
  isPassive: boolean,
): Promise<{ principal: Principal; session: OpenSession | undefined } | undefined> {
  if (credential.type === "session") {
    const { sessions } = control.accounts;
    const { text } = credential;
    const session = await (isPassive ? sessions.find(text) : sessions.authenticate(text));
    return session && { principal: session.principal, session };
  }
  const principal = await control.authenticate(credential.text);
  return principal && { principal, session: undefined };
}

function admitted(principal: Principal, session?: OpenSession): Admittance {
  return { type: "admitted", principal, session };
}

function mayUse(principal: Principal, access: Access, control: AccessControl): boolean {
  switch (access) {
    case "public":
    case "reader":
    case "secret":
    case "user":
      return true;
    case "publisher":
      return hasScope(principal, "publish");
    case "local-publisher":
      return hasScope(principal, "publish") && isMaintainer(principal);
    case "stats":
      return hasScope(principal, "read:stats");
    case "maintainer":
      return control.mayAdminister(principal);
    default:
      return access satisfies never;
  }
}

/** By its role; what the token allows is another question. */
function isMaintainer(principal: Principal): boolean {
  return (
    principal.type === "owner" ||
    (principal.type === "user" && principal.user.role === "maintainer")
  );
}

function refusalOfForm(request: IncomingMessage, rules: AccessRules): Problem | undefined {
  if (!rules.isKnownHost(request.headers.host ?? "")) {
    const message = "this server does not go by that name: set --public-url to the one it has";
    return problem(421, { code: "USAGE", message });
  }
  if (!hasTokenInUrl(request.url ?? "")) return undefined;
  const message = "a token must not stand in a URL: send it as `Authorization: Bearer`";
  return problem(400, { code: "USAGE", message, more: { reason: "TOKEN_IN_URL" } });
}

function refusalOfPlace(
  access: Access,
  origin: RequestOrigin,
  rules: AccessRules,
): Problem | undefined {
  if (!origin.isPrivate && !rules.allowsPlainTokens) {
    const message =
      "over plain HTTP this is allowed from the server's own machine only: " +
      "start the server with TLS, behind a trusted proxy, or with --insecure";
    return denied(403, "PLAIN_HTTP", message);
  }
  if (access === "local-publisher" && !(origin.isLocal && rules.takesLocalPaths)) {
    const message = "paths can be published only on the machine that holds the content";
    return denied(403, "NOT_LOCAL", message);
  }
  return undefined;
}

function refused(problem: Problem, principal: Principal = anonymous): Admittance {
  return { type: "refused", problem, principal };
}

function denied(status: number, reason: string, message: string): Problem {
  return problem(status, { code: "DENIED", message, more: { reason } });
}

function hasTokenInUrl(url: string): boolean {
  const query = url.slice(url.indexOf("?") + 1);
  if (query === url) return false;
  const parameters = new URLSearchParams(query);
  return TOKEN_PARAMETERS.some((name) => parameters.has(name));
}
