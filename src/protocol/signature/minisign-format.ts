/**
 * The texts of minisign: public keys, secret keys without a password, signatures. Bytes and lines
 * only; what they prove is in minisign.ts. Signatures are of the prehashed kind, which is the one
 * that minisign makes since its version 0.10.
 *
 * @see https://jedisct1.github.io/minisign/
 */
import { parseBase64, toBase64 } from "../../base/base64.ts";
import { concatBytes, latin1, latin1Bytes } from "../../base/bytes.ts";
import { fail, ok, type Result } from "../../base/errors.ts";

/** Whose signature it is: `keyId` is a number that tells keys apart and proves nothing. */
export interface MinisignPublicKey {
  /** 8 bytes. */
  readonly keyId: Uint8Array;
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array;
}

/** What signs. Never logged. */
export interface MinisignSecretKey extends MinisignPublicKey {
  /** 32 bytes. */
  readonly seed: Uint8Array;
}

/** What a .minisig file says. */
export interface MinisignSignature {
  /** 8 bytes. */
  readonly keyId: Uint8Array;
  /** Of the BLAKE2b-512 of the file: 64 bytes. */
  readonly signature: Uint8Array;
  /** One line; signed, too. */
  readonly trustedComment: string;
  /** Of `signature` and the trusted comment: 64 bytes. */
  readonly globalSignature: Uint8Array;
}

/** More text than any file of minisign has that we would take. */
export const MAX_MINISIGN_LENGTH = 4096;

const ED25519 = "Ed";
const ED25519_PREHASHED = "ED";
const NO_PASSWORD = "\0\0";
const BLAKE2B = "B2";
const UNTRUSTED = "untrusted comment: ";
const TRUSTED = "trusted comment: ";

/** Algorithm 2, key id 8, key 32. */
const PUBLIC_KEY_LENGTH = 42;
/** Algorithm 2, key id 8, signature 64. */
const SIGNATURE_LENGTH = 74;
/** Three algorithms 2 each, salt 32, limits 8 and 8, key id 8, seed 32, public key 32, checksum 32. */
const SECRET_KEY_LENGTH = 158;
const KEY_ID_AT = 54;

/** `RW…`, as people pass it on. */
export function encodePublicKey({ keyId, publicKey }: MinisignPublicKey): string {
  return toBase64(concatBytes([latin1Bytes(ED25519), keyId, publicKey]));
}

/** The text of a .pub file. */
export function encodePublicKeyFile(key: MinisignPublicKey): string {
  return `${UNTRUSTED}public key of a publisher\n${encodePublicKey(key)}\n`;
}

/** A public key: its text alone, or that of a .pub file. Fails with USAGE. */
export function parsePublicKey(text: string): Result<MinisignPublicKey> {
  const bytes = parseBase64(keyLine(text));
  if (bytes?.length !== PUBLIC_KEY_LENGTH || textAt(bytes, 0) !== ED25519) {
    return fail("USAGE", "that is no public key: minisign's have 56 letters and begin with RW");
  }
  return ok({ keyId: bytes.slice(2, 10), publicKey: bytes.slice(10) });
}

/** The text of a secret key file without a password; minisign leaves its checksum zero, too. */
export function encodeSecretKeyFile({ keyId, seed, publicKey }: MinisignSecretKey): string {
  const head = latin1Bytes(ED25519 + NO_PASSWORD + BLAKE2B);
  const bytes = new Uint8Array(SECRET_KEY_LENGTH);
  bytes.set(head);
  bytes.set(concatBytes([keyId, seed, publicKey]), KEY_ID_AT);
  return `${UNTRUSTED}secret key without a password: keep it to yourself\n${toBase64(bytes)}\n`;
}

/** The key of a secret key file. Fails with USAGE when it has a password, else with CONFIG. */
export function parseSecretKey(text: string): Result<MinisignSecretKey> {
  const bytes = parseBase64(keyLine(text));
  if (bytes?.length !== SECRET_KEY_LENGTH || textAt(bytes, 0) !== ED25519) {
    return fail("CONFIG", "that is no secret key of minisign's: make one with `btpublisher key`");
  }
  if (textAt(bytes, 2) !== NO_PASSWORD) {
    const how = "sign with minisign, then give --signature FILE.minisig --public-key KEY";
    return fail("USAGE", `that key has a password, which only minisign asks for: ${how}`);
  }
  const [seedAt, publicKeyAt] = [KEY_ID_AT + 8, KEY_ID_AT + 40];
  return ok({
    keyId: bytes.slice(KEY_ID_AT, seedAt),
    seed: bytes.slice(seedAt, publicKeyAt),
    publicKey: bytes.slice(publicKeyAt, publicKeyAt + 32),
  });
}

/** The text of a .minisig file. */
export function encodeSignature(parts: MinisignSignature): string {
  const { keyId, signature, trustedComment, globalSignature } = parts;
  const bytes = concatBytes([latin1Bytes(ED25519_PREHASHED), keyId, signature]);
  const untrusted = `${UNTRUSTED}signature of a publisher`;
  const lines = [untrusted, toBase64(bytes), TRUSTED + trustedComment, toBase64(globalSignature)];
  return `${lines.join("\n")}\n`;
}

/** The signature in the text of a .minisig file. Fails with BAD_SIGNATURE. */
export function parseSignature(text: string): Result<MinisignSignature> {
  if (text.length > MAX_MINISIGN_LENGTH) return bad("it is too long");
  const lines = text.split(/\r?\n/);
  const [untrusted = "", signatureLine = "", trusted = "", globalLine = "", ...rest] = lines;
  if (!untrusted.startsWith(UNTRUSTED) || !trusted.startsWith(TRUSTED)) {
    return bad("its comments are missing");
  }
  if (rest.some((line) => line !== "")) return bad("something follows it");
  const trustedComment = trusted.slice(TRUSTED.length);
  // They are shown on terminals; minisign writes a tab.
  if (/[^\P{C}\t]/u.test(trustedComment)) return bad("its trusted comment has control characters");
  const bytes = parseBase64(signatureLine);
  const globalSignature = parseBase64(globalLine);
  if (bytes?.length !== SIGNATURE_LENGTH || globalSignature?.length !== 64) {
    return bad("it has not the lines of one");
  }
  if (textAt(bytes, 0) === ED25519) return bad("it is of the old kind: sign with minisign -H");
  if (textAt(bytes, 0) !== ED25519_PREHASHED) return bad("its algorithm is unknown");
  const [keyId, signature] = [bytes.slice(2, 10), bytes.slice(10)];
  return ok({ keyId, signature, trustedComment, globalSignature });
}

function bad(why: string): Result<never> {
  return fail("BAD_SIGNATURE", `that is no signature of minisign's: ${why}`);
}

/** The two letters at `index`: the name of an algorithm. */
function textAt(bytes: Uint8Array, index: number): string {
  return latin1(bytes.subarray(index, index + 2));
}

/** The line with a key in it: the only one, or the one after the comment. */
function keyLine(text: string): string {
  if (text.length > MAX_MINISIGN_LENGTH) return "";
  const lines = text.trim().split(/\r?\n/);
  const [first = "", second = ""] = lines;
  if (lines.length === 2 && first.startsWith(UNTRUSTED)) return second;
  return lines.length === 1 ? first : "";
}
