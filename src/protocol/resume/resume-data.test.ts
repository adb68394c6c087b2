import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { describe, test } from "node:test";
import { makeContent } from "../../../test/support/made-content.ts";
import { Bitfield } from "../../base/bitfield.ts";
import { encodeBencode } from "../bencode/encode.ts";
import {
  claimedPieces,
  encodeResumeData,
  parseResumeData,
  type ResumeData,
  type ResumeFields,
} from "./resume-data.ts";
import { type ContentNow, resumeTrust } from "./resume-trust.ts";

const sha1 = (bytes: Uint8Array): Uint8Array => new Uint8Array(hash("sha1", bytes, "buffer"));

const { info } = makeContent({
  pieceLength: 16 * 1024,
  files: [
    { path: "one", length: 40_000 },
    { path: "pad", length: 9152, isPad: true },
    { path: "two", length: 20_000 },
    { path: "empty", length: 0 },
  ],
});

const fields: ResumeFields = {
  info: info.raw,
  phase: "durable",
  boot: "boot-1",
  pieces: Bitfield.full(info.geometry.pieceCount).toBytes(),
  files: [
    { size: 40_000, mtimeMicros: 1_700_000_000_123_456 },
    { size: 20_000, mtimeMicros: 1_700_000_000_000_000 },
    { size: 0, mtimeMicros: 5 },
  ],
  announceTiers: [["http://a/announce", "udp://b:1"], ["http://c/announce"]],
  webSeeds: ["http://d/"],
};
const bytes = encodeResumeData(fields, sha1);

function parsed(data: Uint8Array): ResumeData {
  const result = parseResumeData(data, sha1);
  assert.ok(result.ok);
  return result.value;
}

const codeOf = (data: Uint8Array): string => {
  const result = parseResumeData(data, sha1);
  return result.ok ? "ok" : result.code;
};

describe("resume data", () => {
  test("comes back as it was", () => {
    const files = [...fields.files.slice(1), undefined];
    for (const data of [fields, { ...fields, phase: "open", boot: "", files } as const]) {
      const { infoHash, ...rest } = parsed(encodeResumeData(data, sha1));
      assert.equal(infoHash, info.infoHash);
      assert.deepEqual(
        { ...rest, info: Buffer.from(rest.info), pieces: Buffer.from(rest.pieces) },
        {
          ...data,
          info: Buffer.from(data.info),
          pieces: Buffer.from(data.pieces),
        },
      );
    }
  });

  for (const [what, data] of [
    ["empty", ""],
    ["one byte", "d"],
    ["not bencoding", "hello"],
    ["a number", "i1e"],
    ["without a version", "d4:body2:de4:sha10:e"],
    ["of version 0", "d4:body2:de4:sha10:7:versioni0ee"],
    ["without a body", "d7:versioni1ee"],
  ] as const) {
    test(`RES-01 ${what}`, () => assert.equal(codeOf(Buffer.from(data, "latin1")), "RESUME_BAD"));
  }

  test("RES-02 truncated at every byte", () => {
    for (let length = 0; length < bytes.length; length++) {
      assert.equal(codeOf(bytes.subarray(0, length)), "RESUME_BAD");
    }
  });

  test("RES-03 of a newer version, whatever else it holds", () => {
    assert.equal(codeOf(Buffer.from("d7:versioni2ee")), "RESUME_VERSION");
    assert.equal(codeOf(Buffer.from("d4:bodyi1e7:versioni99ee")), "RESUME_VERSION");
  });

  test("RES-10 a bit flipped anywhere in the body or the checksum", () => {
    for (let i = 6; i < bytes.length - "7:versioni1ee".length; i++) {
      const damaged = bytes.slice();
      damaged[i] = (damaged[i] as number) ^ 1;
      assert.equal(codeOf(damaged), "RESUME_BAD", `byte ${i}`);
    }
  });

  test("RES-10 fields that are missing or of another type, under a right checksum", () => {
    const good = { announce: [], boot: "", files: [], info: { a: 1 }, pieces: "", webseeds: [] };
    const wrap = (body: Parameters<typeof encodeBencode>[0]): Uint8Array => {
      const encoded = encodeBencode(body);
      return encodeBencode({ body: encoded, sha1: sha1(encoded), version: 1 });
    };
    assert.equal(codeOf(wrap({ ...good, phase: "open" })), "ok");
    for (const bad of [
      [],
      good,
      { ...good, phase: "clean" },
      { ...good, phase: "open", info: "text" },
      { ...good, phase: "open", files: [1] },
      { ...good, phase: "open", files: [[1]] },
      { ...good, phase: "open", files: [[1, "x"]] },
      { ...good, phase: "open", files: [[1, 2, 3]] },
      { ...good, phase: "open", announce: ["x"] },
      { ...good, phase: "open", webseeds: [Uint8Array.of(0xff)] },
    ]) {
      assert.equal(codeOf(wrap(bad)), "RESUME_BAD");
    }
  });

  test("RES-05 too many bits are ignored, and missing ones are pieces that are missing", () => {
    const claim = (pieces: Uint8Array) => [
      ...claimedPieces(parsed(encodeResumeData({ ...fields, pieces }, sha1)), 5),
    ];
    assert.deepEqual(claim(new Uint8Array(9).fill(255)), [0, 1, 2, 3, 4]);
    assert.deepEqual(claim(Uint8Array.of(0b1011_1111)), [0, 2, 3, 4]);
    assert.deepEqual(claim(new Uint8Array(0)), []);
  });
});

describe("what resume data is believed", () => {
  const now: ContentNow = { files: fields.files, boot: "boot-2" };
  const [one, two, empty] = fields.files;
  const touched = { size: 20_000, mtimeMicros: 7 };
  const all = [0, 1, 2, 3, 4];
  const cases: readonly {
    readonly what: string;
    readonly saved?: Partial<ResumeFields>;
    readonly now?: Partial<ContentNow>;
    readonly trusted: readonly number[];
    readonly doubtful: readonly number[];
  }[] = [
    { what: "nothing changed", trusted: all, doubtful: [] },
    {
      what: "RES-08 it was still being written",
      saved: { phase: "open" },
      now: { boot: "boot-1" },
      trusted: [],
      doubtful: all,
    },
    {
      what: "not on the disk for certain, and the system restarted",
      saved: { phase: "closed" },
      trusted: [],
      doubtful: all,
    },
    {
      what: "not on the disk for certain, but the system still runs",
      saved: { phase: "closed" },
      now: { boot: "boot-1" },
      trusted: all,
      doubtful: [],
    },
    {
      what: "not on the disk for certain, and nobody knows whether the system restarted",
      saved: { phase: "closed", boot: "" },
      now: { boot: "" },
      trusted: [],
      doubtful: all,
    },
    {
      what: "RES-09 a file was modified",
      now: { files: [one, touched, empty] },
      trusted: [0, 1, 2],
      doubtful: [3, 4],
    },
    {
      what: "RES-06 a file is gone",
      now: { files: [undefined, two, empty] },
      trusted: [3, 4],
      doubtful: [0, 1, 2],
    },
    {
      what: "RES-07 a file is shorter",
      now: { files: [one, { size: 19_999, mtimeMicros: 1_700_000_000_000_000 }, empty] },
      trusted: [0, 1, 2],
      doubtful: [3, 4],
    },
    {
      what: "RES-07 a file was short already, and more is claimed",
      saved: { files: [{ size: 16_384, mtimeMicros: 1 }, two, empty] },
      now: { files: [{ size: 16_384, mtimeMicros: 1 }, two, empty] },
      trusted: [0, 3, 4],
      doubtful: [1, 2],
    },
    {
      what: "it speaks of another number of files",
      saved: { files: [one] },
      trusted: [],
      doubtful: all,
    },
  ];
  for (const each of cases) {
    test(each.what, () => {
      const resume = parsed(encodeResumeData({ ...fields, ...each.saved }, sha1));
      const trust = resumeTrust(resume, info, { ...now, ...each.now });
      assert.deepEqual([...trust.trusted], each.trusted);
      assert.deepEqual([...trust.doubtful], each.doubtful);
    });
  }

  test("what is not claimed is not there, and need not be hashed", () => {
    const pieces = Uint8Array.of(0b0100_0000);
    const resume = parsed(encodeResumeData({ ...fields, pieces }, sha1));
    const trust = resumeTrust(resume, info, now);
    assert.deepEqual([...trust.trusted], [1]);
    assert.ok(trust.doubtful.isEmpty);
  });
});
