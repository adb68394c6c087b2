/** The routes about how much the server takes part in what is published already. */
import type { FastifyReply } from "fastify";
import type { AccessControl } from "../../access/access-control.ts";
import { BtPublisherError } from "../../base/errors.ts";
import type { Publication } from "../../ports/catalogue.ts";
import type { Announcer } from "../announcer.ts";
import { policyVersion } from "../policy.ts";
import { type ApiRoute, apiRoute } from "./api-route.ts";
import { entityTag, mayChangeVersion } from "./if-match.ts";
import { mustManage, mustSee } from "./ownership.ts";
import { policyJson } from "./representations.ts";
import { noQuerySchema, policyChangeSchema, policyFrom } from "./schemas.ts";

const POLICY = "/api/v1/publications/:name/policy";

/** Reading and changing a policy. */
export function policyRoutes(announcer: Announcer, control: AccessControl): readonly ApiRoute[] {
  const { publications } = announcer;
  return [
    apiRoute({
      method: "GET",
      path: POLICY,
      access: "reader",
      summary: "How much the server takes part; `ETag` is for the `If-Match` of a change",
      query: noQuerySchema,
      answers: { 200: "The policy", 404: "No such publication, or not for you" },
      async handle({ parameters, principal, reply }) {
        const name = parameters["name"] as string;
        mustSee(control, principal, await announcer.find(name));
        return answerFor((await announcer.view(name)).publication, reply);
      },
    }),
    apiRoute({
      method: "PATCH",
      path: POLICY,
      access: "publisher",
      action: "publication.set-policy",
      summary: "Change how much the server takes part; what is left out stays",
      query: noQuerySchema,
      body: policyChangeSchema,
      takesIfMatch: true,
      answers: {
        200: "The policy",
        404: "No such publication",
        409: "Not published yet",
        412: "Changed since `If-Match`",
      },
      async handle({ parameters, body, principal, request, reply }) {
        const name = parameters["name"] as string;
        mustManage(control, principal, await announcer.find(name));
        const changed = await publications.setPolicy(name, (before) => {
          if (mayChangeVersion(request.headers["if-match"], policyVersion(before))) {
            return policyFrom(body, before.policy);
          }
          const message = "somebody else changed the policy meanwhile: look at it, then change it";
          throw new BtPublisherError("CHANGED", message, { detail: { name } });
        });
        return answerFor(changed, reply);
      },
    }),
  ];
}

function answerFor(publication: Publication, reply: FastifyReply): object {
  const version = policyVersion(publication);
  void reply.header("etag", entityTag(version));
  return { name: publication.name, policy: policyJson(publication.policy), policyVersion: version };
}
