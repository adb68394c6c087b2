import assert from "node:assert/strict";
import { test } from "node:test";
import { infoHashOfDigit, ip, testPeer } from "../../test/support/tracker-world.ts";
import { createRandom } from "../base/random.ts";
import { Swarms } from "./swarms.ts";

const options = { maxPeersPerNetwork: 64, maxPeersPerAnswer: 50, expiryMs: 300_000, earlyMs: 5000 };
const a = infoHashOfDigit("a");
const b = infoHashOfDigit("b");
const late = options.expiryMs + 1000;

function aSwarms(isKept = false): Swarms {
  return new Swarms(options, createRandom(1), () => isKept);
}

function fill(swarms: Swarms, infoHash: typeof a, count: number): void {
  for (let i = 0; i < count; i++) {
    const address = i % 2 === 0 ? testPeer(i).address : ip(`2001:db8:0:${i}::1`);
    const { peerId } = testPeer(i);
    const peer = { peerId, address, port: 1, event: undefined, isSeed: i % 3 === 0 };
    swarms.ensure(infoHash).announce(0, peer);
  }
}

test("a sweep does no more than it may, and the next one goes on there", () => {
  const swarms = aSwarms();
  fill(swarms, a, 25);
  fill(swarms, b, 25);
  const left = () => (swarms.get(a)?.peerCount ?? 0) + (swarms.get(b)?.peerCount ?? 0);

  for (const expected of [40, 30, 21, 11, 1]) {
    swarms.sweep(late, 10);
    assert.equal(left(), expected);
  }
  swarms.sweep(late, 10);
  assert.equal(swarms.swarmCount, 0);
  swarms.sweep(late, 10);
});

test("peers that come and go between sweeps do not disturb them", () => {
  const swarms = aSwarms();
  fill(swarms, a, 30);
  swarms.sweep(late, 5);
  for (let i = 0; i < 30; i += 2) swarms.get(a)?.stop(testPeer(i));
  swarms.get(a)?.announce(late, { ...testPeer(99), port: 1, event: undefined, isSeed: true });
  for (let i = 0; i < 20; i++) swarms.sweep(late, 5);

  assert.equal(swarms.get(a)?.peerCount, 1);
});

test("a record that is made anew during a sweep survives it", () => {
  const swarms = aSwarms();
  fill(swarms, a, 2);
  swarms.sweep(late, 1);
  swarms.get(a)?.stop({ ...testPeer(0) });
  swarms.remove(a);
  fill(swarms, a, 2);
  swarms.sweep(0, 10);

  assert.equal(swarms.get(a)?.peerCount, 2);
});

test("an empty record stays as long as it is kept", () => {
  const swarms = aSwarms(true);
  swarms.ensure(a);
  swarms.sweep(late, 10);
  assert.equal(swarms.swarmCount, 1);
});

test("what peers leave behind, others use: memory is that of the busiest moment", () => {
  const swarms = aSwarms();
  for (const infoHash of [a, b]) fill(swarms, infoHash, 2000);
  const most = swarms.byteLength;
  assert.ok(most < 4000 * 60, `${most} bytes`);

  swarms.remove(a);
  swarms.remove(b);
  assert.equal(swarms.peerCount, 0);
  for (const infoHash of [b, a]) fill(swarms, infoHash, 2000);
  assert.equal(swarms.byteLength, most);

  for (let i = 0; swarms.swarmCount > 0; i++) {
    assert.ok(i < 100);
    swarms.sweep(late, 1000);
  }
  for (const infoHash of [b, a]) fill(swarms, infoHash, 2000);
  assert.equal(swarms.byteLength, most);
});
