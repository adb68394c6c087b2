/** Pieces that would leave the swarm with us. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Bitfield } from "../../base/bitfield.ts";
import { countSolePieces } from "./sole-pieces.ts";

const waiting = { peerInterested: true };
const idle = { peerInterested: false };
const copies = [0, 1, 0, 5];
const belowFloor = new Bitfield(4);
const count = (peers: readonly { readonly peerInterested: boolean }[], have: readonly number[]) =>
  countSolePieces(peers, { have, belowFloor, availabilityOf: (index) => copies[index] ?? 0 });

test("pieces that nobody else has count, when somebody waits for them", () => {
  assert.equal(count([idle, waiting], [0, 1, 2, 3]), 2);
  assert.equal(count([waiting], [1, 2, 3]), 1);
  assert.equal(count([waiting], [1, 3]), 0);
});

test("where nobody waits there is nobody to stay for", () => {
  assert.equal(count([], [0, 2]), 0);
  assert.equal(count([idle], [0, 2]), 0);
});

test("pieces that a SourceNode says have too few copies count, whoever else has them", () => {
  belowFloor.add(1);
  belowFloor.add(2);
  assert.equal(count([waiting], [1, 2, 3]), 2);
  assert.equal(count([waiting], [3]), 0);
  assert.equal(count([idle], [1, 2, 3]), 0);
  belowFloor.clear();
});
