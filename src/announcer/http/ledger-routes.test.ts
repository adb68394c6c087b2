import assert from "node:assert/strict";
import { test } from "node:test";
import { lines, publishThing, startApp } from "../../../test/support/announcer-app.ts";
import type { InfoHash } from "../../base/units.ts";
import { csvRow } from "./csv.ts";

const LEDGER = "/api/v1/publications/some-thing/ledger";

async function startWithLedger(t: Parameters<typeof startApp>[0]) {
  const world = await startApp(t);
  await publishThing(world);
  const infoHash = (await world.get("/api/v1/publications/some-thing")).json().infoHash as InfoHash;
  for (let i = 0; i < 5; i++) {
    world.content.ledgerEntries.push({
      at: Date.UTC(2026, 0, 1) + i * 1000,
      infoHash,
      door: i === 3 ? "http" : "bittorrent",
      peerId: i === 3 ? "" : "2d4c".padEnd(40, `${i}`),
      address: i === 3 ? "=HYPERLINK(1)" : `192.0.2.${i}:6881`,
      pieceIndex: 0,
      bytes: i + 1,
    });
  }
  const read = (query: string) => world.send({ method: "GET", url: `${LEDGER}${query}` });
  return { ...world, read };
}

test("the ledger answers in lines, by filter", async (t) => {
  const { read } = await startWithLedger(t);
  const all = await read("");
  assert.match(String(all.headers["content-type"]), /^application\/x-ndjson/);
  assert.deepEqual(
    lines(all).map(({ bytes }) => bytes),
    [1, 2, 3, 4, 5],
  );
  const some = lines(await read("?since=2026-01-01T00:00:01Z&door=bittorrent&address=192.0.2.4"));
  assert.deepEqual(
    some.map(({ bytes }) => bytes),
    [5],
  );
});

test("API-24 A15 as CSV no cell is calculated by what opens it", async (t) => {
  const { read } = await startWithLedger(t);
  const response = await read("?format=csv");
  assert.match(String(response.headers["content-type"]), /^text\/csv/);
  assert.equal(
    response.headers["content-disposition"],
    'attachment; filename="some-thing-ledger.csv"',
  );
  const rows = response.body.split("\r\n");
  assert.equal(rows[0], "at,door,peer id,address,piece,bytes");
  assert.equal(rows[4], "2026-01-01T00:00:03.000Z,http,,'=HYPERLINK(1),0,4");
  const table = [
    ["=1+1", "'=1+1"],
    ["+1", "'+1"],
    ["-1", "'-1"],
    ["@x", "'@x"],
    ["\t=1", "'\t=1"],
    ['a"b', '"a""b"'],
    ["a,b", '"a,b"'],
    ["=a,b", `"'=a,b"`],
  ] as const;
  for (const [cell, expected] of table) assert.equal(csvRow([cell]), `${expected}\r\n`);
});

test("pages of the ledger lead from one to the next", async (t) => {
  const world = await startWithLedger(t);
  const { read } = world;
  const first = (await read("?format=page&limit=2&door=bittorrent")).json();
  assert.deepEqual(
    first.entries.map(({ bytes }: { bytes: number }) => bytes),
    [1, 2],
  );
  const second = (await world.send({ method: "GET", url: first.next })).json();
  assert.deepEqual(
    second.entries.map(({ bytes }: { bytes: number }) => bytes),
    [3, 5],
  );
  const last = second.next && (await world.send({ method: "GET", url: second.next })).json();
  assert.equal(last?.next, undefined);
});

test("API-06 what no ledger can answer is refused", async (t) => {
  const { read } = await startWithLedger(t);
  for (const query of [
    "?since=yesterday",
    "?peer=XYZ",
    "?door=window",
    "?piece=-1",
    "?limit=5",
    "?format=page&limit=0",
    "?format=page&limit=1001",
    "?format=page&cursor=1",
    "?format=xml",
    "?sort=password",
    "?since=2026-01-01T00:00:00Z&since=2026-01-02T00:00:00Z",
    "/history?bins=0",
    "/history?bins=301",
  ]) {
    assert.equal((await read(query)).statusCode, 400, query);
  }
});

test("the history of a ledger tells spans of time with what was sent, and the states", async (t) => {
  const { read, control } = await startWithLedger(t);
  const infoHash = [...control.swarmCounts.keys()][0];
  assert.equal(infoHash, undefined);
  const history = (await read("/history?bins=10")).json();
  assert.deepEqual([history.binMs, history.pieceCount, history.piecesPerGroup], [500, 1, 1]);
  assert.deepEqual(
    history.bins.map(({ at, bytes }: { at: string; bytes: object }) => [at, bytes]),
    [1, 2, 3, 4, 5].map((bytes, i) => [
      `2026-01-01T00:00:0${i}.000Z`,
      { [i === 3 ? "http" : "bittorrent"]: bytes },
    ]),
  );
  assert.deepEqual(history.bins[0].groups, [[0, 1]]);
  assert.deepEqual(history.timeline, []);
});
