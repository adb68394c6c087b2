import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { startApp, TOKEN } from "../../test/support/announcer-app.ts";
import { signingCrypto } from "../adapters/node/signing-crypto.ts";
import { checksumList } from "../protocol/signature/checksum-list.ts";
import { createSecretKey, signFile } from "../protocol/signature/minisign.ts";
import { encodePublicKey } from "../protocol/signature/minisign-format.ts";
import { ApiError, Client } from "./client.ts";
import { eventsOf } from "./sse.ts";

async function startServed(t: TestContext) {
  const world = await startApp(t, false, () => true);
  const server = createServer((request, response) => world.app.handle(request, response));
  await once(server.listen(0, "127.0.0.1"), "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { ...world, url, client: new Client({ url, token: TOKEN }) };
}

const isProblem = (status: number, code: string) => (error: unknown) => {
  assert.ok(error instanceof ApiError);
  assert.deepEqual([error.problem.status, error.problem.code], [status, code]);
  return true;
};

test("the client publishes, reads, changes, watches and ends a publication", async (t) => {
  const { client, content } = await startServed(t);
  assert.equal((await client.server()).isReady, true);
  assert.equal((await client.me()).role, "maintainer");
  const files = [{ path: ["a b.txt"], length: 5 }];
  const plan = { contentName: "a b.txt", isDirectory: false, files };
  const { name, receivedBytes } = await client.planUpload(plan);
  assert.deepEqual(receivedBytes, [0]);
  assert.equal(
    await client.append(name, { index: 0, offset: 0 }, new TextEncoder().encode("he")),
    2,
  );
  assert.equal(await client.append(name, { index: 0, offset: 2 }, new Blob(["llo"])), 5);
  assert.deepEqual((await client.upload(name)).receivedBytes, [5]);
  const progress: number[] = [];
  const { infoHash } = await client.publish(name, (bytes) => void progress.push(bytes));
  assert.deepEqual(progress, [5]);
  assert.equal((await client.publication(name)).infoHash, infoHash);
  const listed: string[] = [];
  for await (const each of client.publications()) listed.push(each.name);
  assert.deepEqual(listed, [name]);
  const held = await client.setPolicy(name, { policy: "fast", floor: 2 });
  assert.equal(held.policy.floor, 2);
  assert.deepEqual(await client.policy(name), held);
  const changed = await client.setPolicy(name, { floor: null }, held.policyVersion);
  assert.equal(changed.policy.floor, undefined);
  await assert.rejects(
    client.setPolicy(name, { floor: 1 }, held.policyVersion),
    isProblem(412, "CHANGED"),
  );
  const key = createSecretKey(signingCrypto);
  const list = new TextEncoder().encode(checksumList(await client.publication(name)));
  const signature = signFile(list, { key, trustedComment: "x" }, signingCrypto);
  const signed = await client.sign(name, { publicKey: encodePublicKey(key), signature });
  assert.deepEqual((await client.publication(name)).signature, signed);
  assert.equal(signed.trustedComment, "x");
  assert.deepEqual((await client.ledger(name, { door: "http" })).entries, []);
  assert.deepEqual((await client.history(name)).bins, []);

  const load = { uplinkLimit: undefined, uplinkCapacity: 1, cpuFraction: 0, eventLoopDelayMs: 0 };
  const look = { at: 1, ...load, storageReadRate: 0, swarms: [], connections: 1 };
  content.looks = [look, { ...look, connections: 2 }];
  const connections: (number | undefined)[] = [];
  for await (const state of client.watch()) {
    assert.equal(state.publications[0]?.name, name);
    if (connections.push(state.source?.connections) === 2) break;
  }
  assert.deepEqual(connections, [1, 2]);
  await client.unpublish(name);
});

test("one call publishes a file", async (t) => {
  const { client, content } = await startServed(t);
  const query = { name: "greeting", policy: "thrifty" };
  const published = await client.publishFile("a b.txt", new TextEncoder().encode("hello"), query);
  assert.deepEqual([published.name, published.bytes], ["greeting", 5]);
  assert.equal(content.published.get("greeting")?.contentName, "a b.txt");
  assert.equal((await client.policy("greeting")).policy.policy, "thrifty");
  await assert.rejects(
    client.publishFile("a b.txt", new Blob(["hello"]), query),
    isProblem(409, "CONFLICT"),
  );
});

test("what the server refuses is an error with the problem", async (t) => {
  const { url, client } = await startServed(t);
  await assert.rejects(client.publication("nothing"), isProblem(404, "NOT_FOUND"));
  await assert.rejects(new Client({ url }).me(), isProblem(401, "DENIED"));
  await assert.rejects(client.publish("nothing"), isProblem(404, "NOT_FOUND"));
});

test("an answer that is cut short is an error as if the server were away", async (t) => {
  const server = createServer((_request, response) => {
    response.writeHead(200, { "content-length": 1000 });
    response.write('{"half":', () => response.destroy());
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  t.after(() => server.close());
  const client = new Client({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  const watch = async () => {
    for await (const state of client.watch()) assert.fail(JSON.stringify(state));
  };
  const publishFile = () => client.publishFile("x", new Blob(["x"]));
  for (const call of [() => client.me(), publishFile, () => client.publish("x"), watch]) {
    await assert.rejects(call, isProblem(0, "UNAVAILABLE"));
  }
});

test("events are the same however the bytes are cut", async () => {
  const text = 'retry: 1\n\nevent: snapshot\ndata: {"name":"é"}\n\n: still here\n\ndata: x\n\n';
  const bytes = new TextEncoder().encode(text);
  for (let size = 1; size < bytes.length; size++) {
    async function* cut(): AsyncIterable<Uint8Array> {
      for (let i = 0; i < bytes.length; i += size) yield bytes.subarray(i, i + size);
    }
    const events: object[] = [];
    for await (const event of eventsOf(cut())) events.push(event);
    assert.deepEqual(events, [
      { event: "snapshot", data: '{"name":"é"}' },
      { event: "message", data: "x" },
    ]);
  }
});
