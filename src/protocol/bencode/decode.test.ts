import assert from "node:assert/strict";
import { test } from "node:test";
import { AssertionError } from "../../base/assert.ts";
import { latin1, latin1Bytes, toHex, utf8Bytes } from "../../base/bytes.ts";
import { createRandom } from "../../base/random.ts";
import { type DecodeOptions, decodeBencode, decodeBencodePrefix } from "./decode.ts";
import { encodeBencode } from "./encode.ts";
import { BencodeDictionary, type BencodeList, type BencodeValue } from "./value.ts";

/** `text` has one character per byte. */
function decode(text: string, options?: DecodeOptions): BencodeValue {
  const result = decodeBencode(latin1Bytes(text), options);
  assert.ok(result.ok, result.ok ? "" : result.message);
  return result.value;
}

function codeOf(input: string | Uint8Array, options?: DecodeOptions): string {
  const bytes = typeof input === "string" ? latin1Bytes(input) : input;
  const result = decodeBencode(bytes, options);
  return result.ok ? "ok" : result.code;
}

function dictionary(text: string): BencodeDictionary {
  const value = decode(text);
  assert.ok(value instanceof BencodeDictionary);
  return value;
}

/** A good torrent of 142 bytes, whose piece hashes are letters. */
const torrent =
  "d8:announce22:http://t.example/a?k=x7:comment7:a b c d" +
  "4:infod6:lengthi5e4:name7:abc.txt12:piece lengthi16384e6:pieces20:aaaaaaaaaaaaaaaaaaaaee";

test("decodes integers, strings, lists and dictionaries", () => {
  assert.equal(decode("i0e"), 0);
  assert.equal(decode("i-42e"), -42);
  assert.deepEqual(decode("4:spam"), latin1Bytes("spam"));
  assert.deepEqual(decode("0:"), new Uint8Array());
  assert.deepEqual([...(decode("l4:spami3elee") as BencodeList)].slice(0, 2), [
    latin1Bytes("spam"),
    3,
  ]);
  assert.deepEqual(
    [...dictionary("d3:cow3:moo4:spami7ee").entries()],
    [
      [latin1Bytes("cow"), latin1Bytes("moo")],
      [latin1Bytes("spam"), 7],
    ],
  );
});

test("reads dictionary values by type, and another type as absent", () => {
  const value = dictionary("d1:ai5e1:b4:text1:c1:\xff1:dli1ee1:ed1:xi9eee");
  assert.equal(value.getInteger("a"), 5);
  assert.equal(value.getInteger("b"), undefined);
  assert.equal(value.getText("b"), "text");
  assert.equal(value.getText("c"), undefined);
  assert.deepEqual(value.getBytes("c"), Uint8Array.of(255));
  assert.deepEqual([...(value.getList("d") ?? [])], [1]);
  assert.equal(value.getDictionary("e")?.getInteger("x"), 9);
  assert.equal(value.getDictionary("d"), undefined);
  assert.equal(value.getList("e"), undefined);
  assert.equal(value.getBytes("a"), undefined);
  assert.equal(value.get("f"), undefined);
  assert.ok(value.has("a"));
  assert.ok(!value.has("aa"));
});

test("gives the raw bytes of any value of a dictionary", () => {
  const value = dictionary("d1:ad1:xl1:y1:zee1:bi-5e1:c2:\x00\xffe");
  assert.equal(latin1(value.rawOf("a") as Uint8Array), "d1:xl1:y1:zee");
  assert.equal(latin1(value.rawOf("b") as Uint8Array), "i-5e");
  assert.equal(latin1(value.rawOf("c") as Uint8Array), "2:\x00\xff");
  assert.equal(value.rawOf("d"), undefined);
});

test("finds values behind nested containers of every shape", () => {
  const value = dictionary(
    ["d1:alleledee", "1:bd1:xllee1:yd1:zi7eee", "1:cldeled1:qleei3ee", "1:di1ee"].join(""),
  );
  assert.equal([...value.entries()].map(([key]) => latin1(key)).join(""), "abcd");
  assert.equal(value.getDictionary("b")?.getDictionary("y")?.getInteger("z"), 7);
  assert.equal([...(value.getList("c") ?? [])].length, 4);
  assert.equal(value.getInteger("d"), 1);
});

test("takes a Buffer for plain bytes, and copies nothing", () => {
  const buffer = Buffer.from("xx4:spamyy").subarray(2, 8);
  const result = decodeBencode(buffer);
  assert.ok(result.ok);
  assert.equal(Object.getPrototypeOf(result.value), Uint8Array.prototype);
  assert.equal((result.value as Uint8Array).buffer, buffer.buffer);
});

test("bytes that change after they were decoded are noticed", () => {
  const bytes = latin1Bytes("d1:a1:be");
  const result = decodeBencode(bytes);
  assert.ok(result.ok);
  bytes.fill(0x31);
  assert.throws(() => (result.value as BencodeDictionary).get("a"), AssertionError);
});

test("decodes a prefix and tells where it ends", () => {
  const result = decodeBencodePrefix(latin1Bytes("d8:msg_typei1e5:piecei0eeDATA"));
  assert.ok(result.ok);
  assert.equal(result.value.end, 25);
  assert.equal((result.value.value as BencodeDictionary).getInteger("msg_type"), 1);
});

test("BEN-01 empty buffer", () => {
  assert.equal(codeOf(""), "BENC_EMPTY");
});

test("BEN-02 trailing bytes after the value", () => {
  assert.equal(codeOf("i1ei2e"), "BENC_TRAILING");
  assert.equal(codeOf("i1e\n"), "BENC_TRAILING");
});

test("BEN-03 1024 nested lists", () => {
  const nested = (depth: number): string => "l".repeat(depth) + "e".repeat(depth);
  assert.equal(codeOf(nested(1024)), "BENC_DEPTH");
  assert.equal(codeOf(nested(101)), "BENC_DEPTH");
  assert.equal(codeOf(nested(100)), "ok");
  assert.equal(codeOf(nested(9), { maxDepth: 8 }), "BENC_DEPTH");
});

test("BEN-04 five million nested dictionaries", () => {
  assert.equal(codeOf(new Uint8Array(20_000_000).fill(0x64)), "BENC_SYNTAX");
  assert.equal(codeOf(Buffer.alloc(20_000_000, "d1:a")), "BENC_DEPTH");
});

test("BEN-05 a list of four million strings", () => {
  const bytes = Buffer.alloc(8_000_002, "0:");
  bytes.copyWithin(1, 0);
  bytes[0] = 0x6c;
  bytes[bytes.length - 1] = 0x65;
  assert.equal(codeOf(bytes), "BENC_TOKENS");
  assert.equal(codeOf("l0:0:e", { maxTokens: 2 }), "BENC_TOKENS");
  assert.equal(codeOf("l0:0:e", { maxTokens: 3 }), "ok");
  assert.equal(codeOf("d1:a0:e", { maxTokens: 2 }), "BENC_TOKENS");
});

test("BEN-06 a string longer than any input", () => {
  assert.equal(codeOf("2147483648:0123456789"), "BENC_TRUNCATED");
});

test("BEN-07 a string length of 10,000 digits", () => {
  const result = decodeBencode(latin1Bytes(`${"9".repeat(10_000)}:a`));
  assert.ok(!result.ok);
  assert.equal(result.code, "BENC_LENGTH");
  assert.match(result.message, /at byte 16$/);
  assert.equal(codeOf(`${"0".repeat(10_000)}:`), "BENC_LENGTH");
});

test("BEN-08 an integer of a million digits", () => {
  assert.equal(codeOf(`i${"7".repeat(1_000_000)}e`), "BENC_INT_RANGE");
  assert.equal(codeOf(`i-${"7".repeat(21)}e`), "BENC_INT_RANGE");
  assert.equal(decode(`i-${"7".repeat(20)}e`), BigInt(`-${"7".repeat(20)}`));
});

for (const text of ["i 5e", "i+5e", "i5 e", "i1.0e", "li1e3ee", "ie", "i-e", "i--1e"]) {
  test(`BEN-09 not an integer: ${text}`, () => {
    assert.match(codeOf(text), text === "li1e3ee" ? /BENC_SYNTAX/ : /BENC_INT/);
  });
}

test("BEN-09 i1e3e is an integer with bytes after it", () => {
  assert.equal(codeOf("i1e3e"), "BENC_TRAILING");
});

for (const text of ["i-01e", "i00e", "i-0e", "i03e"]) {
  test(`BEN-10 not canonical: ${text}`, () => {
    assert.equal(codeOf(text), "BENC_INT");
  });
}

test("a string length with a leading zero is refused", () => {
  assert.equal(codeOf("03:abc"), "BENC_LENGTH");
  assert.equal(codeOf("00:"), "BENC_LENGTH");
});

test("BEN-11 an integer beyond 2^53 is exact, and no number", () => {
  assert.equal(decode("i9007199254740993e"), 9007199254740993n);
  assert.equal(decode("i9007199254740991e"), 9007199254740991);
  assert.equal(dictionary("d1:ai9007199254740993ee").getInteger("a"), undefined);
});

test("BEN-12 keys that are names of Object.prototype", () => {
  const value = dictionary("d9:__proto__i1e11:constructori2e14:hasOwnPropertyi3ee");
  assert.equal(value.getInteger("__proto__"), 1);
  assert.equal(value.getInteger("constructor"), 2);
  assert.equal(value.getInteger("hasOwnProperty"), 3);
  assert.equal(dictionary("de").get("toString"), undefined);
  assert.equal(({} as Record<string, unknown>)["1"], undefined);
});

test("BEN-13 a key twice, with equal values, sorted and unsorted", () => {
  for (const isStrict of [false, true]) {
    assert.equal(codeOf("d1:ai1e1:ai1ee", { isStrict }), "BENC_DUP_KEY");
    assert.equal(codeOf("d0:i1e0:i1ee", { isStrict }), "BENC_DUP_KEY");
  }
  assert.equal(codeOf("d1:bi1e1:ad1:xlee1:bi1ee"), "BENC_DUP_KEY");
  assert.equal(codeOf("ld1:bi1e1:ai1e1:bi1eee"), "BENC_DUP_KEY");
});

test("BEN-14 keys sorted as UTF-16, not as bytes", () => {
  const [astral, high] = ["\u{10000}", "\uff61"].map((key) => latin1(utf8Bytes(key)));
  const text = `d4:${astral}i1e3:${high}i2ee`;
  assert.equal(codeOf(text, { isStrict: true }), "BENC_ORDER");
  assert.equal(dictionary(text).getInteger(high as string), 2);
  assert.equal(codeOf("d2:abi1e1:ai2ee", { isStrict: true }), "BENC_ORDER");
  assert.equal(codeOf("d1:ai1e2:abi2ee", { isStrict: true }), "ok");
});

test("BEN-15 a string that is not UTF-8 stays as it is", () => {
  const text = "d2:\xff\xfe4:\x00\x80\xc0\xaee";
  assert.equal(latin1(encodeBencode(decode(text))), text);
});

test("BEN-16 a string that is cut", () => {
  assert.equal(codeOf("5:spam"), "BENC_TRUNCATED");
});

for (const text of ["\0\0\0\0", "\xff4:spam", `\xef\xbb\xbf${torrent}`]) {
  test(`BEN-17 begins with 0x${toHex(latin1Bytes(text.slice(0, 1)))}`, () => {
    assert.equal(codeOf(text), "BENC_SYNTAX");
  });
}

test("a dictionary with a key that is no string, or without its value", () => {
  assert.equal(codeOf("di1ei2ee"), "BENC_SYNTAX");
  assert.equal(codeOf("d1:ae"), "BENC_SYNTAX");
  assert.equal(codeOf("e"), "BENC_SYNTAX");
  assert.equal(codeOf("12"), "BENC_TRUNCATED");
  assert.equal(codeOf("1x"), "BENC_SYNTAX");
});

test("BEN-19 100,000 random buffers never throw", () => {
  const random = createRandom(19);
  const alphabet = latin1Bytes("dlie0123456789:-ae");
  for (let i = 0; i < 100_000; i++) {
    const bytes = new Uint8Array(random.below(i % 50 === 0 ? 1024 : 40));
    // Half of them are made of the bytes of bencoding, so that they get past the first byte.
    for (let k = 0; k < bytes.length; k++) {
      bytes[k] =
        i % 2 === 0 ? random.below(256) : (alphabet[random.below(alphabet.length)] as number);
    }
    const result = decodeBencode(bytes, { isStrict: i % 3 === 0 });
    if (!result.ok) assert.match(result.code, /^BENC_/);
  }
});

test("BEN-20 every prefix of a good torrent", () => {
  assert.equal(codeOf(torrent, { isStrict: true }), "ok");
  for (let length = 0; length < torrent.length; length++) {
    const code = codeOf(torrent.slice(0, length));
    assert.equal(code, length === 0 ? "BENC_EMPTY" : "BENC_TRUNCATED", `${length} bytes`);
  }
});

test("BEN-21 every single-byte mutation of a good torrent of 142 bytes", () => {
  assert.equal(torrent.length, 142);
  let accepted = 0;
  for (let index = 0; index < torrent.length; index++) {
    for (let byte = 0; byte < 256; byte++) {
      const bytes = latin1Bytes(torrent);
      bytes[index] = byte;
      const result = decodeBencode(bytes, { isStrict: true });
      if (!result.ok) continue;
      accepted++;
      assert.deepEqual(encodeBencode(result.value), bytes);
    }
  }
  assert.ok(accepted > 10_000, `${accepted} mutations were accepted`);
});
