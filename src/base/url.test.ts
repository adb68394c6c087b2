import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { latin1Bytes, utf8Bytes } from "./bytes.ts";
import { escapeUrl, parseUrl, percentDecode, percentEncode } from "./url.ts";

/** Any text, with control characters and halves of surrogate pairs. */
const anyText = fc
  .array(fc.nat(0xffff), { maxLength: 20 })
  .map((units) => String.fromCharCode(...units));

test("reads all parts of a URL", () => {
  assert.deepEqual(parseUrl("HTTP://user:pw@T.Example:8080/an%20nounce;x?a=b&c=?"), {
    scheme: "http",
    hasCredentials: true,
    host: "t.example",
    port: 8080,
    path: "/an%20nounce;x",
    query: "a=b&c=?",
  });
  assert.deepEqual(parseUrl("udp://[2001:DB8::1]"), {
    scheme: "udp",
    hasCredentials: false,
    host: "2001:db8::1",
    port: undefined,
    path: "",
    query: undefined,
  });
  assert.equal(parseUrl("https://t.example?")?.query, "");
  assert.equal(parseUrl("https://xn--bcher-kva.example./")?.host, "xn--bcher-kva.example.");
  assert.equal(parseUrl("ws://10.0.0.1:65535/")?.host, "10.0.0.1");
});

const refused = [
  "",
  "t.example/announce",
  "//t.example/",
  "http:/t.example/",
  "http://",
  "http:///path",
  "http://t.example:0/",
  "http://t.example:65536/",
  "http://t.example:/",
  "http://t.example:80x/",
  "http://a@b@t.example/",
  "http://t.example\\@evil.example/",
  "http://t..example/",
  "http://.t.example/",
  "http://./",
  `http://${"a".repeat(64)}.example/`,
  `http://${"a.".repeat(130)}example/`,
  "http://b\u00fccher.example/",
  "http://t.example/a b",
  "http://t.example/a\n",
  "http://t.example/#top",
  "http://t.example/<x>",
  "http://2130706433/",
  "http://0177.0.0.1/",
  "http://0x7f.0.0.1/",
  "http://127.0.0.0x1/",
  "http://127.1/",
  "http://1.2.3.256/",
  "http://[::1/",
  "http://[1.2.3.4]/",
  "http://[::1%25eth0]/",
  "http://[v1.x]/",
  "javascript:alert(1)",
  "magnet:?xt=urn:btih:0",
];

for (const text of refused) {
  test(`refuses ${JSON.stringify(text.slice(0, 40))}`, () => {
    assert.equal(parseUrl(text), undefined);
  });
}

test("escapes what people leave in URLs, and only that", () => {
  assert.equal(
    escapeUrl("http://h/My file \u00fc%20|.iso?a=[b]"),
    "http://h/My%20file%20%C3%BC%20%7C.iso?a=[b]",
  );
  assert.equal(parseUrl(escapeUrl("http://b\u00fccher.example/")), undefined);
  assert.equal(parseUrl(escapeUrl("http://h/a\\b")), undefined);
  assert.equal(parseUrl(escapeUrl("http://h/a\tb")), undefined);
});

test("percent-decodes to bytes, or not at all", () => {
  assert.deepEqual(percentDecode("%00%fF+a\u00fc"), Uint8Array.of(0, 255, 43, 97, 0xc3, 0xbc));
  for (const text of ["%", "%2", "a%zz", "%%3A", "%\u0661\u0661"]) {
    assert.equal(percentDecode(text), undefined, text);
  }
});

test("percent-encoding survives a round trip", () => {
  assert.equal(percentEncode(latin1Bytes("aZ09-._~ /\xff")), "aZ09-._~%20%2F%FF");
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      assert.deepEqual(percentDecode(percentEncode(bytes)), Uint8Array.from(bytes));
    }),
  );
  fc.assert(
    fc.property(anyText, (text) => {
      assert.ok(parseUrl(`http://h/${percentEncode(utf8Bytes(text))}`));
    }),
  );
});
