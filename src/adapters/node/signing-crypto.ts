/** What signatures of publishers need, by `node:crypto`: BLAKE2b-512 and Ed25519. */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  randomBytes,
  sign,
  verify,
} from "node:crypto";
import type { SigningCrypto } from "../../protocol/signature/minisign.ts";

/** RFC 8410: what stands before the 32 bytes of a seed in PKCS #8, in DER. */
const PRIVATE_HEAD = Buffer.from("302e020100300506032b657004220420", "hex");
/** The same for a public key, in SubjectPublicKeyInfo. */
const PUBLIC_HEAD = Buffer.from("302a300506032b6570032100", "hex");

/** The platform's part. */
export const signingCrypto: SigningCrypto = {
  blake2b512: (bytes) => new Uint8Array(createHash("blake2b512").update(bytes).digest()),
  randomBytes: (length) => new Uint8Array(randomBytes(length)),
  publicKeyOf(seed) {
    const key = createPublicKey(privateKeyOf(seed)).export({ type: "spki", format: "der" });
    return new Uint8Array(key.subarray(PUBLIC_HEAD.length));
  },
  sign: (seed, message) => new Uint8Array(sign(undefined, message, privateKeyOf(seed))),
  verify(publicKey, message, signature) {
    const der = Buffer.concat([PUBLIC_HEAD, publicKey]);
    try {
      return verify(undefined, message, createPublicKey(spki(der)), signature);
    } catch {
      // Not every 32 bytes are a key.
      return false;
    }
  },
};

function privateKeyOf(seed: Uint8Array): KeyObject {
  const key = Buffer.concat([PRIVATE_HEAD, seed]);
  return createPrivateKey({ key, type: "pkcs8", format: "der" });
}

function spki(key: Buffer) {
  return { key, type: "spki", format: "der" } as const;
}
