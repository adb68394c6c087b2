/** What our own peers hear of pieces with too few copies. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ControllerWorld } from "../../test/support/controller-world.ts";
import { MAX_RANGES, type PeerReport } from "../protocol/wire/participation.ts";

const none = { sources: 0, ownPeers: 0, otherPeers: 0 };
const stays: PeerReport = {
  downloaded: none,
  uploaded: none,
  downRate: 0,
  upRate: 0,
  neighbours: 0,
  downlink: 0,
  uplink: 0,
  downLimit: 0,
  leavesWhenDone: false,
};
const leaves: PeerReport = { ...stays, leavesWhenDone: true };

/** Pieces below the floor as each peer heard of them. */
class Listeners {
  readonly world: ControllerWorld;
  readonly below = new Map<number, Set<number>>();
  messages = 0;

  constructor(world: ControllerWorld) {
    this.world = world;
  }

  hear(): void {
    for (const { peers, change } of this.world.controller.takeFloorNews()) {
      assert.ok(change.below.length + change.enough.length <= MAX_RANGES);
      this.messages += peers.length;
      for (const key of peers) {
        const set = change.isFresh ? new Set<number>() : (this.below.get(key) ?? new Set());
        this.below.set(key, set);
        for (const { first, count } of change.below) {
          for (let i = 0; i < count; i++) set.add(first + i);
        }
        for (const { first, count } of change.enough) {
          for (let i = 0; i < count; i++) set.delete(first + i);
        }
      }
    }
  }

  /** What `key` knows after some time. */
  after(ms: number, key: number): readonly number[] | undefined {
    this.world.pass(ms, () => this.hear());
    this.hear();
    const set = this.below.get(key);
    return set === undefined ? undefined : [...set].toSorted((a, b) => a - b);
  }
}

describe("pieces below the floor", () => {
  test("are told to peers that report, and to no others; then only what changes", () => {
    const world = new ControllerWorld({ policy: "thrifty", pieces: 4 });
    const listeners = new Listeners(world);
    world.join(1);
    world.join(2);
    world.controller.handleReport(1, stays);
    assert.deepEqual(listeners.after(1500, 1), [0, 1, 2, 3]);
    assert.equal(listeners.below.has(2), false);
    world.have(2, 0, 1);
    assert.deepEqual(listeners.after(1500, 1), [2, 3]);
    const { messages } = listeners;
    assert.deepEqual(listeners.after(5000, 1), [2, 3]);
    assert.equal(listeners.messages, messages);
  });

  test("include what only those hold who are done and go", () => {
    const world = new ControllerWorld({ policy: "thrifty", pieces: 4 });
    const listeners = new Listeners(world);
    for (const key of [1, 2, 3]) world.join(key);
    for (const key of [1, 3]) world.controller.handleReport(key, leaves);
    world.have(1, 0, 1, 2);
    world.have(3, 0);
    assert.deepEqual(listeners.after(1500, 1), [3]);
    // Now 1 is done: of what it has, only piece 0 would be left.
    world.have(1, 3);
    assert.deepEqual(listeners.after(1500, 1), [1, 2, 3]);
    world.have(2, 1, 2, 3);
    assert.deepEqual(listeners.after(1500, 1), []);
  });

  test("are none when everybody is done", () => {
    const world = new ControllerWorld({ policy: "balanced", pieces: 2 });
    const listeners = new Listeners(world);
    for (const key of [1, 2]) {
      world.join(key);
      world.controller.handleReport(key, leaves);
      world.have(key, 0, 1);
    }
    assert.deepEqual(listeners.after(2500, 1), []);
  });

  test("come in several messages when they are many, and all at once to who comes late", () => {
    const pieces = 4 * MAX_RANGES;
    const world = new ControllerWorld({ policy: "thrifty", pieces });
    const listeners = new Listeners(world);
    for (const key of [1, 2]) world.join(key);
    world.controller.handleReport(1, stays);
    assert.equal(listeners.after(1500, 1)?.length, pieces);
    const odd = Array.from({ length: pieces / 2 }, (_, i) => 2 * i + 1);
    world.have(2, ...odd);
    assert.equal(listeners.after(5000, 1)?.length, pieces / 2);
    world.controller.handleReport(2, stays);
    assert.deepEqual(listeners.after(1500, 2), listeners.after(0, 1));
    world.leave(1);
    world.have(2, 0);
    const { messages } = listeners;
    listeners.after(1500, 2);
    assert.equal(listeners.messages, messages + 1);
  });
});

test("what a peer says that it may download at most is all that it is promised", () => {
  const world = new ControllerWorld({ policy: "balanced", pieces: 1000, uplink: 100_000 });
  world.join(1);
  world.controller.handleReport(1, { ...stays, downLimit: 1000 });
  world.pass(20_000);
  const peer = world.controller.evidence.peers.get(1);
  assert.ok(peer !== undefined && peer.owedBytes <= 22_000, `${peer?.owedBytes} bytes`);
});
