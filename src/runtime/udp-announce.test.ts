/** Our UDP client against our UDP door, and against trackers that answer anything. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { hello, openTrackerWorld, registration } from "../../test/support/tracker-world.ts";
import { VirtualClock } from "../adapters/memory/virtual-clock.ts";
import { concatBytes } from "../base/bytes.ts";
import { parseIp } from "../base/ip-address.ts";
import { createRandom } from "../base/random.ts";
import type { DatagramPort, DatagramSink } from "../ports/datagrams.ts";
import { plainMemory } from "../protocol/tracker/http-answer.ts";
import type { AnnounceParameters } from "../protocol/tracker/http-request.ts";
import { writeUint32 } from "../protocol/wire/big-endian.ts";
import { TrackerUdpDoor } from "../tracker/udp-door.ts";
import type { AnnounceOutcome } from "./announce-outcome.ts";
import { UdpAnnounce } from "./udp-announce.ts";

const parameters: AnnounceParameters = {
  infoHash: registration.infoHash,
  peerId: new Uint8Array(20).fill(0x61),
  port: 6881,
  uploaded: 2 ** 33,
  downloaded: 7,
  left: 2 ** 40 + 5,
  event: "started",
  numWant: undefined,
  key: 1,
};

/** Answers to a packet; each comes 10 ms later. */
type Server = (packet: Uint8Array) => readonly Uint8Array[];

interface Run {
  readonly outcomes: readonly AnnounceOutcome[];
  readonly sent: readonly { readonly at: number; readonly packet: Uint8Array }[];
}

async function run(server: Server, url = "udp://tracker.example:6969/announce"): Promise<Run> {
  const clock = new VirtualClock();
  const outcomes: AnnounceOutcome[] = [];
  const sent: { at: number; packet: Uint8Array }[] = [];
  const later = (call: () => void) => clock.setTimer(10, call);
  const datagrams: DatagramPort = {
    open: (_host, _port, sink: DatagramSink) => {
      let isClosed = false;
      later(() => sink.onOpen());
      return {
        addressLength: 4,
        send: (packet) => {
          sent.push({ at: clock.now(), packet });
          for (const answer of server(packet)) {
            later(() => {
              if (!isClosed) sink.onDatagram(answer);
            });
          }
        },
        close: () => {
          isClosed = true;
        },
      };
    },
  };
  const ports = { clock, datagrams, random: createRandom(1) };
  const announce = new UdpAnnounce(ports, url, parameters, (outcome) => outcomes.push(outcome));
  await clock.run({ until: 300_000 });
  announce.cancel();
  return { outcomes, sent };
}

/** Our own tracker, asked from `address`. */
async function ourDoor(address = "203.0.113.9"): Promise<Server> {
  const world = await openTrackerWorld();
  await world.tracker.attachSource(hello, "127.0.0.1").register(registration);
  const door = new TrackerUdpDoor(world.tracker, {
    secret: new Uint8Array(18).fill(9),
    now: () => world.clock.now(),
    memory: plainMemory,
  });
  const asker = { address: parseIp(address) ?? assert.fail(), reachedAt: undefined };
  return (packet) => {
    const answer = door.answer(packet, asker);
    return answer === undefined ? [] : [answer];
  };
}

/** `answer` with the transaction id of `request`. */
function answerTo(request: Uint8Array, action: number, ...rest: readonly number[]): Uint8Array {
  const head = new Uint8Array(8);
  writeUint32(head, 0, action);
  head.set(request.subarray(12, 16), 4);
  return concatBytes([head, Uint8Array.from(rest)]);
}

const isConnect = (packet: Uint8Array) => packet.length === 16;
const connected = (packet: Uint8Array) => answerTo(packet, 0, 1, 2, 3, 4, 5, 6, 7, 8);

test("our client gets peers from our door, and tells it all", async () => {
  const { outcomes, sent } = await run(await ourDoor());
  const [outcome] = outcomes;
  assert.equal(outcome?.type, "answered");
  assert.deepEqual(outcome.type === "answered" && outcome.response.peers, [
    { host: "198.51.100.1", port: 6881 },
  ]);
  assert.equal(sent.length, 2);
  const announce = Buffer.from(sent[1]?.packet ?? []);
  assert.equal(announce.readBigUInt64BE(64), 2n ** 40n + 5n);
  assert.equal(announce.readBigUInt64BE(72), 2n ** 33n);
  assert.equal(announce.readInt32BE(92), -1);
  // BEP 41: the path of the URL.
  assert.equal(announce.toString("latin1", 98), "\x02\x09/announce\0");
});

test("a long URL path is cut into options", async () => {
  const path = `/announce/${"k".repeat(600)}`;
  const { sent } = await run(await ourDoor(), `udp://tracker.example:6969${path}`);
  const options = sent[1]?.packet.subarray(98) ?? new Uint8Array(0);
  assert.deepEqual([options[0], options[1]], [2, 255]);
  assert.equal(options.length, path.length + 2 * Math.ceil(path.length / 255) + 1);
});

test("UDP-22 nobody answers: again after 15 s and 30 s more, then it gives up", async () => {
  const { outcomes, sent } = await run(() => []);
  assert.deepEqual(
    sent.map(({ at }) => at),
    [10, 15_010, 45_010],
  );
  assert.deepEqual(outcomes, [{ type: "failed", message: "no answer", isRefusal: false }]);
});

test("UDP-22 an announce that is lost begins anew with another connection id", async () => {
  const { sent, outcomes } = await run((packet) => (isConnect(packet) ? [connected(packet)] : []));
  assert.deepEqual(
    sent.map(({ packet }) => packet.length > 16),
    [false, true, false, true, false, true],
  );
  assert.equal(outcomes.length, 1);
});

test("UDP-22 answers with another transaction id or action, or cut, are passed over", async () => {
  const { outcomes, sent } = await run((packet) => {
    if (!isConnect(packet)) {
      return [
        answerTo(packet, 7),
        connected(packet),
        answerTo(packet, 1, 0, 0, 1),
        // An interval, two counts, and 7 bytes of peers.
        answerTo(packet, 1, ...new Uint8Array(12 + 7)),
        new Uint8Array(0),
        answerTo(new Uint8Array(16).fill(0xee), 3, 0x78),
        answerTo(packet, 1, 0, 0, 7, 8, 0, 0, 0, 1, 0, 0, 0, 2, 192, 0, 2, 1, 0x1a, 0xe1),
      ];
    }
    return [
      answerTo(packet, 0, 1, 2),
      answerTo(packet, 1, ...new Uint8Array(12)),
      connected(packet),
    ];
  });
  assert.equal(sent.length, 2);
  assert.deepEqual(outcomes, [
    {
      type: "answered",
      response: {
        intervalMs: 1_800_000,
        minIntervalMs: undefined,
        complete: 2,
        incomplete: 1,
        peers: [{ host: "192.0.2.1", port: 6881 }],
        warning: undefined,
      },
    },
  ]);
});

test("UDP-22 a refusal is told in its words, or as one without", async () => {
  for (const [words, message] of [
    ["access denied", "access denied"],
    ["", "refused without a word"],
    ["\u001b[31mred", "[31mred"],
  ] as const) {
    const { outcomes } = await run((packet) => [answerTo(packet, 3, ...Buffer.from(words))]);
    assert.deepEqual(outcomes, [{ type: "failed", message, isRefusal: true }]);
  }
});

test("a URL without a port is told, not asked", async () => {
  const { outcomes, sent } = await run(() => [], "udp://tracker.example/announce");
  assert.equal(sent.length, 0);
  assert.equal(outcomes[0]?.type, "failed");
});
