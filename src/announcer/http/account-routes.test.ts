import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { type AppWorld, plan, startApp } from "../../../test/support/announcer-app.ts";
import { type Role, tokensOf } from "../../../test/support/roles.ts";
import { parseMetainfo } from "../../protocol/metainfo/parse.ts";
import { sha1 } from "../../adapters/node/disk-hash.ts";

const PASSWORD = "correct horse battery";

interface People extends AppWorld {
  /** A request as one of the roles. */
  as(
    role: Role,
    method: "GET" | "POST" | "PATCH" | "DELETE",
    url: string,
    payload?: object,
  ): ReturnType<AppWorld["send"]>;
}

async function startPeople(t: TestContext): Promise<People> {
  const world = await startApp(t);
  const tokens = await tokensOf(world);
  return {
    ...world,
    as: (role, method, url, payload) =>
      world.app.fastify.inject({
        method,
        url,
        headers: {
          host: "pub.example",
          ...(tokens[role] !== undefined && { authorization: `Bearer ${tokens[role]}` }),
        },
        ...(payload !== undefined && { payload }),
      }),
  };
}

async function publishAs(world: People, role: Role, access: object): Promise<number> {
  const planned = await world.as(role, "POST", "/api/v1/publications", { ...plan, access });
  if (planned.statusCode !== 201) return planned.statusCode;
  await world.send({
    method: "PATCH",
    url: "/api/v1/publications/some-thing/files/0",
    headers: { "content-type": "application/octet-stream", "upload-offset": "0" },
    payload: "hello",
  });
  return (await world.as(role, "POST", "/api/v1/publications/some-thing/publish")).statusCode;
}

function announceUrlIn(torrent: Buffer): string | undefined {
  const metainfo = parseMetainfo(new Uint8Array(torrent), { sha1 });
  assert.ok(metainfo.ok);
  assert.equal(metainfo.value.info.isPrivate, true);
  return metainfo.value.announceTiers[0]?.[0];
}

test("what is private is there only for whom it was granted; each gets a key of its own", async (t) => {
  const world = await startPeople(t);
  assert.equal(await publishAs(world, "owner", { catalogue: "private" }), 200);
  const places = [
    "/api/v1/publications/some-thing",
    "/p/some-thing",
    "/p/some-thing.torrent",
    "/p/some-thing.sha256",
  ];
  for (const role of ["anonymous", "downloader", "publisher"] as const) {
    for (const place of places) {
      const hidden = await world.as(role, "GET", place);
      const missing = await world.as(role, "GET", place.replace("some-thing", "no-thing"));
      assert.equal(hidden.statusCode, 404, `${role} ${place}`);
      assert.equal(hidden.body, missing.body);
    }
    const { publications } = (await world.as(role, "GET", "/api/v1/publications")).json();
    assert.deepEqual(publications, []);
    assert.ok(!(await world.as(role, "GET", "/")).body.includes("some-thing"));
  }

  const grant = { user: "dora", publication: "some-thing" };
  const granted = await world.as("maintainer", "POST", "/api/v1/grants", grant);
  assert.equal(granted.statusCode, 201);

  const torrent = await world.as("downloader", "GET", "/p/some-thing.torrent");
  assert.equal(torrent.headers["cache-control"], "no-store");
  const url = announceUrlIn(torrent.rawPayload);
  assert.match(String(url), /^http:\/\/pub\.example\/announce\/[0-9a-f]{40}$/);
  const again = await world.as("downloader", "GET", "/p/some-thing.torrent");
  assert.equal(announceUrlIn(again.rawPayload), url);
  const others = await world.as("maintainer", "GET", "/p/some-thing.torrent");
  assert.notEqual(announceUrlIn(others.rawPayload), url);
  assert.equal(parseInfoHash(others.rawPayload), parseInfoHash(torrent.rawPayload));
  const view = (await world.as("downloader", "GET", places[0] as string)).json();
  assert.deepEqual([view.catalogue, view.access, view.magnet], ["private", "tracker", undefined]);

  await world.as("maintainer", "DELETE", `/api/v1/grants/${granted.json().id}`);
  assert.equal((await world.as("downloader", "GET", "/p/some-thing.torrent")).statusCode, 404);
});

function parseInfoHash(torrent: Buffer): string {
  const metainfo = parseMetainfo(new Uint8Array(torrent), { sha1 });
  assert.ok(metainfo.ok);
  return metainfo.value.info.infoHash;
}

test("members' publications are for every account, and for nobody else", async (t) => {
  const world = await startPeople(t);
  assert.equal(await publishAs(world, "owner", { catalogue: "members", level: "admitted" }), 200);

  assert.equal((await world.as("anonymous", "GET", "/p/some-thing.torrent")).statusCode, 404);
  assert.equal((await world.as("downloader", "GET", "/p/some-thing.torrent")).statusCode, 200);
  const [update] = world.control.accessUpdates.filter(({ keys }) => keys.length > 0);
  assert.equal(update?.keys.length, 1);
  const guests = world.control.accessUpdates.flatMap((each) => each.guests);
  assert.deepEqual(
    guests.map(({ host }) => host),
    ["127.0.0.1"],
  );
});

test("a public publication has no keys, and everybody gets the same file", async (t) => {
  const world = await startPeople(t);
  assert.equal(await publishAs(world, "owner", {}), 200);

  const torrents = ["anonymous", "downloader", "owner"] as const;
  const bodies = await Promise.all(
    torrents.map(async (role) => (await world.as(role, "GET", "/p/some-thing.torrent")).body),
  );
  assert.equal(new Set(bodies).size, 1);
});

test("A10 only who was named publishes, and only where it may", async (t) => {
  const world = await startPeople(t);
  assert.equal(await publishAs(world, "downloader", {}), 403);
  for (const catalogue of ["public", "members", "private"]) {
    assert.equal(await publishAs(world, "publisher", { catalogue }), 403, catalogue);
  }
  const grant = { user: "paul", right: "publish", catalogue: "members" };
  assert.equal((await world.as("maintainer", "POST", "/api/v1/grants", grant)).statusCode, 201);

  assert.equal(await publishAs(world, "publisher", { catalogue: "public" }), 403);
  assert.equal(await publishAs(world, "publisher", { catalogue: "members" }), 200);
});

test("A13 a publisher sees and changes its own publications, not those of others", async (t) => {
  const world = await startPeople(t);
  assert.equal(await publishAs(world, "owner", { catalogue: "members" }), 200);
  const one = "/api/v1/publications/some-thing";

  for (const path of ["/status", "/ledger", "/upload"]) {
    assert.equal((await world.as("publisher", "GET", `${one}${path}`)).statusCode, 404, path);
  }
  assert.equal((await world.as("publisher", "DELETE", one)).statusCode, 404);
  assert.equal((await world.as("publisher", "POST", `${one}/publish`)).statusCode, 404);
  const forMyself = { user: "paul", publication: "some-thing" };
  assert.equal((await world.as("publisher", "POST", "/api/v1/grants", forMyself)).statusCode, 404);
  assert.deepEqual((await world.as("publisher", "GET", "/api/v1/grants")).json().grants, []);
  const taken = await world.as("publisher", "POST", "/api/v1/publications", plan);
  assert.equal(taken.statusCode, 403);
});

test("A13 tokens of others are not there, and none makes a stronger one", async (t) => {
  const world = await startPeople(t);
  const all = (await world.as("maintainer", "GET", "/api/v1/tokens")).json().tokens;
  const ofMary = all.find((token: { user: string }) => token.user === "mary").id;

  const own = (await world.as("downloader", "GET", "/api/v1/tokens")).json().tokens;
  assert.deepEqual(
    own.map((token: { user: string }) => token.user),
    ["dora"],
  );
  const revoke = await world.as("downloader", "DELETE", `/api/v1/tokens/${ofMary}`);
  assert.equal(revoke.statusCode, 404);
  const foreign = await world.as("downloader", "POST", "/api/v1/tokens", { user: "mary" });
  assert.equal(foreign.statusCode, 404);
  const stronger = await world.as("downloader", "POST", "/api/v1/tokens", { scopes: ["admin"] });
  assert.equal(stronger.statusCode, 403);
  assert.equal((await world.as("downloader", "POST", "/api/v1/tokens", {})).statusCode, 201);
  const long = { lifeSeconds: 400 * 24 * 60 * 60 };
  assert.equal((await world.as("downloader", "POST", "/api/v1/tokens", long)).statusCode, 400);
});

test("A13 a token makes none that lives longer than itself", async (t) => {
  const world = await startPeople(t);
  const minute = { lifeSeconds: 60 };
  const made = (await world.as("downloader", "POST", "/api/v1/tokens", minute)).json();
  const headers = { host: "pub.example", authorization: `Bearer ${made.token}` };
  const make = (payload: object) =>
    world.app.fastify.inject({ method: "POST", url: "/api/v1/tokens", headers, payload });

  const longer = await make({ lifeSeconds: 3600 });
  assert.deepEqual([longer.statusCode, longer.json().reason], [403, "NO_RIGHT"]);
  const child = await make({});
  assert.deepEqual([child.statusCode, child.json().expiresAt], [201, made.expiresAt]);
  assert.equal((await make({ lifeSeconds: 30 })).statusCode, 201);
});

test("API-04 a field that is not there to be set is refused, whatever the field", async (t) => {
  const world = await startPeople(t);
  const bodies = [
    ["POST", "/api/v1/users", { name: "x", role: "downloader", isAdmin: true }],
    ["PATCH", "/api/v1/users/dora", { id: "0", role: "maintainer" }],
    ["POST", "/api/v1/tokens", { user: "dora", digest: "x" }],
    ["POST", "/api/v1/grants", { user: "dora", catalogue: "private", id: "x" }],
    ["POST", "/api/v1/login", { name: "dora", password: "x", role: "maintainer" }],
  ] as const;
  for (const [method, url, body] of bodies) {
    const response = await world.as("maintainer", method, url, body);
    assert.deepEqual([response.statusCode, response.json().reason], [400, "UNKNOWN_FIELD"], url);
  }
});

test("API-05 names and ids that cannot be are simply not there", async (t) => {
  const world = await startPeople(t);
  for (const id of [
    "-1",
    "1e99",
    "1%20OR%201%3D1",
    "%00",
    "x".repeat(200),
    "__proto__",
    "server",
  ]) {
    for (const url of [`/api/v1/users/${id}`, `/api/v1/tokens/${id}`, `/api/v1/grants/${id}`]) {
      assert.equal((await world.as("maintainer", "DELETE", url)).statusCode, 404, url);
    }
  }
});

test("A7 API-08 a login that is none, of an account that is none, or too long is refused alike", async (t) => {
  const world = await startPeople(t);
  await world.accessControl.accounts.change("mary", { password: PASSWORD });
  const login = (body: object) => world.as("anonymous", "POST", "/api/v1/login", body);

  for (const body of [{}, { name: "mary" }, { name: "mary", password: [PASSWORD] }, { name: 1 }]) {
    assert.equal((await login(body)).statusCode, 400);
  }
  const tooLong = { name: "mary", password: "x".repeat(1_000_000) };
  assert.equal((await login(tooLong)).statusCode, 400);
  tooLong.password = "x".repeat(3_000_000);
  assert.equal((await login(tooLong)).statusCode, 413);
  const wrong = [
    { name: "mary", password: "wrong horse battery" },
    { name: "nobody", password: PASSWORD },
    { name: "dora", password: PASSWORD },
    { name: "mаry", password: PASSWORD },
  ];
  const bodies = new Set<string>();
  for (const body of wrong) {
    const response = await login(body);
    assert.equal(response.statusCode, 403);
    bodies.add(response.body);
  }
  assert.equal(bodies.size, 1);

  const right = await login({ name: "mary", password: PASSWORD });
  assert.equal(right.statusCode, 201);
  const authorization = `Bearer ${right.json().token}`;
  assert.equal((await world.get("/api/v1/users", { authorization })).statusCode, 200);
});

test("A7 API-09 after many wrong logins one has to wait, and the right one works afterwards", async (t) => {
  const world = await startPeople(t);
  await world.accessControl.accounts.change("mary", { password: PASSWORD });
  const login = (password: string) =>
    world.as("anonymous", "POST", "/api/v1/login", { name: "mary", password });

  const statuses: number[] = [];
  for (let i = 0; i < 20; i++) statuses.push((await login(`wrong password ${i}`)).statusCode);
  assert.deepEqual(new Set(statuses), new Set([403, 429]));
  const early = await login(PASSWORD);
  assert.equal(early.statusCode, 429);
  const waitMs = Number(early.headers["retry-after"]) * 1000;
  assert.ok(waitMs > 0);

  await world.clock.run({ until: world.clock.now() + waitMs });
  assert.equal((await login(PASSWORD)).statusCode, 201);
});

test("A8 the first maintainer is made once, by the token that was printed", async (t) => {
  const world = await startApp(t);
  const token = await world.accessControl.openSetup();
  assert.match(String(token), /^btps_[\w-]{43}$/);
  const setUp = (body: object) =>
    world.app.fastify.inject({
      method: "POST",
      url: "/api/v1/setup",
      headers: { host: "pub.example" },
      payload: body,
    });

  const wrong = await setUp({ token: `btps_${"A".repeat(43)}`, name: "eve", password: PASSWORD });
  assert.equal(wrong.statusCode, 403);
  assert.equal((await setUp({ token, name: "mary", password: "short" })).statusCode, 400);
  assert.equal((await setUp({ token, name: "mary", password: PASSWORD })).statusCode, 201);
  assert.equal((await setUp({ token, name: "eve", password: PASSWORD })).statusCode, 403);
  assert.equal(await world.accessControl.openSetup(), undefined);
});

test("the audit log has who did what, refusals of those who are known, and no secret", async (t) => {
  const world = await startPeople(t);
  await world.accessControl.accounts.change("mary", { password: PASSWORD });
  await world.as("owner", "POST", "/api/v1/users", { name: "zoe", role: "downloader" });
  await world.as("publisher", "POST", "/api/v1/users", { name: "eve", role: "maintainer" });
  await world.as("anonymous", "POST", "/api/v1/users", { name: "eve", role: "maintainer" });
  await world.as("anonymous", "POST", "/api/v1/login", { name: "mary", password: "not this one" });
  await world.as("anonymous", "POST", "/api/v1/login", { name: "mary", password: PASSWORD });

  const answer = await world.as("owner", "GET", "/api/v1/audit");
  const { entries, brokenAt } = answer.json();
  const said = entries.map((entry: Record<string, unknown>) =>
    [entry["actor"], entry["action"], entry["subject"], entry["outcome"]].join(" "),
  );
  assert.deepEqual(said.toReversed(), [
    "server user.add zoe done",
    "paul user.add  denied",
    "anonymous login mary denied",
    "anonymous login mary done",
  ]);
  assert.equal(brokenAt, undefined);
  assert.ok(!answer.body.includes(PASSWORD) && !answer.body.includes("btp"));
});

test("API-06 pages and limits that cannot be are refused, and no order is taken", async (t) => {
  const world = await startPeople(t);
  const queries = [
    [
      "/api/v1/publications",
      ["limit=0", "limit=1000000000", "limit=-1", "before=x", "sort=password"],
    ],
    ["/api/v1/audit", ["limit=0", "limit=1000000000", "before=-1", "before=1.5", "page=0"]],
    ["/api/v1/users", ["limit=0", "limit=1001", "limit=x", "after=", "after=A", "before=a"]],
    ["/api/v1/tokens", ["sort=digest", "user=a&user=b", "limit=1001", "after=1.ab", "after=x"]],
    ["/api/v1/grants", ["limit=-1", "limit=1.5", "limit=1&limit=2", "after=zoe", "sort=id"]],
  ] as const;
  for (const [url, wrong] of queries) {
    for (const query of wrong) {
      const response = await world.as("maintainer", "GET", `${url}?${query}`);
      assert.equal(response.statusCode, 400, `${url}?${query}`);
    }
  }
});

/** Items of all pages of a list, by page. `between` happens after each page. */
async function pagesOf(
  world: People,
  { path, field, role = "maintainer" }: { path: string; field: string; role?: Role },
  between: () => Promise<unknown> = async () => undefined,
): Promise<Record<string, string>[][]> {
  const pages: Record<string, string>[][] = [];
  let next: string | undefined = path;
  while (next !== undefined) {
    assert.ok(pages.length < 50, "the pages do not end");
    const answer = await world.as(role, "GET", next);
    assert.equal(answer.statusCode, 200, next);
    const page: Record<string, unknown> = answer.json();
    pages.push(page[field] as Record<string, string>[]);
    next = page["next"] as string | undefined;
    await between();
  }
  return pages;
}

test("accounts, tokens and grants come in pages, each item once and in order", async (t) => {
  const world = await startPeople(t);
  for (let i = 0; i < 5; i++) {
    await world.as("maintainer", "POST", "/api/v1/tokens", { user: "dora" });
    const grant = { user: "dora", catalogue: "private" };
    assert.equal((await world.as("maintainer", "POST", "/api/v1/grants", grant)).statusCode, 201);
  }
  for (const [field, query, key] of [
    ["users", "", "name"],
    ["tokens", "", "id"],
    ["tokens", "user=dora&", "id"],
    ["grants", "", "id"],
    ["grants", "user=dora&", "id"],
  ] as const) {
    const path = `/api/v1/${field}?${query}`;
    const [whole = [], ...more] = await pagesOf(world, { path: `${path}limit=1000`, field });
    assert.deepEqual(more, []);
    assert.ok(whole.length >= 5, path);
    for (const limit of [1, 2, whole.length]) {
      const pages = await pagesOf(world, { path: `${path}limit=${limit}`, field });
      assert.equal(pages.length, Math.ceil(whole.length / limit), `${path}limit=${limit}`);
      assert.deepEqual(
        pages.flat().map((item) => item[key]),
        whole.map((item) => item[key]),
      );
    }
  }
  const own = await pagesOf(world, {
    path: "/api/v1/tokens?limit=1",
    field: "tokens",
    role: "downloader",
  });
  assert.deepEqual([...new Set(own.flat().map(({ user }) => user))], ["dora"]);
});

test("what is added and removed between two pages neither repeats an account nor skips one", async (t) => {
  const world = await startPeople(t);
  const before = await pagesOf(world, { path: "/api/v1/users", field: "users" });
  let count = 0;
  const pages = await pagesOf(
    world,
    { path: "/api/v1/users?limit=1", field: "users" },
    async () => {
      await world.as("owner", "POST", "/api/v1/users", { name: `a${++count}`, role: "downloader" });
      if (count === 1) await world.as("owner", "DELETE", "/api/v1/users/dave");
    },
  );
  assert.equal(pages[0]?.[0]?.["name"], "dave");
  const names = (users: readonly Record<string, string>[]) => users.map(({ name }) => name);
  assert.deepEqual(names(pages.flat()), names(before.flat()));
});

test("a list without a limit is a hundred at a time", async (t) => {
  const world = await startPeople(t);
  const known = (await pagesOf(world, { path: "/api/v1/users", field: "users" })).flat().length;
  for (let i = known; i < 101; i++) {
    await world.accessControl.accounts.add({
      name: `u${i}`,
      role: "downloader",
      password: undefined,
    });
  }
  const pages = await pagesOf(world, { path: "/api/v1/users", field: "users" });
  assert.deepEqual(
    pages.map(({ length }) => length),
    [100, 1],
  );
});
