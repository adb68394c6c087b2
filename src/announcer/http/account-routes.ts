/** The routes about accounts and the audit log: for maintainers. */
import { z } from "zod";
import type { AccessControl } from "../../access/access-control.ts";
import { ROTATION_GRACE_MS } from "../../access/access-control.ts";
import type { AuditEntry, UserAccount } from "../../ports/access-store.ts";
import { parseInfoHash } from "../../base/bytes.ts";
import { BtPublisherError } from "../../base/errors.ts";
import { type ApiRoute, apiRoute } from "./api-route.ts";
import { isoTime } from "./iso-time.ts";
import { byNameSchema, pageOf } from "./list-page.ts";
import { noQuerySchema, passwordSchema, userNameSchema } from "./schemas.ts";

const roleSchema = z.enum(["downloader", "publisher", "maintainer"]);
const userSchema = z.strictObject({
  name: userNameSchema,
  role: roleSchema,
  password: passwordSchema.optional(),
});
const changeSchema = z.strictObject({
  role: roleSchema.optional(),
  isDisabled: z.boolean().optional(),
  password: passwordSchema.optional(),
});
const keysSchema = z
  .strictObject({
    infoHash: z
      .string()
      .regex(/^[0-9a-f]{40}$/)
      .optional()
      .describe("Of one torrent only; default: of all."),
    graceSeconds: z
      .int()
      .min(0)
      .max(30 * 24 * 60 * 60)
      .optional()
      .describe("How long the old keys stay good; default: a day. 0 when they leaked."),
  })
  .optional();
const auditSchema = z.strictObject({
  limit: z.coerce.number().int().min(1).max(1000).optional(),
  before: z.coerce.number().int().min(1).optional(),
});

const USERS = "/api/v1/users";
const ONE = `${USERS}/:name`;

/** Accounts and the audit log. */
export function accountRoutes(control: AccessControl): readonly ApiRoute[] {
  return [...userRoutes(control), keysRoute(control), auditRoute(control)];
}

function userRoutes(control: AccessControl): readonly ApiRoute[] {
  return [
    apiRoute({
      method: "GET",
      path: USERS,
      access: "maintainer",
      summary: "List accounts, by name; `next` leads to further ones",
      query: byNameSchema,
      answers: { 200: "Accounts" },
      async handle({ query }) {
        const users = await control.accounts.all();
        const page = pageOf(users, ({ name }) => name, USERS, query);
        return { users: page.items.map(userJson), next: page.next };
      },
    }),
    apiRoute({
      method: "POST",
      path: USERS,
      access: "maintainer",
      action: "user.add",
      summary: "Add an account",
      query: noQuerySchema,
      body: userSchema,
      answers: { 201: "The account", 409: "The name is taken" },
      async handle({ body, reply }) {
        const user = await control.accounts.add({ ...body, password: body.password });
        void reply.code(201);
        return userJson(user);
      },
    }),
    apiRoute({
      method: "PATCH",
      path: ONE,
      access: "maintainer",
      action: "user.change",
      summary: "Change role or password (which ends all tokens), disable or enable",
      query: noQuerySchema,
      body: changeSchema,
      answers: { 200: "The account", 404: "No such user" },
      handle: async ({ parameters, body }) =>
        userJson(await control.changeUser(nameFrom(parameters), body)),
    }),
    apiRoute({
      method: "DELETE",
      path: ONE,
      access: "maintainer",
      action: "user.remove",
      summary: "Remove an account with its tokens, grants and keys",
      query: noQuerySchema,
      answers: { 204: "Removed", 404: "No such user" },
      async handle({ parameters, reply }) {
        await control.removeUser(nameFrom(parameters));
        return reply.code(204).send();
      },
    }),
  ];
}

function keysRoute(control: AccessControl): ApiRoute {
  return apiRoute({
    method: "POST",
    path: `${ONE}/rotate-keys`,
    access: "maintainer",
    action: "user.rotate-keys",
    summary: "Have a user's passkeys end; the next .torrent has a new one",
    query: noQuerySchema,
    body: keysSchema,
    answers: { 200: "How many", 404: "No such user" },
    async handle({ parameters, body }) {
      const { infoHash, graceSeconds } = body ?? {};
      const graceMs = graceSeconds === undefined ? ROTATION_GRACE_MS : graceSeconds * 1000;
      const about = infoHash === undefined ? undefined : parseInfoHash(infoHash);
      const count = await control.rotateKeys(nameFrom(parameters), { infoHash: about, graceMs });
      return { count };
    },
  });
}

function auditRoute(control: AccessControl): ApiRoute {
  return apiRoute({
    method: "GET",
    path: "/api/v1/audit",
    access: "maintainer",
    summary: "Who did what, newest first; `next` leads to older entries",
    query: auditSchema,
    answers: { 200: "Entries; `brokenAt` is set when the log was tampered with" },
    async handle({ query }) {
      const limit = query.limit ?? 100;
      const entries = await control.audit.page({ limit, before: query.before });
      const last = entries.length === limit ? entries.at(-1) : undefined;
      return {
        entries: entries.map(auditJson),
        next: last && `/api/v1/audit?limit=${limit}&before=${last.number}`,
        brokenAt: query.before === undefined ? await control.audit.findBreak() : undefined,
      };
    },
  });
}

function nameFrom(parameters: Readonly<Record<string, string>>): string {
  const name = parameters["name"] ?? "";
  if (name.length <= 64) return name;
  throw new BtPublisherError("NOT_FOUND", "there is no such user");
}

/** An account, without what proves a password. */
export function userJson(user: UserAccount): object {
  const { name, role, isDisabled, createdAt } = user;
  const hasPassword = user.passwordHash !== undefined;
  return { name, role, isDisabled, hasPassword, createdAt: isoTime(createdAt) };
}

function auditJson({ at, ...entry }: AuditEntry): object {
  return { ...entry, at: isoTime(at) };
}
