import assert from "node:assert/strict";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { publishThing, startApp, TOKEN } from "../../../test/support/announcer-app.ts";
import { type Role, roles, tokensOf } from "../../../test/support/roles.ts";

/** Those who get past the door of a route, by what the route is for. All others are refused. */
const admitted = {
  public: roles,
  // A token that is not good is said to be so, rather than shown less.
  reader: ["anonymous", "downloader", "publisher", "maintainer", "owner"],
  secret: roles,
  user: ["downloader", "publisher", "maintainer", "owner"],
  publisher: ["publisher", "maintainer", "owner"],
  // It reads with the server's rights whatever it is told to.
  "local-publisher": ["maintainer", "owner"],
  stats: ["publisher", "maintainer", "owner"],
  maintainer: ["maintainer", "owner"],
} as const satisfies Record<string, readonly Role[]>;

/** The access matrix: every route of the server with those it is for. A new one must be added. */
const matrix: Readonly<Record<string, keyof typeof admitted>> = {
  "GET /": "reader",
  "GET /p/:file": "reader",
  "GET /setup": "public",
  "GET /login": "public",
  "GET /admin": "public",
  "GET /admin/*": "public",
  "GET /robots.txt": "public",
  "GET /assets/style-1.css": "public",
  "GET /assets/app-1.js": "public",
  "GET /assets/icon.svg": "public",
  "GET /api/v1/openapi.json": "public",
  "GET /api/v1/server": "public",
  "GET /api/v1/status": "stats",
  "GET /api/v1/publications": "reader",
  "POST /api/v1/publications": "publisher",
  "GET /api/v1/publications/:name": "reader",
  "DELETE /api/v1/publications/:name": "publisher",
  "GET /api/v1/publications/:name/swarm": "reader",
  "GET /api/v1/publications/:name/status": "stats",
  "GET /api/v1/publications/:name/ledger": "stats",
  "GET /api/v1/publications/:name/ledger/history": "stats",
  "GET /api/v1/publications/:name/events": "stats",
  "GET /api/v1/events": "stats",
  "GET /api/v1/publications/:name/upload": "publisher",
  "HEAD /api/v1/publications/:name/files/:index": "publisher",
  "PATCH /api/v1/publications/:name/files/:index": "publisher",
  "PUT /api/v1/files/:contentName": "publisher",
  "POST /api/v1/publications/:name/publish": "publisher",
  "GET /api/v1/publications/:name/policy": "reader",
  "PATCH /api/v1/publications/:name/policy": "publisher",
  "PUT /api/v1/publications/:name/signature": "publisher",
  "POST /api/v1/local-publications": "local-publisher",
  "POST /api/v1/setup": "secret",
  "POST /api/v1/sessions": "secret",
  "DELETE /api/v1/sessions/current": "user",
  "POST /api/v1/csp-reports": "public",
  "GET /api/v1/csp-reports": "maintainer",
  "POST /api/v1/login": "secret",
  "GET /api/v1/me": "user",
  "GET /api/v1/users": "maintainer",
  "POST /api/v1/users": "maintainer",
  "PATCH /api/v1/users/:name": "maintainer",
  "DELETE /api/v1/users/:name": "maintainer",
  "POST /api/v1/users/:name/rotate-keys": "maintainer",
  "GET /api/v1/tokens": "user",
  "POST /api/v1/tokens": "user",
  "DELETE /api/v1/tokens/:id": "user",
  "GET /api/v1/grants": "publisher",
  "POST /api/v1/grants": "publisher",
  "DELETE /api/v1/grants/:id": "publisher",
  "GET /api/v1/audit": "maintainer",
};

/** What a refusal tells. */
interface Problem {
  readonly reason?: string;
}

/** Reasons of a refusal at the door; what a route itself finds missing or wrong is none. */
const REFUSALS = new Set([
  "NO_TOKEN",
  "BAD_TOKEN",
  "NO_RIGHT",
  "PLAIN_HTTP",
  "NOT_LOCAL",
  "CROSS_SITE",
]);

test("A1 API-01 every route that the server answers stands in the access matrix", async (t) => {
  const world = await startApp(t);

  const answered = world.app.routes
    .filter(({ method, url }) => method !== "HEAD" || matrix[`GET ${url}`] === undefined)
    .map(({ method, url, access }) => [`${method} ${url}`, access]);

  assert.deepEqual(
    Object.fromEntries(answered.toSorted()),
    Object.fromEntries(Object.entries(matrix).toSorted()),
  );
});

test("A1 A10 API-01 every route lets in whom the matrix names, and nobody else", async (t) => {
  const world = await startApp(t);
  const tokens = await tokensOf(world);
  for (const { method, url, access } of world.app.routes) {
    for (const role of roles) {
      const token = tokens[role];
      const response = await world.app.fastify.inject({
        method: method as "GET",
        url: url.replace(/:\w+/g, "0"),
        headers: {
          host: "pub.example",
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
        },
        payloadAsStream: true,
      });
      const isRefused = response.statusCode === 401 || response.statusCode === 403;
      // What is answered to those who may is another test's; a stream of events never ends.
      const body = isRefused ? await text(response.stream()) : "";
      response.stream().destroy();
      const reason = body.startsWith("{") ? (JSON.parse(body) as Problem).reason : undefined;
      const isIn = !isRefused || (reason !== undefined && !REFUSALS.has(reason));
      const isExpected = (admitted[access] as readonly Role[]).includes(role);
      assert.equal(isIn, isExpected, `${method} ${url} as ${role}: ${response.statusCode}`);
      if (response.statusCode === 401) {
        assert.equal(response.headers["www-authenticate"], "Bearer");
      }
      assert.ok(token === undefined || !body.includes(token));
    }
  }
});

test("API-01 credentials of another form count for nothing", async (t) => {
  const world = await startApp(t);
  for (const authorization of [
    "Bearer wrong",
    "Basic cmlnaHQ6dG9rZW4=",
    `bearer${TOKEN}`,
    "Bearer ",
  ]) {
    for (const url of ["/api/v1/status", "/api/v1/users", "/api/v1/publications"]) {
      const response = await world.get(url, { authorization });
      assert.equal(response.statusCode, 401, `${url} ${authorization}`);
    }
  }
});

test("API-01 the OpenAPI document tells of the matrix's API routes, and which need a token", async (t) => {
  const world = await startApp(t);
  const document = (await world.get("/api/v1/openapi.json")).json<{
    readonly paths: Record<string, Record<string, { readonly security: readonly object[] }>>;
  }>();

  const listed = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, { security }]) => {
      const url = path.replaceAll(/\{(\w+)\}/g, ":$1");
      const isOpen = security.length === 0 || Object.keys(security[0] ?? {}).length === 0;
      return `${method.toUpperCase()} ${url} ${isOpen}`;
    }),
  );

  const open = new Set(["public", "reader", "secret"]);
  const expected = Object.entries(matrix)
    .filter(([route]) => route.includes(" /api/") && !route.endsWith("openapi.json"))
    .map(([route, access]) => `${route} ${open.has(access)}`);
  assert.deepEqual(listed.toSorted(), expected.toSorted());
});

test("CFG-14 a token travels over plain HTTP only where the operator allowed it", async (t) => {
  const world = await startApp(t);
  world.origin.isLocal = false;
  world.origin.isPrivate = false;
  const refused = await world.send({ method: "GET", url: "/api/v1/status" });
  assert.deepEqual([refused.statusCode, refused.json().reason], [403, "PLAIN_HTTP"]);
  const login = { method: "POST", url: "/api/v1/login", payload: {} } as const;
  assert.equal((await world.send(login)).json().reason, "PLAIN_HTTP");
  assert.equal((await world.get("/api/v1/server")).json().tokenFile, undefined);
  assert.equal((await world.get("/api/v1/publications")).statusCode, 200);

  world.origin.isPrivate = true;
  assert.equal((await world.send({ method: "GET", url: "/api/v1/status" })).statusCode, 200);
  const local = {
    method: "POST",
    url: "/api/v1/local-publications",
    payload: { path: "/x" },
  } as const;
  assert.equal((await world.send(local)).json().reason, "NOT_LOCAL");

  const insecure = await startApp(t, true);
  insecure.origin.isPrivate = false;
  assert.equal((await insecure.send({ method: "GET", url: "/api/v1/status" })).statusCode, 200);
});

test("API-02 a wrong method gets 405 and the methods that there are", async (t) => {
  const world = await startApp(t);
  const table = [
    ["PUT", "/api/v1/publications", "GET, HEAD, POST"],
    ["DELETE", "/api/v1/publications/x/publish", "POST"],
    ["POST", "/p/x", "GET, HEAD"],
    ["OPTIONS", "/api/v1/local-publications", "POST"],
  ] as const;
  for (const [method, url, allow] of table) {
    const response = await world.send({ method, url });
    assert.deepEqual([response.statusCode, response.headers["allow"]], [405, allow], url);
  }
});

test("A5 API-12 a Host that is not ours is refused", async (t) => {
  const world = await startApp(t);
  for (const url of ["/", "/api/v1/publications", "/nothing"]) {
    const response = await world.get(url, { host: "evil.example" });
    assert.equal(response.statusCode, 421, url);
  }
});

test("A3 API-11 no cross-site request does anything, whatever it brings", async (t) => {
  const world = await startApp(t);
  const headers = { origin: "https://evil.example", "sec-fetch-site": "cross-site" };
  const form = "application/x-www-form-urlencoded";
  for (const type of [form, "text/plain", "multipart/form-data; boundary=x"]) {
    const payload = '{"name":"eve","role":"maintainer"}';
    const typed = { ...headers, host: "pub.example", "content-type": type };
    const url = "/api/v1/users";
    const bare = await world.app.fastify.inject({ method: "POST", url, headers: typed, payload });
    assert.deepEqual([bare.statusCode, bare.json().reason], [403, "CROSS_SITE"], type);
    const known = await world.send({ method: "POST", url, headers: typed, payload });
    assert.equal(known.statusCode, 403, type);
    const silent = { host: "pub.example", "content-type": type };
    const unmarked = await world.send({ method: "POST", url, headers: silent, payload });
    assert.equal(unmarked.statusCode, 415, type);
  }
  const preflight = await world.send({ method: "OPTIONS", url: "/api/v1/users", headers });
  assert.equal(preflight.headers["access-control-allow-origin"], undefined);
});

test("API-13 a header does not change the method", async (t) => {
  const world = await startApp(t);
  await publishThing(world);
  for (const name of ["x-http-method", "x-http-method-override", "x-method-override"]) {
    const url = "/api/v1/publications/some-thing";
    const response = await world.send({ method: "GET", url, headers: { [name]: "DELETE" } });
    assert.equal(response.statusCode, 200);
  }
  assert.equal((await world.get("/api/v1/publications/some-thing")).statusCode, 200);
});

test("API-26 a token in the query is refused, even a right one", async (t) => {
  const world = await startApp(t);
  for (const name of ["token", "access_token", "api_key"]) {
    const response = await world.send({ method: "GET", url: `/api/v1/status?${name}=${TOKEN}` });
    assert.deepEqual([response.statusCode, response.json().reason], [400, "TOKEN_IN_URL"]);
    assert.ok(!response.body.includes(TOKEN));
  }
});
