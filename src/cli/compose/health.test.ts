import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { watchControlLink } from "./control-health.ts";
import { Health } from "./health.ts";

/** What the routes of `health` answer. */
async function startRoutes(t: TestContext, health: Health) {
  const server = createServer((request, response) => {
    const route = health.routes.find(({ prefix }) => request.url?.startsWith(prefix));
    route?.handle(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  return async (path: string, method = "GET") => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method });
    return `${response.status} ${await response.text()}`;
  };
}

test("what is not ready is named, with what is wrong; the process lives all the same", async (t) => {
  const health = new Health();
  let fault: string | undefined = "only 3 MB are free: make room";
  health.add("data-folder", () => fault);
  health.add("store", async () => undefined);
  health.add("door", () => Promise.reject(new Error("it is shut")));
  const ask = await startRoutes(t, health);
  assert.equal(
    await ask("/readyz"),
    "503 not ready\ndata-folder: only 3 MB are free: make room\nstore: ok\ndoor: it is shut\n",
  );
  health.add("door", () => undefined);
  fault = undefined;
  assert.equal(await ask("/readyz?x=1"), "200 ready\ndata-folder: ok\nstore: ok\ndoor: ok\n");
  assert.equal(await ask("/healthz"), "200 ok\n");
  assert.match(await ask("/readyz/x"), /^404 /);
  assert.match(await ask("/readyz", "POST"), /^405 /);
});

test("a part that hangs is not ready, and whoever asks meanwhile waits with the first", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const health = new Health();
  let looks = 0;
  health.add("disk", () => {
    looks++;
    return new Promise(() => {});
  });
  const asked = [health.look(), health.look()];
  t.mock.timers.tick(2000);
  for (const parts of await Promise.all(asked)) {
    assert.equal(parts.get("disk"), "did not answer within two seconds");
  }
  assert.equal(looks, 1);
});

test("a control link is ready while it is connected", async () => {
  const health = new Health();
  const told: string[] = [];
  const hear = watchControlLink({ health, report: ({ type }) => void told.push(type) });
  const fault = async () => (await health.look()).get("control-link");
  assert.match((await fault()) ?? "", /the Tracker is not connected/);
  hear({ type: "connected" });
  assert.equal(await fault(), undefined);
  hear({ type: "failed" });
  assert.equal(await fault(), undefined);
  hear({ type: "disconnected" });
  assert.match((await fault()) ?? "", /not connected/);
  assert.deepEqual(told, ["control-connected", "control-failed", "control-disconnected"]);
});
