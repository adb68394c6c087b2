/** Tests of text for people. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  escapeForTerminal,
  formatBytes,
  formatPieceLength,
  formatSeconds,
  formatTable,
  jsonLine,
} from "./text.ts";

describe("escapeForTerminal", () => {
  const cases: readonly [string, string, string][] = [
    ["CLI-12 an escape sequence", "a\u001b[2Jb", "a\\x1b[2Jb"],
    ["CLI-12 C1, DEL and a carriage return", "\u009b1m\u007f\r", "\\x9b1m\\x7f\\x0d"],
    ["TOR-19 a NUL and a bell", "a\u0000b\u0007", "a\\x00b\\x07"],
    ["TOR-19 marks that turn text round", "gpj\u202e.exe\u2066", "gpj\\u202e.exe\\u2066"],
    ["keeps tabs, newlines and other languages", "a\tb\n日本語 é", "a\tb\n日本語 é"],
  ];
  for (const [name, text, expected] of cases) {
    test(name, () => assert.equal(escapeForTerminal(text), expected));
  }
});

test("jsonLine is one line that parses back and holds nothing a terminal acts on", () => {
  const value = { name: "a\u001b[2J\u009b\u202e\nb" };

  const line = jsonLine(value);

  assert.deepEqual(JSON.parse(line), value);
  assert.match(line, /^[\u0020-\u007e]*$/);
});

describe("formatBytes", () => {
  const cases: readonly [number, string][] = [
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.00 kB"],
    [9_994, "9.99 kB"],
    [9_996, "10.0 kB"],
    [99_960, "100 kB"],
    [999_499, "999 kB"],
    [999_500, "1.00 MB"],
    [2_930_000_000, "2.93 GB"],
    [Number.MAX_SAFE_INTEGER, "9.01 PB"],
  ];
  for (const [bytes, expected] of cases) {
    test(`${bytes} is ${expected}`, () => assert.equal(formatBytes(bytes), expected));
  }
});

test("formatSeconds", () => {
  assert.deepEqual([0, 0.41, 9.96, 59.4, 59.6, 125, 12_005, 183_600].map(formatSeconds), [
    "0 s",
    "0.4 s",
    "10 s",
    "59 s",
    "1:00",
    "2:05",
    "3:20:05",
    "2 d 3 h",
  ]);
});

test("formatTable aligns columns, escapes cells and leaves no trailing spaces", () => {
  const text = formatTable(
    ["NAME", "SIZE"],
    [
      ["debian", "1"],
      ["a\u001bb\nc", "22"],
    ],
  );

  assert.equal(text, "NAME       SIZE\ndebian     1\na\\x1bb\\nc  22");
});

test("formatPieceLength", () => {
  assert.deepEqual([2 ** 22, 2 ** 18, 1500].map(formatPieceLength), ["4 MiB", "256 KiB", "1500 B"]);
});
