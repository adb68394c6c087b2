/**
 * What browsers say that our pages tried and may not: nothing, unless there is a hole. Anybody can
 * send reports, so only a few are kept, and shortened; they are data of strangers.
 */
import { z } from "zod";
import { type ApiRoute, apiRoute } from "./api-route.ts";
import { noQuerySchema } from "./schemas.ts";

/** Media types in which browsers send reports: CSP 2, and the Reporting API. */
export const CSP_REPORT_TYPES = ["application/csp-report", "application/reports+json"];

const MAX_REPORTS = 50;
const MAX_LENGTH = 2_000;

/** The routes that take reports and tell them. */
export function cspReportRoutes(): readonly ApiRoute[] {
  const reports: string[] = [];
  let count = 0;
  return [
    apiRoute({
      method: "POST",
      path: "/api/v1/csp-reports",
      access: "public",
      summary: "For browsers: what a page tried against the content security policy",
      query: noQuerySchema,
      body: z.unknown(),
      answers: { 204: "Noted" },
      async handle({ body, reply }) {
        count++;
        reports.push(JSON.stringify(body ?? null).slice(0, MAX_LENGTH));
        if (reports.length > MAX_REPORTS) reports.shift();
        return reply.code(204).send();
      },
    }),
    apiRoute({
      method: "GET",
      path: "/api/v1/csp-reports",
      access: "maintainer",
      summary: "The last reports of browsers since the server started; there should be none",
      query: noQuerySchema,
      answers: { 200: "How many came, and the last 50 as text" },
      handle: async () => ({ count, reports }),
    }),
  ];
}
