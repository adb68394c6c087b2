/** Encoder and decoder against each other, and the decoder against bad bytes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { concatBytes } from "../../base/bytes.ts";
import type { BlockRef } from "../metainfo/piece-geometry.ts";
import { WireDecoder, type WireHandler } from "./decoder.ts";
import { encodeMessage, encodeRequests, writePieceHeader } from "./encoder.ts";
import type { PeerMessage } from "./message.ts";

/** What a handler heard, in one comparable list. */
type Heard =
  | { readonly message: PeerMessage }
  | { readonly requests: readonly BlockRef[] }
  | { readonly block: BlockRef; readonly payload: Uint8Array | undefined };

/** Records all calls; keeps the payload of blocks unless told to drop them. */
class Recorder implements WireHandler {
  readonly heard: Heard[] = [];
  readonly #keepsBlocks: boolean;
  #target: Uint8Array | undefined;

  constructor(keepsBlocks = true) {
    this.#keepsBlocks = keepsBlocks;
  }

  handleMessage(message: PeerMessage): void {
    this.heard.push({ message });
  }

  handleRequests(requests: readonly BlockRef[]): void {
    this.heard.push({ requests });
  }

  blockTarget(block: BlockRef): Uint8Array | undefined {
    this.#target = this.#keepsBlocks ? new Uint8Array(block.length) : undefined;
    return this.#target;
  }

  handleBlock(block: BlockRef, wasKept: boolean): void {
    assert.equal(wasKept, this.#keepsBlocks);
    this.heard.push({ block, payload: this.#target });
  }
}

function encodeBlock(pieceIndex: number, begin: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(13 + payload.length);
  writePieceHeader(bytes, 0, { pieceIndex, begin, length: payload.length });
  bytes.set(payload, 13);
  return bytes;
}

/** `prefix` as the length, then `rest`. */
function rawMessage(prefix: number, ...rest: number[]): Uint8Array {
  return Uint8Array.of(prefix >>> 24, prefix >>> 16, prefix >>> 8, prefix, ...rest);
}

/** Pushes `bytes` in parts of the given lengths (repeated), as reads of a network would. */
function pushInParts(decoder: WireDecoder, bytes: Uint8Array, lengths: readonly number[]): void {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const length = lengths[i % lengths.length] as number;
    // A copy that is overwritten afterwards, as the real read buffer is.
    const part = bytes.slice(at, at + length);
    decoder.push(part);
    part.fill(0xee);
    at += length;
  }
}

/** What was heard, with batches of requests taken apart: they depend on how reads fall. */
function flatten(heard: readonly Heard[]): readonly unknown[] {
  return heard.flatMap((item): readonly unknown[] => ("requests" in item ? item.requests : [item]));
}

const uint32 = fc.integer({ min: 0, max: 0xffffffff });
const block: fc.Arbitrary<BlockRef> = fc
  .tuple(uint32, uint32, fc.integer({ min: 1, max: 128 * 1024 }))
  .map(([pieceIndex, begin, length]) => ({ pieceIndex, begin, length }));
const message: fc.Arbitrary<PeerMessage> = fc.oneof(
  fc.constantFrom<PeerMessage>(
    { type: "keep-alive" },
    { type: "choke" },
    { type: "unchoke" },
    { type: "interested" },
    { type: "not-interested" },
    { type: "have-all" },
    { type: "have-none" },
  ),
  fc
    .tuple(fc.constantFrom("have", "suggest", "allowed-fast"), uint32)
    .map(([type, pieceIndex]) => ({ type, pieceIndex }) as const),
  fc
    .tuple(fc.constantFrom("cancel", "reject"), block)
    .map(([type, value]) => ({ type, block: value }) as const),
  fc.uint8Array({ maxLength: 300 }).map((bytes) => ({ type: "bitfield", bytes }) as const),
  fc.integer({ min: 0, max: 65535 }).map((port) => ({ type: "port", port }) as const),
  fc
    .tuple(fc.integer({ min: 0, max: 255 }), fc.uint8Array({ maxLength: 300 }))
    .map(([id, payload]) => ({ type: "extended", id, payload }) as const),
);

/** One thing to send: its bytes, and what must be heard for it. */
const item: fc.Arbitrary<{ bytes: Uint8Array; heard: readonly unknown[] }> = fc.oneof(
  message.map((value) => ({ bytes: encodeMessage(value), heard: [{ message: value }] })),
  fc
    .array(block, { minLength: 1, maxLength: 5 })
    .map((blocks) => ({ bytes: encodeRequests(blocks), heard: blocks })),
  fc
    .tuple(uint32, uint32, fc.uint8Array({ minLength: 1, maxLength: 500 }))
    .map(([pieceIndex, begin, payload]) => ({
      bytes: encodeBlock(pieceIndex, begin, payload),
      heard: [{ block: { pieceIndex, begin, length: payload.length }, payload }],
    })),
);

test("what was encoded is decoded, however the reads fall", () => {
  const partLengths = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 });

  fc.assert(
    fc.property(fc.array(item, { maxLength: 20 }), partLengths, (items, lengths) => {
      const recorder = new Recorder();
      const decoder = new WireDecoder(recorder);

      pushInParts(decoder, concatBytes(items.map(({ bytes }) => bytes)), lengths);

      assert.deepEqual(
        flatten(recorder.heard),
        items.flatMap(({ heard }) => heard),
      );
    }),
  );
});

test("long messages survive reads of one byte and of 64 KiB", () => {
  const bytes = Uint8Array.from({ length: 262_144 }, (_, i) => i * 7);
  const messages: PeerMessage[] = [
    { type: "bitfield", bytes },
    { type: "extended", id: 0, payload: bytes.slice(0, 65_536) },
    { type: "extended", id: 3, payload: bytes.slice(0, 200_000) },
  ];

  for (const length of [1, 65_536]) {
    const recorder = new Recorder();
    pushInParts(new WireDecoder(recorder), concatBytes(messages.map(encodeMessage)), [length]);
    assert.deepEqual(
      recorder.heard,
      messages.map((value) => ({ message: value })),
    );
  }
});

test("random bytes never throw, and violations are final", () => {
  const smallNumbers = fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 200 });
  const noise = fc.oneof(
    fc.uint8Array({ maxLength: 400 }),
    smallNumbers.map((values) => Uint8Array.from(values.flatMap((value) => [0, 0, 0, value]))),
  );

  fc.assert(
    fc.property(noise, fc.integer({ min: 1, max: 50 }), (bytes, length) => {
      const recorder = new Recorder();
      const decoder = new WireDecoder(recorder);
      pushInParts(decoder, bytes, [length]);
      const violation = decoder.push(new Uint8Array(0));
      if (violation === undefined) return;

      const heardBefore = recorder.heard.length;
      assert.deepEqual(decoder.push(encodeMessage({ type: "choke" })), violation);
      assert.equal(recorder.heard.length, heardBefore);
    }),
  );
});

test("consecutive requests come as one batch, before the message that follows", () => {
  const recorder = new Recorder();
  const blocks = [1, 2, 3].map((pieceIndex) => ({ pieceIndex, begin: 0, length: 16_384 }));
  const more = [{ pieceIndex: 9, begin: 16_384, length: 5 }];

  new WireDecoder(recorder).push(
    concatBytes([
      encodeRequests(blocks),
      encodeMessage({ type: "interested" }),
      encodeRequests(more),
    ]),
  );

  assert.deepEqual(recorder.heard, [
    { requests: blocks },
    { message: { type: "interested" } },
    { requests: more },
  ]);
});

test("a block without a target is read and dropped", () => {
  const recorder = new Recorder(false);
  const decoder = new WireDecoder(recorder);

  pushInParts(
    decoder,
    concatBytes([encodeBlock(1, 0, new Uint8Array(100)), encodeMessage({ type: "unchoke" })]),
    [33],
  );

  assert.deepEqual(recorder.heard, [
    { block: { pieceIndex: 1, begin: 0, length: 100 }, payload: undefined },
    { message: { type: "unchoke" } },
  ]);
});

test("a handler that stops the decoder hears nothing more", () => {
  const heard: PeerMessage[] = [];
  const recorder = new Recorder();
  const decoder = new WireDecoder({
    handleMessage: (value) => {
      heard.push(value);
      decoder.stop();
    },
    handleRequests: (blocks) => recorder.handleRequests(blocks),
    blockTarget: (value) => recorder.blockTarget(value),
    handleBlock: (value, wasKept) => recorder.handleBlock(value, wasKept),
  });

  const violation = decoder.push(
    concatBytes([
      encodeMessage({ type: "choke" }),
      encodeRequests([{ pieceIndex: 0, begin: 0, length: 1 }]),
      encodeMessage({ type: "unchoke" }),
    ]),
  );

  assert.equal(violation, undefined);
  assert.deepEqual(heard, [{ type: "choke" }]);
  assert.deepEqual(recorder.heard, []);
});

test("WIR-08 a length prefix above the limit is refused at once, before anything follows", () => {
  for (const length of [0xffffffff, 2 ** 31, 16 * 2 ** 20, 2 ** 20 + 1]) {
    const decoder = new WireDecoder(new Recorder());
    assert.deepEqual(decoder.push(rawMessage(length)), { code: "message-too-large", length });
  }
});

test("WIR-08 each kind of long message has its own limit", () => {
  const tooLong: readonly (readonly [number, ...number[]])[] = [
    [262_144 + 2, 5],
    [128 * 1024 + 10, 7],
  ];
  for (const [length, ...rest] of tooLong) {
    const decoder = new WireDecoder(new Recorder());
    assert.deepEqual(decoder.push(rawMessage(length, ...rest)), {
      code: "message-too-large",
      length,
    });
  }
});

test("EXT-03 an extension handshake above 64 KiB is refused at once", () => {
  const decoder = new WireDecoder(new Recorder());

  assert.deepEqual(decoder.push(rawMessage(65_536 + 3, 20, 0)), {
    code: "message-too-large",
    length: 65_537,
  });
});

test("WIR-10 unknown ids are skipped, whatever their length", () => {
  const recorder = new Recorder();
  const decoder = new WireDecoder(recorder);

  pushInParts(
    decoder,
    concatBytes([
      rawMessage(1, 100),
      rawMessage(5, 21, 1, 2, 3, 4),
      rawMessage(100_001, 250),
      new Uint8Array(100_000),
      encodeMessage({ type: "choke" }),
    ]),
    [1000],
  );

  assert.deepEqual(recorder.heard, [{ message: { type: "choke" } }]);
});

test("WIR-11 messages of a known id and an impossible length are refused", () => {
  const cases: readonly (readonly [id: number, length: number])[] = [
    [0, 2],
    [1, 2],
    [2, 5],
    [3, 2],
    [4, 4],
    [4, 1],
    [6, 12],
    [6, 14],
    [7, 1],
    [7, 8],
    [8, 12],
    [13, 1],
    [14, 2],
    [15, 2],
    [16, 14],
    [17, 6],
    [20, 1],
  ];
  for (const [id, length] of cases) {
    const decoder = new WireDecoder(new Recorder());
    assert.deepEqual(
      decoder.push(rawMessage(length, id)),
      { code: "bad-length", id, length },
      `id ${id}, length ${length}`,
    );
  }
});

test("WIR-20 requests of 0 and of more than 128 KiB are refused, 1 and 16,385 are not", () => {
  for (const [length, isRefused] of [
    [0, true],
    [1, false],
    [16_385, false],
    [131_072, false],
    [131_073, true],
    [0xffffffff, true],
  ] as const) {
    const recorder = new Recorder();
    const requested = { pieceIndex: 0, begin: 0, length };
    const violation = new WireDecoder(recorder).push(encodeRequests([requested]));

    assert.deepEqual(violation, isRefused ? { code: "bad-length", id: 6, length } : undefined);
    assert.deepEqual(recorder.heard, isRefused ? [] : [{ requests: [requested] }]);
  }
});

test("WIR-26 a block of 0 bytes is refused", () => {
  const decoder = new WireDecoder(new Recorder());

  assert.deepEqual(decoder.push(encodeBlock(0, 0, new Uint8Array(0))), {
    code: "bad-length",
    id: 7,
    length: 9,
  });
});

test("WIR-33 port messages of another length are skipped", () => {
  const recorder = new Recorder();

  new WireDecoder(recorder).push(
    concatBytes([
      rawMessage(2, 9, 7),
      rawMessage(1, 9),
      encodeMessage({ type: "port", port: 6881 }),
    ]),
  );

  assert.deepEqual(recorder.heard, [{ message: { type: "port", port: 6881 } }]);
});
