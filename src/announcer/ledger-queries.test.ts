import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { InfoHash } from "../base/units.ts";
import type { LedgerEntry } from "../ports/content-service.ts";
import { historyOf, type LedgerCursor, matching, sliceOf } from "./ledger-queries.ts";

const infoHash = "ab".repeat(20) as InfoHash;
const entryOf = (at: number, more: Partial<LedgerEntry> = {}): LedgerEntry => ({
  at,
  infoHash,
  door: "bittorrent",
  peerId: "2d4c".padEnd(40, "0"),
  address: "192.0.2.1:6881",
  pieceIndex: 0,
  bytes: 10,
  ...more,
});

async function* streamOf(entries: readonly LedgerEntry[]): AsyncIterable<LedgerEntry> {
  yield* entries;
}

async function collect(entries: AsyncIterable<LedgerEntry>): Promise<LedgerEntry[]> {
  const all: LedgerEntry[] = [];
  for await (const entry of entries) all.push(entry);
  return all;
}

test("each filter leaves out what does not match", async () => {
  const entries = [
    entryOf(1),
    entryOf(2, { door: "http", peerId: "", address: "2001:db8::1" }),
    entryOf(3, { pieceIndex: 7, address: "[2001:db8::1]:80" }),
    entryOf(4, { peerId: "ff".repeat(20) }),
  ];
  const table = [
    [{ since: 2 }, [2, 3, 4]],
    [{ until: 3 }, [1, 2]],
    [{ door: "http" }, [2]],
    [{ peer: "2d" }, [1, 3]],
    [{ piece: 7 }, [3]],
    [{ address: "192.0.2.1" }, [1, 4]],
    [{ address: "2001:db8::1" }, [2, 3]],
    [{ peer: "2d", piece: 0 }, [1]],
    [{}, [1, 2, 3, 4]],
  ] as const;
  for (const [filter, expected] of table) {
    const found = await collect(matching(streamOf(entries), filter));
    assert.deepEqual(
      found.map(({ at }) => at),
      expected,
      JSON.stringify(filter),
    );
  }
});

test("pages have every line once, in order, however many share a millisecond", async () => {
  const gaps = fc.array(fc.nat(2), { maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(gaps, fc.integer({ min: 1, max: 7 }), async (steps, limit) => {
      let at = 0;
      const entries = steps.map((step, i) =>
        entryOf((at += step), { bytes: i, pieceIndex: i % 3 }),
      );
      const filter = { piece: 1 };
      const found: LedgerEntry[] = [];
      let cursor: LedgerCursor | undefined;
      for (let pages = 0; pages <= entries.length; pages++) {
        const since = cursor?.at ?? 0;
        const rest = entries.filter((entry) => entry.at >= since);
        const slice = await sliceOf(streamOf(rest), filter, { cursor, limit });
        assert.ok(slice.entries.length <= limit);
        found.push(...slice.entries);
        cursor = slice.next;
        if (cursor === undefined) break;
      }
      assert.deepEqual(found, await collect(matching(streamOf(entries), filter)));
    }),
  );
});

test("pages end, also when the clock went back", async () => {
  const entries = [entryOf(10), entryOf(20), entryOf(15), entryOf(16), entryOf(30)];
  let cursor: LedgerCursor | undefined;
  let pages = 0;
  do {
    const since = cursor?.at ?? 0;
    const rest = entries.filter(({ at }) => at >= since);
    ({ next: cursor } = await sliceOf(streamOf(rest), {}, { cursor, limit: 1 }));
    pages++;
  } while (cursor !== undefined && pages < 10);
  assert.ok(pages < 10);
});

test("a history has every byte in its span and group, and not more spans than asked for", async () => {
  const lines = fc.array(fc.tuple(fc.nat(50_000), fc.nat(99), fc.nat(1000)), { minLength: 1 });
  await fc.assert(
    fc.asyncProperty(lines, fc.integer({ min: 1, max: 20 }), async (steps, bins) => {
      let at = 1_000_000;
      const entries = steps.map(([step, pieceIndex, bytes]) =>
        entryOf((at += step), { pieceIndex, bytes }),
      );
      const limits = { bins, groups: 16 };
      const history = await historyOf(streamOf(entries), {}, { pieceCount: 100, limits });
      assert.ok(history.bins.length <= bins);
      assert.equal(history.piecesPerGroup, 7);
      const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0);
      const total = sum(entries.map(({ bytes }) => bytes));
      assert.equal(sum(history.bins.map(({ bytes }) => bytes.bittorrent ?? 0)), total);
      assert.equal(
        sum(history.bins.flatMap(({ groups }) => groups.map(([, bytes]) => bytes))),
        total,
      );
      const times = history.bins.map((bin) => Date.parse(bin.at));
      const start = entries[0]?.at as number;
      assert.ok(times.every((time) => (time - start) % history.binMs === 0));
      assert.ok((times.at(-1) as number) + history.binMs > at);
    }),
  );
});

test("an empty ledger has an empty history", async () => {
  const limits = { bins: 10, groups: 16 };
  const history = await historyOf(streamOf([]), {}, { pieceCount: 5, limits });
  assert.deepEqual([history.bins, history.since, history.until], [[], undefined, undefined]);
});
