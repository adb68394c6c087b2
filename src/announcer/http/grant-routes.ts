/** The routes about grants: maintainers give all, publishers those for what they published. */
import { z } from "zod";
import type { AccessControl } from "../../access/access-control.ts";
import type { Principal } from "../../access/principal.ts";
import { BtPublisherError } from "../../base/errors.ts";
import type { Grant, GrantTarget } from "../../ports/access-store.ts";
import type { Announcer } from "../announcer.ts";
import { type ApiRoute, apiRoute } from "./api-route.ts";
import { isoTime } from "./iso-time.ts";
import { ageKey, byAgeSchema, pageOf } from "./list-page.ts";
import { noQuerySchema, userNameSchema } from "./schemas.ts";

const makeSchema = z.strictObject({
  user: userNameSchema,
  right: z.enum(["download", "publish"]).optional().describe("Default: download."),
  publication: z.string().max(200).optional(),
  catalogue: z.enum(["public", "members", "private"]).optional(),
  expiresAt: z.iso.datetime({ offset: true }).optional(),
});

const GRANTS = "/api/v1/grants";

/** Grants. */
export function grantRoutes(announcer: Announcer, control: AccessControl): readonly ApiRoute[] {
  return [
    apiRoute({
      method: "GET",
      path: GRANTS,
      access: "publisher",
      summary: "List grants, oldest first: publishers see those of their publications; in pages",
      query: byAgeSchema,
      answers: { 200: "Grants" },
      async handle({ query, principal }) {
        const userId =
          query.user === undefined ? undefined : (await control.accounts.need(query.user)).id;
        const names = await control.accounts.names();
        const theirs: Grant[] = [];
        for (const grant of await control.grants(userId)) {
          const isTheirs = await mayGrant(announcer, control, { principal, target: grant.target });
          if (isTheirs) theirs.push(grant);
        }
        const { items, next } = pageOf(theirs, ageKey, GRANTS, query);
        return { grants: items.map((grant) => grantJson(grant, names.get(grant.userId))), next };
      },
    }),
    apiRoute({
      method: "POST",
      path: GRANTS,
      access: "publisher",
      action: "grant.add",
      summary: "Let a user download a publication or a catalogue, or publish into a catalogue",
      query: noQuerySchema,
      body: makeSchema,
      answers: { 201: "The grant", 404: "No such user or publication" },
      async handle({ body, principal, reply }) {
        const { user, right = "download", expiresAt } = body;
        const target = targetFrom(body);
        if (!(await mayGrant(announcer, control, { principal, target }))) throw notThere();
        const end = expiresAt === undefined ? undefined : Date.parse(expiresAt);
        const grant = await control.grant({ user, right, target, expiresAt: end });
        void reply.code(201);
        return grantJson(grant, user);
      },
    }),
    apiRoute({
      method: "DELETE",
      path: `${GRANTS}/:id`,
      access: "publisher",
      action: "grant.remove",
      summary: "Take a grant back",
      query: noQuerySchema,
      answers: { 204: "Taken back", 404: "No such grant" },
      async handle({ parameters, principal, reply }) {
        const id = parameters["id"] as string;
        const grant = (await control.grants()).find((each) => each.id === id);
        const isTheirs =
          grant !== undefined &&
          (await mayGrant(announcer, control, { principal, target: grant.target }));
        if (!isTheirs) throw new BtPublisherError("NOT_FOUND", "there is no such grant");
        await control.removeGrant(id);
        return reply.code(204).send();
      },
    }),
  ];
}

async function mayGrant(
  announcer: Announcer,
  control: AccessControl,
  { principal, target }: { readonly principal: Principal; readonly target: GrantTarget },
): Promise<boolean> {
  if (control.mayAdminister(principal)) return true;
  if (target.type === "catalogue") return false;
  const publication = await announcer.find(target.name);
  return publication !== undefined && control.mayManage(principal, publication);
}

function targetFrom(body: z.infer<typeof makeSchema>): GrantTarget {
  const { publication, catalogue } = body;
  if (publication !== undefined && catalogue === undefined) {
    return { type: "publication", name: publication };
  }
  if (catalogue !== undefined && publication === undefined) {
    return { type: "catalogue", catalogue };
  }
  throw new BtPublisherError("USAGE", "name either a publication or a catalogue");
}

function notThere(): BtPublisherError {
  return new BtPublisherError("NOT_FOUND", "there is no such publication");
}

function grantJson(grant: Grant, user: string | undefined): object {
  const { id, right, target, createdAt, expiresAt } = grant;
  return {
    id,
    user,
    right,
    publication: target.type === "publication" ? target.name : undefined,
    catalogue: target.type === "catalogue" ? target.catalogue : undefined,
    createdAt: isoTime(createdAt),
    expiresAt: isoTime(expiresAt),
  };
}
