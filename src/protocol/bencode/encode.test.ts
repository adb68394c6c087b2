import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { latin1, latin1Bytes } from "../../base/bytes.ts";
import { BtPublisherError, unwrap } from "../../base/errors.ts";
import { decodeBencode } from "./decode.ts";
import { Bencoded, type BencodeInput, encodeBencode } from "./encode.ts";
import { BencodeDictionary, BencodeList, type BencodeValue } from "./value.ts";

const encode = (input: BencodeInput): string => latin1(encodeBencode(input));

test("encodes every kind of value", () => {
  assert.equal(encode("Grüße"), "7:Gr\xc3\xbc\xc3\x9fe");
  assert.equal(encode(Uint8Array.of(0, 255)), "2:\x00\xff");
  assert.equal(encode([1, ["a"], {}, []]), "li1el1:aedelee");
  assert.equal(encode(-7), "i-7e");
  assert.equal(encode(18446744073709551615n), "i18446744073709551615e");
  assert.equal(
    encode({ info: new Bencoded(latin1Bytes("d1:bi1e1:ai2ee")) }),
    "d4:infod1:bi1e1:ai2eee",
  );
});

test("sorts keys by their raw bytes, wherever they come from", () => {
  assert.equal(encode({ b: 1, a: 2, B: 3 }), "d1:Bi3e1:ai2e1:bi1ee");
  assert.equal(encode({ "\u{10000}": 1, "\uff61": 2 }), "d3:\xef\xbd\xa1i2e4:\xf0\x90\x80\x80i1ee");
  const binary = new Map([
    [Uint8Array.of(255), 1],
    [Uint8Array.of(128, 0), 2],
  ]);
  assert.equal(encode(binary), "d2:\x80\x00i2e1:\xffi1ee");
  assert.equal(encode(unwrap(decodeBencode(latin1Bytes("d1:b0:1:a0:e")))), "d1:a0:1:b0:e");
});

test("keeps long strings and what stands around them in order", () => {
  const long = "x".repeat(5000);
  const list = Array.from({ length: 40 }, (_, i) => (i % 3 === 0 ? long : `short ${i}`));
  const decoded = unwrap(decodeBencode(encodeBencode(list)));
  assert.deepEqual(
    [...(decoded as BencodeList)].map((v) => latin1(v as Uint8Array)),
    list,
  );
});

/** What types forbid, and JavaScript may bring all the same. */
const circle: unknown[] = [];
circle.push(circle);
const impossible: readonly (readonly [string, unknown])[] = [
  ["undefined", undefined],
  ["undefined in a list", [1, undefined]],
  ["undefined in a dictionary", { a: undefined }],
  ["null", null],
  ["NaN", Number.NaN],
  ["1.5", 1.5],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["2^53", 2 ** 53],
  ["a bigint of 21 digits", 10n ** 20n],
  ["a circle", circle],
  ["a function", () => 1],
  ["a symbol", Symbol("s")],
  ["true", true],
  ["a Date", new Date(0)],
  [
    "a key twice",
    new Map<unknown, number>([
      ["a", 1],
      [Uint8Array.of(97), 2],
    ]),
  ],
];

for (const [name, input] of impossible) {
  test(`BEN-22 ${name} cannot be encoded`, () => {
    assert.throws(
      () => encodeBencode(input as BencodeInput),
      (error) => error instanceof BtPublisherError && error.code === "BENC_ENCODE",
    );
  });
}

test("BEN-23 -0", () => {
  assert.equal(encode(-0), "i0e");
});

/** A decoded value as plain data, to compare with what went in. */
function plain(value: BencodeValue): unknown {
  if (value instanceof Uint8Array) return latin1(value);
  if (value instanceof BencodeList) return Array.from(value, plain);
  if (value instanceof BencodeDictionary) {
    return new Map(Array.from(value.entries(), ([key, inner]) => [latin1(key), plain(inner)]));
  }
  return value;
}

const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 5 },
    fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) }),
    fc.maxSafeInteger(),
    fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n }),
    fc.array(tie("tree")),
    fc
      .uniqueArray(fc.tuple(fc.string({ maxLength: 3 }).map(ascii), tie("tree")), {
        selector: ([key]) => key,
      })
      .map((entries) => new Map(entries)),
  ),
}));

function ascii(text: string): string {
  return text.replace(/[^ -~]/g, "?");
}

function toInput(value: unknown): BencodeInput {
  if (typeof value === "string") return latin1Bytes(value);
  if (Array.isArray(value)) return value.map(toInput);
  if (value instanceof Map) {
    return new Map(Array.from(value, ([key, inner]) => [key as string, toInput(inner)]));
  }
  return value as number | bigint;
}

test("any value survives encoding and strict decoding", () => {
  fc.assert(
    fc.property(tree, (value) => {
      const bytes = encodeBencode(toInput(value));
      const decoded = unwrap(decodeBencode(bytes, { isStrict: true }));
      assert.deepEqual(plain(decoded), value);
      assert.deepEqual(encodeBencode(decoded), bytes);
    }),
    { numRuns: 300 },
  );
});

test("any bytes decode to an error or a value that reads and encodes", () => {
  const pieces = fc.constantFrom(
    "d",
    "l",
    "e",
    "i1e",
    "i-",
    "0:",
    "1:a",
    "1:b",
    "3:",
    "\n",
    "\xff",
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 20 }), (parts) => {
      const result = decodeBencode(latin1Bytes(parts.join("")));
      if (!result.ok) return;
      const canonical = encodeBencode(result.value);
      assert.deepEqual(
        encodeBencode(unwrap(decodeBencode(canonical, { isStrict: true }))),
        canonical,
      );
    }),
    { numRuns: 5000 },
  );
});
