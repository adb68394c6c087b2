/**
 * Fuzzing of the tracker's doors, of the client's readers and of encryption: seeded, so that what fails
 * can be run again. Inputs are valid ones, mutated; whatever comes, nothing throws, every answer is
 * bounded, and readers agree with each other.
 *
 *     npm run fuzz -- [inputs for each target, default 2000000] [seed, default 1]
 */
import assert from "node:assert/strict";
import process from "node:process";
import { infoHashOf, latin1, latin1Bytes } from "../../src/base/bytes.ts";
import { createRandom, type Random } from "../../src/base/random.ts";
import { PlainGet, readPlainGet } from "../../src/protocol/http/plain-get.ts";
import { Announce } from "../../src/protocol/tracker/announce.ts";
import { plainMemory } from "../../src/protocol/tracker/http-answer.ts";
import {
  parseAnnounceAnswer,
  parseScrapeAnswer,
} from "../../src/protocol/tracker/http-parse-answer.ts";
import { parseScrapeQuery, readAnnounceQuery } from "../../src/protocol/tracker/http-query.ts";
import { readUdpAnswer } from "../../src/protocol/tracker/udp-client.ts";
import { readWsAnnounceAnswer } from "../../src/protocol/tracker/ws-client.ts";
import { parseWsRequest } from "../../src/protocol/tracker/ws-message.ts";
import { FrameReader } from "../../src/protocol/websocket/frame-reader.ts";
import { TrackerUdpDoor } from "../../src/tracker/udp-door.ts";
import { hello, openTrackerWorld, registration } from "../support/tracker-world.ts";
import { encryptionTargets } from "./encryption.ts";
import type { Target } from "./target.ts";

const hash = "%aa".repeat(20);
const query =
  `info_hash=${hash}&peer_id=-BP0100-abcdefghijkl&port=6881&uploaded=0&downloaded=1&left=2` +
  "&event=started&numwant=50&compact=1&no_peer_id=1&key=00c0ffee";
const head =
  "Host: t.example\r\nConnection: keep-alive\r\nUser-Agent: x/1\r\nAccept-Encoding: gzip\r\n\r\n";
const description = { type: "offer", sdp: "v=0\r\na=b\r\n" };
const id = "x".repeat(20);

function textTarget(texts: readonly string[], check: Target["check"]): Target {
  return { corpus: texts.map(latin1Bytes), check };
}

const announce = new Announce();
const get = new PlainGet();
const prefix = latin1Bytes("GET /announce");

function httpRequest(input: Uint8Array): void {
  const verdict = readPlainGet(input, 0, prefix, get);
  if (verdict !== "read") return;
  assert.ok(get.end <= input.length && get.queryEnd <= get.end);
  const text = latin1(input.subarray(0, get.end));
  assert.match(text, /^GET \/announce[^ \r\n]* HTTP\/1\.1\r\n[^]*\r\n\r\n$/);
  assert.doesNotMatch(
    text,
    /[^\r]\n|\r[^\n]|\r\n[\t ]|\r\n(?:content-length|transfer-encoding|expect|upgrade):/i,
  );
  // Less of it is never more than unfinished.
  assert.notEqual(readPlainGet(input.subarray(0, get.end - 1), 0, prefix, new PlainGet()), "read");
}

/** What a reader of frames hears of `parts`. */
function readFrames(parts: readonly Uint8Array[]): readonly string[] {
  const heard: string[] = [];
  const reader = new FrameReader(
    { maxMessage: 64, maxFragments: 4 },
    {
      onText: (bytes, start, end) => heard.push(latin1(bytes.subarray(start, end))),
      onPing: (payload) => heard.push(`ping ${latin1(payload)}`),
      onPong: () => heard.push("pong"),
      onClose: (code) => heard.push(`close ${code}`),
    },
  );
  for (const part of parts) {
    const wrong = reader.read(Uint8Array.from(part));
    if (wrong !== undefined) heard.push(`wrong ${wrong.code}`);
  }
  assert.ok(heard.every((each) => each.length <= 130));
  return heard;
}

/** Whole or in two parts, the same is read. */
function wsFrames(input: Uint8Array): void {
  const cut = input.length >> 1;
  assert.deepEqual(readFrames([input.subarray(0, cut), input.subarray(cut)]), readFrames([input]));
}

async function udpTarget(): Promise<Target> {
  const world = await openTrackerWorld({ earlyMs: 0 });
  await world.tracker.attachSource(hello, "127.0.0.1").register(registration);
  const door = new TrackerUdpDoor(world.tracker, {
    secret: new Uint8Array(18).fill(5),
    now: () => 0,
    memory: plainMemory,
    maxStrangersPerSecond: 2 ** 31,
  });
  const asker = { address: Uint8Array.of(203, 0, 113, 5), reachedAt: undefined };
  const connect = new Uint8Array(16);
  connect.set([0, 0, 4, 0x17, 0x27, 0x10, 0x19, 0x80]);
  const connectionId = door.answer(connect, asker)?.subarray(8) ?? assert.fail();
  const request = (action: number, length: number) => {
    const packet = new Uint8Array(length).fill(0xaa, 16, 36);
    packet.set(connectionId);
    packet[11] = action;
    packet[97] = 7;
    packet[96] = 7;
    return packet;
  };
  const withOptions = request(1, 98 + 20);
  withOptions.set(latin1Bytes("\x02\x0d/announce/key\x01"), 98);
  return {
    corpus: [connect, request(1, 98), withOptions, request(2, 36), request(2, 56)],
    check(input) {
      const answer = door.answer(input, asker);
      assert.ok(answer === undefined || (answer.length >= 8 && answer.length <= 1200));
    },
  };
}

function targets(): Readonly<Record<string, Target | Promise<Target>>> {
  return {
    ...encryptionTargets(),
    "http query": textTarget([query, `info_hash=${hash}&info_hash=${hash}`], (input) => {
      const failure = readAnnounceQuery(input, 0, input.length, announce);
      if (failure === undefined) assert.ok(announce.port > 0 && announce.port < 65_536);
      const scrape = parseScrapeQuery(input);
      if (scrape.ok) assert.ok(scrape.value.length <= 100);
    }),
    "http request": textTarget(
      [`GET /announce?${query} HTTP/1.1\r\n${head}`, `GET /announce/key?x HTTP/1.1\r\n${head}`],
      httpRequest,
    ),
    "http answer": textTarget(
      [
        "d8:completei1e10:incompletei2e8:intervali60e12:min intervali30e5:peers6:aaaaaa6:peers60:e",
        "d8:intervali60e5:peersld2:ip9:192.0.2.17:peer id20:aaaaaaaaaaaaaaaaaaaa4:porti80eeee",
        "d14:failure reason4:nonoe",
        `d5:filesd20:${id}d8:completei1e10:downloadedi0e10:incompletei1eeee`,
      ],
      (input) => {
        const answer = parseAnnounceAnswer(input);
        if (answer.ok)
          assert.ok(answer.value.intervalMs >= 30_000 && answer.value.peers.length <= 2000);
        parseScrapeAnswer(input);
      },
    ),
    "udp packet": udpTarget(),
    "udp answer": {
      corpus: [0, 1, 3].map((action) => {
        const packet = new Uint8Array(44).fill(7);
        packet.set([0, 0, 0, action, 0, 0, 0, 9]);
        return packet;
      }),
      check(input) {
        for (const length of [4, 16] as const) {
          const answer = readUdpAnswer(input, 9, length);
          if (answer?.type === "announced") assert.ok(answer.response.peers.length <= 2000);
          if (answer?.type === "error") assert.ok(answer.message.length <= 200);
        }
      },
    },
    "ws frames": textTarget(
      [
        "\x81\x82\x00\x00\x00\x00{}\x89\x80\x01\x02\x03\x04\x8a\x80\x01\x02\x03\x04\x88\x82\x00\x00\x00\x00\x03\xe8",
        "\x01\x83\x01\x02\x03\x04abc\x00\x80\x00\x00\x00\x00\x89\x81\x00\x00\x00\x00x\x80\x83\x01\x02\x03\x04def\x81\xfe\x00\x03\x01\x02\x03\x04ghi",
      ],
      wsFrames,
    ),
    "ws answer": textTarget(
      [
        {
          action: "announce",
          info_hash: id,
          interval: 60,
          complete: 1,
          peers: "aaaaaa",
          peers6: "",
        },
        {
          action: "announce",
          info_hash: id,
          interval: 60,
          peers: id.slice(0, 18),
          peers6: id.slice(0, 18),
        },
        { action: "announce", "failure reason": "no" },
      ].map((message) => JSON.stringify(message)),
      (input) => {
        const answer = readWsAnnounceAnswer(latin1(input), infoHashOf(latin1Bytes(id)));
        if (answer?.ok === true) {
          assert.ok(answer.value.intervalMs >= 30_000 && answer.value.peers.length <= 4000);
        } else if (answer?.code === "TRK_FAILURE") assert.ok(answer.message.length <= 200);
      },
    ),
    "ws message": textTarget(
      [
        { action: "announce", info_hash: id, peer_id: id, left: 1, numwant: 5, event: "started" },
        {
          action: "announce",
          info_hash: id,
          peer_id: id,
          offers: [{ offer_id: id, offer: description }],
        },
        {
          action: "announce",
          info_hash: id,
          peer_id: id,
          to_peer_id: id,
          offer_id: id,
          answer: { ...description, type: "answer" },
        },
        { action: "scrape", info_hash: [id, id] },
      ].map((message) => JSON.stringify(message)),
      (input) => {
        const request = parseWsRequest(latin1(input));
        if (!request.ok || request.value.type !== "announce") return;
        assert.ok(request.value.offers.length <= 10 && request.value.peerId.length === 20);
      },
    ),
  };
}

/** Pieces that break parsers. */
const pieces = [
  "",
  "%",
  "%0",
  "&",
  "=",
  "?",
  "\0",
  "\r\n",
  "\r",
  "\n",
  ":",
  "-1",
  "0",
  "1e999",
  "99999999999999999999",
  '"',
  "{",
  "}",
  "[",
  "]",
  "null",
  ",",
  "\\u0000",
  '"__proto__":',
  "i",
  "e",
  "l",
  "d",
  "5:peers",
  "info_hash=",
  "\x02\xff",
  "\x01".repeat(9),
  "\xff".repeat(8),
  "Content-Length: 1\r\n",
  "Host: y\r\n",
].map(latin1Bytes);

/** `input` with a few bytes changed, cut, doubled or put in. */
function mutate(input: Uint8Array, random: Random): Uint8Array {
  let bytes = Array.from(input);
  for (let round = random.below(4); round >= 0; round--) {
    const at = random.below(bytes.length + 1);
    const span = random.below(16);
    switch (random.below(6)) {
      case 0:
        bytes[Math.min(at, bytes.length - 1)] = random.below(256);
        break;
      case 1:
        bytes.splice(at, span);
        break;
      case 2:
        bytes = bytes.slice(0, at);
        break;
      case 3:
        bytes.splice(at, 0, ...bytes.slice(at, at + span));
        break;
      case 4:
        bytes.splice(at, 0, ...(pieces[random.below(pieces.length)] as Uint8Array));
        break;
      default:
        bytes.splice(at, span, ...Array.from({ length: span }, () => random.below(256)));
    }
  }
  return Uint8Array.from(bytes);
}

/** Runs `count` inputs of each target; what fails is told with its bytes. @throws what a check does. */
export async function fuzzTracker(
  count: number,
  seed: number,
  say: (line: string) => void,
): Promise<void> {
  for (const [name, promised] of Object.entries(targets())) {
    const target = await promised;
    const { corpus } = target;
    const random = createRandom(seed);
    for (let i = 0; i < count; i++) {
      const base = corpus[random.below(corpus.length)] as Uint8Array;
      const input = i < corpus.length ? (corpus[i] as Uint8Array) : mutate(base, random);
      try {
        target.check(input);
      } catch (error) {
        say(`${name}: input ${i} of seed ${seed}: ${Buffer.from(input).toString("hex")}`);
        throw error;
      }
    }
    say(`${name}: ${count} inputs`);
  }
}

if (import.meta.main) {
  const [count = "2000000", seed = "1"] = process.argv.slice(2);
  await fuzzTracker(Number(count), Number(seed), (line) => console.log(line));
}
