/** Keys of message stream encryption, against those of `node:crypto`. */
import assert from "node:assert/strict";
import { createDiffieHellman } from "node:crypto";
import { test } from "node:test";
import { mseCrypto } from "./mse-crypto.ts";

const PRIME =
  "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74" +
  "020bbea63b139b22514a08798e3404ddef9519b3cd3a431b302b0a6df25f1437" +
  "4fe1356d6d51c245e485b576625e7ec6f44c42e9a63a36210000000000090563";

test("a secret is the one that node:crypto comes to", () => {
  const theirs = createDiffieHellman(PRIME, "hex", 2);
  for (let i = 0; i < 8; i++) {
    const ours = mseCrypto.createKey();
    const theirKey = new Uint8Array(96);
    const generated = theirs.generateKeys();
    theirKey.set(generated, 96 - generated.length);
    const secret = ours.secretWith(theirKey);
    assert.deepEqual(secret, new Uint8Array(theirs.computeSecret(ours.publicKey)));
    assert.equal(ours.publicKey.length, 96);
  }
});

test("keys that give the secret away have none", () => {
  const prime = BigInt(`0x${PRIME}`);
  const key = mseCrypto.createKey();
  for (const remote of [0n, 1n, prime - 1n, prime, prime + 2n]) {
    const bytes = Buffer.from(remote.toString(16).padStart(192, "0"), "hex");
    assert.equal(key.secretWith(bytes), undefined);
  }
});
