import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { latin1Bytes, utf8Bytes } from "../../base/bytes.ts";
import { checkPath, type NameRules, sanitizeName } from "./safe-path.ts";

/** Rows: raw name (one character per byte unless beyond), on POSIX, on Windows if it differs. */
type Row = readonly [name: string, posix: string | undefined, windows?: string | undefined];

function sanitize(name: string, rules: NameRules): string | undefined {
  const isBytes = Array.from(name).every((character) => character < "\u0100");
  return sanitizeName(isBytes ? latin1Bytes(name) : utf8Bytes(name), rules);
}

function table(id: string, rows: readonly Row[]): void {
  for (const row of rows) {
    const [name, posix, windows = posix] = row;
    test(`${id} ${JSON.stringify(name.slice(0, 30))}`, () => {
      assert.equal(sanitize(name, "posix"), posix);
      assert.equal(sanitize(name, "windows"), row.length === 3 ? row[2] : windows);
    });
  }
}

/** Any text, with control characters and halves of surrogate pairs. */
const anyText = fc
  .array(fc.nat(0xffff), { maxLength: 30 })
  .map((units) => String.fromCharCode(...units));

describe("sanitizeName", () => {
  table("keeps", [
    ["a.txt", "a.txt"],
    ["a...b", "a...b"],
    ["...", "...", undefined],
    [".hidden", ".hidden"],
    ["100% & #1 [x] +'~.txt", "100% & #1 [x] +'~.txt"],
    ["日本語 ☃ 👍.txt", "日本語 ☃ 👍.txt"],
    ["filename=4", "filename=4"],
  ]);
  table("TOR-14", [
    ["..", undefined],
    [".", undefined],
    ["", undefined],
    ["/", undefined],
    ["\\", undefined],
    ["//\\", undefined],
    ["/..", undefined],
    [".\u200b.", undefined],
    ["   ", undefined],
    [". .", ". .", undefined],
  ]);
  table("TOR-15", [
    ["C:\\Windows\\x", "C:Windowsx", "C_Windowsx"],
    ["\\\\host\\share", "hostshare"],
    ["//server/x", "serverx"],
    ["file:///etc/passwd", "file:etcpasswd", "file_etcpasswd"],
    ["../../x", "....x"],
  ]);
  table("TOR-16", [
    ["CON", "CON", "_CON"],
    ["prn.txt", "prn.txt", "_prn.txt"],
    ["AUX", "AUX", "_AUX"],
    ["COM1", "COM1", "_COM1"],
    ["LPT9.log", "LPT9.log", "_LPT9.log"],
    ["NUL", "NUL", "_NUL"],
    ["nul .txt", "nul .txt", "_nul .txt"],
    ["console", "console"],
    ["com10", "com10"],
  ]);
  table("TOR-17", [
    ["abc...", "abc...", "abc"],
    ["abc   ", "abc   ", "abc"],
    ["a. . .", "a. . .", "a"],
  ]);
  table("TOR-18", [
    ["a:b", "a:b", "a_b"],
    ["a?b", "a?b", "a_b"],
    ["a*b", "a*b", "a_b"],
    ["<x>", "<x>", "_x_"],
    ['"x"', '"x"', "_x_"],
    ["a|b", "a|b", "a_b"],
  ]);
  table("TOR-19", [
    ["\b", "_"],
    ["a\x1b[31mb", "a_[31mb"],
    ["foo\x7fbar", "foo_bar"],
    ["foo\xc2\x80\xc2\x9fbar", "foo__bar"],
    ["a\0b\n", "a_b_"],
  ]);
  const deceptive =
    "\u061c\u200b\u200c\u200d\u200e\u200f\u202a\u202e\u2060\u2064\u2066\u2069\ufeff";
  table("TOR-20", [[`foo${deceptive}bar`, "foobar"]]);
  table("TOR-21", [
    ["f\xc0\xae", "f_"],
    ["f\xe0\x80\xae", "f_"],
    ["f\xf0\x80\x80\xae", "f_"],
    ["f\xf8\x9f\x9f\x9f\x9fbar", "f_bar"],
    ["f\xed\xa0\x80", "f_"],
    ["\xc0\xae\xc0\xae", "__"],
    ["\xc0\xaf", "_"],
    ["f\xe2\x9f", "f_"],
    ["f\xff\xfe", "f__"],
  ]);

  test("TOR-23 cuts long names at a character's edge and keeps the extension", () => {
    const tens = "abcdefghi_".repeat(24);
    assert.equal(sanitize(tens, "posix"), tens);
    assert.equal(sanitize(`${tens}abcdefghi_`, "posix"), tens);
    assert.equal(sanitize(`${tens}abcde.test`, "posix"), `${tens}.test`);
    assert.equal(sanitize(`${tens}.no-extension-at-all`, "posix"), tens);
    // libtorrent's vector: the character that passes the limit is kept whole.
    assert.equal(
      sanitize(`${tens.slice(0, 239)}\u2014abcde.jpg`, "posix"),
      `${tens.slice(0, 239)}\u2014.jpg`,
    );
    const emoji = sanitize("👍".repeat(75), "posix") as string;
    assert.equal(emoji, "👍".repeat(60));
    assert.ok(sanitize("\u{10ffff}".repeat(300), "posix")?.isWellFormed());
  });

  test("whatever comes in, what comes out passes as one path element", () => {
    const byte = fc.oneof(
      fc.integer({ min: 0, max: 255 }),
      fc.constantFrom(...Buffer.from("./\\ \x00\u200b..//CON")),
    );
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 600 }), (bytes) => {
        for (const rules of ["posix", "windows"] as const) {
          const name = sanitizeName(Uint8Array.from(bytes), rules);
          if (name === undefined) continue;
          assert.doesNotMatch(name, /[/\\\p{Cc}\p{Cs}]|^\.{0,2}$/u);
          assert.ok(Buffer.byteLength(name) <= 255);
          // Making safe twice changes nothing more.
          assert.equal(sanitizeName(utf8Bytes(name), rules), name);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("checkPath", () => {
  const code = (...path: string[]): string => {
    const result = checkPath(path);
    return result.ok ? "ok" : result.code;
  };

  for (const name of ["a", "a.b", ".a", "日本語 ☃", "a b", "100% & #1 [x] +'~.txt", "...a"]) {
    test(`takes ${name}`, () => {
      assert.equal(code(name), "ok");
    });
  }

  const bad: readonly (readonly [id: string, names: readonly string[]])[] = [
    ["TOR-14", ["", ".", "..", "/", "\\", "   "]],
    ["TOR-15", ["C:\\x", "//server/x", "a/b"]],
    ["TOR-16", ["CON", "prn.txt", "AUX", "com1", "LPT9.log", "NUL", "nul .txt", "CLOCK$"]],
    ["TOR-17", ["a.", "a ", "..."]],
    ["TOR-18", ["a:b", "a?b", "a*b", "<x>", '"x"', "a|b"]],
    ["TOR-19", ["a\u0000", "\u001b[1m", "\u007f", "\u0085"]],
    ["TOR-20", ["a\u202eb", "\ufeffa", "\u2067a", "a\u200d"]],
    ["TOR-21", ["\ud800"]],
    ["TOR-23", ["a".repeat(241), "ü".repeat(121)]],
    ["TOR-31", ["_____padding_file_0_x"]],
  ];
  for (const [id, names] of bad) {
    test(`${id} refuses ${JSON.stringify(names.map((name) => name.slice(0, 12)))}`, () => {
      for (const name of names) {
        assert.equal(code(name), "META_NAME");
        assert.equal(code("dir", name, "file"), "META_NAME");
      }
    });
  }

  test("TOR-22 refuses a path of more than 100 levels", () => {
    assert.equal(code(...Array<string>(100).fill("a")), "ok");
    assert.equal(code(...Array<string>(101).fill("a")), "META_PATH_DEPTH");
    assert.equal(code(), "META_NAME");
  });

  test("TOR-24 refuses a path of more than 4096 bytes", () => {
    assert.equal(code(...Array<string>(20).fill("a".repeat(200))), "ok");
    assert.equal(code(...Array<string>(21).fill("a".repeat(200))), "META_PATH_LONG");
  });

  test("the message shows what cannot be seen, and not all of a long name", () => {
    const messageOf = (name: string): string => {
      const result = checkPath([name]);
      return result.ok ? "" : result.message;
    };
    assert.match(messageOf("a\u202e\u0085"), /^the name "a\\u\{202e\}\\u\{85\}" has a control/);
    assert.match(messageOf("b\ud800"), /^the name "b\\ud800" has/);
    assert.ok(messageOf("c".repeat(1_000_000)).length < 300);
  });

  test("takes only names that the lenient reader leaves alone", () => {
    fc.assert(
      fc.property(anyText, (name) => {
        if (!checkPath([name]).ok) return;
        assert.equal(sanitizeName(utf8Bytes(name), "posix"), name);
        assert.equal(sanitizeName(utf8Bytes(name), "windows"), name);
      }),
      { numRuns: 500 },
    );
  });
});
