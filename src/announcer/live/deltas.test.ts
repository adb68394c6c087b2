import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  applyDetailDelta,
  applyOverviewDelta,
  type LiveDetail,
  type LiveOverview,
  type LivePeer,
  type LiveStateChange,
  pieceCharacter,
  pieceCount,
} from "../../protocol/api/live.ts";
import { detailDelta, overviewDelta } from "./deltas.ts";

const small = fc.nat(5);
/** Objects as JSON makes them. */
const record = <Fields extends object>(
  fields: { [Name in keyof Fields]: fc.Arbitrary<Fields[Name]> },
  requiredKeys: (keyof Fields)[] = Object.keys(fields) as (keyof Fields)[],
) => fc.record<Fields>(fields, { requiredKeys, noNullPrototype: true });
const summary = record({
  name: fc.constantFrom("a", "b", "c", "d"),
  state: fc.constantFrom<"published" | "withdrawn">("published", "withdrawn"),
});
const source = record({
  uplinkRate: small,
  uplinkCapacity: small,
  connections: small,
  cpuFraction: small,
  eventLoopDelayMs: small,
  storageReadRate: small,
});
const overview: fc.Arbitrary<LiveOverview> = record(
  {
    at: fc.nat(),
    source,
    publications: fc.uniqueArray(summary, { selector: ({ name }) => name }),
  },
  ["at", "publications"],
);
const report = record({
  downRate: small,
  upRate: small,
  fromSources: small,
  fromPeers: small,
  neighbours: small,
  leavesWhenDone: fc.boolean(),
});
const peerFields = {
  key: fc.nat(4),
  client: fc.constant("x"),
  address: fc.constant("192.0.2.1"),
  joinedAt: fc.constant(0),
  pieces: small,
  gainedRate: small,
  sentRate: small,
  owedBytes: small,
};
/** Of our kind or not. */
const peer: fc.Arbitrary<LivePeer> = fc.oneof(
  record(peerFields),
  record({ ...peerFields, report }),
);
const characters = fc.string({
  unit: fc.constantFrom("0", "1", "z"),
  minLength: 40,
  maxLength: 40,
});
const detail: fc.Arbitrary<Omit<LiveDetail, "timeline">> = record({
  at: fc.nat(),
  summary,
  rates: record({ bittorrent: small, webseed: small, webrtc: small, http: small, peers: small }),
  pieceLength: fc.constant(16384),
  copies: characters,
  sent: characters,
  peers: fc.uniqueArray(peer, { selector: ({ key }) => key }),
  otherPeers: small,
});

/** The order of what stayed may differ: names and keys tell it apart. */
const byName = (state: LiveOverview) => ({
  ...state,
  publications: state.publications.toSorted((a, b) => a.name.localeCompare(b.name)),
});
const byKey = (state: LiveDetail) => ({
  ...state,
  peers: state.peers.toSorted((a, b) => a.key - b.key),
});

test("an overview and its delta make the next overview", () => {
  fc.assert(
    fc.property(overview, overview, (before, after) => {
      const delta = overviewDelta(before, after);
      if (delta === undefined) {
        assert.deepEqual(byName({ ...before, at: after.at }), byName(after));
      } else {
        const sent = JSON.parse(JSON.stringify(delta)) as typeof delta;
        assert.deepEqual(byName(applyOverviewDelta(before, sent)), byName(after));
      }
    }),
  );
});

test("a view of a publication and its delta make the next view", () => {
  const timeline: readonly LiveStateChange[] = [1, 2, 3].map((since) => ({
    state: "S1",
    reason: { code: "source-sending" },
    message: "",
    since,
  }));
  fc.assert(
    fc.property(detail, detail, (one, other) => {
      const before = { ...one, timeline: timeline.slice(0, 1) };
      const after = { ...other, timeline };
      const delta = detailDelta(before, after);
      assert.ok(delta !== undefined);
      const sent = JSON.parse(JSON.stringify(delta)) as typeof delta;
      assert.deepEqual(byKey(applyDetailDelta(before, sent)), byKey(after));
      assert.equal(detailDelta(after, { ...after, at: after.at + 1 }), undefined);
    }),
  );
});

test("one piece that changed is one short run", () => {
  const before = "0".repeat(100_000);
  const after = `${before.slice(0, 500)}1${before.slice(501)}`;
  const base = { at: 0, summary: { name: "a", state: "published" }, pieceLength: 1 } as const;
  const rest = { ...base, sent: "", peers: [], otherPeers: 0, timeline: [] };
  const rates = { bittorrent: 0, webseed: 0, webrtc: 0, http: 0, peers: 0 };
  const delta = detailDelta({ ...rest, rates, copies: before }, { ...rest, rates, copies: after });
  assert.deepEqual(delta, { at: 0, copies: [[500, "1"]] });
});

test("a character stands for the copies of a piece, up to 61", () => {
  for (const count of [0, 1, 9, 10, 35, 36, 61]) {
    assert.equal(pieceCount(pieceCharacter(count), 0), count);
  }
  assert.equal(pieceCount(pieceCharacter(1000), 0), 61);
});
