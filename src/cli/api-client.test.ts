import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { ApiClient } from "./api-client.ts";

test("an answer that is cut short is a server that cannot be reached, for every kind of call", async (t) => {
  const server = createServer((_request, response: ServerResponse) => {
    response.writeHead(200, { "content-length": 1000 });
    response.write('{"half":', () => response.destroy());
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const { signal } = new AbortController();
  const api = new ApiClient({ url: `http://127.0.0.1:${port}`, token: undefined, signal });
  const body = (async function* () {
    yield Buffer.from("x");
  })();
  const calls = {
    json: () => api.json("GET", "/"),
    bytes: () => api.bytes("/", 2000),
    lines: async () => {
      for await (const line of api.lines("GET", "/")) assert.fail(JSON.stringify(line));
    },
    append: () => api.append("/", 0, { body, length: 1 }),
  };
  for (const [name, call] of Object.entries(calls)) {
    await assert.rejects(call, { code: "UNAVAILABLE" }, name);
  }
});
