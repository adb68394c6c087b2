import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../adapters/memory/virtual-clock.ts";
import { infoHashOf } from "../base/bytes.ts";
import type { InfoHash } from "../base/units.ts";
import type { LedgerEntry } from "../ports/content-service.ts";
import type { LedgerStore, LedgerSummary, StoredLedger } from "../ports/ledger-store.ts";
import { PieceGeometry } from "../protocol/metainfo/piece-geometry.ts";
import { LedgerKeeper, type LedgerKeeperOptions } from "./ledger-keeper.ts";

const infoHash = infoHashOf(new Uint8Array(20).fill(7));
const geometry = new PieceGeometry(100, 1000);

/** A disk that may be full. */
class FakeStore implements LedgerStore {
  isFull = false;
  entries: LedgerEntry[] = [];
  summary: LedgerSummary | undefined;
  summarisedCount = 0;
  expiries: number[] = [];

  async load(): Promise<StoredLedger> {
    return { summary: this.summary, tail: toIterable(this.entries.slice(this.summarisedCount)) };
  }

  async append(_infoHash: InfoHash, entries: readonly LedgerEntry[]): Promise<number> {
    if (this.isFull) throw new Error("ENOSPC");
    this.entries.push(...entries);
    return entries.length * 100;
  }

  async saveSummary(_infoHash: InfoHash, summary: LedgerSummary): Promise<void> {
    this.summary = summary;
    this.summarisedCount = this.entries.length;
  }

  async read(_infoHash: InfoHash, since: number): Promise<AsyncIterable<LedgerEntry>> {
    return toIterable(this.entries.filter((entry) => entry.at >= since));
  }

  async expire(_infoHash: InfoHash, now: number): Promise<void> {
    this.expiries.push(now);
  }

  async prune(): Promise<void> {}

  async remove(): Promise<void> {
    this.entries = [];
    this.summary = undefined;
  }
}

async function* toIterable<Item>(items: readonly Item[]): AsyncIterable<Item> {
  yield* items;
}

function aKeeper(options: Partial<LedgerKeeperOptions> = {}) {
  const clock = new VirtualClock();
  const store = new FakeStore();
  const failures: unknown[] = [];
  const onFailure = (_infoHash: InfoHash, cause: unknown) => failures.push(cause);
  const keeper = new LedgerKeeper({ clock, store, onFailure }, options);
  return { clock, store, failures, keeper };
}

async function bytesRead(keeper: LedgerKeeper, since = 0): Promise<number[]> {
  const bytes: number[] = [];
  for await (const entry of keeper.read(infoHash, since)) bytes.push(entry.bytes);
  return bytes;
}

test("what was sent is in the store half a second later", async () => {
  const { clock, store, keeper } = aKeeper();
  const ledger = await keeper.open(infoHash, geometry);

  ledger.nodeAt("http", "a").add(0, 10);
  await clock.run({ until: 500 });

  assert.deepEqual(
    store.entries.map((entry) => [entry.at, entry.bytes]),
    [[500, 10]],
  );
});

test("reading includes what was sent up to this moment, once", async () => {
  const { store, keeper } = aKeeper();
  const ledger = await keeper.open(infoHash, geometry);
  ledger.nodeAt("http", "a").add(0, 1);
  await keeper.flush();
  ledger.nodeAt("http", "a").add(0, 2);

  assert.deepEqual(await bytesRead(keeper), [1, 2]);
  assert.equal(store.entries.length, 2);
});

test("F-10 a full disk never loses the newest entries, and its end loses none", async () => {
  const { clock, store, failures, keeper } = aKeeper({ maxUnwrittenEntries: 3 });
  const ledger = await keeper.open(infoHash, geometry);
  store.isFull = true;

  for (let bytes = 1; bytes <= 5; bytes++) {
    ledger.nodeAt("http", "a").add(0, bytes);
    await clock.run({ until: clock.now() + 500 });
  }

  assert.deepEqual(await bytesRead(keeper), [3, 4, 5]);
  assert.equal(keeper.lostEntries, 2);
  assert.equal(failures.length, 1);
  assert.ok(keeper.failedWrites >= 5);

  store.isFull = false;
  await keeper.flush();

  assert.deepEqual(
    store.entries.map((entry) => entry.bytes),
    [3, 4, 5],
  );
  assert.deepEqual(await bytesRead(keeper), [3, 4, 5]);
});

test("totals survive a restart, whether it was closed or killed", async () => {
  const { store, keeper } = aKeeper({ summaryIntervalBytes: 150 });
  const first = await keeper.open(infoHash, geometry);
  for (const bytes of [10, 20, 30]) {
    first.nodeAt("http", "a").add(0, bytes);
    await keeper.flush();
  }
  assert.equal(store.summarisedCount, 2);
  const afterKill = new LedgerKeeper({ clock: new VirtualClock(), store, onFailure: assert.fail });

  assert.equal((await afterKill.open(infoHash, geometry)).summary().sentBytes, 60);

  await keeper.close();
  assert.equal(store.summarisedCount, 3);
  const afterClose = new LedgerKeeper({ clock: new VirtualClock(), store, onFailure: assert.fail });
  assert.equal((await afterClose.open(infoHash, geometry)).summary().sentBytes, 60);
});

test("a ledger that cannot be loaded begins anew, and is told", async () => {
  const { store, failures, keeper } = aKeeper();
  store.load = () => Promise.reject(new Error("EIO"));

  const ledger = await keeper.open(infoHash, geometry);

  assert.equal(ledger.summary().sentBytes, 0);
  assert.equal(failures.length, 1);
});

test("retention is looked after every hour", async () => {
  const { clock, store, keeper } = aKeeper();
  await keeper.open(infoHash, geometry);

  for (const until of [3_599_999, 3_600_000, 7_199_999, 7_200_000]) {
    await clock.run({ until });
    await keeper.flush();
  }

  assert.deepEqual(store.expiries, [3_600_000, 7_200_000]);
});

test("a removed ledger is gone", async () => {
  const { store, keeper } = aKeeper();
  const ledger = await keeper.open(infoHash, geometry);
  ledger.nodeAt("http", "a").add(0, 1);
  await keeper.flush();

  await keeper.remove(infoHash);

  assert.deepEqual(store.entries, []);
  assert.equal((await keeper.open(infoHash, geometry)).summary().sentBytes, 0);
});
