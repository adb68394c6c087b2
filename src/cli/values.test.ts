/** Tests of the numbers that people write. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { InvalidArgumentError } from "commander";
import {
  parseDuration,
  parseHostPort,
  parseInstant,
  parsePieceLength,
  parsePort,
  parseRate,
  parseSize,
} from "./values.ts";

function accepts(parse: (text: string) => number, cases: Readonly<Record<string, number>>): void {
  for (const [text, expected] of Object.entries(cases)) {
    test(`${text} is ${expected}`, () => assert.equal(parse(text), expected));
  }
}

function refuses(parse: (text: string) => unknown, texts: readonly string[]): void {
  test(`CLI-13 ${parse.name} refuses ${texts.join(" | ")}`, () => {
    for (const text of texts) assert.throws(() => parse(text), InvalidArgumentError, text);
  });
}

const NOT_NUMBERS = [
  "",
  " ",
  "-1",
  "NaN",
  "Infinity",
  "1e400",
  "0x10",
  "1,5",
  "1.5.2",
  "9".repeat(40),
];

describe("parseSize", () => {
  accepts(parseSize, {
    "0": 0,
    "4096": 4096,
    "64k": 64_000,
    "64K": 64_000,
    "64Ki": 65_536,
    "1.5M": 1_500_000,
    "1.5GiB": 1_610_612_736,
    "2TB": 2e12,
  });
  refuses(parseSize, [...NOT_NUMBERS, "5X", "k", "1 M", "100Mbit", "9007199254740993", "99999T"]);
});

describe("parseRate", () => {
  accepts(parseRate, {
    "500k": 500_000,
    "2Mi": 2_097_152,
    "10M/s": 10_000_000,
    "100Mbit": 12_500_000,
    "1.5Gbit/s": 187_500_000,
    "8bit": 1,
  });
  refuses(parseRate, [...NOT_NUMBERS, "0", "7bit", "100MBit", "100Mibit", "bit", "1M/h"]);
});

describe("parsePort", () => {
  accepts(parsePort, { "0": 0, "6881": 6881, "65535": 65_535 });
  refuses(parsePort, [...NOT_NUMBERS, "65536", "80.5", "http"]);
});

describe("parseDuration", () => {
  accepts(parseDuration, {
    "0": 0,
    "90": 90_000,
    "1.5s": 1500,
    "5m": 300_000,
    "2h": 7_200_000,
    "7d": 604_800_000,
  });
  refuses(parseDuration, [...NOT_NUMBERS, "5y", "s", "1h30m", "99999999d"]);
});

describe("parseInstant", () => {
  test("takes days and times, of this machine's zone unless they name one", () => {
    assert.equal(parseInstant("2026-12-31"), new Date(2026, 11, 31).toISOString());
    assert.equal(parseInstant("2026-12-31T18:00"), new Date(2026, 11, 31, 18).toISOString());
    assert.equal(parseInstant("2026-12-31T18:00Z"), "2026-12-31T18:00:00.000Z");
    assert.equal(parseInstant("2026-12-31T18:00:01.5+01:00"), "2026-12-31T17:00:01.500Z");
    assert.equal(parseInstant("2028-02-29T00:00Z"), "2028-02-29T00:00:00.000Z");
  });
  refuses(parseInstant, [
    "",
    "now",
    "2026-02-29",
    "2026-13-01",
    "2026-12-31T25:00",
    "2026-12-31 18:00",
  ]);
});

describe("parsePieceLength", () => {
  accepts(parsePieceLength, { "16384": 16_384, "256Ki": 262_144, "64Mi": 67_108_864 });
  refuses(parsePieceLength, [...NOT_NUMBERS, "0", "8Ki", "48Ki", "100k", "128Mi"]);
});

describe("parseHostPort", () => {
  test("takes names, IPv4 and bracketed IPv6 addresses", () => {
    assert.deepEqual(parseHostPort("example.org:6881"), { host: "example.org", port: 6881 });
    assert.deepEqual(parseHostPort("192.0.2.1:1"), { host: "192.0.2.1", port: 1 });
    assert.deepEqual(parseHostPort("[2001:db8::1]:65535"), { host: "2001:db8::1", port: 65_535 });
  });
  refuses(parseHostPort, ["", "host", "host:", ":1", "host:0", "host:65536", "::1:80", "a b:1"]);
});
