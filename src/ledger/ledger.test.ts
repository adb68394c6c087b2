import assert from "node:assert/strict";
import { test } from "node:test";
import { infoHashOf } from "../base/bytes.ts";
import { PieceGeometry } from "../protocol/metainfo/piece-geometry.ts";
import { Ledger } from "./ledger.ts";

const infoHash = infoHashOf(new Uint8Array(20).fill(7));
const address = { host: "192.0.2.1", port: 6881 };

function aLedger(): Ledger {
  return new Ledger(infoHash, new PieceGeometry(100, 1000));
}

function aPeerId(value: number): Uint8Array {
  return new Uint8Array(20).fill(value);
}

test("bytes of the same node and piece add up until they are taken", () => {
  const ledger = aLedger();
  const peerId = aPeerId(0xab);

  ledger.add({ peerId, address, pieceIndex: 3, bytes: 10 });
  ledger.add({ peerId, address, pieceIndex: 3, bytes: 20 });
  ledger.add({ peerId, address, pieceIndex: 4, bytes: 5 });
  const entries = ledger.takeEntries(1000);

  const head = {
    at: 1000,
    infoHash,
    door: "bittorrent",
    peerId: "ab".repeat(20),
    address: "192.0.2.1:6881",
  };
  assert.deepEqual(entries, [
    { ...head, pieceIndex: 3, bytes: 30 },
    { ...head, pieceIndex: 4, bytes: 5 },
  ]);
  assert.deepEqual(ledger.takeEntries(2000), []);
  assert.equal(ledger.sentBytes, 35);
});

test("another array with the same peer id is the same node", () => {
  const ledger = aLedger();

  ledger.add({ peerId: aPeerId(1), address, pieceIndex: 0, bytes: 1 });
  ledger.add({ peerId: aPeerId(1), address, pieceIndex: 0, bytes: 2 });

  assert.deepEqual(
    ledger.takeEntries(0).map((entry) => entry.bytes),
    [3],
  );
});

test("S7 a hostile peer id is written in hexadecimal only", () => {
  const ledger = aLedger();
  const peerId = Uint8Array.from(Buffer.from('-XX0001-\u001b[31m"]\n\0\r\u0007'.slice(0, 20)));

  ledger.add({ peerId, address, pieceIndex: 0, bytes: 1 });

  assert.match(ledger.takeEntries(0)[0]?.peerId ?? "", /^[0-9a-f]+$/);
});

test("a stretch of content is divided among its pieces", () => {
  const ledger = aLedger();

  ledger.nodeAt("webseed", "192.0.2.9").addRange(250, 200);

  const taken = ledger.takeEntries(0).map(({ pieceIndex, bytes }) => [pieceIndex, bytes]);
  assert.deepEqual(taken, [
    [2, 50],
    [3, 100],
    [4, 50],
  ]);
});

test("the summary counts by door, by node and by piece, through a restart", () => {
  const first = aLedger();
  first.add({ peerId: aPeerId(1), address, pieceIndex: 0, bytes: 100 });
  first.nodeAt("http", "192.0.2.9").addRange(0, 1000);
  first.takeEntries(1);
  const saved = first.summary();
  first.nodeAt("http", "192.0.2.9").addRange(900, 100);
  const tail = first.takeEntries(2);

  const second = aLedger();
  second.restoreSummary(saved);
  for (const entry of tail) second.restoreEntry(entry);

  const summary = second.summary();
  assert.deepEqual(summary, first.summary());
  assert.equal(summary.sentBytes, 1200);
  assert.deepEqual(summary.bytesByDoor, { bittorrent: 100, webseed: 0, webrtc: 0, http: 1100 });
  assert.deepEqual(summary.pieceBytes, [200, 100, 100, 100, 100, 100, 100, 100, 100, 200]);
  assert.equal(second.copiesSent, 1.2);
  assert.equal(second.sentBytes, 0);
});

test("S7 memory stays bounded when every byte goes to another node", () => {
  const ledger = aLedger();

  for (let i = 0; i < 25_000; i++) {
    ledger.nodeAt("http", `node-${i}`).add(0, 1);
    if (i % 1000 === 0) ledger.takeEntries(i);
  }
  ledger.takeEntries(30_000);

  const { nodes, otherNodesBytes, sentBytes } = ledger.summary();
  assert.equal(nodes.length, 10_000);
  assert.equal(otherNodesBytes, 15_000);
  assert.equal(sentBytes, 25_000);
});

test("a node that was forgotten and comes back loses no byte", () => {
  const ledger = aLedger();
  const early = ledger.nodeAt("http", "early");
  early.add(0, 5);
  ledger.takeEntries(0);
  for (let i = 0; i < 10_000; i++) ledger.nodeAt("http", `node-${i}`);

  early.add(1, 7);
  const entries = ledger.takeEntries(1);

  assert.deepEqual(
    entries.map(({ address, bytes }) => [address, bytes]),
    [["early", 7]],
  );
  const { nodes, otherNodesBytes, sentBytes } = ledger.summary();
  assert.deepEqual(
    nodes.map(({ address, bytes }) => [address, bytes]),
    [["early", 7]],
  );
  assert.equal(otherNodesBytes, 5);
  assert.equal(sentBytes, 12);
});
