/** The routes about API tokens: everybody has those of one account, maintainers all. */
import { z } from "zod";
import type { AccessControl } from "../../access/access-control.ts";
import { MAX_TOKEN_LIFE_MS, TOKEN_LIFE_MS } from "../../access/accounts.ts";
import type { Principal } from "../../access/principal.ts";
import { BtPublisherError } from "../../base/errors.ts";
import type { UnixMillis } from "../../base/units.ts";
import type { ApiToken, UserAccount } from "../../ports/access-store.ts";
import { type ApiRoute, apiRoute } from "./api-route.ts";
import { isoTime } from "./iso-time.ts";
import { ageKey, byAgeSchema, pageOf } from "./list-page.ts";
import { noQuerySchema, passwordSchema, userNameSchema } from "./schemas.ts";

const tokenFields = {
  scopes: z
    .array(z.enum(["download", "publish", "read:stats", "admin"]))
    .min(1)
    .max(4)
    .optional()
    .describe("What it may be used for; default: all that the account may."),
  lifeSeconds: z
    .int()
    .min(1)
    .max(MAX_TOKEN_LIFE_MS / 1000)
    .optional()
    .describe("Default: 90 days."),
};
const makeSchema = z.strictObject({ user: userNameSchema.optional(), ...tokenFields });
const loginSchema = z.strictObject({
  name: userNameSchema,
  password: passwordSchema,
  ...tokenFields,
});

const TOKENS = "/api/v1/tokens";

/** API tokens. */
export function tokenRoutes(control: AccessControl): readonly ApiRoute[] {
  return [loginRoute(control), listRoute(control), makeRoute(control), revokeRoute(control)];
}

function loginRoute(control: AccessControl): ApiRoute {
  return apiRoute({
    method: "POST",
    path: "/api/v1/login",
    access: "secret",
    action: "login",
    summary: "A token for a name and its password",
    query: noQuerySchema,
    body: loginSchema,
    answers: { 201: "The token, told once", 403: "Wrong", 429: "Too many wrong ones" },
    async handle({ body, request, reply }) {
      const user = await control.accounts.login(body.name, body.password, request.clientAddress);
      const made = await control.accounts.makeToken(user, wantedFrom(control, body));
      void reply.code(201).header("cache-control", "no-store");
      return { token: made.text, ...tokenJson(made.record, user.name) };
    },
  });
}

function listRoute(control: AccessControl): ApiRoute {
  return apiRoute({
    method: "GET",
    path: TOKENS,
    access: "user",
    summary: "List tokens, oldest first: one's own, or for maintainers everybody's; in pages",
    query: byAgeSchema,
    answers: { 200: "Tokens, without their text" },
    async handle({ query, principal }) {
      const owner = await ownerOf(control, principal, query.user);
      const names = await control.accounts.names();
      const { items, next } = pageOf(await control.tokens(owner?.id), ageKey, TOKENS, query);
      return { tokens: items.map((token) => tokenJson(token, names.get(token.userId))), next };
    },
  });
}

function makeRoute(control: AccessControl): ApiRoute {
  return apiRoute({
    method: "POST",
    path: TOKENS,
    access: "user",
    action: "token.create",
    summary: "Make a token, for oneself or, as a maintainer, for somebody else",
    query: noQuerySchema,
    body: makeSchema,
    answers: {
      201: "The token, told once",
      403: "More, or for longer, than the token may that asks",
      404: "No such user",
    },
    async handle({ body, principal, reply }) {
      const owner = await ownerOf(control, principal, body.user);
      if (owner === undefined) {
        throw new BtPublisherError("USAGE", "user: name the account that the token is for");
      }
      const wanted = narrowed(control, principal, wantedFrom(control, body));
      const made = await control.accounts.makeToken(owner, wanted);
      void reply.code(201).header("cache-control", "no-store");
      return { token: made.text, ...tokenJson(made.record, owner.name) };
    },
  });
}

function revokeRoute(control: AccessControl): ApiRoute {
  return apiRoute({
    method: "DELETE",
    path: `${TOKENS}/:id`,
    access: "user",
    action: "token.revoke",
    summary: "End a token: one's own, or for maintainers anybody's",
    query: noQuerySchema,
    answers: { 204: "Ended", 404: "No such token" },
    async handle({ parameters, principal, reply }) {
      const id = parameters["id"] as string;
      const owner = await ownerOf(control, principal, undefined);
      const tokens = await control.tokens(owner?.id);
      if (!tokens.some((token) => token.id === id)) {
        throw new BtPublisherError("NOT_FOUND", "there is no such token");
      }
      await control.accounts.revokeToken(id);
      return reply.code(204).send();
    },
  });
}

/**
 * Whose tokens are meant: those of the user `named`, else those of whoever asks; undefined:
 * everybody's, for maintainers. What is somebody else's is not there (A13). @throws NOT_FOUND
 */
async function ownerOf(
  control: AccessControl,
  principal: Principal,
  named: string | undefined,
): Promise<UserAccount | undefined> {
  const own = principal.type === "user" ? principal.user : undefined;
  if (control.mayAdminister(principal)) {
    return named === undefined ? undefined : control.accounts.need(named);
  }
  if (own !== undefined && (named === undefined || named === own.name)) return own;
  throw new BtPublisherError("NOT_FOUND", "there is no such user");
}

/** A token cannot make one that may more than itself, or lives longer, unless it administers. */
function narrowed(
  control: AccessControl,
  principal: Principal,
  { scopes, expiresAt, isDefaultLife }: WantedToken,
): Pick<WantedToken, "scopes" | "expiresAt"> {
  if (principal.type !== "user" || control.mayAdminister(principal)) return { scopes, expiresAt };
  const { endsAt = Number.POSITIVE_INFINITY } = principal;
  if (scopes?.some((scope) => !principal.scopes.includes(scope))) {
    throw notByThis(`this token may only make tokens for ${principal.scopes.join(", ")}`);
  }
  if (expiresAt > endsAt && !isDefaultLife) {
    throw notByThis(`this token ends ${isoTime(endsAt)}, and may make none that lives longer`);
  }
  return { scopes: scopes ?? principal.scopes, expiresAt: Math.min(expiresAt, endsAt) };
}

function notByThis(message: string): BtPublisherError {
  return new BtPublisherError("DENIED", message, { detail: { reason: "NO_RIGHT" } });
}

/** What is asked for. */
interface WantedToken {
  readonly scopes: ApiToken["scopes"] | undefined;
  readonly expiresAt: UnixMillis;
  /** Nothing was said of its life. */
  readonly isDefaultLife: boolean;
}

function wantedFrom(
  control: AccessControl,
  {
    scopes,
    lifeSeconds,
  }: {
    readonly scopes?: ApiToken["scopes"] | undefined;
    readonly lifeSeconds?: number | undefined;
  },
): WantedToken {
  const isDefaultLife = lifeSeconds === undefined;
  const lifeMs = isDefaultLife ? TOKEN_LIFE_MS : lifeSeconds * 1000;
  return { scopes, expiresAt: control.now() + lifeMs, isDefaultLife };
}

function tokenJson(token: ApiToken, user: string | undefined): object {
  const { id, scopes, createdAt, expiresAt, lastUsedAt, revokedAt } = token;
  return {
    id,
    user,
    scopes,
    createdAt: isoTime(createdAt),
    expiresAt: isoTime(expiresAt),
    lastUsedAt: isoTime(lastUsedAt),
    revokedAt: isoTime(revokedAt),
  };
}
