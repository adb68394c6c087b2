import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../adapters/memory/virtual-clock.ts";
import { passkeyDigest } from "../adapters/node/secrets.ts";
import { parseIp } from "../base/ip-address.ts";
import type { InfoHash } from "../base/units.ts";
import type { AccessUpdate, SourceOrder } from "../protocol/control/access-values.ts";
import { LEASE_MS, TrackerAccess, type TrackerAccessEvent } from "./tracker-access.ts";

const guarded = "ab".repeat(20) as InfoHash;
const other = "cd".repeat(20) as InfoHash;
const digestKey = "01".repeat(32);
const key = "0123456789abcdef".repeat(3).slice(0, 40);
const peerId = new Uint8Array(20);

function at(host: string) {
  return { address: parseIp(host) as Uint8Array, peerId };
}

function idOf(peer: number): Uint8Array {
  return new Uint8Array(20).fill(peer & 255).fill(peer >> 8, 0, 10);
}

function keyOf(text: string, changes: object = {}) {
  const digest = passkeyDigest(digestKey, text);
  return { digest, infoHash: guarded, principal: "u1", expiresAt: undefined, ...changes };
}

function openWorld(privateOnes: readonly InfoHash[] = [guarded, other]) {
  const clock = new VirtualClock();
  const events: TrackerAccessEvent[] = [];
  let digests = 0;
  const access = new TrackerAccess({
    clock,
    digestOf: (digestKey, text) => {
      digests++;
      return passkeyDigest(digestKey, text);
    },
    isPrivate: (infoHash) => privateOnes.includes(infoHash),
    intervalMs: 120_000,
    onEvent: (event) => void events.push(event),
  });
  const orders: SourceOrder[] = [];
  access.attachSource((order) => void orders.push(order));
  orders.length = 0;
  let number = 0;
  const tell = (changes: Partial<AccessUpdate>) =>
    access.apply({
      feed: "f1",
      number: number++,
      isWhole: false,
      isLast: true,
      digestKey,
      torrents: [],
      keys: [],
      revoked: [],
      guests: [],
      ...changes,
    });
  const ask = (infoHash: InfoHash, text?: string, host = "192.0.2.1") =>
    access.decide(infoHash, text, at(host)).type;
  /** What peer number `peer` hears that comes with `text` from an address of its own. */
  const askAs = (peer: number, text = key) => {
    const address = parseIp(`192.0.${peer >> 8}.${peer & 255}`) as Uint8Array;
    return access.decide(guarded, text, { address, peerId: idOf(peer) });
  };
  return { clock, access, events, orders, tell, ask, askAs, digestCount: () => digests };
}

const whole = (level: "tracker" | "admitted" = "admitted") => ({
  isWhole: true,
  torrents: [{ infoHash: guarded, level }],
  keys: [keyOf(key)],
});

test("HTP-16 HTP-17 UDP-23 a key is good for its torrent only; all else is denied alike", () => {
  const world = openWorld();
  world.tell(whole());
  assert.equal(world.ask(guarded, key), "allowed");
  const wrong = [
    undefined,
    "",
    key.slice(1),
    key.toUpperCase(),
    `${key}0`,
    "x".repeat(128),
    "..%2f",
  ];
  for (const text of wrong) assert.equal(world.ask(guarded, text), "denied", text);
  assert.equal(world.ask(other, key), "denied");

  world.tell({ torrents: [{ infoHash: other, level: "tracker" }] });
  assert.equal(world.ask(other, key), "denied");
  const denials = [
    world.access.decide(guarded, undefined, at("192.0.2.1")),
    world.access.decide(other, key, at("192.0.2.1")),
  ];
  assert.equal(denials[0], denials[1]);
});

test("before anything is told, and when nothing was heard for long, only what is public is open", () => {
  const world = openWorld([guarded]);
  assert.equal(world.ask(guarded, key), "denied");
  assert.equal(world.ask(other), "allowed");

  world.tell(whole());
  world.tell({ torrents: [{ infoHash: other, level: "open" }] });
  assert.equal(world.ask(guarded, key), "allowed");
});

test("the lease of what was told ends, and goes on with every word of the Announcer", async () => {
  const world = openWorld([guarded]);
  world.tell(whole());
  await world.clock.run({ until: LEASE_MS });
  assert.equal(world.ask(guarded, key), "allowed");
  world.tell({});
  await world.clock.run({ until: 2 * LEASE_MS });
  assert.equal(world.ask(guarded, key), "allowed");
  await world.clock.run({ until: 2 * LEASE_MS + 1 });
  assert.equal(world.ask(guarded, key), "denied");
  assert.equal(world.ask(other), "allowed");
});

test("T13 a revoked key is denied at once, and its holder put out of the sources", () => {
  const world = openWorld();
  world.tell(whole());
  world.ask(guarded, key);
  assert.deepEqual(world.orders.at(-1), {
    type: "admit",
    admissions: [{ infoHash: guarded, host: "192.0.2.1", principal: "u1", forMs: 900_000 }],
  });

  world.tell({ revoked: [keyOf(key).digest] });

  assert.equal(world.ask(guarded, key), "denied");
  const revocations = [{ infoHash: guarded, principal: "u1" }];
  assert.deepEqual(world.orders.at(-1), { type: "revoke", revocations });
});

test("a rotated key gives way to the new one without putting its holder out", () => {
  const world = openWorld();
  world.tell(whole());
  world.ask(guarded, key);
  const next = key.replace("0", "f");
  world.tell({ keys: [keyOf(next)], revoked: [keyOf(key).digest] });
  assert.equal(world.ask(guarded, key), "denied");
  assert.equal(world.ask(guarded, next), "allowed");
  assert.ok(world.orders.every(({ type }) => type !== "revoke"));
});

test("T21 a key ends by the wall clock, and its holder is put out within a minute", async () => {
  const world = openWorld();
  world.tell({ ...whole(), keys: [keyOf(key, { expiresAt: 30_000 })] });
  assert.equal(world.ask(guarded, key), "allowed");
  await world.clock.run({ until: 30_000 });
  assert.equal(world.ask(guarded, key), "denied");
  await world.clock.run({ until: 90_000 });
  assert.equal(world.orders.at(-1)?.type, "revoke");
});

test("T11 guessing is denied without so much as a digest after a while; others do not notice", async () => {
  const world = openWorld();
  world.tell(whole());
  for (let i = 0; i < 10_000; i++) {
    const guess = i.toString(16).padStart(40, "0");
    assert.equal(world.ask(guarded, guess, "198.51.100.7"), "denied");
  }
  assert.equal(world.digestCount(), 120);
  assert.equal(world.ask(guarded, key, "192.0.2.9"), "allowed");
  await world.clock.run({ until: 60_000 });
  world.ask(guarded, "f".repeat(40), "198.51.100.7");
  assert.equal(world.digestCount(), 122);
});

test("T12 one key from many networks at once is told, once, and without the key", () => {
  const world = openWorld();
  world.tell(whole());
  for (let i = 1; i <= 100; i++) world.ask(guarded, key, `192.0.2.${i}`);
  assert.deepEqual(world.events, [{ type: "key-spread", principal: "u1", infoHash: guarded }]);
});

test("T4 a thousand peers with one key: 32 are let in, the others told why", async () => {
  const world = openWorld();
  world.tell({ ...whole(), keys: [keyOf(key), keyOf("b".repeat(40), { principal: "u2" })] });
  const heard = Array.from({ length: 1000 }, (_, peer) => world.askAs(peer));
  assert.equal(heard.filter(({ type }) => type === "allowed").length, 32);
  assert.deepEqual(heard.at(-1), { type: "denied", code: "key-crowded" });
  assert.equal(world.access.counters["key-crowded"], 968);
  assert.equal(world.askAs(0).type, "allowed", "who is in stays in");
  assert.equal(world.askAs(999, "b".repeat(40)).type, "allowed", "another key is another matter");

  world.access.leave(key, idOf(5));
  assert.equal(world.askAs(999).type, "allowed");
  assert.equal(world.askAs(998).type, "denied");
  world.tell({ keys: [keyOf(key)] });
  assert.equal(world.askAs(998).type, "denied", "the key told again does not empty the list");
  await world.clock.run({ until: 300_000 });
  world.tell({});
  assert.equal(world.askAs(998).type, "allowed", "who was not heard for long does not count");
});

test("metrics know what each decision came of", async () => {
  const world = openWorld([guarded]);
  world.ask(guarded, key);
  world.tell({ ...whole(), keys: [keyOf(key, { expiresAt: 1000 })] });
  for (const text of [key, key, "c".repeat(40), undefined]) world.ask(guarded, text);
  world.ask(other);
  await world.clock.run({ until: 1000 });
  world.ask(guarded, key);
  const counts = { open: 1, key: 2, "no-key": 1, "wrong-key": 1, "ended-key": 1 };
  assert.deepEqual(world.access.counters, { ...counts, "key-crowded": 0, "not-known-yet": 1 });
});

test("a source hears of an address when it is new, and again before its admission ends", async () => {
  const world = openWorld();
  world.tell(whole());
  const count = () => world.orders.filter(({ type }) => type === "admit").length;
  for (let i = 0; i < 5; i++) world.ask(guarded, key);
  assert.equal(count(), 1);
  world.ask(guarded, key, "2001:db8::1");
  assert.equal(count(), 2);
  world.tell({});
  await world.clock.run({ until: 299_000 });
  world.tell({});
  await world.clock.run({ until: 301_000 });
  world.ask(guarded, key);
  assert.equal(count(), 3);

  const late: SourceOrder[] = [];
  world.access.attachSource((order) => void late.push(order));
  assert.deepEqual(late[0], { type: "guard", torrents: whole().torrents });
  assert.ok(late[1]?.type === "admit" && late[1].admissions.length === 2);
});

test("T10 a scrape needs the key as well, and lets nobody in", () => {
  const world = openWorld();
  world.tell(whole());
  const { address } = at("192.0.2.1");
  const scrape = (text?: string) =>
    world.access.decide(guarded, text, { address, peerId: undefined }).type;
  assert.equal(scrape(), "denied");
  assert.equal(scrape(key), "allowed");
  assert.ok(world.orders.every(({ type }) => type !== "admit"));
});

test("an update that does not follow is refused until everything is told again", () => {
  const world = openWorld();
  world.tell(whole());
  const update = {
    feed: "f2",
    number: 7,
    isWhole: false,
    isLast: true,
    digestKey,
    torrents: [],
    keys: [],
    revoked: [keyOf(key).digest],
    guests: [],
  };
  assert.equal(world.access.apply(update), false);
  assert.equal(world.ask(guarded, key), "allowed");

  const first = { ...update, ...whole(), keys: [], isLast: false };
  assert.equal(world.access.apply(first), true);
  assert.equal(world.ask(guarded, key), "allowed");
  const last = { ...update, number: 8, keys: [keyOf("a".repeat(40))], revoked: [] };
  assert.equal(world.access.apply(last), true);
  assert.equal(world.ask(guarded, key), "denied");
  assert.equal(world.ask(guarded, "a".repeat(40)), "allowed");
});

test("who fetched a .torrent is let in before it announces; not for what is open, nor from nowhere", () => {
  const world = openWorld();
  world.tell(whole());
  world.tell({ torrents: [{ infoHash: other, level: "open" }] });
  const guest = (infoHash: InfoHash, host: string) => ({ infoHash, host, principal: "u1" });
  world.tell({
    guests: [guest(guarded, "192.0.2.5"), guest(other, "192.0.2.5"), guest(guarded, "")],
  });
  assert.deepEqual(world.orders.at(-1), {
    type: "admit",
    admissions: [{ infoHash: guarded, host: "192.0.2.5", principal: "u1", forMs: 900_000 }],
  });
});
