import assert from "node:assert/strict";
import { test } from "node:test";
import { signingCrypto } from "../../adapters/node/signing-crypto.ts";
import {
  createSecretKey,
  signedAtOf,
  signFile,
  trustedCommentFor,
  verifyTexts,
} from "./minisign.ts";
import {
  encodePublicKey,
  encodePublicKeyFile,
  encodeSecretKeyFile,
  parsePublicKey,
  parseSecretKey,
  parseSignature,
} from "./minisign-format.ts";

const message = new TextEncoder().encode("hello\n");
const key = createSecretKey(signingCrypto);
const publicKey = encodePublicKey(key);
const trustedComment = trustedCommentFor("a.sha256", 1_700_000_000_999);
const signature = signFile(message, { key, trustedComment }, signingCrypto);

const [untrusted = "", first = "", trusted = "", second = ""] = signature.split("\n");

/** `text` with another letter at `index`. */
function flip(text: string, index: number): string {
  const other = text.charAt(index) === "A" ? "B" : "A";
  return text.slice(0, index) + other + text.slice(index + 1);
}

function codeOf(signature: string, publicKeyText = publicKey, bytes = message): string {
  const result = verifyTexts(bytes, { publicKey: publicKeyText, signature }, signingCrypto);
  return result.ok ? "ok" : result.code;
}

test("what was signed is verified, by the key alone or its file", () => {
  assert.match(publicKey, /^RW[\w+/]{54}$/);
  assert.equal(codeOf(signature), "ok");
  assert.equal(codeOf(signature, encodePublicKeyFile(key)), "ok");
  assert.equal(codeOf(signature.replaceAll("\n", "\r\n")), "ok");
  assert.deepEqual(parseSecretKey(encodeSecretKeyFile(key)), { ok: true, value: key });
  assert.deepEqual(parseSignature(signature).ok, true);
  assert.equal(signedAtOf(trustedComment), 1_700_000_000_000);
  assert.equal(signedAtOf("whenever"), undefined);
});

test("a signature of which anything was changed is bad", () => {
  const other = encodePublicKey(createSecretKey(signingCrypto));
  const changes: readonly [string, string][] = [
    ["another file", codeOf(signature, publicKey, new TextEncoder().encode("hellO\n"))],
    ["another key", codeOf(signature, other)],
    ["the signature", codeOf(signature.replace(first, flip(first, 40)))],
    ["the key id", codeOf(signature.replace(first, flip(first, 6)))],
    ["the trusted comment", codeOf(signature.replace("a.sha256", "b.sha256"))],
    ["the global signature", codeOf(signature.replace(second, flip(second, 40)))],
  ];
  for (const [what, code] of changes) assert.equal(code, "BAD_SIGNATURE", what);
  // The key's id is right, the key is not.
  assert.equal(codeOf(signature, flip(publicKey, 30)), "BAD_SIGNATURE");
});

test("what is no signature of minisign's is bad", () => {
  const bad: Readonly<Record<string, string>> = {
    nothing: "",
    "one line": "RUQ",
    "no untrusted comment": signature.replace(untrusted, "comment"),
    "no trusted comment": signature.replace(trusted, "x"),
    "no global signature": [untrusted, first, trusted, ""].join("\n"),
    "too short": signature.replace(first, first.slice(0, -4)),
    "no base64": signature.replace(first, `${first.slice(0, -1)}-`),
    "more lines": `${signature}more\n`,
    "too long": signature.replace("a.sha256", "a".repeat(5_000)),
    "the old kind": signature.replace(first, `RWQ${first.slice(3)}`),
    "an unknown kind": signature.replace(first, `AAAA${first.slice(4)}`),
    "control characters": signature.replace("a.sha256", "\u001b[2J"),
  };
  for (const [what, text] of Object.entries(bad)) assert.equal(codeOf(text), "BAD_SIGNATURE", what);
});

test("what is no key is said to be none", () => {
  for (const text of [
    "",
    "RW",
    publicKey.slice(0, -1),
    `x${publicKey.slice(1)}`,
    `${publicKey}\nx`,
  ]) {
    const parsed = parsePublicKey(text);
    assert.equal(parsed.ok ? "ok" : parsed.code, "USAGE", text);
  }
  const file = encodeSecretKeyFile(key);
  const protectedKey = file.replace("RWQAAEIy", "RWRTY0Iy");
  assert.notEqual(protectedKey, file);
  const cases: readonly [string, string][] = [
    [protectedKey, "USAGE"],
    ["", "CONFIG"],
    [file.slice(0, -10), "CONFIG"],
    [encodePublicKeyFile(key), "CONFIG"],
    ["x".repeat(10_000), "CONFIG"],
  ];
  for (const [text, code] of cases) {
    const parsed = parseSecretKey(text);
    assert.equal(parsed.ok ? "ok" : parsed.code, code);
    if (code === "USAGE") assert.match(parsed.ok ? "" : parsed.message, /--signature/);
  }
});
