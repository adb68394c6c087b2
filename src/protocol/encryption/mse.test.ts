/** Message stream encryption: both sides against each other, whole and byte by byte, and bad ones. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { concatBytes, equalBytes, latin1Bytes, toHex } from "../../base/bytes.ts";
import { mseCrypto } from "../../adapters/node/mse-crypto.ts";
import { acceptMse } from "./accept-mse.ts";
import {
  encodeCryptoBits,
  encodeUint16,
  type MseAgreement,
  type MseHandshake,
  mseHash,
  PLAINTEXT,
  RC4,
  xorBytes,
} from "./mse-handshake.ts";
import { offerMse } from "./offer-mse.ts";
import { Rc4 } from "./rc4.ts";

const infoHash = new Uint8Array(20).fill(7);
const initial = latin1Bytes("our handshake");
const nothing: Uint8Array = new Uint8Array(0);
const hidden = mseHash(mseCrypto, "req2", infoHash);

function acceptor(): MseHandshake {
  return acceptMse(mseCrypto, (asked) => (equalBytes(asked, hidden) ? infoHash : undefined));
}

/** Both agreements, with everything that is sent cut into parts of `length` bytes. */
function converse(
  dialling: MseHandshake,
  accepting: MseHandshake,
  length: number,
): [MseAgreement | undefined, MseAgreement | undefined] {
  const sides = [dialling, accepting] as const;
  const agreements: [MseAgreement | undefined, MseAgreement | undefined] = [undefined, undefined];
  const feed = (side: 0 | 1, bytes: Uint8Array): Uint8Array => {
    const progress = sides[side].push(bytes);
    if (progress.state === "failed") return nothing;
    if (progress.state === "agreed") agreements[side] = progress.agreement;
    return progress.reply;
  };
  let toSend = feed(0, nothing);
  for (let side: 0 | 1 = 1; toSend.length > 0; side = side === 0 ? 1 : 0) {
    const replies: Uint8Array[] = [];
    for (let at = 0; at < toSend.length && agreements[side] === undefined; at += length) {
      replies.push(feed(side, toSend.subarray(at, at + length)));
    }
    toSend = concatBytes(replies);
  }
  return agreements;
}

test("RC4 without its first 1024 bytes (RFC 6229, key 0x0102030405)", () => {
  const stream = new Rc4(Uint8Array.of(1, 2, 3, 4, 5)).apply(new Uint8Array(16));
  assert.equal(toHex(stream), "30abbcc7c20b01609f23ee2d5f6bb7df");
});

for (const length of [1, 7, 100_000]) {
  test(`both sides agree on plaintext, in parts of ${length} bytes`, () => {
    const offer = offerMse(mseCrypto, { infoHash, initial });
    const [dialled, accepted] = converse(offer, acceptor(), length);
    assert.deepEqual(accepted, { infoHash, ciphers: undefined, received: initial });
    assert.deepEqual(dialled, { infoHash, ciphers: undefined, received: nothing });
  });
}

/** A dialling side that breaks rules. */
function* rawOffer(changes: RawOffer): Generator<Uint8Array, Rc4, Uint8Array> {
  const key = mseCrypto.createKey();
  const remoteKey = yield key.publicKey;
  const secret = key.secretWith(remoteKey.subarray(0, 96)) ?? assert.fail();
  const skey = changes.skey ?? infoHash;
  const outgoing = new Rc4(mseHash(mseCrypto, "keyA", secret, skey));
  const incoming = new Rc4(mseHash(mseCrypto, "keyB", secret, skey));
  const bits = encodeCryptoBits(changes.provided ?? RC4, changes.padC ?? nothing);
  if (changes.hasBadVc) bits[3] = 1;
  const body = concatBytes([bits, encodeUint16(changes.initialLength ?? 0)]);
  yield concatBytes([
    new Uint8Array(changes.padALength ?? 0),
    mseHash(mseCrypto, "req1", secret),
    xorBytes(mseHash(mseCrypto, "req2", skey), mseHash(mseCrypto, "req3", secret)),
    outgoing.apply(body),
  ]);
  return incoming;
}

interface RawOffer {
  readonly skey?: Uint8Array;
  readonly provided?: number;
  readonly padC?: Uint8Array;
  readonly padALength?: number;
  readonly hasBadVc?: boolean;
  readonly initialLength?: number;
}

/** Where our side stands when a `rawOffer` has sent all that it sends. */
function stateAfter(changes: RawOffer): string {
  const accepting = acceptor();
  const offer = rawOffer(changes);
  const first = accepting.push(offer.next(nothing).value as Uint8Array);
  assert.ok(first.state === "waiting");
  return accepting.push(offer.next(first.reply).value as Uint8Array).state;
}

test("what provides RC4 alone gets RC4; the longest pads are read", () => {
  assert.equal(stateAfter({}), "agreed");
  assert.equal(stateAfter({ provided: PLAINTEXT }), "agreed");
  assert.equal(stateAfter({ padALength: 512, padC: new Uint8Array(512) }), "agreed");
});

test("an encrypted stream goes on in both directions behind what the handshake brought", () => {
  const accepting = acceptor();
  const offer = rawOffer({});
  const first = accepting.push(offer.next(nothing).value as Uint8Array);
  assert.ok(first.state === "waiting");
  const last = accepting.push(offer.next(first.reply).value as Uint8Array);
  assert.ok(last.state === "agreed" && last.agreement.ciphers !== undefined);
  const incoming = offer.next(nothing).value as Rc4;
  const head = incoming.apply(last.reply.slice(0, 14));
  assert.deepEqual(head.subarray(0, 12), Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, RC4));
  incoming.apply(last.reply.slice(14));
  const sent = last.agreement.ciphers.outgoing.apply(latin1Bytes("hello"));
  assert.deepEqual(incoming.apply(sent), latin1Bytes("hello"));
});

test("WIR-40 pads that are too long, a bad VC, an unknown torrent and unknown ways fail", () => {
  assert.equal(stateAfter({ padALength: 513 }), "failed");
  assert.equal(stateAfter({ padC: new Uint8Array(513) }), "failed");
  assert.equal(stateAfter({ hasBadVc: true }), "failed");
  assert.equal(stateAfter({ skey: new Uint8Array(20) }), "failed");
  assert.equal(stateAfter({ provided: 0 }), "failed");
  assert.equal(stateAfter({ provided: 4 }), "failed");
  assert.equal(stateAfter({ initialLength: 1025 }), "failed");
});

test("keys that give the secret away fail without an answer", () => {
  for (const key of [
    new Uint8Array(96),
    new Uint8Array(96).fill(1, 95),
    new Uint8Array(96).fill(255),
  ])
    assert.deepEqual(acceptor().push(key), { state: "failed" });
});

test("the dialling side fails on junk in place of step 4", () => {
  const dialling = offerMse(mseCrypto, { infoHash, initial });
  dialling.push(nothing);
  const key = mseCrypto.createKey().publicKey;
  assert.equal(dialling.push(key).state, "waiting");
  const junk = createHash("sha512").update("junk").digest();
  const long = concatBytes(Array.from({ length: 9 }, () => junk));
  assert.equal(dialling.push(long).state, "failed");
});
