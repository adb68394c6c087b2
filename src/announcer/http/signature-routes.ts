/** The route by which publishers sign what they published. */
import type { AccessControl } from "../../access/access-control.ts";
import type { Announcer } from "../announcer.ts";
import { type ApiRoute, apiRoute } from "./api-route.ts";
import { mustManage } from "./ownership.ts";
import { signatureJson } from "./representations.ts";
import { noQuerySchema, signatureSchema } from "./schemas.ts";

/** Signing. */
export function signatureRoutes(announcer: Announcer, control: AccessControl): readonly ApiRoute[] {
  return [
    apiRoute({
      method: "PUT",
      path: "/api/v1/publications/:name/signature",
      access: "publisher",
      action: "publication.sign",
      summary: "Keep the publisher's signature of the checksum list, in place of an older one",
      query: noQuerySchema,
      body: signatureSchema,
      answers: {
        200: "The signature",
        404: "No such publication",
        409: "Not published yet",
        422: "It is not of the list as it is now, or not by that key",
      },
      async handle({ parameters, body, principal }) {
        const name = parameters["name"] as string;
        mustManage(control, principal, await announcer.find(name));
        const signature = await announcer.sign(name, body);
        return { name, signature: signatureJson(signature) };
      },
    }),
  ];
}
