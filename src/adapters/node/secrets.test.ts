import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { createSecrets, passkeyDigest } from "./secrets.ts";

const secrets = createSecrets(new Uint8Array(32).fill(9));

test("A7 a password is argon2id with a salt of its own, and only the right one fits", async () => {
  const [one, other] = [
    await secrets.hashPassword("pässword"),
    await secrets.hashPassword("pässword"),
  ];
  assert.match(one, /^\$argon2id\$v=19\$m=47104,t=1,p=1\$/);
  assert.notEqual(one, other);
  assert.equal(await secrets.isPassword("pässword", one), true);
  // The same letters, typed on another system.
  assert.equal(await secrets.isPassword("pa\u0308ssword", one), true);
  assert.equal(await secrets.isPassword("password", one), false);
  assert.equal(await secrets.isPassword("password", undefined), false);
  assert.equal(await secrets.isPassword("password", "$2b$12$nonsense"), false);
});

test("no memory stays behind when many passwords were checked", async () => {
  const phc = await secrets.hashPassword("password");
  const before = process.memoryUsage.rss();
  for (let i = 0; i < 8; i++) assert.equal(await secrets.isPassword("password", phc), true);
  // Kept by each thread, 19 MiB were 130 here.
  assert.ok(process.memoryUsage.rss() - before < 40 * 1024 * 1024);
});

test("digests are keyed: another server's, and another purpose's, are others", () => {
  const another = createSecrets(new Uint8Array(32).fill(8));
  const digest = secrets.keyedDigest("passkey-digest", "x");
  assert.equal(digest, passkeyDigest(secrets.digestKey, "x"));
  assert.notEqual(digest, another.keyedDigest("passkey-digest", "x"));
  assert.notEqual(digest, secrets.keyedDigest("token", "x"));
});

test("what is sealed opens with its context and this server's key, and unchanged only", () => {
  const sealed = secrets.seal("alice k1", "the secret ü");
  assert.equal(secrets.unseal("alice k1", sealed), "the secret ü");
  assert.equal(Buffer.from(sealed).includes("secret"), false);
  assert.notDeepEqual(secrets.seal("alice k1", "the secret ü"), sealed);

  const another = createSecrets(new Uint8Array(32).fill(8));
  assert.equal(another.unseal("alice k1", sealed), undefined);
  assert.equal(secrets.unseal("alice k2", sealed), undefined);
  for (let index = 0; index < sealed.length; index++) {
    const changed = Uint8Array.from(sealed);
    changed[index] = changed[index]! ^ 1;
    assert.equal(secrets.unseal("alice k1", changed), undefined);
    assert.equal(secrets.unseal("alice k1", sealed.subarray(0, index)), undefined);
  }
});

test("hashing many passwords at once waits its turn", async () => {
  const hashes = await Promise.all(
    Array.from({ length: 6 }, (_, i) => secrets.hashPassword(`password ${i}`)),
  );
  assert.equal(new Set(hashes).size, 6);
});
