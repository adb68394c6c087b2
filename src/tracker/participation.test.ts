/** What the Tracker makes of what SourceNodes see: states, and who is told of the source. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { factsOf } from "../../test/support/announce-answer.ts";
import { evidenceFor, idleParticipation } from "../../test/support/participation.ts";
import {
  announceOf,
  hello,
  openTrackerWorld,
  otherRegistration,
  registration,
  type TestAnnounce,
  testPeer,
  type TrackerWorld,
} from "../../test/support/tracker-world.ts";
import { formatIp } from "../base/ip-address.ts";
import type { SourceControlLink, SwarmReport } from "../ports/tracker-control.ts";
import type { SourceOrder } from "../protocol/control/access-values.ts";
import type { ParticipationState } from "../protocol/control/participation.ts";
import { COMPACT_IPV4_LENGTH, splitCompact } from "../protocol/tracker/compact-peers.ts";

const { infoHash } = registration;

/** What a source tells of the swarm at once. */
function reportOf(state: ParticipationState): SwarmReport {
  const participation = { ...idleParticipation, evidence: evidenceFor(state) };
  return { infoHash, connections: 8, sentBytes: 5, copies: 3, participation };
}

interface ServedWorld extends TrackerWorld {
  readonly source: SourceControlLink;
  /** What the source was told. */
  readonly orders: SourceOrder[];
}

/** A swarm in `state` with `count` peers, and a source that serves it. */
async function swarmIn(state: ParticipationState, count = 6): Promise<ServedWorld> {
  const world = await openTrackerWorld();
  const orders: SourceOrder[] = [];
  const source = world.tracker.attachSource(hello, "127.0.0.1", (order) => void orders.push(order));
  await source.register(registration);
  source.reportSwarm(reportOf(state));
  for (let i = 0; i < count; i++) isTold(world, i, { left: 0 });
  orders.length = 0;
  return { ...world, source, orders };
}

/** Whether an announce of peer `number` is answered with the source. */
function isTold(
  { tracker }: TrackerWorld,
  number: number,
  changes: Partial<TestAnnounce> = {},
): boolean {
  const peer = testPeer(number);
  const verdict = tracker.announce(announceOf(peer, changes), { ...peer, reachedAt: undefined });
  assert.ok(verdict.type === "answered");
  const { compact4 } = factsOf(verdict.answer);
  const hosts = [...splitCompact(compact4, COMPACT_IPV4_LENGTH)].map(({ address }) =>
    formatIp(address),
  );
  return hosts.includes(hello.peerHost ?? "");
}

const started = { event: "started" } as const;

test("a newcomer to a swarm in S2 is not told of the source; the source is told of it", async () => {
  const world = await swarmIn("S2");
  assert.equal(isTold(world, 10, { ...started, port: 7000 }), false);
  assert.equal(isTold(world, 11, started), false);
  assert.deepEqual(world.orders, []);

  await world.pass(250);
  const peers = [
    { host: "203.0.0.10", port: 7000 },
    { host: "203.0.0.11", port: 6881 },
  ];
  assert.deepEqual(world.orders, [{ type: "watch", infoHash, peers }]);
  await world.pass(1000);
  assert.equal(world.orders.length, 1, "once");
});

test("who asks again is told of it, however the swarm is", async () => {
  const world = await swarmIn("S2");
  assert.equal(isTold(world, 10, started), false);
  assert.equal(isTold(world, 10), true);
});

test("a newcomer is told of the source where the swarm needs it", async () => {
  for (const state of ["S0", "S1"] as const) {
    const world = await swarmIn(state);
    assert.equal(isTold(world, 10, started), true, state);
    await world.pass(1000);
    assert.deepEqual(world.orders, []);
  }
});

test("in a small swarm everybody is told of the source", async () => {
  const world = await swarmIn("S2", 4);
  assert.equal(isTold(world, 10, started), true, "the fifth");
  assert.equal(isTold(world, 11, started), false, "the sixth has five others");
});

test("T3 who claims a low port is told of the source, which never dials that port", async () => {
  const world = await swarmIn("S2");
  assert.equal(isTold(world, 10, { ...started, port: 25 }), true);
  await world.pass(1000);
  assert.deepEqual(world.orders, []);
});

test("a seed that starts is no newcomer to look at", async () => {
  const world = await swarmIn("S2");
  isTold(world, 10, { ...started, left: 0 });
  await world.pass(1000);
  assert.deepEqual(world.orders, []);
});

test("without evidence for 15 s everybody is told of the source again", async () => {
  const world = await swarmIn("S2");
  await world.pass(15_000);
  assert.equal(isTold(world, 10, started), false);
  await world.pass(1);
  assert.equal(isTold(world, 11, started), true);
  world.source.reportSwarm(reportOf("S2"));
  assert.equal(isTold(world, 12, started), false);
});

test("once its link is closed everybody is told of the source again", async () => {
  const world = await swarmIn("S2");
  await world.source.close();
  assert.equal(isTold(world, 10, started), true);
});

test("the old link of a source that connected anew takes nothing along", async () => {
  const world = await swarmIn("S2");
  const again = world.tracker.attachSource(hello, "127.0.0.1");
  await again.register(registration);
  again.reportSwarm(reportOf("S2"));
  await world.source.close();
  assert.equal(isTold(world, 10, started), false);
});

test("every source of a swarm is told of a change, and no other", async () => {
  const world = await swarmIn("S1");
  const others: SourceOrder[] = [];
  const bystanders: SourceOrder[] = [];
  const attach = (sourceId: string, orders: SourceOrder[]) =>
    world.tracker.attachSource({ ...hello, sourceId }, "127.0.0.1", (order) => {
      orders.push(order);
    });
  const other = attach("0de5", others);
  await other.register(registration);
  await attach("b15", bystanders).register(otherRegistration);

  other.reportSwarm(reportOf("S2"));
  assert.deepEqual(others, [], "the first source still sees a need");
  world.source.reportSwarm(reportOf("S2"));
  const decision = { state: "S2", reason: { code: "peers-suffice", copies: 3, floor: 2 } };
  const order = { type: "state", infoHash, decision };
  assert.deepEqual([world.orders, others, bystanders], [[order], [order], []]);
  world.source.reportSwarm(reportOf("S2"));
  assert.equal(world.orders.length, 1, "no change");
});

test("what a source tells of a swarm that it does not serve has no effect", async () => {
  const world = await swarmIn("S1");
  const liar = world.tracker.attachSource({ ...hello, sourceId: "11a5" }, "127.0.0.1");
  liar.reportSwarm(reportOf("S2"));
  assert.equal(world.tracker.scrape([infoHash]).get(infoHash)?.participation?.state, "S1");
});

test("the state is kept through a restart, and hands the source out until it is seen again", async () => {
  const world = await swarmIn("S2");
  await world.pass(1000);
  await world.tracker.close();

  const next = await openTrackerWorld({}, world.store);
  const held = next.tracker.scrape([infoHash]).get(infoHash)?.participation;
  assert.deepEqual([held?.state, held?.reason.code], ["S2", "peers-suffice"]);
  const source = next.tracker.attachSource(hello, "127.0.0.1");
  await source.register(registration);
  for (let i = 0; i < 6; i++) isTold(next, i, { left: 0 });
  assert.equal(isTold(next, 10, started), true);
  source.reportSwarm(reportOf("S2"));
  assert.equal(isTold(next, 11, started), false);
  assert.equal(next.tracker.scrape([infoHash]).get(infoHash)?.participation?.since, held?.since);
});

test("a publication that ends takes its state along", async () => {
  const world = await swarmIn("S2");
  await world.source.unregister(infoHash);
  await world.source.register(registration);
  assert.equal(world.tracker.scrape([infoHash]).get(infoHash)?.participation, undefined);
});
