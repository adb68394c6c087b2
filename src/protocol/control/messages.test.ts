import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { InfoHash } from "../../base/units.ts";
import {
  type ClientMessage,
  encodeControlMessage,
  parseChallenge,
  parseClientMessage,
  parseProof,
  parseServerMessage,
  parseWelcome,
  type ServerMessage,
} from "./messages.ts";

const infoHash = "ab".repeat(20) as InfoHash;
const nonce = "0f".repeat(32);

const registration = {
  infoHash,
  name: "debian",
  contentLength: 2 ** 52,
  pieceCount: 7,
  isPrivate: false,
};
const hello = {
  sourceId: "c0ffee11",
  peerHost: "2001:db8::1",
  peerPort: 6881,
  publicUrl: "https://example.org/",
};
const swarm = {
  infoHash,
  connections: 2,
  sentBytes: 1e12,
  copies: 1,
  participation: {
    evidence: {
      peers: 2,
      downloaders: 1,
      copies: 1,
      floor: 2,
      pieceBelowFloor: { piece: 7, copies: 1 },
      hasForwarded: true,
      owedBytes: 0,
      sentAgoMs: 12.5,
    },
    figures: {
      spentBytes: 1e12,
      gainedBytes: 2e12,
      uplink: 1e7,
      directShare: 5e6,
      crowd: { elapsedMs: 5000, gainedBytes: 2e9, sentBytes: 1e9, exchangePeak: 3e6 },
    },
  },
};
const status = {
  uplinkBytesPerSecond: 1.5,
  uplinkLimitBytesPerSecond: 1e6,
  connections: 3,
  cpuFraction: 0.25,
  eventLoopDelayMs: 0.5,
  storageReadBytesPerSecond: 0,
  swarms: [swarm],
};

test("every message to the Tracker comes back as it went", () => {
  const messages: readonly ClientMessage[] = [
    { type: "hello", hello },
    { type: "status", status },
    { type: "swarm", swarm },
    { type: "register", id: 1, registrations: [registration, registration] },
    { type: "unregister", id: 2, infoHash },
    { type: "counts", id: 3, infoHashes: [infoHash] },
    { type: "sources", id: 4 },
    { type: "announce-urls", id: 5 },
  ];
  for (const message of messages) {
    assert.deepEqual(parseClientMessage(encodeControlMessage(message)), {
      ok: true,
      value: message,
    });
  }
});

test("every message from the Tracker comes back as it went", () => {
  const { sourceId, publicUrl } = hello;
  const peerAddress = { host: "192.0.2.1", port: 6881 };
  const messages: readonly ServerMessage[] = [
    { type: "done", id: 1 },
    { type: "counts", id: 2, counts: [{ infoHash, complete: 1, incomplete: 2, downloaded: 3 }] },
    {
      type: "sources",
      id: 3,
      sources: [{ sourceId, publicUrl, peerAddress, isAlive: true, status }],
    },
    { type: "announce-urls", id: 4, urls: ["http://192.0.2.1/announce"] },
    { type: "failure", id: 5, code: "STORAGE_FULL", message: "the disk is full" },
  ];
  for (const message of messages) {
    assert.deepEqual(parseServerMessage(encodeControlMessage(message)), {
      ok: true,
      value: message,
    });
  }
});

test("what is left undefined stays undefined", () => {
  const message: ClientMessage = { type: "hello", hello: { ...hello, peerHost: undefined } };
  const parsed = parseClientMessage(encodeControlMessage(message));
  assert.ok(parsed.ok && parsed.value.type === "hello");
  assert.equal(parsed.value.hello.peerHost, undefined);
});

test("a figure that could not be measured arrives as 0", () => {
  const message: ClientMessage = { type: "status", status: { ...status, cpuFraction: Number.NaN } };
  const parsed = parseClientMessage(encodeControlMessage(message));
  assert.ok(parsed.ok && parsed.value.type === "status");
  assert.equal(parsed.value.status.cpuFraction, 0);
});

test("greetings come back as they went, of any version", () => {
  const challenge = { type: "challenge", version: 9, nonce } as const;
  const proof = { type: "proof", version: 9, role: "source", nonce, mac: nonce } as const;
  const welcome = { type: "welcome", mac: nonce } as const;

  assert.deepEqual(parseChallenge(encodeControlMessage(challenge)), { ok: true, value: challenge });
  assert.deepEqual(parseProof(encodeControlMessage(proof)), { ok: true, value: proof });
  assert.deepEqual(parseWelcome(encodeControlMessage(welcome)), { ok: true, value: welcome });
});

test("malformed messages are refused", () => {
  const register = (changes: object) =>
    JSON.stringify({ type: "register", id: 1, registrations: [{ ...registration, ...changes }] });
  const texts = [
    "",
    "{",
    "null",
    "[]",
    "1",
    '"status"',
    "{}",
    '{"type":"status"}',
    '{"type":"toString","id":1}',
    '{"type":"__proto__","id":1}',
    '{"type":1,"id":1}',
    '{"type":"sources"}',
    '{"type":"sources","id":-1}',
    '{"type":"sources","id":1.5}',
    '{"type":"sources","id":"1"}',
    '{"type":"done","id":1}',
    "[".repeat(100_000),
    register({ infoHash: infoHash.toUpperCase() }),
    register({ infoHash: `${infoHash}00` }),
    register({ name: "x".repeat(256) }),
    register({ contentLength: 2 ** 53 }),
    register({ contentLength: -1 }),
    register({ pieceCount: null }),
    register({ isPrivate: 1 }),
    JSON.stringify({
      type: "register",
      id: 1,
      registrations: Array.from({ length: 1001 }, () => registration),
    }),
    JSON.stringify({ type: "hello", hello: { ...hello, peerPort: 0 } }),
    JSON.stringify({ type: "hello", hello: { ...hello, peerPort: 65536 } }),
    JSON.stringify({ type: "hello", hello: { ...hello, peerHost: "tracker.example" } }),
    JSON.stringify({ type: "hello", hello: { ...hello, sourceId: "../etc" } }),
    JSON.stringify({ type: "status", status: { ...status, uplinkBytesPerSecond: -1 } }),
    '{"type":"status","status":{"uplinkBytesPerSecond":1e999}}',
    JSON.stringify({ type: "counts", id: 1, infoHashes: [infoHash, "x"] }),
    JSON.stringify({ type: "counts", id: 1, infoHashes: { length: 1, 0: infoHash } }),
  ];
  for (const text of texts) {
    const result = parseClientMessage(text);
    assert.ok(!result.ok && result.code === "malformed", text.slice(0, 80));
  }
});

test("malformed greetings are refused", () => {
  const texts = ["", "{}", `{"type":"challenge","version":1,"nonce":"${nonce}0"}`, "null"];
  for (const text of texts) {
    for (const parse of [parseChallenge, parseProof, parseWelcome]) assert.ok(!parse(text).ok);
  }
});

test("no text whatever makes the parsers throw", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      for (const parse of [parseClientMessage, parseServerMessage, parseProof]) parse(text);
    }),
  );
});
