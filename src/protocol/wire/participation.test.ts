/** What our peers and SourceNodes tell each other, and what of it is ignored. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { latin1Bytes } from "../../base/bytes.ts";
import { type BencodeInput, encodeBencode } from "../bencode/encode.ts";
import {
  encodeFloorChange,
  encodePeerReport,
  type FloorChange,
  MAX_RANGES,
  parseParticipationMessage,
  type PeerReport,
} from "./participation.ts";

const PIECES = 1000;
const parse = (value: BencodeInput) => parseParticipationMessage(encodeBencode(value), PIECES);

const amount = fc.integer({ min: 0, max: 2 ** 53 - 1 });
const plain = { noNullPrototype: true };
const partners = fc.record({ sources: amount, ownPeers: amount, otherPeers: amount }, plain);
const someReport: fc.Arbitrary<PeerReport> = fc.record(
  {
    downloaded: partners,
    uploaded: partners,
    downRate: amount,
    upRate: amount,
    neighbours: amount,
    downlink: amount,
    uplink: amount,
    downLimit: amount,
    leavesWhenDone: fc.boolean(),
  },
  plain,
);
const range = fc
  .tuple(fc.integer({ min: 0, max: PIECES - 1 }), fc.integer({ min: 1, max: PIECES }))
  .map(([first, count]) => ({ first, count: Math.min(count, PIECES - first) }));
const ranges = fc.array(range, { maxLength: MAX_RANGES / 2 });
const someChange: fc.Arbitrary<FloorChange> = fc.record(
  { isFresh: fc.boolean(), below: ranges, enough: ranges },
  plain,
);

test("reports and changes survive encoding and parsing", () => {
  fc.assert(
    fc.property(someReport, (report) => {
      const payload = encodePeerReport(report);
      assert.deepEqual(parseParticipationMessage(payload, PIECES), { type: "report", report });
    }),
  );
  fc.assert(
    fc.property(someChange, (change) => {
      const payload = encodeFloorChange(change);
      assert.deepEqual(parseParticipationMessage(payload, PIECES), { type: "floor", change });
    }),
  );
});

test("the largest change is not too large to be read", () => {
  const range = { first: 2 ** 31 - 2, count: 1 };
  const below = Array.from({ length: MAX_RANGES }, () => range);
  const change: FloorChange = { isFresh: true, below, enough: [] };
  const parsed = parseParticipationMessage(encodeFloorChange(change), 2 ** 31);
  assert.deepEqual(parsed, { type: "floor", change });
});

test("another version, an unknown type and what is missing are ignored", () => {
  const floor = { msg_type: 1, v: 1, below: [], enough: [] };
  assert.equal(parse(floor)?.type, "floor");
  assert.equal(parse({ ...floor, v: 2 }), undefined);
  assert.equal(parse({ ...floor, msg_type: 9 }), undefined);
  assert.equal(parse({ msg_type: 1, v: 1, below: [] }), undefined);
  assert.equal(parse({ msg_type: 0, v: 1, up: [0, 0], down: [0, 0, 0] }), undefined);
  assert.equal(parse(["report"]), undefined);
  assert.equal(parseParticipationMessage(latin1Bytes("nonsense"), PIECES), undefined);
});

test("ranges outside the torrent, odd lists and numbers that are none are ignored", () => {
  const lists: BencodeInput[] = [
    [0],
    [0, 0],
    [0, PIECES + 1],
    [PIECES, 1],
    [-1, 1],
    ["0", "1"],
    [2n ** 63n, 1],
    [2 ** 53 - 1, 2 ** 53 - 1],
  ];
  for (const below of lists)
    assert.equal(parse({ msg_type: 1, v: 1, below, enough: [] }), undefined);
});

test("a message that is too large, or has too many ranges, is ignored", () => {
  const below = Array.from({ length: 4 * MAX_RANGES }, () => [0, 1]).flat();
  assert.equal(parse({ msg_type: 1, v: 1, below, enough: [] }), undefined);
  assert.equal(parse({ msg_type: 1, v: 1, below: [], enough: [], x: "x".repeat(9000) }), undefined);
});

test("negative amounts of a report read as nothing", () => {
  const parsed = parse({ msg_type: 0, v: 1, up: [0, 0, 0], down: [0, 0, 0], limit: -5, peers: -1 });
  assert.equal(parsed?.type === "report" && parsed.report.downLimit, 0);
  assert.equal(parsed?.type === "report" && parsed.report.neighbours, 0);
});

test("random payloads never throw", () => {
  const byte = fc.constantFrom(..."dlei0123456789:-vbelowmsg_type".split(""));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      parseParticipationMessage(bytes, PIECES);
    }),
  );
  fc.assert(
    fc.property(fc.array(byte, { maxLength: 200 }), (letters) => {
      parseParticipationMessage(latin1Bytes(letters.join("")), PIECES);
    }),
  );
});
