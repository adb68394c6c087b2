import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { type AppWorld, startApp } from "../../../test/support/announcer-app.ts";

const PASSWORD = "correct horse battery";
const MINUTE_MS = 60_000;
const ours = { "sec-fetch-site": "same-origin" };

interface Browser extends AppWorld {
  logIn(cookie?: string, name?: string): Promise<string>;
  /** A request with a session's cookie, from our own page unless `headers` say otherwise. */
  browse(
    cookie: string,
    url: string,
    options?: {
      readonly method?: "GET" | "POST" | "DELETE";
      readonly headers?: Record<string, string>;
      readonly payload?: object;
    },
  ): ReturnType<AppWorld["send"]>;
}

async function startBrowser(t: TestContext): Promise<Browser> {
  const world = await startApp(t);
  await world.accessControl.accounts.add({ name: "mary", role: "maintainer", password: PASSWORD });
  await world.accessControl.accounts.add({ name: "dora", role: "downloader", password: PASSWORD });
  return {
    ...world,
    async logIn(cookie, name = "mary") {
      const response = await world.app.fastify.inject({
        method: "POST",
        url: "/api/v1/sessions",
        headers: { host: "pub.example", ...ours, ...(cookie !== undefined && { cookie }) },
        payload: { name, password: PASSWORD },
      });
      assert.equal(response.statusCode, 201);
      return String(response.headers["set-cookie"]).split(";")[0] as string;
    },
    browse: (cookie, url, { method = "GET", headers = ours, payload } = {}) =>
      world.app.fastify.inject({
        method,
        url,
        headers: { host: "pub.example", cookie, ...headers },
        ...(payload !== undefined && { payload }),
      }),
  };
}

const wait = (world: AppWorld, ms: number) => world.clock.run({ until: world.clock.now() + ms });

test("A6 a log-in gives a cookie that scripts cannot read and other sites cannot have sent", async (t) => {
  const world = await startBrowser(t);
  const logIn = () =>
    world.app.fastify.inject({
      method: "POST",
      url: "/api/v1/sessions",
      headers: { host: "pub.example" },
      payload: { name: "mary", password: PASSWORD },
    });
  const plain = await logIn();
  assert.match(
    String(plain.headers["set-cookie"]),
    /^btpublisher=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/,
  );
  assert.equal(plain.headers["cache-control"], "no-store");
  assert.deepEqual([plain.json().name, plain.json().role], ["mary", "maintainer"]);
  world.origin.isEncrypted = true;
  assert.match(
    String((await logIn()).headers["set-cookie"]),
    /^__Host-btpublisher=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Secure$/,
  );
});

test("a session may what its account may, and what is public is so without one", async (t) => {
  const world = await startBrowser(t);
  const mary = await world.logIn();
  const dora = await world.logIn(undefined, "dora");
  const me = (await world.browse(mary, "/api/v1/me")).json();
  assert.deepEqual(me.scopes, ["download", "publish", "read:stats", "admin"]);
  assert.equal(Date.parse(me.session.idleEndsAt) - world.clock.unixNow(), 30 * MINUTE_MS);
  assert.equal((await world.browse(mary, "/api/v1/users")).statusCode, 200);
  assert.equal((await world.browse(dora, "/api/v1/users")).statusCode, 403);
  const stale = `btpublisher=${"A".repeat(43)}`;
  assert.equal((await world.browse(stale, "/api/v1/users")).statusCode, 401);
  assert.equal((await world.browse(stale, "/api/v1/publications")).statusCode, 200);
  assert.equal((await world.browse(stale, "/")).statusCode, 200);
  assert.equal((await world.get("/api/v1/me")).json().reason, "NO_TOKEN");
});

test("A6 API-10 a session that was there before the log-in is replaced, and ends", async (t) => {
  const world = await startBrowser(t);
  const planted = await world.logIn();
  const own = await world.logIn(planted);
  assert.notEqual(own, planted);
  assert.equal((await world.browse(planted, "/api/v1/me")).statusCode, 401);
  assert.equal((await world.browse(own, "/api/v1/me")).statusCode, 200);
  const chosen = `btpublisher=${"B".repeat(43)}`;
  assert.notEqual(await world.logIn(chosen), chosen);
});

test("A6 a session ends after 30 minutes without use, and after 12 hours anyhow", async (t) => {
  const world = await startBrowser(t);
  const idle = await world.logIn();
  const used = await world.logIn();
  for (let minutes = 20; minutes < 12 * 60; minutes += 20) {
    await wait(world, 20 * MINUTE_MS);
    assert.equal((await world.browse(used, "/api/v1/me")).statusCode, 200, `${minutes}`);
    if (minutes === 40) {
      assert.equal((await world.browse(idle, "/api/v1/me")).statusCode, 401);
    }
  }
  await wait(world, 20 * MINUTE_MS);
  assert.equal((await world.browse(used, "/api/v1/me")).statusCode, 401);
});

test("A6 a session ends with a log-out, a change of the account, and the account", async (t) => {
  const world = await startBrowser(t);
  const out = await world.logIn();
  const gone = await world.browse(out, "/api/v1/sessions/current", { method: "DELETE" });
  assert.equal(gone.statusCode, 204);
  assert.match(String(gone.headers["set-cookie"]), /^btpublisher=; .*Max-Age=0$/);
  assert.equal((await world.browse(out, "/api/v1/me")).statusCode, 401);

  for (const change of [
    { role: "publisher" },
    { password: `${PASSWORD} 2` },
    { isDisabled: true },
  ]) {
    const name = `user${Object.keys(change)[0]?.toLowerCase()}`;
    const role = "maintainer";
    await world.accessControl.accounts.add({ name, role, password: PASSWORD });
    const cookie = await world.logIn(undefined, name);
    assert.equal((await world.browse(cookie, "/api/v1/me")).statusCode, 200);
    await world.send({ method: "PATCH", url: `/api/v1/users/${name}`, payload: change });
    assert.equal((await world.browse(cookie, "/api/v1/me")).statusCode, 401, name);
  }
  const removed = await world.logIn(undefined, "dora");
  await world.send({ method: "DELETE", url: "/api/v1/users/dora" });
  assert.equal((await world.browse(removed, "/api/v1/me")).statusCode, 401);
});

test("A6 an account has 20 sessions: the oldest ends for one more", async (t) => {
  const world = await startBrowser(t);
  const cookies: string[] = [];
  for (let i = 0; i < 21; i++) {
    await wait(world, 1);
    cookies.push(await world.logIn());
  }
  const [first, second] = cookies as [string, string];
  assert.equal((await world.browse(first, "/api/v1/me")).statusCode, 401);
  assert.equal((await world.browse(second, "/api/v1/me")).statusCode, 200);
});

test("A3 API-11 API-12 with a session only pages of our own can change anything", async (t) => {
  const world = await startBrowser(t);
  const cookie = await world.logIn();
  const add = async (headers: Record<string, string>) => {
    const payload = { name: `user${Object.keys(headers).length}`, role: "downloader" };
    const options = { method: "POST", headers, payload } as const;
    const response = await world.browse(cookie, "/api/v1/users", options);
    return response.json().reason ?? response.statusCode;
  };
  const refused = [
    {},
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
    { origin: "https://evil.example" },
    { origin: "null" },
    { origin: "http://pub.example.evil.example" },
    { origin: "http://pub.example:81" },
    { "sec-fetch-site": "cross-site", origin: "http://pub.example" },
  ];
  for (const headers of refused) {
    assert.equal(await add(headers), "CROSS_SITE", JSON.stringify(headers));
  }
  assert.equal(await add({ origin: "http://pub.example" }), 201);
  assert.equal(await add({ ...ours, origin: "http://pub.example" }), 201);
  // What brings a token of its own is no browser's doing.
  const foreign = { host: "pub.example", authorization: "Bearer right-token" };
  const payload = { name: "other", role: "downloader" };
  const plain = { method: "POST", url: "/api/v1/users", payload } as const;
  const known = await world.app.fastify.inject({ ...plain, headers: { ...foreign, cookie } });
  assert.equal(known.statusCode, 201);
});

test("a session over plain HTTP counts only where the operator allowed it", async (t) => {
  const world = await startBrowser(t);
  const cookie = await world.logIn();
  world.origin.isLocal = false;
  world.origin.isPrivate = false;
  assert.equal((await world.browse(cookie, "/api/v1/users")).json().reason, "PLAIN_HTTP");
  assert.equal((await world.browse(cookie, "/")).statusCode, 200);
});

test("A7 API-09 guessing is slowed down at this door as at the other one", async (t) => {
  const world = await startBrowser(t);
  const guess = () =>
    world.app.fastify.inject({
      method: "POST",
      url: "/api/v1/sessions",
      headers: { host: "pub.example" },
      payload: { name: "mary", password: "wrong wrong wrong" },
    });
  let last = await guess();
  for (let i = 0; i < 20 && last.statusCode === 403; i++) last = await guess();
  assert.equal(last.statusCode, 429);
  assert.ok(Number(last.headers["retry-after"]) > 0);
  assert.equal(last.headers["set-cookie"], undefined);
});

test("A8 the first maintainer is made by the set-up link, and is logged in when it asks for it", async (t) => {
  const world = await startApp(t);
  assert.equal((await world.get("/api/v1/server")).json().needsSetup, true);
  const token = await world.accessControl.openSetup();
  const response = await world.app.fastify.inject({
    method: "POST",
    url: "/api/v1/setup",
    headers: { host: "pub.example", ...ours },
    payload: { token, name: "carol", password: PASSWORD, session: true },
  });
  assert.equal(response.statusCode, 201);
  const cookie = String(response.headers["set-cookie"]).split(";")[0] as string;
  assert.equal((await world.get("/api/v1/me", { cookie })).json().name, "carol");
  assert.equal((await world.get("/api/v1/server")).json().needsSetup, false);
});

test("A2 reports of browsers are kept, bounded, and told to maintainers", async (t) => {
  const world = await startApp(t);
  for (let i = 0; i < 60; i++) {
    const sent = await world.app.fastify.inject({
      method: "POST",
      url: "/api/v1/csp-reports",
      headers: { host: "pub.example", "content-type": "application/csp-report" },
      payload: JSON.stringify({ "csp-report": { "blocked-uri": `${i}`.repeat(3000) } }),
    });
    assert.equal(sent.statusCode, 204);
  }
  const { count, reports } = (
    await world.send({ method: "GET", url: "/api/v1/csp-reports" })
  ).json();
  assert.deepEqual([count, reports.length], [60, 50]);
  assert.ok(reports.every((text: string) => text.length <= 2000));
});
