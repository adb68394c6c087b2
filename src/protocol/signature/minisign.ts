/**
 * Signing and verifying as minisign does: Ed25519 over the BLAKE2b-512 of a file, and over that
 * signature with the trusted comment. What computes these comes from the platform.
 */
import { concatBytes, equalBytes, utf8Bytes } from "../../base/bytes.ts";
import { fail, ok, type Result } from "../../base/errors.ts";
import type { UnixMillis } from "../../base/units.ts";
import {
  encodeSignature,
  type MinisignPublicKey,
  type MinisignSecretKey,
  parsePublicKey,
  parseSignature,
} from "./minisign-format.ts";

/** The platform's part. Keys are those of Ed25519 (RFC 8032). */
export interface SigningCrypto {
  /** 64 bytes. */
  blake2b512(bytes: Uint8Array): Uint8Array;
  randomBytes(length: number): Uint8Array;
  /** The public key of a seed: 32 bytes of 32. */
  publicKeyOf(seed: Uint8Array): Uint8Array;
  /** 64 bytes. */
  sign(seed: Uint8Array, message: Uint8Array): Uint8Array;
  /** False also for keys and signatures that are no points and numbers of the curve. */
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
}

/** A new key pair. */
export function createSecretKey(crypto: SigningCrypto): MinisignSecretKey {
  const seed = crypto.randomBytes(32);
  return { keyId: crypto.randomBytes(8), seed, publicKey: crypto.publicKeyOf(seed) };
}

/** The .minisig file of `message`. `trustedComment`: one line, signed too. */
export function signFile(
  message: Uint8Array,
  { key, trustedComment }: { readonly key: MinisignSecretKey; readonly trustedComment: string },
  crypto: SigningCrypto,
): string {
  const { keyId, seed } = key;
  const signature = crypto.sign(seed, crypto.blake2b512(message));
  const globalSignature = crypto.sign(seed, withComment(signature, trustedComment));
  return encodeSignature({ keyId, signature, trustedComment, globalSignature });
}

/** A signature that was verified. */
export interface VerifiedSignature {
  readonly key: MinisignPublicKey;
  readonly trustedComment: string;
}

/**
 * Whether `signature`, a .minisig file, is of `message` by `publicKey`, both as they come.
 * Fails with BAD_SIGNATURE; with USAGE for what is no key.
 */
export function verifyTexts(
  message: Uint8Array,
  texts: { readonly publicKey: string; readonly signature: string },
  crypto: SigningCrypto,
): Result<VerifiedSignature> {
  const key = parsePublicKey(texts.publicKey);
  if (!key.ok) return key;
  const parsed = parseSignature(texts.signature);
  if (!parsed.ok) return parsed;
  const { publicKey } = key.value;
  const { keyId, signature, trustedComment, globalSignature } = parsed.value;
  if (!equalBytes(keyId, key.value.keyId)) {
    return fail("BAD_SIGNATURE", "the signature was made with another key");
  }
  if (!crypto.verify(publicKey, crypto.blake2b512(message), signature)) {
    return fail("BAD_SIGNATURE", "the signature is not of this: it was changed, or never signed");
  }
  if (!crypto.verify(publicKey, withComment(signature, trustedComment), globalSignature)) {
    return fail("BAD_SIGNATURE", "the signature's trusted comment was changed");
  }
  return ok({ key: key.value, trustedComment });
}

/** The trusted comment that minisign makes by itself. */
export function trustedCommentFor(fileName: string, now: UnixMillis): string {
  return `timestamp:${Math.floor(now / 1000)}\tfile:${fileName}\thashed`;
}

/** When a trusted comment says that it was signed; undefined when it does not say so. */
export function signedAtOf(trustedComment: string): UnixMillis | undefined {
  const seconds = /(?:^|\s)timestamp:(\d{1,11})(?:\s|$)/.exec(trustedComment)?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1000;
}

function withComment(signature: Uint8Array, trustedComment: string): Uint8Array {
  return concatBytes([signature, utf8Bytes(trustedComment)]);
}
