import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { type IpBytes, parseIp } from "../base/ip-address.ts";
import { createRandom } from "../base/random.ts";
import { PeerChoice } from "./peer-choice.ts";
import {
  type PeerAnnounce,
  type SampleRequest,
  Swarm,
  type SwarmOptions,
  SwarmPages,
} from "./swarm.ts";

const options: SwarmOptions = {
  maxPeersPerNetwork: 3,
  maxPeersPerAnswer: 50,
  expiryMs: 300_000,
  earlyMs: 5000,
};

const ip = (text: string) => parseIp(text) as IpBytes;

function idOf(number: number): Uint8Array {
  const peerId = new Uint8Array(20);
  new DataView(peerId.buffer).setUint32(16, number);
  return peerId;
}

/** A leech with a network of its own. */
function aPeer(number: number, changes: Partial<PeerAnnounce> = {}): PeerAnnounce {
  const address = Uint8Array.of(10, number >> 16, number >> 8, number);
  return {
    peerId: idOf(number),
    address,
    port: 1 + (number % 65535),
    event: undefined,
    isSeed: false,
    ...changes,
  };
}

function askFor(asker: PeerAnnounce, changes: Partial<SampleRequest> = {}): SampleRequest {
  return { asker, count: 50, wantsBothFamilies: true, ...changes };
}

/** Numbers of the peers (made by `idOf`) in a sample, rising. */
function sampled(swarm: Swarm, request: SampleRequest): number[] {
  const choice = chosen(swarm, request);
  const numbers = [...choice.peerIds4(), ...choice.peerIds6()].map((id) =>
    new DataView(id.buffer, id.byteOffset).getUint32(16),
  );
  return numbers.sort((a, b) => a - b);
}

function chosen(swarm: Swarm, request: SampleRequest): PeerChoice {
  const choice = new PeerChoice(50);
  swarm.choose(request, choice);
  return choice;
}

function aSwarm(peers: readonly PeerAnnounce[] = [], changes: Partial<SwarmOptions> = {}): Swarm {
  const random = createRandom(1);
  const swarm = new Swarm({ ...options, ...changes }, random, new SwarmPages(random));
  for (const peer of peers) swarm.announce(0, peer);
  return swarm;
}

function expireAll(swarm: Swarm, now: number): void {
  for (const _ of swarm.expire(() => now));
}

test("an answer holds address and port of the others, in compact form", () => {
  const first = aPeer(1, { address: ip("192.0.2.1"), port: 6881 });
  const second = aPeer(2, { address: ip("2001:db8::2"), port: 51413 });
  const asker = aPeer(3);
  const swarm = aSwarm([first, second, asker]);

  const choice = chosen(swarm, askFor(asker));
  const bytes = new Uint8Array(6 + 18);
  choice.write4(bytes, 0);
  choice.write6(bytes, 6);

  assert.deepEqual([...bytes.subarray(0, 6)], [192, 0, 2, 1, 6881 >> 8, 6881 & 255]);
  assert.deepEqual([...bytes.subarray(6)], [...ip("2001:db8::2"), 51413 >> 8, 51413 & 255]);
  assert.deepEqual([choice.peerIds4(), choice.peerIds6()], [[idOf(1)], [idOf(2)]]);
});

test("the asker's own address family comes first, the other fills what is left", () => {
  const peers = [1, 2, 3].map((number) => aPeer(number));
  const peers6 = [11, 12, 13].map((number) =>
    aPeer(number, { address: ip(`2001:db8:${number}::1`) }),
  );
  const swarm = aSwarm([...peers, ...peers6]);
  const lengths = (asker: PeerAnnounce, count: number) => {
    const { count4, count6 } = chosen(swarm, askFor(asker, { count }));
    return [count4, count6];
  };

  assert.deepEqual(lengths(aPeer(99), 2), [2, 0]);
  assert.deepEqual(lengths(aPeer(99), 4), [3, 1]);
  assert.deepEqual(lengths(aPeer(99, { address: ip("2001:db8::99") }), 4), [1, 3]);
});

test("nobody is named to itself, at no address of its own", () => {
  const asker = aPeer(1);
  const askerByIpv6 = aPeer(1, { address: ip("2001:db8::1") });
  const swarm = aSwarm([asker, askerByIpv6, aPeer(2)]);

  assert.deepEqual(sampled(swarm, askFor(asker)), [2]);
  assert.deepEqual(sampled(swarm, askFor(askerByIpv6)), [2]);
});

test("leeches get anybody, seeds get leeches only", () => {
  const seed = aPeer(1, { isSeed: true });
  const leech = aPeer(2);
  const swarm = aSwarm([seed, leech, aPeer(3, { isSeed: true }), aPeer(4)]);

  assert.deepEqual(sampled(swarm, askFor(leech)), [1, 3, 4]);
  assert.deepEqual(sampled(swarm, askFor(seed)), [2, 4]);
});

test("HTP-11 an answer never holds more than asked for, and never more than the most", () => {
  const swarm = aSwarm(Array.from({ length: 200 }, (_, number) => aPeer(number)));
  for (const [count, expected] of [
    [0, 0],
    [1, 1],
    [50, 50],
    [1e9, 50],
  ] as const) {
    assert.equal(sampled(swarm, askFor(aPeer(7), { count })).length, expected);
  }
});

test("samples are random and reach every peer", () => {
  const swarm = aSwarm(Array.from({ length: 300 }, (_, number) => aPeer(number)));
  const seen = new Set<number>();
  for (let round = 0; round < 100; round++) {
    const numbers = sampled(swarm, askFor(aPeer(0)));
    assert.equal(new Set(numbers).size, 50);
    for (const number of numbers) seen.add(number);
  }
  assert.equal(seen.size, 299);
});

test("HTP-18 the leave of an unknown peer changes nothing", () => {
  const swarm = aSwarm([aPeer(1)]);
  swarm.stop(aPeer(2));
  swarm.stop(aPeer(3, { address: ip("2001:db8::3") }));
  swarm.stop(aPeer(1, { address: ip("192.0.2.9") }));
  assert.equal(swarm.peerCount, 1);
  swarm.stop(aPeer(1));
  assert.equal(swarm.peerCount, 0);
});

test("T15 HTP-19 a completion is counted once per peer, also without a start", () => {
  const swarm = aSwarm();
  const completes = (now: number, number: number) =>
    swarm.announce(now, aPeer(number, { event: "completed", isSeed: true }));

  assert.deepEqual(completes(0, 1), "completed");
  assert.deepEqual(completes(9000, 1), "accepted");
  assert.deepEqual(completes(9000, 2), "completed");
  swarm.announce(60_000, aPeer(1));
  assert.deepEqual(completes(120_000, 1), "accepted");
});

test("HTP-20 a hundred starts in a second are one record, refused after the third", () => {
  const swarm = aSwarm();
  const outcomes = Array.from({ length: 100 }, (_, i) =>
    swarm.announce(i * 10, aPeer(1, { event: "started" })),
  );

  assert.deepEqual(outcomes.slice(0, 3), ["accepted", "accepted", "accepted"]);
  assert.ok(outcomes.slice(3).every((outcome) => outcome === "too-early"));
  assert.equal(swarm.peerCount, 1);
  assert.equal(swarm.announce(5030, aPeer(1)), "accepted");
});

test("HTP-20 who announces every 5 s is never refused", () => {
  const swarm = aSwarm();
  for (let i = 0; i < 100; i++) assert.equal(swarm.announce(i * 5000, aPeer(1)), "accepted");
});

test("HTP-21 HTP-22 one peer id at two addresses is two records, at one address one", () => {
  const swarm = aSwarm([aPeer(1), aPeer(1, { address: ip("192.0.2.9") }), aPeer(1, { port: 7 })]);

  assert.equal(swarm.peerCount, 2);
  expireAll(swarm, 300_000);
  assert.equal(swarm.peerCount, 2);
  swarm.announce(200_000, aPeer(1));
  expireAll(swarm, 301_000);
  assert.equal(swarm.peerCount, 1);
});

test("T4 a host that announces ten thousand peers does not crowd out the honest ones", () => {
  const honest = Array.from({ length: 40 }, (_, number) => aPeer(number));
  const swarm = aSwarm(honest, { maxPeersPerNetwork: 64 });
  for (let i = 0; i < 10_000; i++) {
    const sybil = aPeer(100_000 + i, { address: ip("192.0.2.66"), port: 1 + i });
    assert.equal(swarm.announce(i, sybil), "accepted");
  }
  assert.equal(swarm.peerCount, 40 + 64);

  let answersWithHonest = 0;
  for (let round = 0; round < 100; round++) {
    const numbers = sampled(swarm, askFor(honest[0] as PeerAnnounce));
    if (numbers.some((number) => number < 40)) answersWithHonest++;
  }
  assert.ok(answersWithHonest >= 90);
});

test("T4 in IPv6 a /64 counts as one host", () => {
  const inPrefix = (i: number) => ip(`2001:db8:0:1::${i.toString(16)}`);
  const peers = Array.from({ length: 20 }, (_, i) => aPeer(i, { address: inPrefix(i) }));
  const swarm = aSwarm([...peers, aPeer(50, { address: ip("2001:db8:0:2::1") })]);

  assert.equal(swarm.peerCount, options.maxPeersPerNetwork + 1);
});

test("a peer expires when it was not heard for too long, and only then", () => {
  const swarm = aSwarm([aPeer(1, { isSeed: true }), aPeer(2), aPeer(3)]);
  swarm.announce(100_000, aPeer(2));

  expireAll(swarm, options.expiryMs);
  assert.equal(swarm.peerCount, 3);
  expireAll(swarm, options.expiryMs + 1000);
  assert.equal(swarm.peerCount, 1);
  assert.deepEqual(sampled(swarm, askFor(aPeer(9))), [2]);
});

test("time may begin anywhere", () => {
  const begin = 2 ** 32 * 125 - 1000;
  const swarm = aSwarm();
  swarm.announce(begin, aPeer(1));
  expireAll(swarm, begin + options.expiryMs);
  assert.equal(swarm.peerCount, 1);
  expireAll(swarm, begin + options.expiryMs + 2000);
  assert.equal(swarm.peerCount, 0);
});

// The model: records in a map, found by walking through all of them.

interface ModelPeer {
  readonly address: string;
  readonly id: number;
  isSeed: boolean;
  at: number;
  hasCompleted: boolean;
  earlyCount: number;
}

type Step =
  | {
      readonly type: "announce";
      readonly peer: number;
      readonly isSeed: boolean;
      readonly completes: boolean;
    }
  | { readonly type: "stop"; readonly peer: number }
  | { readonly type: "pass"; readonly ms: number };

/** 24 peers at 8 hosts, of both families, with ids shared between hosts. */
function modelPeer(number: number): { id: number; address: string } {
  const host = number % 8;
  const address = host < 5 ? `192.0.2.${host}` : `2001:db8:0:${host}::${number}`;
  return { id: number % 12, address };
}

const networkOf = (address: string) =>
  address.includes(":") ? address.slice(0, address.indexOf("::")) : address;

class Model {
  peers: ModelPeer[] = [];
  completions = 0;

  announce(now: number, step: Extract<Step, { type: "announce" }>): string {
    const { id, address } = modelPeer(step.peer);
    let peer = this.peers.find((other) => other.id === id && other.address === address);
    if (peer === undefined) {
      const network = this.peers.filter((other) => networkOf(other.address) === networkOf(address));
      if (network.length >= options.maxPeersPerNetwork) return "accepted";
      peer = { id, address, isSeed: step.isSeed, at: now, hasCompleted: false, earlyCount: 0 };
      this.peers.push(peer);
    } else {
      const earlyCount = now - peer.at < 5000 ? peer.earlyCount + 1 : 0;
      if (earlyCount > 2) return "too-early";
      peer.earlyCount = earlyCount;
    }
    peer.isSeed = step.isSeed;
    peer.at = now;
    if (step.completes && !peer.hasCompleted) {
      peer.hasCompleted = true;
      this.completions++;
    }
    return "accepted";
  }

  stop(number: number): void {
    const { id, address } = modelPeer(number);
    this.peers = this.peers.filter((peer) => peer.id !== id || peer.address !== address);
  }

  expire(now: number): void {
    this.peers = this.peers.filter((peer) => now - peer.at <= options.expiryMs);
  }
}

const peerNumber = fc.nat({ max: 23 });
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant("announce" as const),
      peer: peerNumber,
      isSeed: fc.boolean(),
      completes: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("stop" as const), peer: peerNumber }) },
  // Whole ticks, so that the model need not know of them.
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant("pass" as const),
      ms: fc.nat({ max: 1600 }).map((n) => n * 125),
    }),
  },
);

test("whatever is announced, a swarm counts and names what a naive model does", () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 200 }), (steps) => {
      const swarm = aSwarm();
      const model = new Model();
      let now = 0;
      let completions = 0;
      for (const step of steps) {
        if (step.type === "pass") {
          now += step.ms;
          expireAll(swarm, now);
          model.expire(now);
        } else {
          const { id, address } = modelPeer(step.peer);
          const key = { peerId: idOf(id), address: ip(address) };
          if (step.type === "stop") {
            swarm.stop(key);
            model.stop(step.peer);
          } else {
            const event = step.completes ? "completed" : undefined;
            const outcome = swarm.announce(now, { ...key, port: 1, event, isSeed: step.isSeed });
            if (outcome === "completed") completions++;
            assert.equal(outcome === "completed" ? "accepted" : outcome, model.announce(now, step));
          }
        }
        assert.equal(swarm.peerCount, model.peers.length);
        assert.equal(swarm.seedCount, model.peers.filter((peer) => peer.isSeed).length);
        assert.equal(completions, model.completions);
      }
      const asker = {
        peerId: idOf(0),
        address: ip("192.0.2.0"),
        port: 1,
        event: undefined,
        isSeed: false,
      };
      const others = model.peers.filter((peer) => peer.id !== 0).map((peer) => peer.id);
      assert.deepEqual(
        sampled(swarm, askFor(asker)),
        others.sort((a, b) => a - b),
      );
    }),
  );
});
