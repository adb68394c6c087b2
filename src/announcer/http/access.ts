/**
 * Who may do what over HTTP, decided before a body is read (UPL-12). Every route says its access;
 * one that does not is refused at start. A token goes only where nobody can listen: from this
 * machine, over TLS, or where the operator said that the network is trusted.
 */
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { AccessControl } from "../../access/access-control.ts";
import { anonymous, hasScope, type Principal } from "../../access/principal.ts";
import { problem, type Problem } from "./problem.ts";

/** Who may use a route. What it shows of which publication is decided by the route itself. */
export type Access =
  /** Everybody; a token is not looked at. */
  | "public"
  /** Everybody; whoever shows a token may see more. */
  | "reader"
  /** Everybody, where nobody can listen: the request brings a secret of its own. */
  | "secret"
  /** Whoever shows any good token. */
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
  /** Nobody on the way can have read it: TLS, or it never left this machine. */
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
  | { readonly type: "admitted"; readonly principal: Principal; readonly origin: RequestOrigin }
  | {
      readonly type: "refused";
      readonly problem: Problem;
      /** Who it was, if that is known: for the audit log. */
      readonly principal: Principal;
    };

/** Query parameters in which people have put tokens; a URL is logged in too many places. */
const TOKEN_PARAMETERS = ["token", "access_token", "api_key", "apikey", "passkey"];

/** Decides whether `request` may use a route of that access. */
export async function admit(
  request: IncomingMessage,
  access: Access,
  { rules, control }: { readonly rules: AccessRules; readonly control: AccessControl },
): Promise<Admittance> {
  const early = refusalOfForm(request, rules);
  if (early !== undefined) return refused(early);
  const origin = rules.originOf(request);
  const token = bearerToken(request.headers);
  const isOpen = access === "public" || (access === "reader" && !request.headers.authorization);
  if (isOpen) return { type: "admitted", principal: anonymous, origin };
  const misplaced = refusalOfPlace(access, origin, rules);
  if (misplaced !== undefined) return refused(misplaced);
  if (access === "secret") return { type: "admitted", principal: anonymous, origin };
  if (token === undefined) return refused(denied(401, "NO_TOKEN", "a token is needed"));
  const principal = await control.authenticate(token);
  if (principal === undefined) {
    return refused(denied(401, "BAD_TOKEN", "this token is not valid here (any more)"));
  }
  if (mayUse(principal, access, control)) return { type: "admitted", principal, origin };
  return refused(denied(403, "NO_RIGHT", "this token does not allow that"), principal);
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

function bearerToken(headers: IncomingHttpHeaders): string | undefined {
  return /^Bearer +([\w.~+/-]+=*)$/i.exec(headers.authorization ?? "")?.[1];
}

function hasTokenInUrl(url: string): boolean {
  const query = url.slice(url.indexOf("?") + 1);
  if (query === url) return false;
  const parameters = new URLSearchParams(query);
  return TOKEN_PARAMETERS.some((name) => parameters.has(name));
}
