/** What every PieceStore must do. Run it against each adapter. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Bitfield } from "../../src/base/bitfield.ts";
import { BtPublisherError } from "../../src/base/errors.ts";
import type { PieceStore } from "../../src/ports/piece-store.ts";
import type { Info } from "../../src/protocol/metainfo/metainfo.ts";
import { type Content, makeContent, pieceBytes } from "../support/made-content.ts";

/** Opens an empty store for `info`; the suite closes it. */
export type OpenPieceStore = (info: Info) => Promise<PieceStore>;

/** Pieces over many files, an empty file, pad files, and a short last piece. */
const directory = makeContent({
  pieceLength: 16 * 1024,
  files: [
    { path: "empty", length: 0 },
    { path: "a/one", length: 20_000 },
    { path: ".pad/12768", length: 12_768, isPad: true },
    { path: "a/two", length: 5 },
    { path: "a/b/three", length: 1 },
    { path: "big", length: 100_003 },
    { path: ".pad/7", length: 7, isPad: true },
    { path: "z", length: 50_000 },
  ],
});
const single = makeContent({ files: 3 * 32 * 1024 + 1 });

/** Registers the suite for one adapter. */
export function describePieceStoreContract(name: string, open: OpenPieceStore): void {
  for (const [kind, content] of [
    ["a directory", directory],
    ["a single file", single],
  ] as const) {
    describe(`${name} as a PieceStore of ${kind}`, () => {
      registerTests(content, open);
    });
  }
}

function registerTests(content: Content, open: OpenPieceStore): void {
  const { info, bytes } = content;
  const { pieceCount } = info.geometry;
  const withStore = async (use: (store: PieceStore) => Promise<void>): Promise<void> => {
    const store = await open(info);
    try {
      await use(store);
    } finally {
      await store.close();
    }
  };

  test("gives buffers of exactly the piece's length", () =>
    withStore(async (store) => {
      for (let i = 0; i < pieceCount; i++) {
        const buffer = store.takeBuffer(i);
        assert.equal(buffer.length, info.geometry.lengthOf(i));
        store.releaseBuffer(buffer);
      }
    }));

  test("reads back what was committed, at any offset and in any views", () =>
    withStore(async (store) => {
      await commitAll(store, content);

      for (const [offset, lengths] of [
        [0, [bytes.length]],
        [0, [1, 16_383, 16_384, bytes.length - 32_768]],
        [19_990, [5, 5, 40_000]],
        [bytes.length - 1, [1]],
        [5, []],
      ] as const) {
        const views = lengths.map((length) => new Uint8Array(length).fill(7));
        await store.read(offset, views);
        const length = lengths.reduce((sum: number, each) => sum + each, 0);
        assert.deepEqual(
          Buffer.concat(views),
          Buffer.from(bytes.subarray(offset, offset + length)),
        );
      }
    }));

  test("stores pieces in any order, several at once", () =>
    withStore(async (store) => {
      const order = Array.from({ length: pieceCount }, (_, i) => (i * 3 + 1) % pieceCount);
      const pieces = [...new Set([...order, ...order.keys()])];

      const results = await Promise.all(
        pieces.map((i) => commit(store, i, pieceBytes(content, i))),
      );

      assert.deepEqual(new Set(results), new Set(["stored"]));
      assert.ok((await store.check()).isFull);
    }));

  test("refuses a piece that does not match, and writes nothing of it", () =>
    withStore(async (store) => {
      await commit(store, 0, pieceBytes(content, 0));
      const wrong = pieceBytes(content, 0).slice();
      wrong[wrong.length - 1] = (wrong[wrong.length - 1] as number) ^ 1;

      assert.equal(await commit(store, 0, wrong), "hash-mismatch");

      const view = new Uint8Array(wrong.length);
      await store.read(0, [view]);
      assert.deepEqual(view, pieceBytes(content, 0));
    }));

  test("finds exactly the pieces that are stored", () =>
    withStore(async (store) => {
      assert.ok((await store.check()).isEmpty);
      const stored = [0, pieceCount - 1];
      for (const i of stored) await commit(store, i, pieceBytes(content, i));

      assert.deepEqual([...(await store.check())], stored);
    }));

  test("checks only the pieces that are asked for, and tells progress to the end", () =>
    withStore(async (store) => {
      await commitAll(store, content);
      const pieces = new Bitfield(pieceCount);
      pieces.add(1);
      pieces.add(pieceCount - 1);
      const told: [number, number][] = [];

      const found = await store.check({ pieces, onProgress: (...now) => told.push(now) });

      const total = info.geometry.lengthOf(1) + info.geometry.lengthOf(pieceCount - 1);
      assert.deepEqual([...found], [1, pieceCount - 1]);
      assert.deepEqual(told.at(-1), [total, total]);
    }));

  test("gives a check up when it is told to", () =>
    withStore(async (store) => {
      await commitAll(store, content);

      await assert.rejects(
        store.check({ signal: { aborted: true } }),
        (error) => error instanceof BtPublisherError && error.code === "CANCELLED",
      );
    }));

  test("flushes, also when there is nothing to flush", () =>
    withStore(async (store) => {
      await store.flush();
      await commitAll(store, content);
      await store.flush();
      await store.flush();
    }));
}

async function commitAll(store: PieceStore, content: Content): Promise<void> {
  for (let i = 0; i < content.info.geometry.pieceCount; i++) {
    assert.equal(await commit(store, i, pieceBytes(content, i)), "stored");
  }
}

function commit(store: PieceStore, pieceIndex: number, bytes: Uint8Array) {
  const buffer = store.takeBuffer(pieceIndex);
  buffer.set(bytes);
  return store.commit(pieceIndex, buffer);
}
