/** The routes of the ledger: its lines in three forms, and its history. */
import { Readable } from "node:stream";
import { z } from "zod";
import type { AccessControl } from "../../access/access-control.ts";
import { BtPublisherError } from "../../base/errors.ts";
import type { LedgerEntry } from "../../ports/content-service.ts";
import type { LedgerLine } from "../../protocol/api/ledger.ts";
import type { Announcer } from "../announcer.ts";
import {
  historyOf,
  type LedgerCursor,
  type LedgerFilter,
  matching,
  sliceOf,
} from "../ledger-queries.ts";
import { stateChange } from "../live/live-states.ts";
import { type ApiRoute, apiRoute } from "./api-route.ts";
import { CSV_TYPE, csvRow } from "./csv.ts";
import { JSON_LINES_TYPE, linesOf } from "./json-lines.ts";
import { isoTime } from "./iso-time.ts";
import { mustSeeStats } from "./ownership.ts";

const instant = z.iso.datetime({ offset: true });
const filterFields = {
  since: instant.optional(),
  until: instant.optional().describe("Exclusive."),
  peer: z
    .string()
    .regex(/^[0-9a-f]{1,40}$/)
    .optional()
    .describe("A peer id in hexadecimal, or how it begins."),
  address: z.string().max(64).optional().describe("A host."),
  piece: z.coerce.number().int().min(0).optional(),
  door: z.enum(["bittorrent", "webseed", "webrtc", "http"]).optional(),
};
const linesSchema = z.strictObject({
  ...filterFields,
  format: z.enum(["lines", "csv", "page"]).optional(),
  limit: z.coerce.number().int().min(1).max(1000).optional().describe("Of a page; default: 100."),
  cursor: z
    .string()
    .regex(/^\d{1,16}\.\d{1,9}$/)
    .optional()
    .describe("Of a page: from `next`."),
});
const historySchema = z.strictObject({
  ...filterFields,
  bins: z.coerce.number().int().min(1).max(300).optional().describe("Spans; default: 120."),
});

const LEDGER = "/api/v1/publications/:name/ledger";
/** Pieces of a history are told in so many groups at most. */
const MAX_GROUPS = 512;

/** Reading the ledger. */
export function ledgerRoutes(announcer: Announcer, control: AccessControl): readonly ApiRoute[] {
  return [linesRoute(announcer, control), historyRoute(announcer, control)];
}

function linesRoute(announcer: Announcer, control: AccessControl): ApiRoute {
  return apiRoute({
    method: "GET",
    path: LEDGER,
    access: "stats",
    summary: "Which piece went to which node, oldest first: as JSON lines, CSV, or in pages",
    query: linesSchema,
    answers: { 200: "Lines, a table, or a page", 404: "No such publication" },
    answerType: JSON_LINES_TYPE,
    async handle({ parameters, query, principal, reply }) {
      const name = parameters["name"] as string;
      mustSeeStats(control, principal, await announcer.find(name));
      const { format = "lines", limit, cursor, ...asked } = query;
      if (format !== "page" && (limit ?? cursor) !== undefined) {
        throw new BtPublisherError("USAGE", "limit and cursor are for format=page");
      }
      const filter = filterFrom(asked);
      if (format === "page") {
        void reply.type("application/json");
        return pageOf(announcer, { name, filter, limit: limit ?? 100, cursor, asked });
      }
      const entries = matching(await announcer.ledger(name, sinceOf(filter.since)), filter);
      if (format === "lines") return linesOf(entries, ledgerJson);
      void reply
        .type(CSV_TYPE)
        .header("content-disposition", `attachment; filename="${name}-ledger.csv"`);
      return Readable.from(csvOf(entries));
    },
  });
}

async function pageOf(
  announcer: Announcer,
  wanted: {
    readonly name: string;
    readonly filter: LedgerFilter;
    readonly limit: number;
    readonly cursor: string | undefined;
    readonly asked: Readonly<Record<string, string | number | undefined>>;
  },
): Promise<object> {
  const { name, filter, limit, asked } = wanted;
  const cursor = cursorFrom(wanted.cursor);
  const entries = await announcer.ledger(name, sinceOf(cursor?.at ?? filter.since));
  const slice = await sliceOf(entries, filter, { cursor, limit });
  return {
    entries: slice.entries.map(ledgerJson),
    next: slice.next && nextPath(name, { ...asked, limit }, slice.next),
  };
}

function historyRoute(announcer: Announcer, control: AccessControl): ApiRoute {
  return apiRoute({
    method: "GET",
    path: `${LEDGER}/history`,
    access: "stats",
    summary: "The ledger in equal spans of time: what a slider plays",
    query: historySchema,
    answers: { 200: "At most `bins` spans", 404: "No such publication" },
    async handle({ parameters, query, principal }) {
      const name = parameters["name"] as string;
      mustSeeStats(control, principal, await announcer.find(name));
      const { bins = 120, ...asked } = query;
      const filter = filterFrom(asked);
      const entries = await announcer.ledger(name, sinceOf(filter.since));
      const pieceCount = await announcer.pieceCount(name);
      const limits = { bins, groups: MAX_GROUPS };
      const { since, until, ...history } = await historyOf(entries, filter, { pieceCount, limits });
      return {
        since: isoTime(since),
        until: isoTime(until),
        pieceCount,
        ...history,
        timeline: (await announcer.states(name)).map(stateChange),
      };
    },
  });
}

/** A line of the ledger. */
function ledgerJson(entry: LedgerEntry): LedgerLine {
  return { event: "sent", ...entry, at: isoTime(entry.at) };
}

async function* csvOf(entries: AsyncIterable<LedgerEntry>): AsyncIterable<string> {
  yield csvRow(["at", "door", "peer id", "address", "piece", "bytes"]);
  for await (const { at, door, peerId, address, pieceIndex, bytes } of entries) {
    yield csvRow([isoTime(at), door, peerId, address, pieceIndex, bytes]);
  }
}

function filterFrom({
  since,
  until,
  ...others
}: Omit<z.infer<typeof historySchema>, "bins">): LedgerFilter {
  return {
    ...others,
    since: since === undefined ? undefined : Date.parse(since),
    until: until === undefined ? undefined : Date.parse(until),
  };
}

function sinceOf(since: number | undefined): { readonly since?: number } {
  return since === undefined ? {} : { since };
}

function cursorFrom(text: string | undefined): LedgerCursor | undefined {
  const [at, count] = text?.split(".").map(Number) ?? [];
  return at === undefined || count === undefined ? undefined : { at, count };
}

function nextPath(
  name: string,
  asked: Readonly<Record<string, string | number | undefined>>,
  { at, count }: LedgerCursor,
): string {
  const query = new URLSearchParams({ format: "page" });
  for (const [key, value] of Object.entries(asked)) {
    if (value !== undefined) query.set(key, String(value));
  }
  query.set("cursor", `${at}.${count}`);
  return `${LEDGER.replace(":name", name)}?${query.toString()}`;
}
