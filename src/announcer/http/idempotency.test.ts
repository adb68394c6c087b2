import assert from "node:assert/strict";
import { test } from "node:test";
import { plan, startApp } from "../../../test/support/announcer-app.ts";
import { tokensOf } from "../../../test/support/roles.ts";

const HOUR_MS = 60 * 60 * 1000;

test("API-16 a request that is sent again with its key is answered as before, and done once", async (t) => {
  const world = await startApp(t);
  const add = (payload: object, key = "k1") =>
    world.send({
      method: "POST",
      url: "/api/v1/users",
      headers: { "idempotency-key": key },
      payload,
    });
  const user = { name: "alice", role: "downloader" };
  const [first, second] = await Promise.all([add(user), add(user)]);
  assert.deepEqual([first?.statusCode, second?.statusCode], [201, 201]);
  assert.equal((await add(user)).body, first?.body);

  const other = await add({ ...user, name: "bob" });
  assert.deepEqual([other.statusCode, other.json().reason], [409, "IDEMPOTENCY_KEY"]);
  assert.equal((await add(user, "k2")).statusCode, 409);
  assert.equal((await add(user, "a b")).statusCode, 400);
  assert.equal((await add(user, "x".repeat(256))).statusCode, 400);

  await world.clock.run({ until: world.clock.now() + HOUR_MS + 1 });
  assert.equal((await add(user)).statusCode, 409);
  const { users } = (await world.send({ method: "GET", url: "/api/v1/users" })).json();
  assert.equal(users.length, 1);
});

test("API-16 keys of others are others; what failed is done again; a plan is made once", async (t) => {
  const world = await startApp(t);
  const tokens = await tokensOf(world);
  const make = (token: string | undefined) =>
    world.send({
      method: "POST",
      url: "/api/v1/tokens",
      headers: { authorization: `Bearer ${token}`, "idempotency-key": "k" },
      payload: {},
    });
  const mary = await make(tokens.maintainer);
  assert.equal(mary.statusCode, 400);
  const paul = (await make(tokens.publisher)).json();
  assert.equal((await make(tokens.publisher)).json().token, paul.token);
  assert.notEqual((await make(tokens.downloader)).json().token, paul.token);

  const headers = { "idempotency-key": "p" };
  const url = "/api/v1/publications";
  const planned = await world.send({ method: "POST", url, headers, payload: plan });
  const again = await world.send({ method: "POST", url, headers, payload: plan });
  assert.deepEqual([planned.statusCode, again.statusCode], [201, 201]);
});
