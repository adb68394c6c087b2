import assert from "node:assert/strict";
import { test } from "node:test";
import { type AppWorld, publishThing, startApp } from "../../../test/support/announcer-app.ts";

const url = "/api/v1/publications/some-thing/policy";

function set(world: AppWorld, payload: object, ifMatch?: string) {
  const headers = ifMatch === undefined ? {} : { "if-match": ifMatch };
  return world.send({ method: "PATCH", url, payload, headers });
}

test("API-15 a change by If-Match is made only to the policy that its sender has seen", async (t) => {
  const world = await startApp(t);
  await publishThing(world);
  const seen = await world.get(url);
  const tag = String(seen.headers.etag);
  assert.match(tag, /^"[\w-]{16}"$/);
  assert.equal(tag, `"${seen.json().policyVersion}"`);

  const first = await set(world, { floor: 3 }, tag);
  assert.equal(first.statusCode, 200);
  assert.notEqual(first.headers.etag, tag);
  const second = await set(world, { floor: 4, policy: "fast" }, tag);
  assert.equal(second.statusCode, 412);
  assert.match(String(second.headers["content-type"]), /^application\/problem\+json/);
  assert.equal(second.json().code, "CHANGED");
  const held = await world.get(url);
  assert.equal(held.body, first.body);
  assert.equal(held.headers.etag, first.headers.etag);
  assert.equal(world.content.published.get("some-thing")?.policy.floor, 3);

  const either = await set(world, { floor: 4 }, `"other", ${String(held.headers.etag)}`);
  assert.equal(either.statusCode, 200);
  assert.equal((await set(world, { floor: 5 }, "*")).statusCode, 200);
  assert.equal((await set(world, { floor: 6 })).statusCode, 200, "not asked for");
});

test("API-15 of two changes at once to the same policy one is made", async (t) => {
  const world = await startApp(t);
  await publishThing(world);
  const tag = String((await world.get(url)).headers.etag);
  const answers = await Promise.all([2, 3].map((floor) => set(world, { floor }, tag)));
  assert.deepEqual(
    answers.map(({ statusCode }) => statusCode),
    [200, 412],
  );
  assert.equal(world.content.published.get("some-thing")?.policy.floor, 2);
});

test("API-15 weak, foreign and malformed tags change nothing; the name alone is no version", async (t) => {
  const world = await startApp(t);
  await publishThing(world);
  const tag = String((await world.get(url)).headers.etag);
  for (const stale of [`W/${tag}`, '""', '"x"']) {
    assert.equal((await set(world, { floor: 3 }, stale)).statusCode, 412, stale);
  }
  for (const bad of [tag.slice(1, -1), `${tag}, x`, '"a" "b"', '"', ","]) {
    assert.equal((await set(world, { floor: 3 }, bad)).statusCode, 400, bad);
  }
  assert.equal(world.content.published.get("some-thing")?.policy.floor, undefined);

  await world.send({ method: "DELETE", url: "/api/v1/publications/some-thing" });
  await publishThing(world);
  assert.equal((await set(world, { floor: 3 }, tag)).statusCode, 412, "another of that name");
  const view = await world.get("/api/v1/publications/some-thing");
  assert.equal((await set(world, {}, `"${view.json().policyVersion}"`)).statusCode, 200);
});
