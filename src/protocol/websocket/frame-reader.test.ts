import assert from "node:assert/strict";
import { test } from "node:test";
import { latin1, latin1Bytes, concatBytes } from "../../base/bytes.ts";
import { createRandom } from "../../base/random.ts";
import { closeFrame, controlFrame, frameHead, isCloseCode, opcodes } from "./frame.ts";
import { FrameReader } from "./frame-reader.ts";

const limits = { maxMessage: 65_535, maxFragments: 64 };

/** A frame of a client; `length` stands in its head in place of the true one. */
function frame(
  first: number,
  payload = "",
  mask = 0x0102_0304,
  length = payload.length,
): Uint8Array {
  const head = [...frameHead(0, length)];
  head[0] = first;
  head[1] = (head[1] as number) | 0x80;
  const key = [24, 16, 8, 0].map((shift) => (mask >>> shift) & 255);
  const bytes = latin1Bytes(payload).map((byte, i) => byte ^ (key[i % 4] as number));
  return concatBytes([Uint8Array.from([...head, ...key]), bytes]);
}

/** What a reader makes of `parts`: what it heard, then the code that it wants to close with. */
function readAll(parts: readonly Uint8Array[], changes: Partial<typeof limits> = {}): string[] {
  const heard: string[] = [];
  const reader = new FrameReader(
    { ...limits, ...changes },
    {
      onText: (bytes, start, end) => heard.push(`text ${latin1(bytes.subarray(start, end))}`),
      onPing: (payload) => heard.push(`ping ${latin1(payload)}`),
      onPong: () => heard.push("pong"),
      onClose: (code) => heard.push(`close ${code}`),
    },
  );
  for (const part of parts) {
    const wrong = reader.read(Uint8Array.from(part));
    if (wrong !== undefined) heard.push(`wrong ${wrong.code}`);
  }
  return heard;
}

const TEXT = 0x81;
const BEGIN = 0x01;
const MORE = 0x00;
const LAST = 0x80;
const CLOSE = 0x88;
const PING = 0x89;

test("messages of all lengths, masked and unmasked in place", () => {
  for (const length of [0, 1, 3, 4, 5, 125, 126, 127, 65_535]) {
    const text = "x".repeat(length);
    assert.deepEqual(readAll([frame(TEXT, text)]), [`text ${text}`], `${length}`);
  }
  assert.deepEqual(readAll([frame(TEXT, "plain", 0)]), ["text plain"]);
});

test("fragments become one message; control frames come in between", () => {
  const bytes = concatBytes([
    frame(BEGIN, "a"),
    frame(PING, "hi"),
    frame(MORE, ""),
    frame(LAST, "b"),
    frame(0x8a),
    frame(TEXT, "c"),
  ]);
  assert.deepEqual(readAll([bytes]), ["ping hi", "text ab", "pong", "text c"]);
});

test("however it is cut up, the same is read", () => {
  const bytes = concatBytes([
    frame(TEXT, "one"),
    frame(BEGIN, "y".repeat(300)),
    frame(PING, "?"),
    frame(LAST, "z".repeat(200)),
    frame(CLOSE, "\x03\xe8bye"),
  ]);
  const expected = readAll([bytes]);
  assert.equal(expected.at(-1), "close 1000");
  const single = Array.from(bytes, (byte) => Uint8Array.of(byte));
  assert.deepEqual(readAll(single), expected);
  const random = createRandom(3);
  for (let round = 0; round < 200; round++) {
    const parts: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; ) {
      const end = at + 1 + random.below(40);
      parts.push(bytes.subarray(at, end));
      at = end;
    }
    assert.deepEqual(readAll(parts), expected);
  }
});

const broken: readonly (readonly [what: string, code: number, bytes: Uint8Array])[] = [
  ["WS-01 a binary message", 1003, frame(0x82, "x")],
  ["WS-03 a message beyond the limit", 1009, frame(TEXT, "", 0, 65_536)],
  ["WS-03 a length of 64 bits", 1009, latin1Bytes("\x81\xff\xff\xff\xff\xff")],
  [
    "WS-03 fragments that are too long together",
    1009,
    concatBytes([frame(BEGIN, "x".repeat(40_000)), frame(LAST, "x".repeat(40_000))]),
  ],
  [
    "WS-04 too many fragments",
    1008,
    concatBytes([frame(BEGIN), ...Array.from({ length: 64 }, () => frame(MORE))]),
  ],
  ["WS-05 a compressed message", 1002, frame(0xc1, "x")],
  ["WS-06 an unmasked frame", 1002, latin1Bytes("\x81\x01x")],
  ["WS-06 a reserved bit", 1002, frame(0x91, "x")],
  ["WS-06 a reserved opcode", 1002, frame(0x83, "x")],
  ["WS-06 a reserved control opcode", 1002, frame(0x8b)],
  ["a fragmented ping", 1002, frame(0x09)],
  ["a long ping", 1002, frame(PING, "x".repeat(126))],
  ["a continuation of nothing", 1002, frame(LAST, "x")],
  ["a message amid another's fragments", 1002, concatBytes([frame(BEGIN, "x"), frame(TEXT, "y")])],
  ["a close frame of one byte", 1002, frame(CLOSE, "x")],
  ["a close code that nobody may send", 1002, frame(CLOSE, "\x03\xed")],
];
for (const [what, code, bytes] of broken) {
  test(`${what} closes with ${code}, whole or byte by byte, and nothing is read after it`, () => {
    const more = frame(TEXT, "more");
    for (const parts of [
      [concatBytes([bytes, more])],
      [...Array.from(bytes, (b) => Uint8Array.of(b)), more],
    ]) {
      assert.deepEqual(readAll(parts), [`wrong ${code}`]);
    }
  });
}

test("nothing is read after a close frame", () => {
  assert.deepEqual(readAll([concatBytes([frame(CLOSE), frame(TEXT, "x")]), frame(TEXT, "y")]), [
    "close 1005",
  ]);
});

test("close codes: what RFC 6455 allows", () => {
  const allowed = [1000, 1001, 1003, 1007, 1011, 1014, 3000, 4999];
  const forbidden = [0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 65_535];
  assert.ok(allowed.every(isCloseCode) && !forbidden.some(isCloseCode));
});

test("frames of a server: three kinds of length, controls cut to what they may hold", () => {
  assert.deepEqual(frameHead(opcodes.text, 125), [0x81, 125]);
  assert.deepEqual(frameHead(opcodes.text, 126), [0x81, 126, 0, 126]);
  assert.deepEqual(frameHead(opcodes.text, 65_536), [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
  assert.deepEqual([...closeFrame(1008, "no")], [0x88, 4, 3, 0xf0, 0x6e, 0x6f]);
  assert.equal(controlFrame(opcodes.pong, new Uint8Array(200)).length, 127);
  assert.equal(closeFrame(1000, "x".repeat(200)).length, 127);
});
