/** Our WebSocket client against our WebSocket door, and against trackers that answer anything. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { hello, openTrackerWorld, registration } from "../../test/support/tracker-world.ts";
import { VirtualClock } from "../adapters/memory/virtual-clock.ts";
import { latin1, infoHashBytes } from "../base/bytes.ts";
import { parseIp } from "../base/ip-address.ts";
import { createRandom } from "../base/random.ts";
import type { WebSocketPort, WebSocketSink } from "../ports/web-sockets.ts";
import type { AnnounceParameters } from "../protocol/tracker/http-request.ts";
import { TrackerWebDoor } from "../tracker/web-door.ts";
import type { AnnounceOutcome } from "./announce-outcome.ts";
import { WsAnnounce } from "./ws-announce.ts";

const parameters: AnnounceParameters = {
  infoHash: registration.infoHash,
  peerId: new Uint8Array(20).fill(0xe1),
  port: 6881,
  uploaded: 2 ** 40,
  downloaded: 7,
  left: 2 ** 40 + 5,
  event: "started",
  numWant: undefined,
  key: 1,
};

/** Answers to a message; undefined: the connection breaks. */
type Server = (text: string) => readonly string[] | undefined;

async function run(server: Server, more: Partial<AnnounceParameters> = {}) {
  const clock = new VirtualClock();
  const outcomes: AnnounceOutcome[] = [];
  let closeCount = 0;
  const webSockets: WebSocketPort = {
    open: (_url, _maxBytes, sink: WebSocketSink) => {
      const later = (call: () => void) =>
        clock.setTimer(10, () => {
          if (closeCount === 0) call();
        });
      later(() => sink.onOpen());
      return {
        send: (text) => {
          const answers = server(text);
          if (answers === undefined) later(() => sink.onError("it closed the connection"));
          for (const answer of answers ?? []) later(() => sink.onText(answer));
        },
        close: () => closeCount++,
      };
    },
  };
  const [url, all] = ["wss://tracker.example/announce", { ...parameters, ...more }];
  const done = (outcome: AnnounceOutcome) => outcomes.push(outcome);
  const announce = new WsAnnounce({ clock, webSockets }, url, all, done);
  await clock.run({ until: 120_000 });
  assert.ok(closeCount > 0, "nothing stays open");
  announce.cancel();
  return outcomes;
}

/** Our own tracker, whose peers each come from another address. */
async function ourDoor() {
  const { tracker, clock } = await openTrackerWorld();
  await tracker.attachSource(hello, "127.0.0.1").register(registration);
  const door = new TrackerWebDoor(tracker, {
    clock,
    random: createRandom(3),
    maxPeersPerNetwork: 64,
  });
  let host = 0;
  const server: Server = (text) => {
    const sent: string[] = [];
    const address = parseIp(host++ === 0 ? "203.0.113.1" : "2001:db8::2") ?? assert.fail();
    const asker = { address, reachedAt: undefined, key: undefined };
    const session = door.open({ send: (answer) => sent.push(answer), close: assert.fail }, asker);
    session.handle(text);
    session.closed();
    return sent;
  };
  return {
    server,
    counts: () => tracker.scrape([registration.infoHash]).get(registration.infoHash),
  };
}

const peersOf = ([outcome]: readonly AnnounceOutcome[]) =>
  outcome?.type === "answered" ? outcome.response.peers : assert.fail(JSON.stringify(outcome));

test("our client is listed with its port, and is told of the others, though its connection ends", async () => {
  const { server, counts } = await ourDoor();
  const source = { host: "198.51.100.1", port: 6881 };
  assert.deepEqual(peersOf(await run(server)), [source]);
  const peerId = new Uint8Array(20).fill(0xe2);
  const others = peersOf(await run(server, { peerId, port: 50_000 }));
  assert.deepEqual(others, [source, { host: "203.0.113.1", port: 6881 }]);
  assert.equal(counts()?.incomplete, 2);
  assert.deepEqual(peersOf(await run(server, { peerId, event: "stopped", numWant: 0 })), []);
  assert.equal(counts()?.incomplete, 1);
});

test("peers of IPv6 are told as well", async () => {
  const { server } = await ourDoor();
  await run(server);
  await run(server, { peerId: new Uint8Array(20).fill(0xe2), port: 50_000 });
  const peers = peersOf(await run(server, { peerId: new Uint8Array(20).fill(0xe3) }));
  assert.deepEqual(peers.at(-1), { host: "2001:db8::2", port: 50_000 });
});

test("a torrent that is not there is refused in the tracker's words", async () => {
  const { server } = await ourDoor();
  const outcomes = await run(server, { infoHash: "b".repeat(40) as typeof registration.infoHash });
  assert.deepEqual(outcomes, [
    { type: "failed", message: "unregistered torrent", isRefusal: true },
  ]);
});

const infoHash = latin1(infoHashBytes(registration.infoHash));
const answerOf = (fields: object) =>
  JSON.stringify({ action: "announce", info_hash: infoHash, interval: 120, ...fields });

test("what is no answer to us is passed over", async () => {
  const outcomes = await run(() => [
    "{",
    "null",
    '"announce"',
    "[]",
    JSON.stringify({ action: "scrape", files: {} }),
    answerOf({ interval: undefined, offer: { type: "offer", sdp: "v=0" }, offer_id: "x" }),
    answerOf({ interval: null }),
    answerOf({ info_hash: infoHash.replaceAll(/./gs, "b"), peers: "" }),
    answerOf({
      peers: "\u00c0\0\u0002\u0001\u001a\u00e1",
      complete: 2,
      incomplete: -1,
      interval: 1e9,
    }),
  ]);
  assert.deepEqual(outcomes, [
    {
      type: "answered",
      response: {
        intervalMs: 86_400_000,
        minIntervalMs: undefined,
        complete: 2,
        incomplete: undefined,
        peers: [{ host: "192.0.2.1", port: 6881 }],
        warning: undefined,
      },
    },
  ]);
});

test("a tracker that knows peers by WebRTC alone is told as that, and so are broken lists", async () => {
  for (const peers of [undefined, [{ ip: "192.0.2.1", port: 1 }], "12345", "\u0100".repeat(6)]) {
    const message = "it names no peers by address, only by WebRTC";
    const outcomes = await run(() => [answerOf({ peers })]);
    assert.deepEqual(
      outcomes,
      [{ type: "failed", message, isRefusal: false }],
      JSON.stringify(peers),
    );
  }
});

test("a connection that breaks, and one over which nothing comes, fail once", async () => {
  const broken = { type: "failed", message: "it closed the connection", isRefusal: false };
  assert.deepEqual(await run(() => undefined), [broken]);
  assert.deepEqual(await run(() => []), [{ ...broken, message: "no answer" }]);
});
