import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { publishThing, startApp } from "../../../test/support/announcer-app.ts";

interface Operation {
  readonly parameters: readonly { readonly name: string }[];
  readonly requestBody?: {
    readonly content: Readonly<
      Record<string, { readonly schema?: object; readonly example?: unknown }>
    >;
  };
}

test("every JSON body of the OpenAPI document has an example that its schema takes", async (t) => {
  const world = await startApp(t);
  const document = (await world.get("/api/v1/openapi.json")).json<{
    readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  }>();
  let count = 0;
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const [method, { requestBody }] of Object.entries(operations)) {
      const json = requestBody?.content["application/json"];
      if (json === undefined) continue;
      assert.notEqual(json.example, undefined, `${method} ${path}`);
      const schema = z.fromJSONSchema(json.schema as Parameters<typeof z.fromJSONSchema>[0]);
      assert.doesNotThrow(() => schema.parse(json.example), `${method} ${path}`);
      count++;
    }
  }
  assert.equal(count, 14);
  const users = document.paths["/api/v1/users"]?.["post"];
  assert.ok(users?.parameters.some(({ name }) => name === "Idempotency-Key"));
});

test("null takes a number of a policy away again, and what is left out stays", async (t) => {
  const world = await startApp(t);
  await publishThing(world);
  const change = async (payload: object) => {
    const url = "/api/v1/publications/some-thing/policy";
    return (await world.send({ method: "PATCH", url, payload })).json().policy;
  };
  const deadline = new Date(world.clock.unixNow() + 1_000_000).toISOString();
  await change({ floor: 3, egressBudgetBytes: 5, minRateBytesPerSecond: 7, deadline });
  const less = await change({ egressBudgetBytes: null, deadline: null });
  assert.deepEqual([less.floor, less.minRateBytesPerSecond], [3, 7]);
  assert.deepEqual([less.egressBudgetBytes, less.deadline], [undefined, undefined]);
  const none = await change({ floor: null, minRateBytesPerSecond: null });
  assert.deepEqual(none, { policy: "balanced", onBudgetEnd: "serve-floor-only" });
});
