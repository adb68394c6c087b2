import assert from "node:assert/strict";
import { test } from "node:test";
import { type AppWorld, publishThing, startApp } from "../../../test/support/announcer-app.ts";
import { signingCrypto } from "../../adapters/node/signing-crypto.ts";
import { createSecretKey, signFile } from "../../protocol/signature/minisign.ts";
import { encodePublicKey } from "../../protocol/signature/minisign-format.ts";

const url = "/api/v1/publications/some-thing/signature";
const key = createSecretKey(signingCrypto);
const publicKey = encodePublicKey(key);

async function signatureOf(
  world: AppWorld,
  trustedComment = "timestamp:1700000000",
): Promise<string> {
  const list = (await world.get("/p/some-thing.sha256")).rawPayload;
  return signFile(list, { key, trustedComment }, signingCrypto);
}

const put = (world: AppWorld, payload: object) => world.send({ method: "PUT", url, payload });

test("a signature of the list is kept, told and handed out; the next one takes its place", async (t) => {
  const world = await startApp(t);
  await publishThing(world);
  assert.equal((await world.get("/p/some-thing.sha256.minisig")).statusCode, 404);
  assert.equal((await world.get("/api/v1/publications/some-thing")).json().signature, undefined);
  const signature = await signatureOf(world);

  const answer = await put(world, { publicKey, signature });

  const told = {
    publicKey,
    trustedComment: "timestamp:1700000000",
    signedAt: "2023-11-14T22:13:20.000Z",
  };
  assert.equal(answer.statusCode, 200, answer.body);
  assert.deepEqual(answer.json(), { name: "some-thing", signature: told });
  assert.deepEqual((await world.get("/api/v1/publications/some-thing")).json().signature, told);
  const file = await world.get("/p/some-thing.sha256.minisig");
  assert.equal(file.body, signature);
  assert.match(String(file.headers["content-disposition"]), /"some-thing\.sha256\.minisig"/);
  const page = (await world.get("/p/some-thing")).body;
  assert.ok(page.includes(`minisign -Vm some-thing.sha256 -P ${publicKey}`));
  assert.ok(page.includes('href="/p/some-thing.sha256.minisig"'));
  const second = await signatureOf(world, "again");
  assert.equal((await put(world, { publicKey, signature: second })).statusCode, 200);
  assert.equal((await world.get("/p/some-thing.sha256.minisig")).body, second);
  const log = (await world.send({ url: "/api/v1/audit" })).body;
  assert.equal(log.match(/"publication\.sign"/g)?.length, 2);
});

test("what does not fit the list is refused, and the signature before it stays", async (t) => {
  const world = await startApp(t);
  await publishThing(world);
  const signature = await signatureOf(world);
  await put(world, { publicKey, signature });
  const other = signFile(new Uint8Array(3), { key, trustedComment: "" }, signingCrypto);
  const stranger = encodePublicKey(createSecretKey(signingCrypto));
  const cases: readonly [object, number, string][] = [
    [{ publicKey, signature: other }, 422, "BAD_SIGNATURE"],
    [{ publicKey: stranger, signature }, 422, "BAD_SIGNATURE"],
    [{ publicKey, signature: "no signature" }, 422, "BAD_SIGNATURE"],
    [{ publicKey: "no key", signature }, 400, "USAGE"],
    [{ publicKey, signature: "x".repeat(5_000) }, 400, "USAGE"],
    [{ publicKey }, 400, "USAGE"],
    [{ publicKey, signature, more: 1 }, 400, "USAGE"],
  ];
  for (const [payload, status, code] of cases) {
    const answer = await put(world, payload);
    assert.equal(answer.statusCode, status, answer.body);
    assert.equal(answer.json().code, code);
  }
  assert.equal((await world.get("/p/some-thing.sha256.minisig")).body, signature);
});

test("what is published anew under the same name has no signature", async (t) => {
  const world = await startApp(t);
  await publishThing(world);
  await put(world, { publicKey, signature: await signatureOf(world) });
  await world.send({ method: "DELETE", url: "/api/v1/publications/some-thing" });
  await world.clock.run({ until: world.clock.now() + 1_000 });
  assert.equal((await world.get("/p/some-thing.sha256.minisig")).statusCode, 404);

  await publishThing(world);

  assert.equal((await world.get("/p/some-thing.sha256")).statusCode, 200);
  assert.equal((await world.get("/p/some-thing.sha256.minisig")).statusCode, 404);
  assert.doesNotMatch((await world.get("/p/some-thing")).body, /minisig/);
});

test("what is still being uploaded cannot be signed yet", async (t) => {
  const world = await startApp(t);
  const payload = { contentName: "x", isDirectory: false, files: [{ path: ["x"], length: 1 }] };
  await world.send({ method: "POST", url: "/api/v1/publications", payload });
  const answer = await world.send({
    method: "PUT",
    url: "/api/v1/publications/x/signature",
    payload: { publicKey, signature: "" },
  });
  assert.equal(answer.statusCode, 409);
});
