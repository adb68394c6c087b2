import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Bitfield } from "../../base/bitfield.ts";
import { createRandom } from "../../base/random.ts";
import { BLOCK_LENGTH } from "../../base/units.ts";
import { type BlockRef, PieceGeometry } from "../../protocol/metainfo/piece-geometry.ts";
import { PiecePicker } from "./piece-picker.ts";

/** Pieces of 4 blocks; the last one has 2, of which the last is short. */
const geometry = new PieceGeometry(4 * BLOCK_LENGTH, 13 * BLOCK_LENGTH + 100);

function aPicker(options: { have?: number[]; maxOpenPieces?: number } = {}): PiecePicker {
  const have = new Bitfield(geometry.pieceCount);
  for (const index of options.have ?? []) have.add(index);
  return new PiecePicker(geometry, have, createRandom(1), {
    maxOpenPieces: options.maxOpenPieces ?? 10,
  });
}

function aSource(key: number, pieces: number[]): { key: number; pieces: Bitfield } {
  const set = new Bitfield(geometry.pieceCount);
  for (const index of pieces) set.add(index);
  return { key, pieces: set };
}

const all = [0, 1, 2, 3];
const namesOf = (blocks: readonly BlockRef[]) =>
  blocks.map(({ pieceIndex, begin }) => `${pieceIndex}.${begin / BLOCK_LENGTH}`);
const take = (picker: PiecePicker, key: number, blocks: readonly BlockRef[]): boolean => {
  let isComplete = false;
  for (const block of blocks) {
    assert.ok(picker.beginReceive(block));
    picker.release(block);
    isComplete = picker.finishReceive(block, key);
  }
  return isComplete;
};

describe("PiecePicker", () => {
  test("gives a peer one piece after the other, in adjacent blocks", () => {
    const picker = aPicker({ have: [0, 1, 2] });

    const blocks = picker.pick(aSource(1, all), 9, 0);

    assert.deepEqual(namesOf(blocks), ["3.0", "3.1"]);
    assert.equal(blocks[1]?.length, 100);
  });

  test("gives each peer a piece of its own while there are enough", () => {
    const picker = aPicker();

    const first = picker.pick(aSource(1, [0, 1, 2]), 2, 0);
    const second = picker.pick(aSource(2, [0, 1, 2]), 2, 0);

    assert.notEqual(first[0]?.pieceIndex, second[0]?.pieceIndex);
    assert.equal(picker.pick(aSource(1, [0, 1, 2]), 1, 0)[0]?.pieceIndex, first[0]?.pieceIndex);
  });

  test("does not request pieces the peer lacks, nor pieces we have", () => {
    const picker = aPicker({ have: [0] });

    assert.deepEqual(picker.pick(aSource(1, [0]), 5, 0), []);
    assert.deepEqual(namesOf(picker.pick(aSource(1, [0, 2]), 9, 0)), ["2.0", "2.1", "2.2", "2.3"]);
  });

  test("opens no more pieces than allowed; then peers share the open ones", () => {
    const picker = aPicker({ maxOpenPieces: 1 });

    const first = picker.pick(aSource(1, all), 2, 0);
    const second = picker.pick(aSource(2, all), 9, 0);

    assert.equal(picker.openCount, 1);
    assert.equal(second.length, geometry.blockCountOf(first[0]?.pieceIndex as number) - 2);
  });

  test("a released block is given to the next who asks", () => {
    const picker = aPicker({ have: [0, 1, 2] });
    const [block] = picker.pick(aSource(1, all), 1, 0) as [BlockRef];
    picker.disown(1);
    picker.release(block);

    assert.deepEqual(namesOf(picker.pick(aSource(2, all), 1, 0)), ["3.0"]);
  });

  test("in the endgame asks a second peer, but only for requests that are old, and only once", () => {
    const picker = aPicker({ have: [0, 1, 2] });
    picker.pick(aSource(1, all), 9, 0);
    const ask = (olderThan: number, mine: string[]) =>
      namesOf(
        picker.pickEndgame(aSource(2, all), {
          count: 9,
          now: 100,
          mayAskToo: (block, requestedAt) =>
            requestedAt <= olderThan && !mine.includes(namesOf([block])[0] as string),
        }),
      );

    assert.deepEqual(ask(-1, []), []);
    assert.deepEqual(ask(0, ["3.1"]), ["3.0"]);
    assert.deepEqual(ask(100, ["3.1"]), []);
  });

  test("a block goes to one buffer at a time, and not again once it is there", () => {
    const picker = aPicker({ have: [0, 1, 2] });
    const [first] = picker.pick(aSource(1, all), 1, 0) as [BlockRef];

    assert.ok(picker.beginReceive(first));
    assert.ok(!picker.beginReceive(first), "two senders wrote to one place");
    picker.abortReceive(first);
    assert.ok(picker.beginReceive(first));
    assert.equal(picker.finishReceive(first, 1), false);
    assert.ok(!picker.beginReceive(first));
  });

  test("a piece that failed is fetched again, from one source alone", () => {
    const picker = aPicker({ have: [0, 1, 2] });
    const mine = picker.pick(aSource(1, all), 1, 0);
    const theirs = picker.pick(aSource(2, all), 1, 0);
    take(picker, 1, mine);
    assert.ok(take(picker, 2, theirs));
    assert.deepEqual(picker.closeMismatch(3), [1, 2]);

    const again = picker.pick(aSource(2, all), 1, 0);
    assert.deepEqual(namesOf(again), ["3.0"]);
    assert.deepEqual(picker.pick(aSource(1, all), 9, 0), []);
  });

  test("gives a web seed adjacent pieces, up to a number of bytes", () => {
    const picker = aPicker({ have: [0] });
    const seed = aSource(-1, all);
    const run = picker.pickRun(seed, 8 * BLOCK_LENGTH, 0);
    const pieces = [...new Set(run.map((block) => block.pieceIndex))];

    assert.ok(pieces.length <= 2);
    const numbers = run.map((block) => block.pieceIndex * 4 + block.begin / BLOCK_LENGTH);
    assert.deepEqual(
      numbers,
      numbers.map((_, i) => (numbers[0] as number) + i),
    );
  });

  test("a web seed's run ends where the next block is taken already", () => {
    const picker = aPicker({ have: [3] });
    const peer = aSource(1, [0]);
    const [first, second, third, fourth] = picker.pick(peer, 4, 0) as [
      BlockRef,
      BlockRef,
      BlockRef,
      BlockRef,
    ];
    take(picker, 1, [third, fourth]);
    picker.disown(1);
    for (const block of [first, second]) picker.release(block);

    assert.deepEqual(namesOf(picker.pickRun(aSource(-1, all), 2 ** 24, 0)), ["0.0", "0.1"]);
  });

  test("a begun piece that nobody connected has makes way for one that somebody has", () => {
    const givenUp: number[] = [];
    const have = new Bitfield(geometry.pieceCount);
    const options = { maxOpenPieces: 1, onGivenUp: (index: number) => givenUp.push(index) };
    const picker = new PiecePicker(geometry, have, createRandom(1), options);
    const blocks = picker.pick(aSource(1, [0]), 2, 0);
    take(picker, 1, blocks.slice(0, 1));
    assert.deepEqual(picker.pick(aSource(2, [1]), 1, 0), [], "its owner is still at work");

    picker.disown(1);
    picker.release(blocks[1] as BlockRef);
    assert.deepEqual(namesOf(picker.pick(aSource(2, [1]), 1, 0)), ["1.0"]);
    assert.deepEqual(givenUp, [0]);
    assert.ok(picker.order.isWanted(0));
  });
});
