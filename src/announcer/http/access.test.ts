import assert from "node:assert/strict";
import { test } from "node:test";
import { startApp, TOKEN } from "../../../test/support/announcer-app.ts";

const publisherRoutes = [
  ["POST", "/api/v1/publications"],
  ["GET", "/api/v1/publications/x/upload"],
  ["HEAD", "/api/v1/publications/x/files/0"],
  ["PATCH", "/api/v1/publications/x/files/0"],
  ["POST", "/api/v1/publications/x/publish"],
  ["POST", "/api/v1/local-publications"],
  ["DELETE", "/api/v1/publications/x"],
  ["GET", "/api/v1/publications/x/status"],
  ["GET", "/api/v1/publications/x/ledger"],
  ["GET", "/api/v1/status"],
] as const;
const publicRoutes = [
  ["GET", "/"],
  ["GET", "/p/x"],
  ["GET", "/api/v1/publications"],
  ["GET", "/api/v1/publications/x"],
  ["GET", "/api/v1/server"],
  ["GET", "/api/v1/openapi.json"],
  ["GET", "/assets/style.css"],
  ["GET", "/assets/icon.svg"],
  ["GET", "/robots.txt"],
  ["GET", "/healthz"],
  ["GET", "/readyz"],
] as const;

test("API-01 every route is either public or refuses without a good token", async (t) => {
  const world = await startApp(t);
  const bad = [undefined, "Bearer wrong", "Basic cmlnaHQ6dG9rZW4=", `bearer${TOKEN}`, "Bearer "];
  for (const [method, url] of publisherRoutes) {
    for (const authorization of bad) {
      const response = await world.app.fastify.inject({
        method,
        url,
        headers: { host: "pub.example", ...(authorization !== undefined && { authorization }) },
      });
      assert.equal(response.statusCode, 401, `${method} ${url} ${authorization}`);
      assert.equal(response.headers["www-authenticate"], "Bearer");
    }
  }
  for (const [method, url] of publicRoutes) {
    const response = await world.app.fastify.inject({
      method,
      url,
      headers: { host: "pub.example" },
    });
    assert.ok([200, 404].includes(response.statusCode), `${method} ${url}`);
  }
});

test("API-01 the OpenAPI document lists exactly the routes of these tests", async (t) => {
  const world = await startApp(t);
  const document = (await world.get("/api/v1/openapi.json")).json<{
    readonly paths: Record<string, Record<string, { readonly security: readonly unknown[] }>>;
  }>();

  const listed = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, { security }]) => {
      const url = path.replace("{name}", "x").replace("{index}", "0");
      return `${method.toUpperCase()} ${url} ${security.length > 0 ? "publisher" : "public"}`;
    }),
  );

  const tested = [
    ...publisherRoutes.map(([method, url]) => `${method} ${url} publisher`),
    ...publicRoutes
      .filter(([, url]) => url.startsWith("/api/") && !url.endsWith("openapi.json"))
      .map(([method, url]) => `${method} ${url} public`),
  ];
  assert.deepEqual(listed.toSorted(), tested.toSorted());
});

test("a token travels over plain HTTP only where the operator allowed it", async (t) => {
  const world = await startApp(t);
  world.origin.isLocal = false;
  world.origin.isPrivate = false;
  const refused = await world.send({ method: "GET", url: "/api/v1/status" });
  assert.deepEqual([refused.statusCode, refused.json().reason], [403, "PLAIN_HTTP"]);
  assert.equal((await world.get("/api/v1/server")).json().tokenFile, undefined);

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

test("API-12 a Host that is not ours is refused", async (t) => {
  const world = await startApp(t);
  for (const url of ["/", "/api/v1/publications", "/nothing"]) {
    const response = await world.get(url, { host: "evil.example" });
    assert.equal(response.statusCode, 421, url);
  }
});

test("API-26 a token in the query is refused, even a right one", async (t) => {
  const world = await startApp(t);
  for (const name of ["token", "access_token", "api_key"]) {
    const response = await world.send({ method: "GET", url: `/api/v1/status?${name}=${TOKEN}` });
    assert.deepEqual([response.statusCode, response.json().reason], [400, "TOKEN_IN_URL"]);
    assert.ok(!response.body.includes(TOKEN));
  }
});
