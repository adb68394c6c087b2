/** How a route of the API is described: once, for the server and for the OpenAPI document. */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { z } from "zod";
import type { Principal } from "../../access/principal.ts";
import type { Access } from "./access.ts";

/** Methods that the API knows. */
export type ApiMethod = "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";

/** A request whose input has been checked. */
export interface ApiCall<Query, Body> {
  readonly parameters: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly body: Body;
  readonly principal: Principal;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** One route. */
export interface ApiRoute<Query = unknown, Body = unknown> {
  readonly method: ApiMethod;
  /** In fastify's syntax: `:name` stands for one element. */
  readonly path: string;
  readonly access: Access;
  /** What the audit log calls it; undefined: it is not logged. */
  readonly action?: string;
  readonly summary: string;
  readonly query: z.ZodType<Query>;
  /** A JSON body; undefined: none is read. */
  readonly body?: z.ZodType<Body> | undefined;
  /** The body is bytes of any length, and `handle` reads them from the request. */
  readonly takesBytes?: boolean;
  /** `handle` says when a body that was announced by `Expect: 100-continue` may come. */
  readonly continuesItself?: boolean;
  /** Requests may insist, by `If-Match`, on what they change; answers have an `ETag`. */
  readonly takesIfMatch?: boolean;
  /** What answers mean, by status. */
  readonly answers: Readonly<Record<number, string>>;
  /** Media type of the answer when it is not JSON. */
  readonly answerType?: string;
  handle(call: ApiCall<Query, Body>): Promise<unknown>;
}

/** Whether requests may carry an `Idempotency-Key`: they make something, and are answered at once. */
export function takesKey({ method, access, answerType }: ApiRoute): boolean {
  const isKnown = access !== "public" && access !== "secret";
  return method === "POST" && isKnown && answerType === undefined;
}

/** Checks that query, body and handler of a route fit, then forgets their types. */
export function apiRoute<Query, Body = undefined>(route: ApiRoute<Query, Body>): ApiRoute {
  return route;
}
