/** The routes of the API, `/api/v1/...`. The uploads' are in upload-routes.ts. */
import type { AccessControl } from "../../access/access-control.ts";
import type { UnixMillis } from "../../base/units.ts";
import type { Publication } from "../../ports/catalogue.ts";
import type { Announcer } from "../announcer.ts";
import { type ApiRoute, apiRoute } from "./api-route.ts";
import { isoTime } from "./iso-time.ts";
import { mustManage, mustSee, mustSeeStats } from "./ownership.ts";
import { JSON_LINES_TYPE, streamWork } from "./json-lines.ts";
import { listedJson, publishedJson, sourceJson, statusJson, viewJson } from "./representations.ts";
import {
  accessFrom,
  localSchema,
  noQuerySchema,
  optionsFrom,
  pageSchema,
  policyFrom,
  publishSchema,
  torrentFrom,
} from "./schemas.ts";

/** What the routes tell of the server itself. */
export interface ServerFacts {
  readonly version: string;
  /** Absolute path of the file with the publish token; told to this machine's own programs only. */
  readonly tokenFile: string | undefined;
}

/** Where everything of one publication is. */
const ONE = "/api/v1/publications/:name";

/** Reading: what is published, and what the system does for it. */
export function readRoutes(announcer: Announcer, control: AccessControl): readonly ApiRoute[] {
  return [
    apiRoute({
      method: "GET",
      path: "/api/v1/publications",
      access: "reader",
      summary: "List the publications one may get, newest first; `next` leads to older ones",
      query: pageSchema,
      answers: { 200: "A page of publications" },
      async handle({ query, principal }) {
        const { limit = 50, before, q: text } = query;
        const page = await announcer.list({
          limit,
          ...(before !== undefined && { before: Date.parse(before) }),
          ...(text !== undefined && { text }),
        });
        const last = page.length === limit ? page.at(-1) : undefined;
        return {
          publications: page
            .filter((each) => control.mayDownload(principal, each))
            .map((each) => listedJson(each, announcer.publicUrl)),
          next: last && nextPage(limit, last.createdAt, text),
        };
      },
    }),
    apiRoute({
      method: "GET",
      path: ONE,
      access: "reader",
      summary: "A published publication with its files and addresses",
      query: noQuerySchema,
      answers: { 200: "The publication", 404: "No such publication, or not for you" },
      async handle({ parameters, principal, request }) {
        const name = parameters["name"] as string;
        mustSee(control, principal, await announcer.find(name));
        const view = await announcer.view(name);
        // Its files are behind the SourceNode's door, which goes by addresses.
        await control.admit(principal, view.publication, request.clientAddress);
        return viewJson(view);
      },
    }),
    apiRoute({
      method: "GET",
      path: `${ONE}/status`,
      access: "stats",
      summary: "A publication in any state, and what the system does for it right now",
      query: noQuerySchema,
      answers: { 200: "State, peers, sources", 404: "No such publication, or not yours" },
      async handle({ parameters, principal }) {
        const name = parameters["name"] as string;
        mustSeeStats(control, principal, await announcer.find(name));
        return statusJson(await announcer.status(name));
      },
    }),
  ];
}

function nextPage(limit: number, before: UnixMillis, text: string | undefined): string {
  const query = new URLSearchParams({ limit: String(limit), before: isoTime(before) });
  if (text !== undefined) query.set("q", text);
  return `/api/v1/publications?${query.toString()}`;
}

/** About the server. */
export function serverRoutes(
  announcer: Announcer,
  control: AccessControl,
  facts: ServerFacts,
  isLocal: (call: { readonly request: { readonly raw: object } }) => boolean,
): readonly ApiRoute[] {
  return [
    apiRoute({
      method: "GET",
      path: "/api/v1/server",
      access: "public",
      summary: "Version and addresses; for programs on its machine, where the publish token is",
      query: noQuerySchema,
      answers: { 200: "The server" },
      async handle(call) {
        return {
          version: facts.version,
          publicUrl: announcer.publicUrl,
          announceUrls: await announcer.announceUrls(),
          isReady: announcer.publications.isReady,
          needsSetup: !(await control.accounts.hasMaintainer()),
          tokenFile: isLocal(call) ? facts.tokenFile : undefined,
        };
      },
    }),
    apiRoute({
      method: "GET",
      path: "/api/v1/status",
      access: "stats",
      summary: "The SourceNodes and their load",
      query: noQuerySchema,
      answers: { 200: "SourceNodes" },
      async handle() {
        const sources = await announcer.sources();
        return { isReady: announcer.publications.isReady, sources: sources.map(sourceJson) };
      },
    }),
  ];
}

/** Changing: publish what was uploaded or lies on the server, unpublish. */
export function publishRoutes(announcer: Announcer, control: AccessControl): readonly ApiRoute[] {
  const { publications } = announcer;
  return [
    apiRoute({
      method: "POST",
      path: `${ONE}/publish`,
      access: "publisher",
      action: "publication.publish",
      summary: "Hash what was uploaded and publish it; goes on when the connection is lost",
      query: noQuerySchema,
      body: publishSchema,
      answers: { 200: "Progress, then the publication", 404: "No such upload", 409: "Incomplete" },
      answerType: JSON_LINES_TYPE,
      handle: ({ parameters, body, principal }) =>
        streamWork(async (tell) => {
          const name = parameters["name"] as string;
          mustManage(control, principal, await announcer.find(name));
          await publications.publish(name, optionsFrom(body), tellProgress(tell));
          return publishedJson(await announcer.view(name));
        }),
    }),
    apiRoute({
      method: "POST",
      path: "/api/v1/local-publications",
      access: "local-publisher",
      action: "publication.publish",
      summary: "Publish a file or directory of the server where it lies",
      query: noQuerySchema,
      body: localSchema,
      answers: { 200: "Progress, then the publication", 409: "Taken", 422: "Unreadable" },
      answerType: JSON_LINES_TYPE,
      handle: ({ body, principal }) =>
        streamWork(async (tell) => {
          const { name, path, policy, access, torrent, ...options } = body;
          const request = {
            name,
            path,
            policy: policyFrom(policy),
            access: accessFrom(access, principal, control),
            mayChange: (existing: Publication) => control.mayManage(principal, existing),
            options: optionsFrom(options),
            torrent: torrentFrom(torrent),
          };
          const publication = await publications.publishLocal(request, tellProgress(tell));
          return publishedJson(await announcer.view(publication.name));
        }),
    }),
    apiRoute({
      method: "DELETE",
      path: ONE,
      access: "publisher",
      action: "publication.unpublish",
      summary: "Unpublish, or drop an upload",
      query: noQuerySchema,
      answers: { 202: "Being removed", 404: "No such publication" },
      async handle({ parameters, principal, reply }) {
        const name = parameters["name"] as string;
        mustManage(control, principal, await announcer.find(name));
        const state = await publications.unpublish(name);
        void reply.code(202);
        return { name, state };
      },
    }),
  ];
}

function tellProgress(tell: (event: object) => void): (done: number, total: number) => void {
  return (bytes, total) => tell({ event: "progress", bytes, total });
}
