import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { testControlLink } from "../../test/support/control-contract.ts";
import {
  announceOf,
  hello,
  infoHashOfDigit,
  ip,
  openTrackerWorld,
  otherRegistration,
  registration,
  statusOf,
  type TestPeer,
  type TrackerWorld,
  testPeer,
} from "../../test/support/tracker-world.ts";
import { type AnswerFacts, factsOf } from "../../test/support/announce-answer.ts";
import { MemoryRegistrationStore } from "../adapters/memory/registration-store.ts";
import { toHex } from "../base/bytes.ts";
import { BtPublisherError } from "../base/errors.ts";
import { formatIp } from "../base/ip-address.ts";
import type { InfoHash } from "../base/units.ts";
import {
  COMPACT_IPV4_LENGTH,
  COMPACT_IPV6_LENGTH,
  splitCompact,
} from "../protocol/tracker/compact-peers.ts";
import { resolveTrackerOptions } from "./options.ts";
import type { TestAnnounce } from "../../test/support/tracker-world.ts";

function announce(
  { tracker }: TrackerWorld,
  peer: TestPeer,
  changes: Partial<TestAnnounce> = {},
): AnswerFacts {
  const verdict = tracker.announce(announceOf(peer, changes), { ...peer, reachedAt: undefined });
  assert.equal(verdict.type, "answered");
  return verdict.type === "answered" ? factsOf(verdict.answer) : assert.fail();
}

/** Addresses that an answer lists, with ports. */
function listed({ compact4, compact6 }: AnswerFacts): string[] {
  const peers = [
    ...splitCompact(compact4, COMPACT_IPV4_LENGTH),
    ...splitCompact(compact6, COMPACT_IPV6_LENGTH),
  ];
  return peers.map(({ address, port }) => `${formatIp(address)} ${port}`);
}

const sourcePeer = "198.51.100.1 6881";
const seed = { left: 0 } as const;

/** A world with a source that serves `registration` and has reported. */
async function servedWorld(): Promise<TrackerWorld> {
  const world = await openTrackerWorld();
  const source = world.tracker.attachSource(hello, "127.0.0.1");
  await source.register(registration);
  source.report(statusOf(registration.infoHash));
  return world;
}

testControlLink("control link in one process", async ({ tracker }) => ({
  source: (sourceHello) => tracker.attachSource(sourceHello, "127.0.0.1"),
  announcer: () => tracker.attachAnnouncer(),
  closed: async () => {},
}));

test("a peer gets the source first, then the other peers, and is counted", async () => {
  const world = await servedWorld();
  announce(world, testPeer(1));
  announce(world, testPeer(2), seed);
  const answer = announce(world, testPeer(3));

  const [first, ...others] = listed(answer);
  assert.equal(first, sourcePeer);
  assert.deepEqual(others.sort(), ["203.0.0.1 6881", "203.0.0.2 6881"]);
  assert.deepEqual(answer.counts, { complete: 2, incomplete: 2, downloaded: 0 });
});

test("the source counts as one of the peers that were wanted, and has no id", async () => {
  const world = await servedWorld();
  for (let i = 0; i < 10; i++) announce(world, testPeer(i));

  assert.deepEqual(listed(announce(world, testPeer(11), { numWant: 0 })), []);
  assert.deepEqual(listed(announce(world, testPeer(12), { numWant: 1 })), [sourcePeer]);
  const answer = announce(world, testPeer(13), { numWant: 3 });
  assert.equal(answer.compact4.length, 3 * COMPACT_IPV4_LENGTH);
  assert.deepEqual(
    answer.ids.map((peerId) => peerId?.length),
    [undefined, 20, 20],
  );
});

test("intervals differ, and never lie beyond what makes a peer expire", async () => {
  const world = await servedWorld();
  const intervals = new Set<number>();
  for (let i = 0; i < 100; i++) {
    const { intervalMs, minIntervalMs } = announce(world, testPeer(i));
    assert.ok(intervalMs > 0.9 * 120_000 - 1 && intervalMs <= 120_000);
    assert.equal(minIntervalMs, 30_000);
    intervals.add(intervalMs);
  }
  assert.ok(intervals.size > 50);
});

test("who gets nobody asks again soon, unless it needs nobody", async () => {
  const world = await openTrackerWorld();
  await world.store.put(registration);
  const restarted = await openTrackerWorld({}, world.store);

  assert.ok(announce(restarted, testPeer(1)).intervalMs <= 30_000);
  assert.ok(announce(restarted, testPeer(2), seed).intervalMs > 100_000);
});

test("T14 HTP-15 a torrent that is not registered is refused and leaves nothing behind", async () => {
  const world = await servedWorld();
  const peer = testPeer(1);
  for (let i = 0; i < 100_000; i++) {
    const infoHash = toHex(randomBytes(20)) as InfoHash;
    const verdict = world.tracker.announce(announceOf(peer, { infoHash }), {
      ...peer,
      reachedAt: undefined,
    });
    assert.deepEqual(verdict, {
      type: "refused",
      code: "unregistered",
      reason: "unregistered torrent",
    });
  }
  assert.equal(world.tracker.swarmCount, 1);
  assert.equal(world.tracker.scrape([infoHashOfDigit("c")]).size, 0);
});

test("T2 a peer is listed where its connection comes from", async () => {
  const world = await servedWorld();
  announce(world, { ...testPeer(1), address: ip("192.0.2.44") });
  announce(world, { ...testPeer(2), address: ip("2001:db8::44") });

  const others = listed(announce(world, testPeer(3))).slice(1);
  assert.deepEqual(others, ["192.0.2.44 6881", "2001:db8::44 6881"]);
});

test("T16 a peer is never the first seed: nobody is one before a source registers what it serves", async () => {
  const world = await openTrackerWorld();
  const source = world.tracker.attachSource(hello, "127.0.0.1");
  const early = announceOf(testPeer(1), { ...seed, event: "completed" });
  const verdict = world.tracker.announce(early, { ...testPeer(1), reachedAt: undefined });
  assert.equal(verdict.type, "refused");

  await source.register(registration);
  const answer = announce(world, testPeer(2));
  assert.deepEqual(listed(answer), [sourcePeer]);
  assert.deepEqual(answer.counts, { complete: 1, incomplete: 1, downloaded: 0 });
});

test("a download that is complete before the source's first report is counted", async () => {
  const world = await openTrackerWorld();
  await world.tracker.attachSource(hello, "127.0.0.1").register(registration);
  announce(world, testPeer(1));
  const { counts } = announce(world, testPeer(1), { ...seed, event: "completed" });
  assert.deepEqual(counts, { complete: 2, incomplete: 0, downloaded: 1 });
});

test("what a source registered goes on through a restart", async () => {
  const { store } = await servedWorld();
  const restarted = await openTrackerWorld({}, store);

  announce(restarted, testPeer(1), seed);
  assert.deepEqual(listed(announce(restarted, testPeer(2))), ["203.0.0.1 6881"]);
});

test("T19 a report about a torrent that the source did not register decides nothing", async () => {
  const world = await openTrackerWorld();
  const { infoHash } = registration;
  const stateOf = () => world.tracker.scrape([infoHash]).get(infoHash)?.participation;
  const source = world.tracker.attachSource(hello, "127.0.0.1");
  const liar = world.tracker.attachSource({ ...hello, sourceId: "11a5" }, "127.0.0.1");
  await source.register(registration);
  liar.report(statusOf(infoHash, infoHashOfDigit("c")));
  assert.equal(stateOf(), undefined);

  source.report(statusOf(infoHash));
  assert.notEqual(stateOf(), undefined);
});

test("a source that misses reports, or its link, is handed out all the same", async () => {
  const world = await openTrackerWorld();
  const source = world.tracker.attachSource(hello, "127.0.0.1");
  const announcer = world.tracker.attachAnnouncer();
  const isAlive = async () => (await announcer.sources())[0]?.isAlive;
  await source.register(registration);

  await world.pass(15_000);
  assert.equal(await isAlive(), true);
  await world.pass(1000);
  assert.equal(await isAlive(), false);
  assert.deepEqual(listed(announce(world, testPeer(1))), [sourcePeer]);
  source.report(statusOf());
  assert.equal(await isAlive(), true);

  await source.close();
  assert.equal(await isAlive(), false);
  const answer = announce(world, testPeer(2), { numWant: 1 });
  assert.deepEqual(listed(answer), [sourcePeer]);
  assert.equal(answer.counts.complete, 0);
});

test("a source that is gone for an hour is forgotten, and known again when it returns", async () => {
  const world = await openTrackerWorld();
  const source = world.tracker.attachSource(hello, "127.0.0.1");
  await source.register(registration);
  await source.close();

  await world.pass(3_602_000);
  assert.deepEqual(await world.tracker.attachAnnouncer().sources(), []);
  assert.deepEqual(listed(announce(world, testPeer(1))), []);

  await world.tracker.attachSource(hello, "127.0.0.1").register(registration);
  assert.deepEqual(listed(announce(world, testPeer(2), { numWant: 1 })), [sourcePeer]);
});

test("a source that connects anew before its old link ended stays connected, serving all", async () => {
  const world = await openTrackerWorld();
  const old = world.tracker.attachSource(hello, "127.0.0.1");
  await old.register(registration);
  world.tracker.attachSource({ ...hello, peerPort: 7000 }, "127.0.0.1");
  await old.close();

  assert.equal((await world.tracker.attachAnnouncer().sources())[0]?.isAlive, true);
  assert.deepEqual(listed(announce(world, testPeer(1))), ["198.51.100.1 7000"]);
});

test("a source without an address of its own is reached as the Tracker sees or is reached", async () => {
  const local = testPeer(1);
  const table = [
    ["192.0.2.8", "203.0.113.5", undefined, ["192.0.2.8 6881"]],
    ["127.0.0.1", "203.0.113.5", "192.0.2.1", ["192.0.2.1 6881"]],
    ["127.0.0.1", "2001:db8::5", "2001:db8::1", ["2001:db8::1 6881"]],
    ["127.0.0.1", "127.0.0.1", "127.0.0.1", ["127.0.0.1 6881"]],
    ["127.0.0.1", "203.0.113.5", undefined, []],
    ["127.0.0.1", "203.0.113.5", "127.0.0.1", []],
  ] as const;
  for (const [seenAt, address, reachedAt, expected] of table) {
    const { tracker } = await openTrackerWorld();
    await tracker.attachSource({ ...hello, peerHost: undefined }, seenAt).register(registration);
    const asker = { address: ip(address), reachedAt: reachedAt && ip(reachedAt) };
    const verdict = tracker.announce(announceOf(local), asker);
    assert.deepEqual(
      verdict.type === "answered" && listed(factsOf(verdict.answer)),
      expected,
      seenAt,
    );
  }
});

test("the swarm record goes with its last peer and source, and returns; the registration stays", async () => {
  const world = await openTrackerWorld();
  const source = world.tracker.attachSource(hello, "127.0.0.1");
  await source.register(registration);
  announce(world, testPeer(1), { event: "started" });
  await world.pass(10_000_000);
  assert.equal(world.tracker.swarmCount, 1, "the source is connected");

  await source.close();
  await world.pass(2000);
  assert.equal(world.tracker.swarmCount, 0, "nobody is left");
  assert.equal(world.tracker.scrape([registration.infoHash]).size, 1);

  announce(world, testPeer(1));
  assert.equal(world.tracker.swarmCount, 1, "back with an announce");
  await world.pass(290_000);
  assert.equal(world.tracker.swarmCount, 1, "its list has not expired");
  await world.pass(20_000);
  assert.equal(world.tracker.swarmCount, 0, "its list has expired");

  const again = world.tracker.attachSource(hello, "127.0.0.1");
  again.report(statusOf(registration.infoHash));
  await again.register(registration);
  assert.equal(world.tracker.swarmCount, 1, "back with the source");
});

test("HTP-18 the leave of a peer that never came is answered and makes no record", async () => {
  const world = await openTrackerWorld();
  await world.store.put(registration);
  const restarted = await openTrackerWorld({}, world.store);

  const answer = announce(restarted, testPeer(1), { event: "stopped" });
  assert.deepEqual(listed(answer), []);
  assert.equal(restarted.tracker.swarmCount, 0);
});

test("a peer that stops gets nobody and is listed no more", async () => {
  const world = await servedWorld();
  announce(world, testPeer(1));
  assert.deepEqual(listed(announce(world, testPeer(1), { event: "stopped" })), []);
  assert.deepEqual(listed(announce(world, testPeer(2))), [sourcePeer]);
});

test("T15 whoever completes and stops again and again is counted a hundred times an hour at most", async () => {
  const world = await servedWorld();
  const { infoHash } = registration;
  const downloadTwoHundredTimes = (from: TestPeer): void => {
    for (let i = 0; i < 200; i++) {
      announce(world, from, { ...seed, event: "completed" });
      announce(world, from, { ...seed, event: "stopped" });
    }
  };
  const count = () => world.tracker.scrape([infoHash]).get(infoHash)?.downloaded;
  downloadTwoHundredTimes(testPeer(1));
  assert.equal(count(), 100);
  downloadTwoHundredTimes(testPeer(2));
  assert.equal(count(), 200, "another network is counted for itself");

  await world.pass(60 * 60_000);
  announce(world, testPeer(1), { ...seed, event: "completed" });
  assert.equal(count(), 201);
});

test("T15 HTP-19 downloads are counted once per peer, and kept through a restart", async () => {
  const world = await servedWorld();
  announce(world, testPeer(1), { ...seed, event: "completed" });
  await world.pass(10_000);
  announce(world, testPeer(1), { ...seed, event: "completed" });
  announce(world, testPeer(2), { ...seed, event: "completed" });
  await world.pass(2000);
  announce(world, testPeer(3), { ...seed, event: "completed" });
  await world.tracker.close();

  const restarted = await openTrackerWorld({}, world.store);
  assert.equal(
    restarted.tracker.scrape([registration.infoHash]).get(registration.infoHash)?.downloaded,
    3,
  );
});

test("T6 HTP-20 who announces too often is refused, and may always leave", async () => {
  const world = await servedWorld();
  const peer = testPeer(1);
  const say = (changes: Partial<TestAnnounce>) =>
    world.tracker.announce(announceOf(peer, changes), { ...peer, reachedAt: undefined }).type;
  const types = Array.from({ length: 100 }, () => say({ event: "started" }));

  assert.deepEqual(types.indexOf("refused"), 3);
  assert.equal(types.lastIndexOf("answered"), 2);
  assert.equal(
    world.tracker.scrape([registration.infoHash]).get(registration.infoHash)?.incomplete,
    1,
  );
  assert.equal(say({ event: "stopped" }), "answered");
});

test("counts that the store does not take are tried again", async () => {
  const store = new MemoryRegistrationStore();
  const failing = { isFailing: true };
  const failNow = async () => {
    if (failing.isFailing) throw new BtPublisherError("STORAGE_IO", "the disk is gone");
  };
  const addDownloaded = store.addDownloaded.bind(store);
  store.addDownloaded = (infoHash, count) => failNow().then(() => addDownloaded(infoHash, count));
  const world = await openTrackerWorld({}, store);
  const source = world.tracker.attachSource(hello, "127.0.0.1");
  await source.register(registration);

  source.report(statusOf(registration.infoHash));
  announce(world, testPeer(1), { ...seed, event: "completed" });
  await world.pass(2000);
  assert.ok(world.storeErrors.length >= 1);
  failing.isFailing = false;
  source.report(statusOf(registration.infoHash));
  await world.pass(2000);
  const [{ downloaded } = {}] = await store.all();
  assert.equal(downloaded, 1);
});

test("torrents do not mix", async () => {
  const world = await servedWorld();
  const source = world.tracker.attachSource(hello, "127.0.0.1");
  await source.register(otherRegistration);
  announce(world, testPeer(1));
  const { infoHash } = otherRegistration;

  assert.deepEqual(listed(announce(world, testPeer(2), { infoHash })), [sourcePeer]);
  await source.unregister(registration.infoHash);
  assert.equal(world.tracker.swarmCount, 1);
});

test("CFG-05 settings out of their range are refused", () => {
  for (const options of [
    { intervalMs: 0 },
    { intervalMs: 86_400_001 },
    { intervalMs: Number.NaN },
    { maxPeersPerAnswer: 201 },
    { maxPeersPerNetwork: 0.5 },
  ]) {
    assert.throws(
      () => resolveTrackerOptions(options),
      (error) => error instanceof BtPublisherError && error.code === "CONFIG",
    );
  }
});
