import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { test } from "node:test";
import type { InjectOptions } from "light-my-request";
import { type AppWorld, startApp, TOKEN } from "../../../test/support/announcer-app.ts";
import { BtPublisherError } from "../../base/errors.ts";

const HELLO = createHash("sha256").update("hello").digest("hex");

/** As `curl -T`: no type, a length. */
function put(world: AppWorld, target: string, payload = "hello", headers = {}) {
  const url = `/api/v1/files/${target}`;
  return world.send({ method: "PUT", url, payload: Buffer.from(payload), headers });
}

test("one request publishes a file, with its policy and its readers", async (t) => {
  const world = await startApp(t);
  const query =
    "name=disk-2&policy=thrifty&floor=3&egressBudgetBytes=5000&onBudgetEnd=stop" +
    `&catalogue=private&access=admitted&pieceLength=65536&sha256=${HELLO}`;

  const response = await put(world, `Big%20Disk%5B1%5D.iso?${query}`);

  assert.equal(response.statusCode, 201, response.body);
  const { event, name, bytes, pageUrl } = response.json();
  assert.deepEqual([event, name, bytes], ["published", "disk-2", 5]);
  assert.equal(pageUrl, "http://pub.example/p/disk-2");
  const content = world.content.published.get("disk-2");
  assert.deepEqual([content?.contentName, content?.isDirectory], ["Big Disk[1].iso", false]);
  const publication = await world.catalogue.get("disk-2");
  assert.deepEqual(
    [publication?.access.catalogue, publication?.access.level],
    ["private", "admitted"],
  );
  const { policy, floor, egressBudgetBytes, onBudgetEnd } = publication?.policy ?? {};
  assert.deepEqual([policy, floor, egressBudgetBytes, onBudgetEnd], ["thrifty", 3, 5000, "stop"]);
});

test("UPL-10 API-18 a name that is taken is refused, and what has it stays", async (t) => {
  const world = await startApp(t);
  assert.equal((await put(world, "a.bin")).statusCode, 201);

  const again = await put(world, "a.bin");
  assert.deepEqual([again.statusCode, again.json().reason], [409, "ALREADY_PUBLISHED"]);
  assert.ok(world.content.published.has("a.bin"));

  const files = [{ path: ["b.bin"], length: 5 }];
  const payload = { contentName: "b.bin", isDirectory: false, files };
  await world.send({ method: "POST", url: "/api/v1/publications", payload });
  const open = await put(world, "b.bin");
  assert.deepEqual([open.statusCode, open.json().reason], [409, "NAME_TAKEN"]);
  assert.ok(world.content.uploads.has("b.bin"), "somebody else's upload is left alone");
});

test("UPL-01 UPL-04 what fails leaves nothing behind, and can be sent again", async (t) => {
  const world = await startApp(t);
  for (const failing of ["appendFile", "publishUpload"]) {
    world.content.before = (call) => {
      if (call === failing) throw new BtPublisherError("DIGEST", "another SHA-256");
    };
    assert.equal((await put(world, "a.bin")).statusCode, 422, failing);
    assert.equal(world.content.uploads.size, 0, failing);
    assert.equal(await world.catalogue.get("a.bin"), undefined, failing);
  }
  world.content.before = () => undefined;
  assert.equal((await put(world, "a.bin")).statusCode, 201);
});

test("UPL-01 a body that ends too early is told to be one, and leaves nothing behind", async (t) => {
  const world = await startApp(t);
  const cut = await put(world, "a.bin", "hello", { "content-length": "10" });
  assert.deepEqual([cut.statusCode, cut.json().reason], [400, "CUT_OFF"]);
  assert.equal(world.content.uploads.size, 0);
  assert.equal(await world.catalogue.get("a.bin"), undefined);
});

test("UPL-08 API-04 queries, types and lengths that are wrong are refused", async (t) => {
  const world = await startApp(t);
  for (const query of [
    "role=maintainer",
    "name=..",
    "floor=-1",
    "floor=101",
    "floor=",
    "floor=1&floor=2",
    "egressBudgetBytes=1e9",
    "pieceLength=1000",
    "sha256=abc",
    "isPrivate=maybe",
    "deadline=tomorrow",
  ]) {
    assert.equal((await put(world, `a.bin?${query}`)).statusCode, 400, query);
  }
  const type = { "content-type": "multipart/form-data; boundary=x" };
  assert.equal((await put(world, "a.bin", "hello", type)).statusCode, 415);
  const payload = Readable.from(["hello"]);
  const pipe: InjectOptions = { method: "PUT", url: "/api/v1/files/a.bin", payload };
  const piped = await world.send(pipe);
  assert.deepEqual([piped.statusCode, piped.json().reason], [400, "NO_LENGTH"]);
  assert.equal(world.content.uploads.size, 0);
  assert.deepEqual(world.internalErrors, []);
});

test("UPL-12 without the right to publish nothing is planned", async (t) => {
  const world = await startApp(t);
  const call = { method: "PUT", url: "/api/v1/files/a.bin", payload: Buffer.from("x") } as const;
  const answers = ["", `Bearer not-${TOKEN}`].map((authorization) =>
    world.app.fastify.inject({ ...call, headers: { host: "pub.example", authorization } }),
  );
  for (const { statusCode } of await Promise.all(answers)) assert.equal(statusCode, 401);
  assert.equal(world.content.uploads.size, 0);
});
