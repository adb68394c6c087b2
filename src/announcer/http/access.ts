/**
 * Who may do what over HTTP, decided before a body is read (UPL-12). Every route says its access;
 * one that does not is refused at start. A publish token goes only where nobody can listen: from
 * this machine, over TLS, or where the operator said that the network is trusted.
 */
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { problem, type Problem } from "./problem.ts";

/** Who may use a route. */
export type Access =
  | "public"
  /** Whoever shows a publish token. */
  | "publisher"
  /** A publisher on this very machine: the route takes paths of its disk. */
  | "local-publisher";

/** Where a request came from, proxies accounted for. */
export interface RequestOrigin {
  /** From this machine itself, not through a proxy. */
  readonly isLocal: boolean;
  /** Nobody on the way can have read it: TLS, or it never left this machine. */
  readonly isPrivate: boolean;
}

/** What decides about access. */
export interface AccessRules {
  isValidToken(token: string): boolean;
  originOf(request: IncomingMessage): RequestOrigin;
  /** Take tokens also over plain HTTP from elsewhere (`--insecure`). */
  readonly allowsPlainTokens: boolean;
  /** Whether paths of this machine's disk mean the same to the SourceNode: it is on it, too. */
  readonly takesLocalPaths: boolean;
  /** Whether a Host header names this server (421 otherwise). */
  isKnownHost(host: string): boolean;
}

/** Query parameters in which people have put tokens; a URL is logged in too many places. */
const TOKEN_PARAMETERS = ["token", "access_token", "api_key", "apikey"];

/** Why `request` may not use a route of that access, or undefined when it may. */
export function refusalOf(
  request: IncomingMessage,
  access: Access,
  rules: AccessRules,
): Problem | undefined {
  if (!rules.isKnownHost(request.headers.host ?? "")) {
    const message = "this server does not go by that name: set --public-url to the one it has";
    return problem(421, { code: "USAGE", message });
  }
  if (hasTokenInUrl(request.url ?? "")) {
    const message = "a token must not stand in a URL: send it as `Authorization: Bearer`";
    return problem(400, { code: "USAGE", message, more: { reason: "TOKEN_IN_URL" } });
  }
  if (access === "public") return undefined;
  return refusalOfPublisher(request, access, rules);
}

function refusalOfPublisher(
  request: IncomingMessage,
  access: Access,
  rules: AccessRules,
): Problem | undefined {
  const origin = rules.originOf(request);
  if (!origin.isPrivate && !rules.allowsPlainTokens) {
    const message =
      "over plain HTTP this is allowed from the server's own machine only: " +
      "start the server with TLS, behind a trusted proxy, or with --insecure";
    return problem(403, { code: "DENIED", message, more: { reason: "PLAIN_HTTP" } });
  }
  if (access === "local-publisher" && !(origin.isLocal && rules.takesLocalPaths)) {
    const message = "paths can be published only on the machine that holds the content";
    return problem(403, { code: "DENIED", message, more: { reason: "NOT_LOCAL" } });
  }
  const token = bearerToken(request.headers);
  if (token === undefined) {
    const message = "a publish token is needed";
    return problem(401, { code: "DENIED", message, more: { reason: "NO_TOKEN" } });
  }
  if (rules.isValidToken(token)) return undefined;
  const message = "this publish token is not valid here";
  return problem(401, { code: "DENIED", message, more: { reason: "BAD_TOKEN" } });
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
