import assert from "node:assert/strict";
import { test } from "node:test";
import {
  announceOf,
  hello,
  openTrackerWorld,
  otherRegistration,
  registration,
  statusOf,
  testPeer,
} from "../../test/support/tracker-world.ts";
import { concatBytes, infoHashBytes } from "../base/bytes.ts";
import { type IpBytes, parseIp } from "../base/ip-address.ts";
import type { InfoHash } from "../base/units.ts";
import { plainMemory } from "../protocol/tracker/http-answer.ts";
import type { AnnounceAccess } from "./announce-access.ts";
import { TrackerUdpDoor } from "./udp-door.ts";

const ip = (text: string) => parseIp(text) as IpBytes;
const client = ip("203.0.113.7");
const secret = Uint8Array.from({ length: 18 }, (_, i) => 3 * i + 1);

const keyed: AnnounceAccess = {
  decide: (_infoHash, key) =>
    key === "good-key" ? { type: "allowed", principal: "ann" } : { type: "denied", code: "denied" },
};

async function openDoor(access?: AnnounceAccess, maxStrangersPerSecond?: number) {
  const world = await openTrackerWorld({}, undefined, access);
  const source = world.tracker.attachSource(hello, "127.0.0.1");
  await source.register(registration);
  source.report(statusOf(registration.infoHash));
  const options = { now: () => world.clock.now(), memory: plainMemory };
  const limit = maxStrangersPerSecond === undefined ? {} : { maxStrangersPerSecond };
  const open = (bytes: Uint8Array) =>
    new TrackerUdpDoor(world.tracker, { ...options, ...limit, secret: bytes });
  let door = open(secret);
  const ask = (packet: Uint8Array, address: IpBytes = client) => {
    const answer = door.answer(packet, { address, reachedAt: undefined });
    return answer === undefined ? undefined : Buffer.from(answer);
  };
  const idOf = (address: IpBytes = client) => ask(connect(), address)?.subarray(8) ?? assert.fail();
  const restart = () => {
    door = open(secret.map((byte) => byte + 1));
  };
  return { world, ask, idOf, restart };
}

function connect(more: Uint8Array = new Uint8Array(0)): Uint8Array {
  const packet = Buffer.alloc(16);
  packet.writeBigUInt64BE(0x41727101980n);
  packet.writeUInt32BE(0xabcd, 12);
  return concatBytes([packet, more]);
}

interface AnnounceFields {
  readonly infoHash?: InfoHash;
  readonly peerId?: number;
  readonly left?: bigint;
  readonly event?: number;
  readonly ip?: number;
  readonly numWant?: number;
  readonly port?: number;
  readonly options?: Uint8Array;
}

function announce(id: Uint8Array, fields: AnnounceFields = {}): Uint8Array {
  const { infoHash = registration.infoHash, peerId = 1, left = 9n, event = 2 } = fields;
  const packet = Buffer.alloc(98);
  packet.set(id);
  packet.writeUInt32BE(1, 8);
  packet.writeUInt32BE(0x1234, 12);
  packet.set(infoHashBytes(infoHash), 16);
  packet.writeUInt32BE(peerId, 52);
  packet.writeBigUInt64BE(left, 64);
  packet.writeUInt32BE(event, 80);
  packet.writeUInt32BE(fields.ip ?? 0, 84);
  packet.writeInt32BE(fields.numWant ?? -1, 92);
  packet.writeUInt16BE(fields.port ?? 6881, 96);
  return concatBytes([packet, fields.options ?? new Uint8Array(0)]);
}

function scrape(id: Uint8Array, hashes: readonly InfoHash[], more = 0): Uint8Array {
  const head = Buffer.alloc(16);
  head.set(id);
  head.writeUInt32BE(2, 8);
  return concatBytes([head, ...hashes.map(infoHashBytes), new Uint8Array(more)]);
}

const url = (text: string) => Buffer.concat([Buffer.of(2, text.length), Buffer.from(text)]);
const errorOf = (answer: Buffer | undefined) =>
  answer?.readUInt32BE(0) === 3 ? answer.toString("latin1", 8) : undefined;
const peersOf = (answer: Buffer | undefined, length = 6) =>
  ((answer?.length ?? assert.fail()) - 20) / length;

test("a connection id, then an answer with the source and the counts", async () => {
  const { ask, idOf } = await openDoor();
  const answer = ask(announce(idOf()));
  assert.equal(answer?.readUInt32BE(0), 1);
  assert.equal(answer.readUInt32BE(4), 0x1234);
  assert.ok(answer.readUInt32BE(8) > 100);
  assert.deepEqual([answer.readUInt32BE(12), answer.readUInt32BE(16)], [1, 1]);
  assert.deepEqual([...answer.subarray(20)], [198, 51, 100, 1, 6881 >> 8, 6881 & 255]);
});

test("a scrape has an entry for each hash, zeros for what is unknown", async () => {
  const { ask, idOf } = await openDoor();
  const id = idOf();
  ask(announce(id));
  const answer = ask(scrape(id, [otherRegistration.infoHash, registration.infoHash]));
  assert.equal(answer?.readUInt32BE(0), 2);
  const numbers = Array.from({ length: 6 }, (_, i) => answer.readUInt32BE(8 + 4 * i));
  assert.deepEqual(numbers, [0, 0, 0, 1, 0, 1]);
});

test("UDP-01 packets of 0, 1 and 15 bytes are ignored", async () => {
  const { ask } = await openDoor();
  for (const length of [0, 1, 15]) assert.equal(ask(connect().subarray(0, length)), undefined);
});

test("UDP-02 a connect with the wrong magic is ignored", async () => {
  const { ask } = await openDoor();
  const packet = connect();
  packet[7] = 0;
  assert.equal(ask(packet), undefined);
});

test("UDP-03 T1 a connect with a thousand bytes more is answered with 16", async () => {
  const { ask } = await openDoor();
  assert.equal(ask(connect(new Uint8Array(1000)))?.length, 16);
  assert.equal(ask(connect())?.length, 16);
});

test("UDP-04 the magic number is no connection id", async () => {
  const { ask, world } = await openDoor();
  assert.equal(errorOf(ask(announce(connect().subarray(0, 8)))), "connection id expired");
  assert.equal(world.tracker.totals().peers, 0);
});

test("UDP-05 T1 an id of another address is ignored", async () => {
  const { ask, idOf, world } = await openDoor();
  assert.equal(ask(announce(idOf(ip("203.0.113.8")))), undefined);
  assert.equal(ask(announce(idOf(ip("2001:db8::1")))), undefined);
  assert.equal(world.tracker.totals().peers, 0);
});

test("UDP-06 an id binds the address, not the port: NAT may change that", async () => {
  const { ask, idOf } = await openDoor();
  // The door does not even hear of the port that a packet comes from.
  assert.equal(ask(announce(idOf()))?.readUInt32BE(0), 1);
});

test("UDP-07 T21 an id lasts two minutes and expires soon after", async () => {
  for (const [seconds, isValid] of [
    [119, true],
    [241, false],
    [300, false],
  ] as const) {
    const { ask, idOf, world } = await openDoor();
    const id = idOf();
    await world.pass(seconds * 1000);
    const answer = ask(announce(id));
    assert.equal(errorOf(answer), isValid ? undefined : "connection id expired", `${seconds} s`);
  }
});

test("UDP-08 an id from before a restart is told to be expired, and a new one works", async () => {
  const { ask, idOf, restart } = await openDoor();
  const id = idOf();
  restart();
  assert.equal(errorOf(ask(announce(id))), "connection id expired");
  assert.equal(ask(announce(idOf()))?.readUInt32BE(0), 1);
});

test("UDP-09 an announce of 97 bytes is ignored", async () => {
  const { ask, idOf } = await openDoor();
  assert.equal(ask(announce(idOf()).subarray(0, 97)), undefined);
});

test("UDP-10 options are read as far as they go, and end", async () => {
  const { ask, idOf } = await openDoor(keyed);
  const id = idOf();
  const part = (text: string) => url(text);
  const table = [
    [url("/announce/good-key"), true],
    [Buffer.concat([Buffer.of(1, 1), url("/announce/good-key?x=y"), Buffer.of(0, 9, 9)]), true],
    [Buffer.concat([part("/announce/go"), Buffer.of(1), part("od-key")]), true],
    [Buffer.concat([Buffer.of(7, 2, 0, 0), url("/announce/good-key")]), true],
    [Buffer.concat([Buffer.of(0), url("/announce/good-key")]), false],
    [url("/announce/good-key").subarray(0, 10), false],
    [Buffer.of(2), false],
    [Buffer.of(2, 255, 0x2f), false],
    [Buffer.concat(Array.from({ length: 500 }, () => Buffer.of(2, 0))), false],
    [Buffer.alloc(1500, 1), false],
  ] as const;
  for (const [i, [options, isAllowed]] of table.entries()) {
    const answer = ask(announce(id, { options, peerId: 100 + i }));
    assert.equal(errorOf(answer), isAllowed ? undefined : "access denied", String(i));
  }
});

test("UDP-11 unknown events are refused", async () => {
  const { ask, idOf } = await openDoor();
  const id = idOf();
  for (const event of [4, 2 ** 32 - 1]) {
    assert.equal(errorOf(ask(announce(id, { event }))), "invalid event");
  }
});

test("UDP-12 num_want: -1 is the default, 0 none, and one datagram holds the most", async () => {
  const { ask, idOf, world } = await openDoor();
  for (let i = 0; i < 250; i++) {
    const peer = testPeer(i);
    world.tracker.announce(announceOf(peer), { ...peer, reachedAt: undefined });
  }
  const id = idOf();
  const counts = [-1, 0, 7, 2 ** 31 - 1].map((numWant, i) =>
    peersOf(ask(announce(id, { numWant, peerId: 900 + i }))),
  );
  assert.deepEqual(counts, [50, 0, 7, 50]);
});

test("UDP-13 port 0 is refused", async () => {
  const { ask, idOf } = await openDoor();
  assert.equal(errorOf(ask(announce(idOf(), { port: 0 }))), "invalid port");
});

test("UDP-14 T2 T3 an address of somebody else is ignored, a low port not listed", async () => {
  const { ask, idOf } = await openDoor();
  ask(announce(idOf(), { ip: 0x08080808 }));
  ask(announce(idOf(), { peerId: 2, port: 25 }));
  const asker = ip("198.18.0.1");
  const answer = ask(announce(idOf(asker), { peerId: 3 }), asker);
  assert.deepEqual([...(answer?.subarray(26) ?? [])], [203, 0, 113, 7, 6881 >> 8, 6881 & 255]);
});

test("UDP-15 with an unknown amount left it is a leech", async () => {
  const { ask, idOf } = await openDoor();
  const answer = ask(announce(idOf(), { left: 2n ** 64n - 1n }));
  assert.equal(answer?.readUInt32BE(12), 1);
});

test("UDP-16 T14 an unregistered torrent is refused and leaves nothing", async () => {
  const { ask, idOf, world } = await openDoor();
  const answer = ask(announce(idOf(), { infoHash: "ee".repeat(20) as InfoHash }));
  assert.equal(errorOf(answer), "unregistered torrent");
  assert.equal(world.tracker.totals().swarms, 1);
});

test("UDP-17 scrapes: none and half a hash are refused, beyond 70 nothing is answered", async () => {
  const { ask, idOf } = await openDoor();
  const id = idOf();
  const { infoHash } = registration;
  assert.equal(errorOf(ask(scrape(id, []))), "invalid scrape");
  assert.equal(errorOf(ask(scrape(id, [infoHash], 19))), "invalid scrape");
  const many = Array.from({ length: 75 }, () => infoHash);
  assert.equal(ask(scrape(id, many))?.length, 8 + 12 * 70);
});

test("UDP-18 other actions are ignored", async () => {
  const { ask, idOf } = await openDoor();
  for (const action of [3, 4, 255]) {
    const packet = announce(idOf());
    packet[11] = action;
    assert.equal(ask(packet), undefined);
  }
});

test("UDP-19 a packet of 65,507 bytes is ignored", async () => {
  const { ask, idOf } = await openDoor();
  assert.equal(ask(announce(idOf(), { options: new Uint8Array(65_507 - 98) })), undefined);
});

test("UDP-20 a mapped IPv4 address is an IPv4 address", async () => {
  const { ask, idOf } = await openDoor();
  const mapped = ip("::ffff:203.0.113.7");
  assert.equal(mapped.length, 4);
  assert.equal(peersOf(ask(announce(idOf(mapped)), mapped)), 1);
});

test("UDP-21 strangers of one network are answered so many times a second", async () => {
  const { ask, idOf, world } = await openDoor(undefined, 100);
  const id = idOf();
  let answers = 0;
  for (let i = 0; i < 100_000; i++) {
    const spoofed = ip(`198.51.100.${i % 256}`);
    if (ask(connect(), spoofed) !== undefined) answers++;
  }
  assert.equal(answers, 100);
  assert.equal(ask(announce(id))?.readUInt32BE(0), 1, "who has an id is served");
  assert.notEqual(ask(connect(), ip("192.0.2.1")), undefined, "and so are other networks");
  await world.pass(1000);
  assert.notEqual(ask(connect(), ip("198.51.100.1")), undefined);
});

test("T1 whoever has not proved its address gets no more bytes than it sent", async () => {
  const { ask } = await openDoor();
  for (const packet of [
    connect(),
    announce(new Uint8Array(8)),
    scrape(new Uint8Array(8), []),
    scrape(new Uint8Array(8), [registration.infoHash]),
  ]) {
    assert.ok((ask(packet)?.length ?? 0) <= packet.length);
  }
});

test("UDP-23 HTP-16 a key that is missing or wrong is denied, as is a scrape without one", async () => {
  const { ask, idOf } = await openDoor(keyed);
  const id = idOf();
  for (const options of [undefined, url("/announce"), url("/announce/bad"), url("/announce/a/b")]) {
    const fields = options === undefined ? {} : { options };
    assert.equal(errorOf(ask(announce(id, fields))), "access denied");
  }
  for (const path of ["/announce/good-key", "/announce/good-key?a=b"]) {
    assert.equal(ask(announce(id, { options: url(path) }))?.readUInt32BE(0), 1);
  }
  assert.equal(ask(scrape(id, [registration.infoHash]))?.readUInt32BE(8), 0);
});

test("UDP-24 over IPv6 there are IPv6 peers only, over IPv4 the others", async () => {
  const { ask, idOf } = await openDoor();
  const six = ip("2001:db8::7");
  ask(announce(idOf()));
  ask(announce(idOf(six), { peerId: 6 }), six);
  const other6 = ip("2001:db8::8");
  assert.equal(peersOf(ask(announce(idOf(other6), { peerId: 7 }), other6), 18), 1);
  const other4 = ip("198.18.0.9");
  assert.equal(peersOf(ask(announce(idOf(other4), { peerId: 8 }), other4)), 2);
});
