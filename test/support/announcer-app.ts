/** The Announcer's HTTP side over an `AnnouncerWorld`; requests are injected, no socket is opened. */
import type { TestContext } from "node:test";
import { AccessControl } from "../../src/access/access-control.ts";
import { requestBody } from "../../src/adapters/node/request-body.ts";
import { createSecrets } from "../../src/adapters/node/secrets.ts";
import { SqlCallStore } from "../../src/adapters/sql/call-store.ts";
import {
  type CatalogueTables,
  catalogueMigrations,
} from "../../src/adapters/sql/catalogue-schema.ts";
import { openDatabase } from "../../src/adapters/sql/database.ts";
import { SqlAccessStore } from "../../src/adapters/sql/access-store.ts";
import type { InjectOptions, Response } from "light-my-request";
import { type AnnouncerApp, createAnnouncerApp } from "../../src/announcer/http/app.ts";
import { IdempotentCalls } from "../../src/announcer/http/idempotency.ts";
import { type AnnouncerWorld, startAnnouncer } from "./announcer-world.ts";
import { testWebBuild } from "./web-build.ts";

/** The one token that is valid. */
export const TOKEN = "right-token";

/** An app and what is around it. */
export interface AppWorld extends AnnouncerWorld {
  readonly app: AnnouncerApp;
  readonly accessControl: AccessControl;
  readonly internalErrors: unknown[];
  /** How the next requests come in. */
  origin: { isLocal: boolean; isEncrypted: boolean; isPrivate: boolean; address: string };
  /** A request with the publish token. */
  send(options: InjectOptions): Promise<Response>;
  /** A request without. */
  get(url: string, headers?: Record<string, string>): Promise<Response>;
}

/** A started app; `allowsPlainTokens` as with --insecure. */
export async function startApp(
  t: TestContext,
  allowsPlainTokens = false,
  isKnownHost = (host: string): boolean => host === "pub.example",
): Promise<AppWorld> {
  const world = await startAnnouncer();
  const internalErrors: unknown[] = [];
  const origin = { isLocal: true, isEncrypted: false, isPrivate: true, address: "127.0.0.1" };
  const store = await SqlAccessStore.open(":memory:");
  const db = await openDatabase<CatalogueTables>(":memory:", catalogueMigrations);
  const secrets = createSecrets(new Uint8Array(32).fill(1));
  const control = new AccessControl({
    store,
    secrets,
    clock: world.clock,
    catalogue: world.catalogue,
    isOwnerToken: (token) => token === TOKEN,
    tellTracker: (update) => world.control.updateAccess(update),
  });
  await control.start();
  const app = await createAnnouncerApp({
    announcer: world.announcer,
    control,
    rules: {
      originOf: () => origin,
      allowsPlainTokens,
      takesLocalPaths: true,
      isKnownHost,
    },
    calls: new IdempotentCalls({ store: new SqlCallStore(db), secrets, clock: world.clock }),
    web: testWebBuild,
    bodyOf: requestBody,
    facts: { version: "1.2.3", tokenFile: "/data/publish.token" },
    onInternalError: (error) => void internalErrors.push(error),
  });
  t.after(async () => {
    control.close();
    await app.close();
    await store.close();
    await db.destroy();
  });
  const get = (url: string, headers: Record<string, string> = {}) =>
    app.fastify.inject({ url, headers: { host: "pub.example", ...headers } });
  const send = (options: InjectOptions) =>
    app.fastify.inject({
      ...options,
      headers: { host: "pub.example", authorization: `Bearer ${TOKEN}`, ...options.headers },
    });
  return { ...world, accessControl: control, app, internalErrors, origin, get, send };
}

/** A directory of two files. */
export const plan = {
  contentName: "Some Thing",
  isDirectory: true,
  files: [
    { path: ["a.txt"], length: 5 },
    { path: ["deep", "b'b.txt"], length: 0 },
  ],
};

/** Uploads and publishes `plan` as `some-thing`. */
export async function publishThing(world: AppWorld): Promise<Response> {
  await world.send({ method: "POST", url: "/api/v1/publications", payload: plan });
  await world.send({
    method: "PATCH",
    url: "/api/v1/publications/some-thing/files/0",
    headers: { "content-type": "application/octet-stream", "upload-offset": "0" },
    payload: "hello",
  });
  return world.send({ method: "POST", url: "/api/v1/publications/some-thing/publish" });
}

/** The JSON lines of an answer. */
export const lines = (response: Response) =>
  response.body
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
