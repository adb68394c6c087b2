/**
 * Fuzzing of both sides of message stream encryption. Keys are fixed, since real ones would take most
 * of the time and make runs differ.
 */
import assert from "node:assert/strict";
import { concatBytes, equalBytes } from "../../src/base/bytes.ts";
import { mseCrypto } from "../../src/adapters/node/mse-crypto.ts";
import { acceptMse } from "../../src/protocol/encryption/accept-mse.ts";
import {
  KEY_LENGTH,
  type MseCrypto,
  type MseHandshake,
  mseHash,
} from "../../src/protocol/encryption/mse-handshake.ts";
import { offerMse } from "../../src/protocol/encryption/offer-mse.ts";
import type { Target } from "./target.ts";

const secret = new Uint8Array(KEY_LENGTH).fill(3);
const crypto: MseCrypto = {
  sha1: (parts) => mseCrypto.sha1(parts),
  randomBytes: (length) => new Uint8Array(length).fill(9),
  createKey: () => ({ publicKey: secret, secretWith: () => secret }),
};
const infoHash = new Uint8Array(20).fill(7);
const hidden = mseHash(crypto, "req2", infoHash);
const nothing = new Uint8Array(0);

const accepting = () =>
  acceptMse(crypto, (asked) => (equalBytes(asked, hidden) ? infoHash : undefined));
const dialling = () => offerMse(crypto, { infoHash, initial: new Uint8Array(68).fill(19) });

/** What `handshake` sends when `bytes` arrive. */
function said(handshake: MseHandshake, bytes: Uint8Array): Uint8Array {
  const progress = handshake.push(bytes);
  return progress.state === "failed" ? assert.fail() : progress.reply;
}

/** Whatever comes, it is understood alike in one part and in two, and answers are short. */
function check(begin: () => MseHandshake, input: Uint8Array): void {
  const whole = begin().push(input);
  const other = begin();
  const half = Math.floor(input.length / 2);
  const first = other.push(input.subarray(0, half));
  const last = first.state === "waiting" ? other.push(input.subarray(half)) : first;
  assert.equal(last.state, whole.state);
  if (whole.state === "failed") return;
  assert.ok(whole.reply.length <= 2000);
  if (whole.state === "agreed") assert.ok(whole.agreement.received.length <= input.length);
}

/** The targets of both sides. */
export function encryptionTargets(): Readonly<Record<string, Target>> {
  const a = dialling();
  const b = accepting();
  const ofA = [said(a, nothing)];
  const ofB = [said(b, concatBytes(ofA))];
  ofA.push(said(a, concatBytes(ofB)));
  ofB.push(said(b, ofA[1] ?? nothing));
  const beginDialled = (): MseHandshake => {
    const handshake = dialling();
    handshake.push(nothing);
    return handshake;
  };
  return {
    "encryption, accepted": {
      corpus: [concatBytes(ofA)],
      check: (input) => check(accepting, input),
    },
    "encryption, dialled": {
      corpus: [concatBytes(ofB)],
      check: (input) => check(beginDialled, input),
    },
  };
}
