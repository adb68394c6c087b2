/** What a hostile page or request meets at every route: reliability's rows A4, A9, A11, A14 and A15. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import {
  type AppWorld,
  plan,
  publishThing,
  startApp,
  TOKEN,
} from "../../../test/support/announcer-app.ts";

const PLANS = "/api/v1/publications";

test("A4 no answer can be shown in a frame, be taken for another type or tell where from", async (t) => {
  const world = await startApp(t);
  await publishThing(world);
  const places = new Set(
    world.app.routes.map(({ url }) => url.replaceAll(/:\w+|\*/g, "some-thing")),
  );
  assert.ok(places.size > 30);
  for (const url of [...places, "/nothing/here", `${PLANS}?limit=0`, "/p/no-thing"]) {
    if (url.endsWith("/events")) continue;
    for (const method of ["GET", "PUT"] as const) {
      const { headers, statusCode } = await world.app.fastify.inject({
        method,
        url,
        headers: { host: "pub.example" },
      });
      const about = `${method} ${url} ${statusCode}`;
      const policy = String(headers["content-security-policy"]);
      assert.match(policy, /^default-src 'none';.* frame-ancestors 'none';/, about);
      assert.doesNotMatch(policy, /unsafe/, about);
      assert.equal(headers["x-content-type-options"], "nosniff", about);
      assert.equal(headers["referrer-policy"], "no-referrer", about);
    }
  }
});

test("A9 plans that no disk or memory could hold are refused, and leave nothing behind", async (t) => {
  const world = await startApp(t);
  const send = (payload: object) => world.send({ method: "POST", url: PLANS, payload });
  const file = { path: ["a"], length: 1 };
  const many = Array.from({ length: 100_001 }, (_, i) => ({ path: [`${i}`], length: 0 }));
  for (const files of [
    [],
    many,
    [{ ...file, length: -1 }],
    [{ ...file, length: 1.5 }],
    [{ ...file, length: 2 ** 53 }],
    [{ ...file, length: "1" }],
    [{ ...file, path: [] }],
    [{ ...file, path: Array.from({ length: 101 }, () => "a") }],
    [{ ...file, path: ["x".repeat(1025)] }],
    [{ ...file, sha256: "0".repeat(63) }],
  ]) {
    const { statusCode } = await send({ ...plan, files });
    assert.ok(statusCode === 400 || statusCode === 422, `${statusCode}`);
  }
  const { publications } = (await world.send({ url: PLANS })).json();
  assert.deepEqual(publications, []);
});

test("A9 no file takes more than its plan says, and what is not whole is not published", async (t) => {
  const world = await startApp(t);
  await world.send({ method: "POST", url: PLANS, payload: plan });
  const append = (payload: string, index = 0, offset = 0) =>
    world.send({
      method: "PATCH",
      url: `${PLANS}/some-thing/files/${index}`,
      headers: { "content-type": "application/octet-stream", "upload-offset": `${offset}` },
      payload,
    });
  assert.equal((await append("more than five")).statusCode, 400);
  assert.equal((await append("x", 2)).statusCode, 404);
  assert.equal((await append("x", 0, 2 ** 53)).statusCode, 400);
  const early = await world.send({ method: "POST", url: `${PLANS}/some-thing/publish` });
  assert.equal(early.statusCode, 409, early.body);
  assert.equal((await world.get("/p/some-thing")).statusCode, 404);
});

test("A11 a .torrent is a download that names itself by its digest, whoever changes it on the way", async (t) => {
  const world = await startApp(t);
  await publishThing(world);
  const { rawPayload, headers } = await world.get("/p/some-thing.torrent");
  assert.equal(headers.etag, `"${createHash("sha256").update(rawPayload).digest("hex")}"`);
  assert.match(String(headers["content-disposition"]), /^attachment/);
  assert.equal(headers["x-content-type-options"], "nosniff");
});

test("A14 the API takes no address that the server would then fetch from", async (t) => {
  const world = await startApp(t);
  const document = (await world.get("/api/v1/openapi.json")).json<object>();
  const names: string[] = [];
  JSON.stringify(document, (key, value: unknown) => {
    names.push(key);
    return value;
  });
  assert.deepEqual(
    names.filter((name) => /^(?:.*_)?(?:url|uri|href|host|import|webhook|callback)s?$/i.test(name)),
    [],
  );
});

/** Texts that something behind the API might take for its own language. */
const payloads = [
  "' OR 1=1 --",
  '"; DROP TABLE publication; --',
  "<%= 7*7 %>",
  "{{7*7}}",
  "$ne",
  "=HYPERLINK(1)",
  "x\r\nset-cookie: session=evil",
  "x\nset-cookie: session=evil",
  "\u0000",
  "../../etc/passwd",
  "__proto__",
  "constructor()",
  `${"a".repeat(200)}!`,
];

test("A15 what is meant for a database, a header, a log or a template is text, wherever it is sent", async (t) => {
  const world = await startApp(t);
  await publishThing(world);
  const before = await world.catalogue.list();
  for (const payload of payloads) {
    const inPath = encodeURIComponent(payload);
    const requests = [
      { method: "GET", url: `${PLANS}/${inPath}` },
      { method: "GET", url: `${PLANS}/${inPath}/status` },
      { method: "DELETE", url: `${PLANS}/${inPath}` },
      { method: "GET", url: `/p/${inPath}` },
      { method: "GET", url: `/p/${inPath}.torrent` },
      { method: "GET", url: `/api/v1/users?limit=${inPath}` },
      { method: "GET", url: `/api/v1/tokens?user=${inPath}` },
      { method: "DELETE", url: `/api/v1/grants/${inPath}` },
      { method: "PATCH", url: `/api/v1/users/${inPath}`, payload: { isDisabled: true } },
      { method: "POST", url: "/api/v1/users", payload: { name: payload, role: "downloader" } },
      { method: "POST", url: "/api/v1/grants", payload: { user: payload, publication: payload } },
      { method: "POST", url: "/api/v1/login", payload: { name: payload, password: payload } },
      { method: "POST", url: PLANS, payload: { ...plan, name: payload } },
    ] as const;
    for (const request of requests) {
      const { statusCode, headers, body } = await world.send(request);
      const about = `${request.method} ${request.url} ${statusCode} ${body.slice(0, 200)}`;
      assert.ok(statusCode >= 400 && statusCode < 500, about);
      assert.equal(headers["set-cookie"], undefined, about);
      assert.doesNotMatch(body, /SQLITE|syntax error|\b49\b.*7\*7/i, about);
    }
  }
  assert.deepEqual(await world.catalogue.list(), before);
  assert.deepEqual(world.internalErrors, []);
  const audit = await world.accessControl.audit.page({ limit: 1000, before: undefined });
  assert.ok(audit.length > 0);
  assert.equal(await world.accessControl.audit.findBreak(), undefined);
});

test("A15 API-04 no body reaches what is behind every object, nor a field that is not its own", async (t) => {
  const world = await startApp(t);
  await publishThing(world);
  const bodies = [
    '{"__proto__":{"polluted":true},"name":"eve","role":"downloader"}',
    '{"constructor":{"prototype":{"polluted":true}},"name":"eve","role":"downloader"}',
    '{"name":"eve","role":"downloader","id":"0","isDisabled":false}',
    '{"name":"eve","role":"downloader","passwordHash":"$argon2id$"}',
    '{"name":"eve","role":["maintainer"]}',
  ];
  for (const payload of bodies) {
    const headers = { "content-type": "application/json", authorization: `Bearer ${TOKEN}` };
    const answer = await world.send({ method: "POST", url: "/api/v1/users", headers, payload });
    assert.equal(answer.statusCode, 400, payload);
  }
  const owner = { policy: "fast", access: { ownerId: "0" } };
  const taken = await world.send({
    method: "PATCH",
    url: `${PLANS}/some-thing/policy`,
    payload: owner,
  });
  assert.equal(taken.json().reason, "UNKNOWN_FIELD");
  assert.equal("polluted" in {}, false);
  assert.equal(await everyUser(world), 0);
});

async function everyUser(world: AppWorld): Promise<number> {
  return (await world.accessControl.accounts.all()).length;
}
