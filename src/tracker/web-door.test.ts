import assert from "node:assert/strict";
import { test } from "node:test";
import {
  hello,
  infoHashOfDigit,
  openTrackerWorld,
  registration,
  statusOf,
} from "../../test/support/tracker-world.ts";
import { infoHashBytes, latin1 } from "../base/bytes.ts";
import { type IpBytes, parseIp } from "../base/ip-address.ts";
import { createRandom } from "../base/random.ts";
import type { InfoHash } from "../base/units.ts";
import type { AnnounceAccess } from "./announce-access.ts";
import { TrackerWebDoor } from "./web-door.ts";

type Message = Readonly<Record<string, unknown>>;

const binary = (infoHash: InfoHash) => latin1(infoHashBytes(infoHash));
const name = binary(registration.infoHash);
const idOf = (letter: string) => letter.repeat(20);
const sdp = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\na=candidate:1 1 udp 1 10.0.0.1 9 typ host\r\n";
const offerOf = (letter: string) => ({ offer_id: idOf(letter), offer: { type: "offer", sdp } });
const answerOf = (to: string, offerId: string) => ({
  to_peer_id: idOf(to),
  offer_id: idOf(offerId),
  answer: { type: "answer", sdp },
});

async function openDoor(access?: AnnounceAccess, extra: readonly InfoHash[] = []) {
  const world = await openTrackerWorld({}, undefined, access);
  const source = world.tracker.attachSource(hello, "127.0.0.1");
  for (const infoHash of [registration.infoHash, ...extra]) {
    await source.register({ ...registration, infoHash });
  }
  source.report(statusOf(registration.infoHash));
  const { clock, tracker } = world;
  const options = { clock, random: createRandom(3), maxPeersPerNetwork: 64 };
  const door = new TrackerWebDoor(tracker, options);
  let host = 0;
  /** A connection of peer `letter`, from a host of its own. */
  const join = (letter: string, asker: { address?: IpBytes; key?: string } = {}) => {
    const got: Message[] = [];
    const closes: { code: number; reason: string }[] = [];
    const address = asker.address ?? parseIp(`203.0.113.${++host}`) ?? assert.fail();
    const link = {
      send: (text: string) => void got.push(JSON.parse(text) as Message),
      close: (code: number, reason: string) => void closes.push({ code, reason }),
    };
    const session = door.open(link, { address, reachedAt: undefined, key: asker.key });
    const say = (message: Message | string) => {
      got.length = 0;
      session.handle(typeof message === "string" ? message : JSON.stringify(message));
      return got.at(-1);
    };
    const announce = (more: Message = {}) =>
      say({ action: "announce", info_hash: name, peer_id: idOf(letter), left: 9, ...more });
    return { got, closes, session, say, announce };
  };
  const scrape = () => tracker.scrape([registration.infoHash]).get(registration.infoHash);
  return { world, door, join, scrape };
}

const failureOf = (message: Message | undefined) => message?.["failure reason"];

test("an offer goes to another peer, its answer comes back, and both are counted", async () => {
  const { join, scrape } = await openDoor();
  const a = join("a");
  const b = join("b");
  assert.deepEqual(Object.keys(a.announce() ?? {}), [
    "action",
    "interval",
    "info_hash",
    "complete",
    "incomplete",
  ]);
  b.announce({ offers: [offerOf("x"), offerOf("y")], numwant: 5 });
  assert.deepEqual(a.got.at(-1), {
    action: "announce",
    offer: { type: "offer", sdp },
    offer_id: idOf("x"),
    peer_id: idOf("b"),
    info_hash: name,
  });
  a.announce(answerOf("b", "x"));
  assert.deepEqual(b.got.at(-1), {
    action: "announce",
    answer: { type: "answer", sdp },
    offer_id: idOf("x"),
    peer_id: idOf("a"),
    info_hash: name,
  });
  assert.deepEqual([scrape()?.complete, scrape()?.incomplete], [1, 2]);
  a.announce({ left: 0, event: "completed" });
  a.announce({ left: 0, event: "completed" });
  assert.deepEqual([scrape()?.complete, scrape()?.downloaded], [2, 1]);
  a.announce({ event: "stopped" });
  b.session.closed();
  assert.deepEqual([scrape()?.complete, scrape()?.incomplete], [1, 0]);
});

test("a port alone makes no listener: only with compact 1 are peers told by address", async () => {
  const { join } = await openDoor();
  assert.equal(join("a").announce({ port: 6881 })?.["peers"], undefined);
  assert.equal(join("b").announce({ compact: 1 })?.["peers"], undefined);
  assert.equal(typeof join("c").announce({ compact: 1, port: 6881 })?.["peers"], "string");
});

test("seeds are offered to leeches only", async () => {
  const { join } = await openDoor();
  const seed = join("s");
  const other = join("t");
  const leech = join("l");
  seed.announce({ left: 0 });
  leech.announce();
  other.announce({ left: 0, offers: [offerOf("x"), offerOf("y")] });
  assert.equal(seed.got.length, 1);
  assert.ok(leech.got.some((message) => message["peer_id"] === idOf("t")));
});

test("WS-01 what is no message closes the connection", async () => {
  const { join } = await openDoor();
  for (const text of ["null", "[]", "1", '"x"']) {
    const peer = join("a");
    peer.say(text);
    assert.deepEqual(peer.closes, [{ code: 1008, reason: "a message is an object" }], text);
  }
});

test("WS-02 invalid JSON is told, and closes the connection at the third", async () => {
  const { join } = await openDoor();
  const peer = join("a");
  for (const [i, text] of ["", '{"action":NaN}', '{"action":"announce",}'].entries()) {
    assert.equal(failureOf(peer.say(text)), "invalid JSON");
    assert.equal(peer.closes.length, i === 2 ? 1 : 0);
  }
});

const fieldCases = [
  ["WS-07", "info_hash", { info_hash: "\u0100".repeat(20) }],
  ["WS-07", "info_hash", { info_hash: "a".repeat(19) }],
  ["WS-07", "info_hash", { info_hash: "a".repeat(21) }],
  ["WS-08", "peer_id", { peer_id: 7 }],
  ["WS-08", "peer_id", { peer_id: undefined }],
  ["WS-09", "action", { action: undefined }],
  ["WS-09", "action", { action: "foo" }],
  ["WS-09", "action", { action: "connect" }],
  ["WS-10", "offers", { offers: "x" }],
  ["WS-10", "offers", { offers: { 0: offerOf("x") } }],
  ["WS-10", "offers", { offers: ["x"] }],
  ["WS-10", "offer", { offers: [{ offer_id: idOf("x"), offer: { type: "offer" } }] }],
  ["WS-10", "offer", { offers: [{ offer_id: idOf("x") }] }],
  [
    "WS-10",
    "offer",
    { offers: [{ offer_id: idOf("x"), offer: { type: "offer", sdp: "a=".repeat(500_000) } }] },
  ],
  ["WS-10", "offer_id", { offers: [{ ...offerOf("x"), offer_id: "x".repeat(19) }] }],
  ["WS-10", "offer_id", { offers: [{ ...offerOf("x"), offer_id: "x".repeat(21) }] }],
  ["WS-10", "offer_id", { offers: [{ offer: offerOf("x").offer }] }],
  ["WS-11", "to_peer_id", { ...answerOf("b", "x"), to_peer_id: undefined }],
  ["WS-15", "port", { compact: 1, port: 0 }],
  ["WS-15", "port", { compact: 1, port: 65_536 }],
  ["WS-15", "port", { compact: 1, port: 1.5 }],
  ["WS-15", "port", { compact: 1, port: "6881" }],
  ["WS-15", "left", { left: -1 }],
  ["WS-15", "left", { left: "x" }],
  [
    "WS-21",
    "offer",
    { offers: [{ offer_id: idOf("x"), offer: { type: "offer", sdp: "v=0\nnot sdp" } }] },
  ],
  [
    "WS-21",
    "offer",
    { offers: [{ offer_id: idOf("x"), offer: { type: "offer", sdp: "v=0\r\na=x\u0000\r\n" } }] },
  ],
] as const;
for (const [id, field, more] of fieldCases) {
  test(`${id} an invalid ${field} is refused: ${JSON.stringify(more).slice(0, 40)}`, async () => {
    const { join, scrape } = await openDoor();
    const peer = join("a");
    assert.equal(failureOf(peer.announce(more)), `invalid ${field}`);
    assert.equal(scrape()?.incomplete, 0);
  });
}

test("WS-15 a left of 1e400 is refused, one of null is unknown", async () => {
  const { join } = await openDoor();
  const peer = join("a");
  const text = JSON.stringify({ action: "announce", info_hash: name, peer_id: idOf("a"), left: 1 });
  assert.equal(failureOf(peer.say(text.replace('"left":1', '"left":1e400'))), "invalid left");
  assert.equal(failureOf(peer.announce({ left: null })), undefined);
});

test("WS-10 T8 of eleven and of ten thousand offers ten are passed on", async () => {
  const { join } = await openDoor();
  const others = Array.from("bcdefghijklmno", (letter) => join(letter));
  for (const other of others) other.announce();
  for (const count of [11, 10_000]) {
    for (const other of others) other.got.length = 0;
    const offers = Array.from({ length: count }, (_, i) => ({
      ...offerOf("x"),
      offer_id: String(i).padStart(20, "x"),
    }));
    const offerer = join("z");
    offerer.announce({ offers });
    offerer.session.closed();
    const passed = others.flatMap(({ got }) => got);
    assert.equal(passed.length, 10);
  }
});

test("WS-11 T9 an answer that nobody waits for is not delivered", async () => {
  const { join, door, world } = await openDoor();
  const [a, b, c] = [join("a"), join("b"), join("c")];
  a.announce();
  b.announce({ offers: [offerOf("x")] });
  c.announce();
  b.got.length = 0;
  c.announce(answerOf("b", "x"));
  a.announce(answerOf("b", "wrong".slice(0, 1)));
  a.announce(answerOf("nobody".slice(0, 1), "x"));
  a.announce({ ...answerOf("b", "x"), info_hash: binary(infoHashOfDigit("c")) });
  assert.deepEqual(b.got, []);
  a.announce(answerOf("b", "x"));
  a.announce(answerOf("b", "x"));
  assert.equal(b.got.length, 1, "one answer to an offer");
  assert.equal(door.counters.dropped, 5);

  b.announce({ offers: [offerOf("y")], numwant: 1 });
  const offered =
    [a, c].find(({ got }) => got.some((message) => message["offer"])) ?? assert.fail();
  await world.pass(121_000);
  b.got.length = 0;
  offered.announce(answerOf("b", "y"));
  assert.deepEqual(b.got, [], "after two minutes");
});

test("WS-12 T9 an answer in another peer's name closes the connection", async () => {
  const { join } = await openDoor();
  const [a, b] = [join("a"), join("b")];
  a.announce();
  b.announce({ offers: [offerOf("x")] });
  const answer = a.announce({ ...answerOf("b", "x"), peer_id: idOf("c") });
  assert.equal(failureOf(answer), "peer_id is not yours");
  assert.equal(a.closes[0]?.code, 1008);
});

test("WS-13 T9 a peer keeps its id; another's is in use, unless it is the same host's", async () => {
  const { join, scrape } = await openDoor();
  const a = join("a");
  a.announce();
  assert.equal(failureOf(a.announce({ peer_id: idOf("b") })), "peer_id changed");
  assert.equal(failureOf(join("a").announce()), "peer_id is in use");
  const address = parseIp("203.0.113.1") as IpBytes;
  assert.equal(failureOf(join("a", { address, key: "other" }).announce()), "peer_id is in use");
  assert.equal(failureOf(join("a", { address }).announce()), undefined);
  assert.equal(scrape()?.incomplete, 1);
});

test("WS-14 a hundred torrents on one connection are the most", async () => {
  const hashes = Array.from(
    { length: 101 },
    (_, i) => i.toString(16).padStart(40, "0") as InfoHash,
  );
  const { join } = await openDoor(undefined, hashes);
  const peer = join("a");
  const failures = hashes.map((infoHash) =>
    failureOf(peer.announce({ info_hash: binary(infoHash) })),
  );
  assert.equal(failures.filter((failure) => failure === undefined).length, 100);
  assert.equal(failures.at(-1), "too many torrents on one connection");
});

test("WS-16 keys that are no fields change nothing", async () => {
  const { join } = await openDoor();
  const peer = join("a");
  const text = JSON.stringify({ action: "announce", info_hash: name, peer_id: idOf("a") });
  const evil = text.replace("{", '{"__proto__":{"polluted":1},"constructor":{"prototype":{}},');
  assert.equal(failureOf(peer.say(evil)), undefined);
  assert.equal(({} as Message)["polluted"], undefined);
});

test("WS-17 T18 a scrape names what it wants, at most a hundred torrents", async () => {
  const { join, scrape: held } = await openDoor();
  assert.notEqual(held()?.participation, undefined);
  const peer = join("a");
  const scrape = (hashes: unknown) => peer.say({ action: "scrape", info_hash: hashes });
  const unknown = Array.from({ length: 1000 }, (_, i) => String(i).padStart(20, "u"));
  const files = { [name]: { complete: 1, incomplete: 0, downloaded: 0 } };
  const counts = (message: Message | undefined) => Object.keys(message?.["files"] ?? {});
  assert.deepEqual(scrape(name)?.["files"], files, "and nothing of what the server does");
  assert.deepEqual(counts(scrape([name, ...unknown])), Object.keys(files));
  assert.deepEqual(counts(scrape([...unknown, name])), []);
  for (const none of [undefined, []]) {
    assert.equal(failureOf(scrape(none)), "full scrape disabled");
  }
});

test("WS-23 HTP-16 who loses the right to be there is told and closed within 5 s", async () => {
  let isRevoked = false;
  const { join, world, scrape } = await openDoor({
    decide: (_infoHash, key) =>
      key === "k" && !isRevoked
        ? { type: "allowed", principal: "ann" }
        : { type: "denied", code: "denied" },
  });
  assert.equal(failureOf(join("b").announce()), "access denied");
  const peer = join("a", { key: "k" });
  peer.announce();
  assert.equal(scrape()?.incomplete, 1);
  isRevoked = true;
  await world.pass(5000);
  assert.equal(failureOf(peer.got.at(-1)), "access denied");
  assert.equal(peer.closes.length, 1);
  assert.equal(scrape()?.incomplete, 0);
});

test("T4 one network has so many peers in a swarm", async () => {
  const { join, scrape } = await openDoor();
  const address = parseIp("198.51.100.9") as IpBytes;
  for (let i = 0; i < 70; i++) join("a", { address }).announce({ peer_id: String(i).padStart(20) });
  assert.equal(scrape()?.incomplete, 64);
});
