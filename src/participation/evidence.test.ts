import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type JoinedOptions, joinedPeer } from "../../test/support/served-peers.ts";
import { PieceGeometry } from "../protocol/metainfo/piece-geometry.ts";
import type { JoinedPeer } from "./downloader.ts";
import { Evidence } from "./evidence.ts";

const PIECES = 8;
const ALL = Array.from({ length: PIECES }, (_, piece) => piece);

/** Evidence of one swarm, with what its tests do to it. */
class Scene {
  /** Pieces of which a copy was lost, in turn. */
  readonly lost: number[] = [];
  readonly evidence: Evidence;
  readonly #peers = new Map<number, JoinedPeer>();

  /** `known`: the number of a peer that had bytes from us in an earlier run. */
  constructor(known = -1) {
    this.evidence = new Evidence(new PieceGeometry(100, 100 * PIECES), {
      knowsPeer: (peerId) => peerId[19] === known,
      onCopyLost: (piece) => void this.lost.push(piece),
    });
  }

  join(key: number, options: Omit<JoinedOptions, "size"> = {}, now = 0): void {
    const peer = joinedPeer(key, { size: PIECES, ...options });
    this.#peers.set(key, peer);
    this.evidence.handleJoined(now, peer, 100);
    this.evidence.handlePieces(key);
  }

  /** The peer says that it has `pieces` now. */
  have(key: number, ...pieces: readonly number[]): void {
    for (const piece of pieces) {
      this.#peers.get(key)?.pieces.add(piece);
      this.evidence.handleHave(1000, key, piece);
    }
  }

  /** The peer was sent `pieces` by us, and says so. */
  receive(key: number, ...pieces: readonly number[]): void {
    for (const piece of pieces) {
      const grant = {
        piece,
        shownAt: 0,
        touchedAt: 0,
        sentBytes: 100,
        sentAt: 500,
        wasRequested: true,
        isOffer: true,
      };
      this.evidence.peers.get(key)?.grants.set(piece, grant);
      this.have(key, piece);
      this.evidence.peers.get(key)?.grants.delete(piece);
    }
  }

  get copies(): readonly number[] {
    return ALL.map((piece) => this.evidence.copies.of(piece));
  }
}

describe("what counts as a copy", () => {
  test("what a peer gains before our eyes, from us or from others", () => {
    const scene = new Scene();
    scene.join(1);
    scene.receive(1, 0);
    scene.have(1, 1);
    assert.deepEqual(scene.copies.slice(0, 3), [1, 1, 0]);
    assert.equal(scene.evidence.gainedBytes, 200);
  });

  test("not what a stranger says that it had before", () => {
    const scene = new Scene();
    for (let key = 1; key <= 100; key++) scene.join(key, { have: ALL });
    assert.equal(scene.evidence.copies.countBelow(1), PIECES);
    assert.equal(scene.evidence.liveCount, 100);
  });

  test("the claims of whoever had bytes from us in an earlier run", () => {
    const scene = new Scene(3);
    scene.join(3, { have: [0, 1] });
    scene.join(4, { have: [0, 1] });
    assert.deepEqual(scene.copies.slice(0, 3), [1, 1, 0]);
  });

  test("the claims of whoever takes a piece from us", () => {
    const scene = new Scene();
    scene.join(1, { have: [0, 1] });
    scene.have(1, 5);
    assert.deepEqual(scene.copies.slice(0, 2), [0, 0], "it may have come from anywhere");
    scene.receive(1, 6);
    assert.deepEqual(scene.copies, [1, 1, 0, 0, 0, 1, 1, 0]);
  });

  test("the claims of the only one who can have given what others gained, from the third time on", () => {
    const scene = new Scene();
    scene.join(1, { have: ALL });
    scene.join(2);
    scene.have(2, 0, 1);
    assert.deepEqual(scene.copies, [1, 1, 0, 0, 0, 0, 0, 0]);
    scene.have(2, 2);
    assert.deepEqual(scene.copies, [2, 2, 2, 1, 1, 1, 1, 1]);
    assert.equal(scene.evidence.hasForwarded, false, "what came in from outside is not ours");
  });

  test("not the claims of whoever says that it gained something, from nobody", () => {
    const scene = new Scene();
    scene.join(1, { have: [0, 1, 2, 3] });
    scene.have(1, 4, 5, 6, 7);
    assert.deepEqual(scene.copies, [0, 0, 0, 0, 1, 1, 1, 1]);
  });

  test("no claim is needed for what somebody else is known to hold, or what we sent", () => {
    const scene = new Scene();
    scene.join(1, { have: ALL });
    scene.join(2);
    scene.join(3);
    scene.receive(2, ...ALL);
    scene.have(3, ...ALL);
    assert.deepEqual(
      scene.copies,
      ALL.map(() => 2),
    );
  });

  test("each piece of a peer once, however often it is said", () => {
    const scene = new Scene();
    scene.join(1, { have: [0] });
    scene.receive(1, 1);
    scene.receive(1, 0, 1);
    assert.deepEqual(scene.copies.slice(0, 2), [1, 1]);
  });

  test("nothing of a SourceNode", () => {
    const scene = new Scene(1);
    scene.join(1, { have: ALL, isSourceNode: true });
    scene.have(1, 0);
    assert.deepEqual(
      scene.copies,
      ALL.map(() => 0),
    );
    assert.equal(scene.evidence.liveCount, 0);
    assert.equal(scene.evidence.gainedBytes, 0);
    scene.evidence.handleLeft(2000, 1);
    assert.deepEqual([scene.evidence.liveCount, scene.evidence.peers.size], [0, 0]);
  });
});

describe("what peers give each other", () => {
  test("a piece of ours that is seen at a second peer was passed on", () => {
    const scene = new Scene();
    scene.join(1);
    scene.join(2);
    scene.receive(1, 0, 1);
    const first = scene.evidence.peers.get(1);
    assert.deepEqual([[...(first?.unseen ?? [])], first?.seenCount], [[0, 1], 0]);
    assert.equal(scene.evidence.hasForwarded, false);

    scene.have(2, 0);
    assert.deepEqual([[...(first?.unseen ?? [])], first?.seenCount], [[1], 1]);
    assert.equal(scene.evidence.hasForwarded, true);
  });

  test("one crowd's exchange says nothing about the next one", () => {
    const scene = new Scene();
    scene.join(1);
    scene.join(2);
    scene.receive(1, 0);
    scene.have(2, 0);
    scene.evidence.handleLeft(2000, 1);
    scene.evidence.handleLeft(2000, 2);
    scene.join(3, {}, 3000);
    assert.equal(scene.evidence.hasForwarded, false);
  });

  test("pieces that downloaders lack are counted, those of the complete are not", () => {
    const scene = new Scene();
    scene.join(1, { have: ALL });
    scene.join(2, { have: [0, 1, 2] });
    scene.join(3);
    assert.equal(scene.evidence.missingPieces, 5 + 8);
  });
});

describe("who leaves", () => {
  test("is not gone for 3 s: its copies stay, and it may come back", () => {
    const scene = new Scene();
    scene.join(1);
    scene.join(2);
    scene.receive(1, 0, 1);
    scene.evidence.handleLeft(10_000, 1);
    scene.evidence.handleTimeout(12_999);
    assert.deepEqual(scene.copies.slice(0, 3), [1, 1, 0]);

    scene.join(7, { as: 1, have: [0, 1] }, 12_999);
    scene.evidence.handleTimeout(60_000);
    assert.deepEqual(scene.copies.slice(0, 3), [1, 1, 0], "counted once, and trusted");
  });

  test("takes its copies along after that, and what it had first needs a new holder", () => {
    const scene = new Scene();
    scene.join(1);
    scene.join(2);
    scene.receive(1, 0, 1);
    scene.have(2, 1);
    scene.evidence.handleLeft(10_000, 1);
    scene.evidence.handleTimeout(13_000);
    assert.deepEqual(scene.copies.slice(0, 2), [0, 1]);
    assert.deepEqual(scene.lost, [0, 1]);

    const second = scene.evidence.peers.get(2);
    scene.receive(2, 0);
    assert.deepEqual([...(second?.unseen ?? [])], [0]);
  });

  test("as the last one takes everything along at once", () => {
    const scene = new Scene();
    scene.join(1);
    scene.join(2);
    scene.receive(1, 0);
    scene.receive(2, 1);
    scene.evidence.handleLeft(10_000, 1);
    scene.evidence.handleLeft(10_000, 2);
    assert.deepEqual(scene.copies.slice(0, 2), [0, 0]);
    assert.deepEqual(scene.lost, [0, 1]);
  });

  test("under an identity that others share does not count twice", () => {
    const scene = new Scene();
    scene.join(1);
    scene.join(2, { as: 1 });
    scene.join(3);
    scene.receive(1, 0);
    scene.receive(2, 0);
    scene.evidence.handleLeft(1000, 1);
    scene.evidence.handleLeft(1000, 2);
    scene.evidence.handleTimeout(4000);
    assert.equal(scene.evidence.copies.of(0), 0);
  });

  test("without having been there is nobody", () => {
    const scene = new Scene();
    assert.equal(scene.evidence.handleLeft(0, 9), undefined);
    assert.equal(scene.evidence.handleHave(0, 9, 0), undefined);
    scene.evidence.handlePieces(9);
  });
});

test("who is connected is known by address", () => {
  const scene = new Scene();
  scene.join(1);
  assert.equal(scene.evidence.isConnected("192.0.2.1"), true);
  assert.equal(scene.evidence.isConnected("192.0.2.2"), false);
  scene.evidence.handleLeft(0, 1);
  assert.equal(scene.evidence.isConnected("192.0.2.1"), false);
});

test("ten thousand identities are trusted at most; the oldest are strangers again", () => {
  const scene = new Scene();
  scene.join(0);
  for (let as = 1; as <= 10_001; as++) {
    scene.join(as);
    scene.receive(as, 0);
    scene.evidence.handleLeft(0, as);
  }
  const isTrusted = (key: number, as: number) => {
    scene.join(key, { as });
    return scene.evidence.peers.get(key)?.isTrusted;
  };
  assert.deepEqual([isTrusted(20_000, 1), isTrusted(20_001, 2)], [false, true]);
});
