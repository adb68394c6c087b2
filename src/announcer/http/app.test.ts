import assert from "node:assert/strict";
import { once } from "node:events";
import {
  createServer,
  type IncomingMessage,
  request as httpRequest,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { lines, plan, publishThing, startApp, TOKEN } from "../../../test/support/announcer-app.ts";
import { BtPublisherError } from "../../base/errors.ts";

test("plans, uploads by offset, publishes, and tells all addresses", async (t) => {
  const world = await startApp(t);

  const planned = await world.send({ method: "POST", url: "/api/v1/publications", payload: plan });
  assert.equal(planned.statusCode, 201);
  assert.deepEqual(planned.json(), { name: "some-thing", receivedBytes: [0, 0] });
  const url = "/api/v1/publications/some-thing/files/0";
  const patch = (offset: number, payload: string) =>
    world.send({
      method: "PATCH",
      url,
      headers: { "content-type": "application/octet-stream", "upload-offset": String(offset) },
      payload,
    });
  assert.equal((await patch(0, "he")).headers["upload-offset"], "2");
  const head = await world.send({ method: "HEAD", url });
  assert.equal(head.headers["upload-offset"], "2");
  const again = await world.send({ method: "POST", url: "/api/v1/publications", payload: plan });
  assert.deepEqual([again.statusCode, again.json().receivedBytes], [200, [2, 0]]);
  assert.equal((await patch(2, "llo")).statusCode, 204);

  const published = await world.send({
    method: "POST",
    url: "/api/v1/publications/some-thing/publish",
    payload: { pieceLength: 65536 },
  });
  assert.equal(published.headers["content-type"], "application/x-ndjson");
  const [progress, end] = lines(published);
  assert.deepEqual(progress, { event: "progress", bytes: 5, total: 5 });
  assert.equal(end?.["event"], "published");
  assert.deepEqual(end?.["fileUrls"], [
    "http://pub.example/files/some-thing/Some%20Thing/a.txt",
    "http://pub.example/files/some-thing/Some%20Thing/deep/b%27b.txt",
  ]);
  assert.equal(end?.["pageUrl"], "http://pub.example/p/some-thing");
});

test("API-25 an API error is JSON with nosniff, whatever the browser accepts", async (t) => {
  const world = await startApp(t);

  const response = await world.get("/api/v1/publications/%3Cscript%3E", { accept: "text/html" });

  assert.equal(response.statusCode, 404);
  assert.match(String(response.headers["content-type"]), /^application\/problem\+json/);
  assert.equal(response.headers["x-content-type-options"], "nosniff");
  assert.equal(response.json().code, "NOT_FOUND");
});

test("API-03 a body that is no JSON, too large, too deep or of another type is refused", async (t) => {
  const world = await startApp(t);
  const post = (payload: string, type = "application/json") =>
    world.send({
      method: "POST",
      url: "/api/v1/publications",
      headers: { "content-type": type },
      payload,
    });
  assert.equal((await post("{")).statusCode, 400);
  assert.equal((await post("")).statusCode, 400);
  assert.equal((await post("[".repeat(10_000) + "]".repeat(10_000))).statusCode, 400);
  assert.equal((await post("a=b", "application/x-www-form-urlencoded")).statusCode, 415);
  assert.equal((await post(`"${"x".repeat(17 * 1024 * 1024)}"`)).statusCode, 413);
  assert.equal((await post('{"__proto__":{"isAdmin":true}}')).statusCode, 400);
  assert.deepEqual(world.internalErrors, []);
});

test("API-04 API-14 unknown fields, wrong types and repeated parameters are refused", async (t) => {
  const world = await startApp(t);
  const post = (payload: object) =>
    world.send({ method: "POST", url: "/api/v1/publications", payload });
  const unknown = await post({ ...plan, role: "maintainer" });
  assert.deepEqual([unknown.statusCode, unknown.json().reason], [400, "UNKNOWN_FIELD"]);
  const negative = await post({ ...plan, files: [{ path: ["a"], length: -1 }] });
  assert.deepEqual([negative.statusCode, negative.json().field], [400, "files[0].length"]);
  const many = `q=${"%25".repeat(10_000)}`;
  const queries = [
    "limit=1&limit=2",
    "limit=0",
    "limit=1e9",
    "sort=password",
    "before=x",
    "q=",
    many,
  ];
  for (const query of queries) {
    assert.equal((await world.get(`/api/v1/publications?${query}`)).statusCode, 400, query);
  }
});

test("API-05 API-22 what names nothing is not found, with one text", async (t) => {
  const world = await startApp(t);
  const bodies = new Set<string>();
  for (const name of [
    "-1",
    "1e99",
    "1%20OR%201=1",
    "a%00b",
    "..%2f..%2fetc%2fpasswd",
    "%252e%252e",
  ]) {
    const response = await world.get(`/api/v1/publications/${name}`);
    assert.equal(response.statusCode, 404, name);
    bodies.add(String(response.json().detail));
    assert.equal((await world.get(`/p/${name}`)).statusCode, 404, name);
    assert.equal((await world.get(`/p/${name}.torrent`)).statusCode, 404, name);
  }
  assert.equal(bodies.size, 1);
  assert.equal((await world.get("/p/%ff")).statusCode, 400);
});

test("API-17 API-18 publishing what is published conflicts and says where it is", async (t) => {
  const world = await startApp(t);
  await publishThing(world);

  const response = await world.send({ method: "POST", url: "/api/v1/publications", payload: plan });

  assert.equal(response.statusCode, 409);
  const { code, reason, name } = response.json();
  assert.deepEqual([code, reason, name], ["CONFLICT", "ALREADY_PUBLISHED", "some-thing"]);
});

test("API-19 API-20 DELETE ends the page and the torrent", async (t) => {
  const world = await startApp(t);
  await publishThing(world);

  const removed = await world.send({ method: "DELETE", url: "/api/v1/publications/some-thing" });

  assert.deepEqual([removed.statusCode, removed.json().state], [202, "removing"]);
  assert.equal((await world.get("/p/some-thing")).statusCode, 404);
  assert.equal((await world.get("/p/some-thing.torrent")).statusCode, 404);
  assert.equal(lines(await publishThing(world)).at(-1)?.["event"], "published");
});

test("UPL-03 an upload at another offset conflicts", async (t) => {
  const world = await startApp(t);
  await world.send({ method: "POST", url: "/api/v1/publications", payload: plan });
  const patch = (offset: string | undefined) =>
    world.send({
      method: "PATCH",
      url: "/api/v1/publications/some-thing/files/0",
      headers: {
        "content-type": "application/octet-stream",
        ...(offset !== undefined && { "upload-offset": offset }),
      },
      payload: "x",
    });
  assert.equal((await patch("3")).statusCode, 409);
  for (const bad of [undefined, "-1", "1.5", "99999999999999999"]) {
    assert.equal((await patch(bad)).statusCode, 400, bad);
  }
  const none = await world.send({
    method: "HEAD",
    url: "/api/v1/publications/some-thing/files/2",
  });
  assert.equal(none.statusCode, 404);
});

test("errors of the machine are answered without their text and told to the log", async (t) => {
  const world = await startApp(t);
  world.content.before = () => {
    throw new Error("password=hunter2");
  };
  const bug = await world.send({ method: "POST", url: "/api/v1/publications", payload: plan });
  assert.equal(bug.statusCode, 500);
  assert.ok(!bug.body.includes("hunter2"));
  assert.equal(world.internalErrors.length, 1);

  world.content.before = () => {
    throw new BtPublisherError("STORAGE_FULL", "the disk is full: 10 bytes more are needed");
  };
  const full = await world.send({ method: "POST", url: "/api/v1/publications", payload: plan });
  assert.deepEqual([full.statusCode, full.json().code], [507, "STORAGE_FULL"]);
});

test("an audit log that cannot be written is told to the log; the call is answered", async (t) => {
  const world = await startApp(t);
  const full = new Error("the disk is full");
  t.mock.method(world.accessControl.audit, "append", () => Promise.reject(full));
  const answer = await world.send({ method: "POST", url: "/api/v1/publications", payload: plan });
  assert.equal(answer.statusCode, 201);
  assert.deepEqual(world.internalErrors, [full]);
});

test("lists page by page, ledger and status speak JSON", async (t) => {
  const world = await startApp(t);
  await publishThing(world);
  for (const name of ["a", "b"]) {
    await world.send({ method: "POST", url: "/api/v1/publications", payload: { ...plan, name } });
  }
  const first = (await world.get("/api/v1/publications?limit=2")).json();
  assert.deepEqual(
    first.publications.map((each: { name: string }) => each.name),
    ["b", "a"],
  );
  const second = (await world.get(first.next)).json();
  assert.equal(second.publications[0].name, "some-thing");
  assert.equal(second.next, undefined);

  const found = (await world.get("/api/v1/publications?limit=1&q=THING")).json();
  assert.equal(found.publications[0].name, "some-thing");
  assert.deepEqual((await world.get(found.next)).json().publications, []);

  const status = await world.send({ method: "GET", url: "/api/v1/publications/a/status" });
  assert.equal(status.json().state, "uploading");
  const entry = {
    at: 0,
    infoHash: "0".repeat(40) as never,
    door: "http",
    peerId: "",
    address: "192.0.2.1",
    pieceIndex: 3,
    bytes: 9,
  } as const;
  world.content.ledgerEntries.push(entry);
  const ledger = await world.send({ method: "GET", url: "/api/v1/publications/some-thing/ledger" });
  assert.deepEqual(lines(ledger), [{ ...entry, event: "sent", at: "1970-01-01T00:00:00.000Z" }]);
});

test("a policy is changed where it is named, and stays where it is not", async (t) => {
  const world = await startApp(t);
  await publishThing(world);
  const url = "/api/v1/publications/some-thing/policy";
  const set = (payload: object) => world.send({ method: "PATCH", url, payload });

  const answer = await set({ policy: "thrifty", floor: 3 });
  assert.equal(answer.statusCode, 200);
  assert.equal(answer.json().name, "some-thing");
  const { policy } = (await set({ egressBudgetBytes: 5e9 })).json();
  assert.deepEqual(
    [policy.policy, policy.floor, policy.egressBudgetBytes],
    ["thrifty", 3, 5_000_000_000],
  );
  const { policy: told } = (await world.get("/api/v1/publications/some-thing/status")).json();
  assert.equal(told, undefined, "not without a token");
  const status = await world.send({ url: "/api/v1/publications/some-thing/status" });
  assert.deepEqual(status.json().policy, policy);
});

test("a policy of other numbers or names is refused, and nothing changes", async (t) => {
  const world = await startApp(t);
  await publishThing(world);
  const url = "/api/v1/publications/some-thing/policy";
  for (const payload of [
    { policy: "generous" },
    { floor: -1 },
    { floor: 101 },
    { floor: 1.5 },
    { floor: "3" },
    { minRateBytesPerSecond: -1 },
    { egressBudgetBytes: -1 },
    { onBudgetEnd: "explode" },
    { deadline: "tomorrow" },
    { ceiling: 3 },
    [],
  ]) {
    const response = await world.send({ method: "PATCH", url, payload });
    assert.equal(response.statusCode, 400, JSON.stringify(payload));
  }
  assert.equal(world.content.published.get("some-thing")?.policy.policy, "balanced");
  const missing = { method: "PATCH", url: url.replace("some", "no"), payload: {} } as const;
  assert.equal((await world.send(missing)).statusCode, 404);
});

test("who goes away in the middle of an upload is no fault of the server", async (t) => {
  const world = await startApp(t);
  await world.send({ method: "POST", url: "/api/v1/publications", payload: plan });
  const server = createServer((request, response) => world.app.handle(request, response));
  await once(server.listen(0, "127.0.0.1"), "listening");
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const headers = {
    host: "pub.example",
    authorization: `Bearer ${TOKEN}`,
    "content-type": "application/octet-stream",
    "content-length": 5,
    "upload-offset": "0",
  };
  const path = "/api/v1/publications/some-thing/files/0";
  const sending = httpRequest({ port, path, method: "PATCH", headers });
  sending.on("error", () => undefined);
  const asked = once(server, "request") as Promise<[IncomingMessage, ServerResponse]>;
  sending.write("he");
  const [, response] = await asked;
  for (let turns = 0; turns < 100; turns++) await turn();
  const left = once(response, "close");
  sending.destroy();
  await left;
  for (let turns = 0; turns < 100; turns++) await turn();
  assert.deepEqual(world.internalErrors, []);
});
