import assert from "node:assert/strict";
import { appendFile, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { infoHashOf } from "../../base/bytes.ts";
import type { LedgerEntry } from "../../ports/content-service.ts";
import type { LedgerSummary } from "../../ports/ledger-store.ts";
import { FileLedgerStore } from "./ledger-file.ts";

const infoHash = infoHashOf(new Uint8Array(20).fill(7));
const START = Date.UTC(2026, 0, 1);
const DAY_MS = 86_400_000;
let root = "";

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "ledger-"));
});

afterEach(() => rm(root, { recursive: true, force: true }));

function anEntry(bytes: number, at = START): LedgerEntry {
  const head = { at, infoHash, door: "bittorrent" as const, peerId: "ab".repeat(20) };
  return { ...head, address: "192.0.2.1:6881", pieceIndex: 118, bytes };
}

function aSummary(sentBytes: number): LedgerSummary {
  const bytesByDoor = { bittorrent: sentBytes, webseed: 0, webrtc: 0, http: 0 };
  return { sentBytes, bytesByDoor, nodes: [], otherNodesBytes: sentBytes, pieceBytes: [sentBytes] };
}

async function collect(entries: AsyncIterable<LedgerEntry>): Promise<LedgerEntry[]> {
  const all: LedgerEntry[] = [];
  for await (const entry of entries) all.push(entry);
  return all;
}

async function read(store: FileLedgerStore, since = 0): Promise<LedgerEntry[]> {
  return collect(await store.read(infoHash, since));
}

function segmentPath(number: number): string {
  return join(root, infoHash, `${String(number).padStart(8, "0")}.jsonl`);
}

test("entries come back as they were written, one JSON array a line", async () => {
  const store = new FileLedgerStore(root);
  const entries = [anEntry(1), anEntry(2)];

  await store.append(infoHash, entries);

  assert.deepEqual(await read(store), entries);
  assert.equal(
    (await readFile(segmentPath(1), "utf8")).split("\n")[0],
    `[${START},"bittorrent","${"ab".repeat(20)}","192.0.2.1:6881",118,1]`,
  );
});

test("since leaves out what is older", async () => {
  const store = new FileLedgerStore(root);
  await store.append(infoHash, [anEntry(1, START), anEntry(2, START + 1), anEntry(3, START + 2)]);

  const bytes = (await read(store, START + 1)).map((entry) => entry.bytes);

  assert.deepEqual(bytes, [2, 3]);
});

test("a torn last line is left out, also after more was written by the next process", async () => {
  await new FileLedgerStore(root).append(infoHash, [anEntry(1), anEntry(2)]);
  const whole = await readFile(segmentPath(1));
  for (const length of [whole.length - 1, whole.length - 20, whole.length / 2 + 1]) {
    await writeFile(segmentPath(1), whole.subarray(0, length));
    const next = new FileLedgerStore(root);
    await next.append(infoHash, [anEntry(3)]);

    const bytes = (await read(next)).map((entry) => entry.bytes);

    assert.deepEqual(bytes, [1, 3], `cut to ${length} bytes`);
    await rm(segmentPath(2));
  }
});

test("lines that are not ours are left out", async () => {
  const store = new FileLedgerStore(root);
  await store.append(infoHash, [anEntry(1)]);
  const hostile = [
    "",
    "null",
    "{}",
    "[1,2]",
    `[${START},"ftp","","a",0,1]`,
    `[${START},"http","xyz","a",0,1]`,
    `[${START},"http","","a b\\u001b",0,1]`,
    `[${START},"http","","a",-1,1]`,
    `[${START},"http","","a",0,1.5]`,
    `["${START}","http","","a",0,1]`,
  ];
  await appendFile(segmentPath(1), hostile.map((line) => `${line}\n`).join(""));

  assert.deepEqual(await read(store), [anEntry(1)]);
});

test("segments rotate by size and by age, and the oldest go when there are too many bytes", async () => {
  const lineBytes = JSON.stringify([
    START,
    "bittorrent",
    "ab".repeat(20),
    "192.0.2.1:6881",
    118,
    1,
  ]);
  const segmentBytes = 2 * (lineBytes.length + 1);
  const store = new FileLedgerStore(root, { segmentBytes, maxBytes: 3 * segmentBytes });

  for (let i = 1; i <= 9; i++) await store.append(infoHash, [anEntry(i)]);
  await store.expire(infoHash, Date.now());

  assert.deepEqual(
    (await read(store)).map((entry) => entry.bytes),
    [5, 6, 7, 8, 9],
  );
  await store.append(infoHash, [anEntry(1, START + DAY_MS)]);
  assert.equal((await readdir(join(root, infoHash))).includes("00000006.jsonl"), true);
});

test("S8 retention by age drops whole segments, the one being written too", async () => {
  const store = new FileLedgerStore(root);
  await store.append(infoHash, [anEntry(1)]);
  const longAgo = (Date.now() - 31 * DAY_MS) / 1000;
  await utimes(segmentPath(1), longAgo, longAgo);

  await store.expire(infoHash, Date.now());
  assert.deepEqual(await read(store), []);

  await store.append(infoHash, [anEntry(2)]);
  assert.deepEqual(await read(store), [anEntry(2)]);
});

test("loading gives the summary and exactly the entries after it", async () => {
  const store = new FileLedgerStore(root);
  await store.append(infoHash, [anEntry(1), anEntry(2)]);
  await store.saveSummary(infoHash, aSummary(3));
  await store.append(infoHash, [anEntry(3)]);

  const next = new FileLedgerStore(root);
  const { summary, tail } = await next.load(infoHash);
  assert.deepEqual(summary, aSummary(3));
  assert.deepEqual(await collect(tail), [anEntry(3)]);

  await next.append(infoHash, [anEntry(4)]);
  const again = await new FileLedgerStore(root).load(infoHash);
  assert.deepEqual(await collect(again.tail), [anEntry(3), anEntry(4)]);
});

test("a summary that is torn or edited is left out, and all entries are read instead", async () => {
  const store = new FileLedgerStore(root);
  await store.append(infoHash, [anEntry(1)]);
  await store.saveSummary(infoHash, aSummary(1));
  const path = join(root, infoHash, "summary.json");
  const text = await readFile(path, "utf8");
  const wrong = [
    "",
    text.slice(0, text.length / 2),
    text.replace('"version":1', '"version":2'),
    text.replace('"pieceBytes":[1]', '"pieceBytes":["1"]'),
    text.replace('"http":0', '"ftp":0'),
  ];

  for (const each of wrong) {
    await writeFile(path, each);
    const { summary, tail } = await new FileLedgerStore(root).load(infoHash);
    assert.equal(summary, undefined, each);
    assert.deepEqual(await collect(tail), [anEntry(1)]);
  }
});

test("a ledger that never was is empty, and removing it is no error", async () => {
  const store = new FileLedgerStore(root);

  assert.deepEqual(await read(store), []);
  await store.remove(infoHash);
  await store.expire(infoHash, Date.now());
});

test("removing leaves nothing, and the next entry begins anew", async () => {
  const store = new FileLedgerStore(root);
  await store.append(infoHash, [anEntry(1)]);

  await store.remove(infoHash);
  assert.deepEqual(await readdir(root), []);

  await store.append(infoHash, [anEntry(2)]);
  assert.deepEqual(await read(store), [anEntry(2)]);
});

test("pruning removes the ledgers of nobody, and nothing that is not a ledger", async () => {
  const store = new FileLedgerStore(root);
  const other = infoHashOf(new Uint8Array(20).fill(8));
  await store.append(infoHash, [anEntry(1)]);
  await store.append(other, [anEntry(1)]);
  await writeFile(join(root, "note"), "");

  await store.prune(new Set([infoHash]));

  assert.deepEqual((await readdir(root)).sort(), [infoHash, "note"].sort());
  assert.deepEqual(await read(store), [anEntry(1)]);
});

test("a folder that cannot be made is an error of storage, and is tried again", async () => {
  const path = join(root, "file");
  await writeFile(path, "");
  const store = new FileLedgerStore(path);

  await assert.rejects(store.append(infoHash, [anEntry(1)]), { code: "STORAGE_TYPE" });
  await rm(path);
  await store.append(infoHash, [anEntry(1)]);

  assert.deepEqual(await read(store), [anEntry(1)]);
});
