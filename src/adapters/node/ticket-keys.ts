/**
 * Signatures of tickets: Ed25519 by `node:crypto`, keys as plain 32 bytes; and the proofs of SourceNodes, an
 * HMAC of the ticket under a secret that is derived from the same key.
 */
import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  sign as signBytes,
  verify as verifyBytes,
} from "node:crypto";

/** What a Tracker signs with. */
export interface TicketSigner {
  /** 64 hexadecimal digits. */
  readonly publicKey: string;
  readonly sign: (bytes: Uint8Array) => Uint8Array;
  /** For SourceNodes: 64 hexadecimal digits. */
  readonly sourceSecret: string;
  readonly sourceProof: (ticket: Uint8Array) => Uint8Array;
}

/** What goes before the 32 bytes of an Ed25519 key in PKCS #8 (RFC 8410). */
const PKCS8_HEAD = Buffer.from("302e020100300506032b657004220420", "hex");

/** A signer whose secret is `seed`, 32 bytes. */
export function createTicketSigner(seed: Uint8Array): TicketSigner {
  const key = createPrivateKey({
    key: Buffer.concat([PKCS8_HEAD, seed]),
    format: "der",
    type: "pkcs8",
  });
  const sourceSecret = createHmac("sha256", seed).update("source proof").digest("hex");
  const { x } = createPublicKey(key).export({ format: "jwk" });
  return {
    publicKey: Buffer.from(x as string, "base64url").toString("hex"),
    sign: (bytes) => signBytes(undefined, bytes, key),
    sourceSecret,
    sourceProof: (ticket) => proveSource(sourceSecret, ticket),
  };
}

/** What a SourceNode that was told `secret` answers to `ticket`: 32 bytes. */
export function proveSource(secret: string, ticket: Uint8Array): Uint8Array {
  return createHmac("sha256", Buffer.from(secret, "hex")).update(ticket).digest();
}

/** Checks signatures; the last key is kept ready. */
export function createTicketVerifier(): (
  publicKey: string,
  bytes: Uint8Array,
  signature: Uint8Array,
) => boolean {
  let last: { readonly text: string; readonly key: KeyObject } | undefined;
  return (publicKey, bytes, signature) => {
    if (last?.text !== publicKey) last = { text: publicKey, key: parsePublicKey(publicKey) };
    return verifyBytes(undefined, bytes, last.key, signature);
  };
}

function parsePublicKey(text: string): KeyObject {
  const x = Buffer.from(text, "hex").toString("base64url");
  return createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
}
