/**
 * The Announcer's HTTP side: pages and API on fastify, every answer with strict security headers.
 * Deny by default: a route without a stated access does not start, and access is decided before
 * anything of a body is read.
 */
import {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  fastify,
} from "fastify";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AccessControl } from "../../access/access-control.ts";
import { anonymous, type Principal } from "../../access/principal.ts";
import type { OpenSession } from "../../access/sessions.ts";
import type { UploadBody } from "../../ports/content-service.ts";
import type { WebBuild } from "../../ports/web-build.ts";
import type { Announcer } from "../announcer.ts";
import { errorPage } from "../pages/layout.ts";
import { type Access, type AccessRules, admit } from "./access.ts";
import { accountRoutes } from "./account-routes.ts";
import { type ApiRoute, takesKey } from "./api-route.ts";
import { publishRoutes, readRoutes, type ServerFacts, serverRoutes } from "./api-routes.ts";
import { cspReportRoutes, CSP_REPORT_TYPES } from "./csp-reports.ts";
import { eventRoutes } from "./event-routes.ts";
import { EVENT_STREAM_TYPE } from "./event-stream.ts";
import type { IdempotentCalls } from "./idempotency.ts";
import { ledgerRoutes } from "./ledger-routes.ts";
import { addAssets } from "./asset-routes.ts";
import { openApiOf } from "./openapi.ts";
import { addPages } from "./page-routes.ts";
import { policyRoutes } from "./policy-routes.ts";
import { PROBLEM_TYPE, type Problem, problem, problemOf } from "./problem.ts";
import { fileRoute } from "./file-route.ts";
import { grantRoutes } from "./grant-routes.ts";
import { recordCall } from "./record-call.ts";
import { parseInput } from "./schemas.ts";
import { sessionRoutes } from "./session-routes.ts";
import { signatureRoutes } from "./signature-routes.ts";
import { swarmRoute } from "./swarm-route.ts";
import { tokenRoutes } from "./token-routes.ts";
import { uploadRoutes } from "./upload-routes.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    readonly access?: Access;
    /** What the audit log calls it; absent: it is not logged. */
    readonly action?: string;
    /** As in `ApiRoute`. */
    readonly continuesItself?: boolean;
  }
  interface FastifyRequest {
    /** Who sent it, decided before anything else. */
    principal: Principal;
    /** Set when that is who sent it by. */
    session: OpenSession | undefined;
    /** Where from; empty when unknown. */
    clientAddress: string;
  }
  interface FastifyInstance {
    /** What pages load; undefined when nothing was built. */
    web: WebBuild | undefined;
    readonly bodyOf: AnnouncerAppOptions["bodyOf"];
  }
}

/** What the app works with. */
export interface AnnouncerAppOptions {
  readonly announcer: Announcer;
  readonly control: AccessControl;
  readonly rules: AccessRules;
  readonly facts: ServerFacts;
  /** Requests that carry an `Idempotency-Key`. */
  readonly calls: IdempotentCalls;
  /** What the pages' scripts and style were built to; undefined when they were not. */
  readonly web: WebBuild | undefined;
  /** How a body of bytes is read. */
  readonly bodyOf: (request: IncomingMessage, response: ServerResponse) => UploadBody;
  /** Hears of what is a bug or a broken machine: what is answered with a status of 500. */
  readonly onInternalError: (error: unknown) => void;
}

/** The running app; its owner has the server. */
export interface AnnouncerApp {
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** The fastify instance, to inject requests in tests. */
  readonly fastify: FastifyInstance;
  /** Every route that it answers, as fastify has it, for the test of who may use it. */
  readonly routes: readonly AppRoute[];
  close(): Promise<void>;
}

/** A route of the running app. */
export interface AppRoute {
  readonly method: string;
  /** In fastify's syntax. */
  readonly url: string;
  readonly access: Access;
}

/**
 * A JSON body with the plan of 100 000 files fits, or one with the largest .torrent file; uploads are
 * streams and not limited by it.
 */
const MAX_BODY_BYTES = 16 * 1024 * 1024;
/** Whom nobody knows yet has a name, a password or a report to send. */
const MAX_STRANGERS_BODY_BYTES = 2 * 1024 * 1024;

const API = "/api/v1/";

const SECURITY_HEADERS = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; " +
    "report-uri /api/v1/csp-reports",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-cache",
} as const;

/** Makes the app and readies its routes. */
export async function createAnnouncerApp(options: AnnouncerAppOptions): Promise<AnnouncerApp> {
  const { announcer, control, rules, facts, calls, web, bodyOf } = options;
  const app = fastify({
    bodyLimit: MAX_STRANGERS_BODY_BYTES,
    exposeHeadRoutes: true,
    forceCloseConnections: false,
    // A name and its ending.
    routerOptions: { maxParamLength: 256 },
  });
  app.decorate("web", web);
  app.decorate("bodyOf", bodyOf);
  const methodsByPath = new Map<string, Set<string>>();
  const allRoutes: AppRoute[] = [];
  app.addHook("onRoute", (route) => {
    const access = route.config?.access;
    if (access === undefined) throw new Error(`${route.url} states no access`);
    for (const method of [route.method].flat()) allRoutes.push({ method, url: route.url, access });
    const methods = methodsByPath.get(route.url) ?? new Set();
    for (const method of [route.method].flat()) methods.add(method);
    methodsByPath.set(route.url, methods);
  });
  addGuards(app, options);
  const routes = [
    ...serverRoutes(announcer, control, facts, (call) => isLocal(call, rules)),
    ...readRoutes(announcer, control),
    ...ledgerRoutes(announcer, control),
    swarmRoute(announcer, control),
    ...uploadRoutes(announcer, control),
    fileRoute(announcer, control),
    ...publishRoutes(announcer, control),
    ...policyRoutes(announcer, control),
    ...signatureRoutes(announcer, control),
    ...accountRoutes(control),
    ...sessionRoutes(control, rules),
    ...eventRoutes(announcer, control, rules),
    ...cspReportRoutes(),
    ...tokenRoutes(control),
    ...grantRoutes(announcer, control),
  ];
  for (const route of routes) addApiRoute(app, route, calls);
  const openApi = openApiOf(routes, facts.version);
  app.get(`${API}openapi.json`, { config: { access: "public" } }, async () => openApi);
  addPages(app, options);
  addAssets(app, web);
  const answered = [...allRoutes];
  refuseOtherMethods(app, methodsByPath);
  await app.ready();
  return {
    handle: (request, response) => app.routing(request, response),
    fastify: app,
    routes: answered,
    close: async () => {
      announcer.live.close();
      await app.close();
    },
  };
}

function isLocal(
  call: { readonly request: { readonly raw: object } },
  rules: AccessRules,
): boolean {
  return rules.originOf(call.request.raw as IncomingMessage).isLocal;
}

function addGuards(app: FastifyInstance, options: AnnouncerAppOptions): void {
  const { rules, control, onInternalError } = options;
  app.decorateRequest("principal");
  app.decorateRequest("session");
  app.decorateRequest("clientAddress", "");
  app.addHook("onRequest", async (request, reply) => {
    void reply.headers(SECURITY_HEADERS);
    request.principal = anonymous;
    request.clientAddress = rules.originOf(request.raw).address ?? "";
    const access = request.routeOptions.config.access ?? "public";
    const admittance = await admit(request.raw, access, { rules, control });
    request.principal = admittance.principal;
    if (admittance.type === "refused") return sendProblem(reply, admittance.problem);
    request.session = admittance.session;
    // A client that asked whether to send its body may do so now, and not a byte earlier.
    const isAsked = request.headers.expect?.toLowerCase() === "100-continue";
    if (isAsked && request.routeOptions.config.continuesItself !== true) reply.raw.writeContinue();
    return undefined;
  });
  app.addHook("onResponse", (request, reply) =>
    recordCall(control, request, reply).catch(onInternalError),
  );
  app.setNotFoundHandler((_request, reply) =>
    sendProblem(reply, problem(404, { code: "NOT_FOUND", message: "there is nothing here" })),
  );
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const refusal = problemOf(error);
    // Whoever goes away in the middle of an upload is no fault of ours; nobody hears the answer.
    const hasLeft = error === request.raw.errored;
    if (refusal.status === 500 && !hasLeft) onInternalError(error);
    return sendProblem(reply, refusal);
  });
  // A page of another site can send text, but not JSON, without being asked whether it may.
  app.removeContentTypeParser("text/plain");
  app.addContentTypeParser("application/octet-stream", (_request, _payload, done) => {
    done(null, undefined);
  });
  const asJson = app.getDefaultJsonParser("error", "error");
  app.addContentTypeParser(CSP_REPORT_TYPES, { parseAs: "string", bodyLimit: 65_536 }, asJson);
}

function addApiRoute(app: FastifyInstance, route: ApiRoute, calls: IdempotentCalls): void {
  const { access, action, continuesItself = false } = route;
  const isForStrangers = access === "public" || access === "secret";
  app.route({
    bodyLimit: isForStrangers ? MAX_STRANGERS_BODY_BYTES : MAX_BODY_BYTES,
    method: route.method,
    url: route.path,
    config: { access, continuesItself, ...(action !== undefined && { action }) },
    onRequest: async (request) => {
      // `curl -T` says no type: bytes are bytes.
      if (route.takesBytes === true) request.headers["content-type"] ??= "application/octet-stream";
    },
    // The head of a stream without an end would be one, too.
    exposeHeadRoute: route.method === "GET" && route.answerType !== EVENT_STREAM_TYPE,
    handler: (request, reply) => {
      const key = takesKey(route) ? request.headers["idempotency-key"] : undefined;
      return key === undefined
        ? answer(route, request, reply)
        : answerOnce(route, { request, reply, calls, key: String(key) });
    },
  });
}

async function answer(route: ApiRoute, request: FastifyRequest, reply: FastifyReply) {
  const { body: schema } = route;
  // The route itself may choose another one.
  if (route.answerType !== undefined) void reply.type(route.answerType);
  return route.handle({
    parameters: request.params as Readonly<Record<string, string>>,
    query: parseInput(route.query, request.query),
    body: schema === undefined ? undefined : parseInput(schema, request.body ?? undefined),
    principal: request.principal,
    request,
    reply,
  });
}

/** The same for a request with an `Idempotency-Key`. */
async function answerOnce(
  route: ApiRoute,
  call: {
    readonly request: FastifyRequest;
    readonly reply: FastifyReply;
    readonly calls: IdempotentCalls;
    readonly key: string;
  },
): Promise<unknown> {
  const { request, reply, calls, key } = call;
  const { principal, body: sent } = request;
  const target = `${request.method} ${request.url}`;
  const kept = await calls.run({ principal, target, key, body: sent }, async () => {
    const body = await answer(route, request, reply);
    return { status: reply.statusCode, body };
  });
  void reply.code(kept.status).header("cache-control", "no-store");
  return kept.body;
}

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;

/** Every path answers 405 to the methods that it does not have. `methodsByPath`: those it has. */
function refuseOtherMethods(
  app: FastifyInstance,
  methodsByPath: ReadonlyMap<string, ReadonlySet<string>>,
): void {
  // A copy: these routes are told to the hook that fills the map, too.
  for (const [url, methods] of Array.from(methodsByPath)) {
    const allow = METHODS.filter((method) => methods.has(method)).join(", ");
    const others = METHODS.filter((method) => !methods.has(method));
    app.route({
      method: others,
      url,
      config: { access: "public" },
      onRequest: async (_request, reply) => {
        const message = `this address takes ${allow} only`;
        return sendProblem(reply.header("allow", allow), problem(405, { code: "USAGE", message }));
      },
      handler: () => undefined,
    });
  }
}

function sendProblem(reply: FastifyReply, refusal: Problem): FastifyReply {
  // What is left of a body is not read: the connection cannot be used again.
  if (!reply.request.raw.readableEnded && hasBody(reply.request.raw)) {
    void reply.header("connection", "close");
  }
  if (refusal.status === 401) void reply.header("www-authenticate", "Bearer");
  if (refusal.status === 429) void reply.header("retry-after", String(refusal["retryAfter"]));
  void reply.code(refusal.status);
  const isForPeople = !reply.request.url.startsWith(API);
  if (!isForPeople) return reply.type(PROBLEM_TYPE).send(JSON.stringify(refusal));
  return reply
    .type("text/html; charset=utf-8")
    .send(errorPage(refusal.title, `${capitalised(refusal.detail)}.`, reply.server.web));
}

function hasBody(request: IncomingMessage): boolean {
  return (
    request.headers["transfer-encoding"] !== undefined ||
    Number(request.headers["content-length"] ?? 0) > 0
  );
}

function capitalised(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}
