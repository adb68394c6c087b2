/** The routes by which people come in and go: the set-up, log-in and log-out of browsers. */
import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import type { AccessControl } from "../../access/access-control.ts";
import { nameOf, type Principal, scopesOfRole } from "../../access/principal.ts";
import type { OpenSession } from "../../access/sessions.ts";
import type { UserAccount } from "../../ports/access-store.ts";
import type { AccessRules } from "./access.ts";
import { userJson } from "./account-routes.ts";
import { type ApiRoute, apiRoute } from "./api-route.ts";
import { isoTime } from "./iso-time.ts";
import { noQuerySchema, passwordSchema, userNameSchema } from "./schemas.ts";
import { endedCookie, sessionCookie, sessionTextIn } from "./session-cookie.ts";

const setupSchema = z.strictObject({
  token: z.string().max(200),
  name: userNameSchema,
  password: passwordSchema,
  session: z.boolean().optional().describe("Log in at once, as POST /api/v1/sessions does."),
});
const sessionSchema = z.strictObject({ name: userNameSchema, password: passwordSchema });

/** Beginning and ending sessions. */
export function sessionRoutes(control: AccessControl, rules: AccessRules): readonly ApiRoute[] {
  const door = new SessionDoor(control, rules);
  return [setupRoute(control, door), beginRoute(control, door), endRoute(door), meRoute()];
}

/** Gives browsers the cookie of a new session, and takes it away again. */
class SessionDoor {
  readonly #control: AccessControl;
  readonly #rules: AccessRules;

  constructor(control: AccessControl, rules: AccessRules) {
    this.#control = control;
    this.#rules = rules;
  }

  /** The session that the request brought ends: nobody may have chosen it for the one who logs in. */
  async open(
    user: UserAccount,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<OpenSession> {
    await this.#end(request);
    const { text, open } = await this.#control.accounts.sessions.begin(user);
    void reply.header("set-cookie", sessionCookie(text, this.#isEncrypted(request)));
    void reply.header("cache-control", "no-store");
    return open;
  }

  async close(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    await this.#end(request);
    void reply.header("set-cookie", endedCookie(this.#isEncrypted(request)));
  }

  async #end(request: FastifyRequest): Promise<void> {
    const text = sessionTextIn(request.headers, this.#isEncrypted(request));
    if (text !== undefined) await this.#control.accounts.sessions.end(text);
  }

  #isEncrypted({ raw }: FastifyRequest): boolean {
    return this.#rules.originOf(raw).isEncrypted;
  }
}

function setupRoute(control: AccessControl, door: SessionDoor): ApiRoute {
  return apiRoute({
    method: "POST",
    path: "/api/v1/setup",
    access: "secret",
    action: "setup",
    summary: "Make the first maintainer, by the link that the server printed at its start",
    query: noQuerySchema,
    body: setupSchema,
    answers: { 201: "The maintainer", 403: "The link is not good" },
    async handle({ body, request, reply }) {
      const { token, name, password } = body;
      const user = await control.setUp(token, { name, password });
      if (body.session === true) await door.open(user, request, reply);
      void reply.code(201);
      return userJson(user);
    },
  });
}

function beginRoute(control: AccessControl, door: SessionDoor): ApiRoute {
  return apiRoute({
    method: "POST",
    path: "/api/v1/sessions",
    access: "secret",
    action: "login",
    summary: "Log a browser in: its session comes as a cookie",
    query: noQuerySchema,
    body: sessionSchema,
    answers: { 201: "Who it is", 403: "Wrong", 429: "Too many wrong ones" },
    async handle({ body, request, reply }) {
      const user = await control.accounts.login(body.name, body.password, request.clientAddress);
      const session = await door.open(user, request, reply);
      void reply.code(201);
      return whoJson(session.principal, session);
    },
  });
}

function endRoute(door: SessionDoor): ApiRoute {
  return apiRoute({
    method: "DELETE",
    path: "/api/v1/sessions/current",
    access: "user",
    action: "logout",
    summary: "Log this browser out",
    query: noQuerySchema,
    answers: { 204: "Logged out" },
    async handle({ request, reply }) {
      await door.close(request, reply);
      return reply.code(204).send();
    },
  });
}

function meRoute(): ApiRoute {
  return apiRoute({
    method: "GET",
    path: "/api/v1/me",
    access: "user",
    summary: "Whose token or session this is, and what it allows",
    query: noQuerySchema,
    answers: { 200: "Name, role and scopes" },
    handle: async ({ principal, request }) => whoJson(principal, request.session),
  });
}

function whoJson(principal: Principal, session: OpenSession | undefined): object {
  const isUser = principal.type === "user";
  return {
    name: nameOf(principal),
    role: isUser ? principal.user.role : "maintainer",
    scopes: isUser ? principal.scopes : scopesOfRole.maintainer,
    session: session && {
      idleEndsAt: isoTime(session.idleEndsAt),
      endsAt: isoTime(session.endsAt),
    },
  };
}
