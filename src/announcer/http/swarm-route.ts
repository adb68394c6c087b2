/** What anybody may know of a swarm: the download page asks for it while somebody looks at it. */
import type { AccessControl } from "../../access/access-control.ts";
import type { Announcer } from "../announcer.ts";
import { type ApiRoute, apiRoute } from "./api-route.ts";
import { mustSee } from "./ownership.ts";
import { swarmJson } from "./representations.ts";
import { noQuerySchema } from "./schemas.ts";

/** The route of one publication's swarm. */
export function swarmRoute(announcer: Announcer, control: AccessControl): ApiRoute {
  return apiRoute({
    method: "GET",
    path: "/api/v1/publications/:name/swarm",
    access: "reader",
    summary: "Who takes part in a published publication's swarm right now, in a few bytes",
    query: noQuerySchema,
    answers: { 200: "Counts and state", 404: "No such publication, or not for you" },
    async handle({ parameters, principal }) {
      const name = parameters["name"] as string;
      mustSee(control, principal, await announcer.find(name));
      return swarmJson((await announcer.view(name)).counts);
    },
  });
}
