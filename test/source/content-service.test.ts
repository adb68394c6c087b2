/** The content service's contract, in the same process and over HTTP. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { bodyDigest, signRequest } from "../../src/adapters/node/content-service-auth.ts";
import { ContentServiceClient } from "../../src/adapters/node/content-service-client.ts";
import { ContentServiceServer } from "../../src/adapters/node/content-service-server.ts";
import type { ContentService } from "../../src/ports/content-service.ts";
import { type ContractWorld, testContentService } from "../support/content-service-contract.ts";
import {
  bodyOf,
  discardSource,
  ManualClock,
  type SourceWorld,
  startSource,
} from "../support/source-world.ts";
import { defaultPolicy } from "../../src/ports/publication-policy.ts";

const key = new Uint8Array(32).fill(9);
const PEER = { peerId: new Uint8Array(20).fill(1), address: { host: "192.0.2.1", port: 6881 } };

async function openSource(t: TestContext): Promise<SourceWorld> {
  const world = await startSource();
  t.after(() => discardSource(world));
  return world;
}

async function contractWorld(
  world: SourceWorld,
  service: ContentService,
  settled: () => Promise<void>,
): Promise<ContractWorld> {
  const folder = join(world.data, "local");
  await mkdir(folder);
  const send = async (name: string, bytes: number): Promise<void> => {
    const publication = world.source.publication(name);
    assert.ok(publication);
    const seeded = world.host.seeded.get(publication.infoHash);
    seeded?.events.onBlocksSent?.({ ...PEER, pieceIndex: 0, bytes });
    world.clock.advance(500);
    for await (const _ of world.source.ledger(name));
  };
  return { service, folder, send, settled };
}

interface Remote {
  readonly baseUrl: string;
  readonly client: ContentServiceClient;
  /** Resolves when no request is open. */
  readonly settled: () => Promise<void>;
}

async function serve(t: TestContext, world: SourceWorld): Promise<Remote> {
  const { source: service, clock } = world;
  const door = new ContentServiceServer({ service, key, clock });
  const open = new Set<Promise<void>>();
  const server = createServer((request, response) => {
    const handled = door.handle(request, response);
    open.add(handled);
    void handled.then(() => open.delete(handled));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const settled = async (): Promise<void> => {
    while (open.size > 0) await Promise.all(open);
  };
  return { baseUrl, client: new ContentServiceClient({ baseUrl, key, clock }), settled };
}

testContentService("in process", async (t) => {
  const world = await openSource(t);
  return contractWorld(world, world.source, () => Promise.resolve());
});

testContentService("over HTTP", async (t) => {
  const world = await openSource(t);
  const { client, settled } = await serve(t, world);
  return contractWorld(world, client, settled);
});

test("a client with another key, or another time, is denied", async (t) => {
  const world = await openSource(t);
  const { baseUrl } = await serve(t, world);
  const { clock } = world;
  const wrongKey = new ContentServiceClient({ baseUrl, key: new Uint8Array(32), clock });
  const slow = new ManualClock();
  slow.advance(120_000);
  const late = new ContentServiceClient({ baseUrl, key, clock: slow });

  for (const client of [wrongKey, late]) {
    await assert.rejects(client.list(), { code: "DENIED" });
    const plan = { name: "x", contentName: "x", isDirectory: true, files: [] };
    await assert.rejects(client.beginUpload(plan), { code: "DENIED" });
    await assert.rejects(client.unpublish("x"), { code: "DENIED" });
  }
});

test("a SourceNode that is not there is UNAVAILABLE", async (t) => {
  const world = await openSource(t);
  const { clock } = world;
  const client = new ContentServiceClient({ baseUrl: "http://127.0.0.1:9", key, clock });

  await assert.rejects(client.list(), { code: "UNAVAILABLE" });
  const file = { fileIndex: 0, offset: 0 };
  const body = (async function* () {
    yield new Uint8Array(10);
  })();
  await assert.rejects(client.appendFile("x", file, body), { code: "UNAVAILABLE" });
});

test("publishing goes on when the one who asked for it went away", async (t) => {
  const world = await openSource(t);
  const { baseUrl } = await serve(t, world);
  const { clock, source, dependencies } = world;
  const { inspector } = dependencies;
  const hash = inspector.hash.bind(inspector);
  const body = JSON.stringify({ pieceLength: 16_384, isPrivate: false, policy: defaultPolicy });
  const target = "/source/v1/uploads/thing/publish";
  const headers = signRequest(
    { method: "POST", target, bodyDigest: bodyDigest(body) },
    key,
    clock.unixNow(),
  );
  await source.beginUpload({
    name: "thing",
    contentName: "f",
    isDirectory: false,
    files: [{ path: ["f"], length: 50_000 }],
  });
  const file = { fileIndex: 0, offset: 0 };
  await source.appendFile("thing", file, bodyOf(new Uint8Array(50_000)));
  const request = httpRequest(`${baseUrl}${target}`, { method: "POST", headers });
  request.on("error", () => undefined);
  const answered = once(request, "response");
  inspector.hash = async (tree, options) => {
    // A line each 10 s tells that it is still at work.
    clock.advance(10_000);
    const [response] = (await answered) as [IncomingMessage];
    const [line] = (await once(response.setEncoding("utf8"), "data")) as [string];
    assert.equal(line, '{"progress":[0,0]}\n');
    response.on("error", () => undefined);
    const closed = new Promise((done) => response.once("close", done));
    request.destroy();
    await closed;
    return hash(tree, options);
  };
  request.end(body);

  await answered;
  await source.publishUpload("thing", {
    pieceLength: undefined,
    isPrivate: false,
    policy: defaultPolicy,
  });

  assert.deepEqual(
    (await source.list()).map((content) => content.name),
    ["thing"],
  );
});

test("requests that nobody signed, that lie about their body, or that lead nowhere", async (t) => {
  const world = await openSource(t);
  const { baseUrl } = await serve(t, world);
  const { clock } = world;
  const send = (
    method: string,
    target: string,
    body: string,
    headers: Readonly<Record<string, string>>,
  ): Promise<[number, string]> =>
    new Promise((resolve, reject) => {
      const request = httpRequest(`${baseUrl}${target}`, { method, headers }, (response) => {
        void response
          .setEncoding("utf8")
          .toArray()
          .then((parts) => resolve([response.statusCode ?? 0, parts.join("")]), reject);
      });
      request.on("error", reject);
      request.end(body);
    });
  const signed = (method: string, target: string, body: string) => {
    const digest = bodyDigest(body);
    return signRequest({ method, target, bodyDigest: digest }, key, clock.unixNow());
  };
  const uploads = "/source/v1/uploads";

  const rows: readonly (readonly [[number, string], number])[] = [
    [await send("GET", "/source/v1/publications", "", {}), 403],
    [await send("POST", uploads, "{ }", { ...signed("POST", uploads, "{}") }), 403],
    [await send("POST", uploads, "{", { ...signed("POST", uploads, "{") }), 400],
    [await send("POST", uploads, "[]", { ...signed("POST", uploads, "[]") }), 400],
    [await send("PATCH", uploads, "", { ...signed("PATCH", uploads, "") }), 400],
    [await send("GET", "/source/v1/x", "", { ...signed("GET", "/source/v1/x", "") }), 400],
    [await send("GET", `${uploads}/%zz`, "", { ...signed("GET", `${uploads}/%zz`, "") }), 400],
    [
      await send("PUT", `${uploads}/x/files/0`, "", {
        ...signed("PUT", `${uploads}/x/files/0`, ""),
      }),
      400,
    ],
  ];
  for (const [[status, body], expected] of rows) {
    assert.equal(status, expected, body);
    assert.match(body, /^\{"code":"[A-Z_]+","message":/);
  }
});
