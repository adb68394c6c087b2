import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { codeOf, good } from "../../../test/support/metainfo.ts";
import { parseInfoHash } from "../../base/bytes.ts";
import type { InfoHash } from "../../base/units.ts";
import { formatMagnet, type Magnet, parseMagnet } from "./magnet.ts";

const HASH = "c12fe1c06bba254a9dc9f519b335aa7c1367a88a" as InfoHash;
/** The same in base32, by `python3 -c 'import base64; ...b32encode(bytes.fromhex(HASH))'`. */
const BASE32 = "YEX6DQDLXISUVHOJ6UM3GNNKPQJWPKEK";
const V2_HASH = "a".repeat(64);
const BTIH = `xt=urn:btih:${HASH}`;
const BTMH = `xt=urn:btmh:1220${V2_HASH}`;

const read = (fields: string): Magnet => good(parseMagnet(`magnet:?${fields}`));
const code = (fields: string): string => codeOf(parseMagnet(`magnet:?${fields}`));
const readMore = (fields: string): Magnet => read(`${BTIH}&${fields}`);

/** Any text, with control characters and halves of surrogate pairs. */
const anyText = fc
  .array(fc.nat(0xffff), { maxLength: 20 })
  .map((units) => String.fromCharCode(...units));

test("reads all fields", () => {
  const text =
    `magnet:?${BTIH}&dn=Gr%C3%BC%C3%9Fe+1&tr=http%3A%2F%2Ft.example%2Fannounce&tr=udp://u.example:1` +
    "&ws=https%3A%2F%2Fm.example%2Ff&x.pe=192.0.2.1:6881&x.pe=%5B2001:DB8::1%5D:1&so=0,2-4";
  assert.deepEqual(good(parseMagnet(text)), {
    infoHash: HASH,
    v2InfoHash: undefined,
    name: "Grüße 1",
    trackers: ["http://t.example/announce", "udp://u.example:1"],
    webSeeds: ["https://m.example/f"],
    peers: [
      { host: "192.0.2.1", port: 6881 },
      { host: "2001:db8::1", port: 1 },
    ],
    fileRanges: [
      { first: 0, last: 0 },
      { first: 2, last: 4 },
    ],
  });
});

test("reads a link that is only a hash, and fields in any case and order", () => {
  const bare: Magnet = {
    infoHash: HASH,
    v2InfoHash: undefined,
    name: undefined,
    trackers: [],
    webSeeds: [],
    peers: [],
    fileRanges: [],
  };
  assert.deepEqual(read(BTIH), bare);
  assert.deepEqual(read(`unknown&&=x&x=y&${BTIH}&`), bare);
  assert.deepEqual(good(parseMagnet(`MAGNET:?DN=a&XT=URN:BTIH:${HASH}`)), { ...bare, name: "a" });
  assert.deepEqual(good(parseMagnet(`magnet:${BTIH}`)), bare);
});

for (const text of ["", "magnet:", "magnet:?", "magnet:?dn=a", "http://x", `?${BTIH}`, HASH]) {
  test(`MAG-01 ${JSON.stringify(text)}`, () => {
    assert.equal(codeOf(parseMagnet(text)), "MAG_NO_HASH");
  });
}

const badHashes: readonly (readonly [id: string, hash: string])[] = [
  ["MAG-02", HASH.slice(1)],
  ["MAG-02", `${HASH}0`],
  ["MAG-02", BASE32.slice(1)],
  ["MAG-02", `${BASE32}A`],
  ["MAG-02", ""],
  ["MAG-03", `z${HASH.slice(1)}`],
  ["MAG-04", `0${BASE32.slice(1)}`],
  ["MAG-04", `1${BASE32.slice(1)}`],
  ["MAG-04", `8${BASE32.slice(1)}`],
  ["MAG-06", `${HASH} `],
  ["MAG-06", ` ${HASH}`],
  ["MAG-06", `${HASH}%20`],
  ["MAG-06", `${HASH.slice(1)}%20`],
  ["MAG-06", `${HASH}\n`],
];
for (const [id, hash] of badHashes) {
  test(`${id} ${JSON.stringify(hash)}`, () => {
    assert.equal(code(`xt=urn:btih:${hash}`), "MAG_HASH");
  });
}

test("MAG-05 upper, lower and mixed case, hexadecimal and base32, are one hash", () => {
  const mixed = `${HASH.slice(0, 20).toUpperCase()}${HASH.slice(20)}`;
  for (const hash of [HASH, HASH.toUpperCase(), mixed, BASE32, BASE32.toLowerCase()]) {
    assert.equal(read(`xt=urn:btih:${hash}`).infoHash, HASH);
  }
});

test("MAG-07 a v2 hash with another prefix or length", () => {
  for (const hash of [`1221${V2_HASH}`, `1220${"a".repeat(62)}`, `1220${"z".repeat(64)}`, ""]) {
    assert.equal(code(`${BTIH}&xt=urn:btmh:${hash}`), "MAG_HASH");
  }
});

test("MAG-08 two different hashes", () => {
  assert.equal(code(`${BTIH}&xt=urn:btih:${"b".repeat(40)}`), "MAG_AMBIGUOUS");
  assert.equal(code(`${BTIH}&${BTMH}&xt.2=urn:btmh:1220${"b".repeat(64)}`), "MAG_AMBIGUOUS");
  assert.equal(read(`xt.1=urn:btih:${HASH}&xt.2=urn:btih:${BASE32}`).infoHash, HASH);
});

test("MAG-09 a hybrid", () => {
  const magnet = read(`${BTMH.toUpperCase().replace("XT=URN:BTMH", "xt=urn:btmh")}&${BTIH}`);
  assert.equal(magnet.infoHash, HASH);
  assert.equal(magnet.v2InfoHash, V2_HASH);
});

for (const topic of ["urn:sha1:X", "urn:ed2k:X", "urn:tree:tiger:X", `urn:btmh:1220${V2_HASH}`]) {
  test(`MAG-10 xt=${topic.slice(0, 16)} alone`, () => {
    assert.equal(code(`xt=${topic}`), "MAG_UNSUPPORTED");
    assert.equal(code(`xt=${topic}&${BTIH}`), "ok");
  });
}

for (const escape of ["%", "%zz", "%%3A", "%4"]) {
  test(`MAG-11 ${escape} in a hash, and in other fields`, () => {
    assert.equal(code(`xt=urn:btih:${HASH}${escape}`), "MAG_ESCAPE");
    const fields = [
      "dn=",
      "tr=http://t.example/",
      "ws=http://t.example/",
      "x.pe=1.2.3.4:5",
      "so=1",
    ];
    const magnet = readMore(fields.map((field) => field + escape).join("&"));
    assert.deepEqual(magnet, read(BTIH));
  });
}

test("MAG-11 escapes that are no UTF-8", () => {
  const magnet = readMore("dn=%FF%00a&tr=http://t.example/%25FF&tr=http://t.example/%FF&so=%FF");
  assert.equal(magnet.name, "__a");
  assert.deepEqual(magnet.trackers, ["http://t.example/%FF"]);
});

test("MAG-12 trackers that are none, and 5000 of them", () => {
  const bad = [
    "x",
    "ftp://t.example",
    "javascript:alert(1)",
    "udp://t.example",
    "http://u:p@t.example",
    "",
  ];
  assert.deepEqual(readMore(bad.map((url) => `tr=${url}`).join("&")).trackers, []);
  const many = Array.from({ length: 3000 }, (_, i) => `tr=http://t.co/${i}`).join("&");
  assert.equal(readMore(many.slice(0, 64_000)).trackers.length, 100);
});

test("MAG-13 tr.1 and tr are one list without duplicates", () => {
  const urls = [
    "tr.1=http://a.example",
    "tr=http://b.example",
    "tr.22=http://a.example",
    "tr.x=http://c.example",
  ];
  assert.deepEqual(readMore(urls.join("&")).trackers, ["http://a.example", "http://b.example"]);
});

test("MAG-14 a web seed that aims at a device's control page", () => {
  const magnet = readMore(
    "ws=http%3A%2F%2F127.0.0.1%2Frpc%3Fx&ws=http://169.254.169.254/?a&ws=http://m.example/",
  );
  assert.deepEqual(magnet.webSeeds, ["http://m.example/"]);
});

test("MAG-15 peers that are none", () => {
  const bad = [
    "host.example:1",
    "1.2.3.4:0",
    "1.2.3.4:70000",
    "1.2.3.4",
    "::1",
    "[1.2.3.4]:5",
    "1.2.3:5",
  ];
  const odd = [
    ":80",
    "",
    "[::1]",
    "[::1",
    "1.2.3.4:-1",
    "1.2.3.4:1e3",
    "0x7f.0.0.1:5",
    "[fe80::1%eth0]:5",
  ];
  assert.deepEqual(readMore([...bad, ...odd].map((peer) => `x.pe=${peer}`).join("&")).peers, []);
});

test("MAG-15 peers are in one form, without duplicates, at most 100", () => {
  const magnet = readMore("x.pe=[::ffff:1.2.3.4]:5&x.pe=1.2.3.4:5&x.pe=[::1]:65535");
  assert.deepEqual(magnet.peers, [
    { host: "1.2.3.4", port: 5 },
    { host: "::1", port: 65535 },
  ]);
  const many = Array.from({ length: 500 }, (_, i) => `x.pe=1.2.3.4:${i + 1}`);
  assert.equal(readMore(many.join("&")).peers.length, 100);
});

test("MAG-16 file ranges that are none", () => {
  for (const so of [
    "5-2",
    "-1",
    "1-",
    "99999999999",
    "a",
    "",
    "2147483648",
    "1-2-3",
    "0x1",
    "1.5",
  ]) {
    assert.deepEqual(readMore(`so=${so}`).fileRanges, [], so);
  }
  assert.deepEqual(readMore("so=5-2,7,a,0-2147483647").fileRanges, [
    { first: 7, last: 7 },
    { first: 0, last: 2_147_483_647 },
  ]);
});

test("MAG-17 a name is safe to show and to use", () => {
  assert.equal(readMore("dn=../../x").name, "....x");
  assert.equal(readMore("dn=%1B%5D0;t%07%E2%80%AEa").name, "_]0;t_a");
  assert.equal(readMore("dn=..").name, undefined);
  assert.equal(readMore("dn=").name, undefined);
  assert.equal(readMore(`dn=${"a".repeat(9000)}`).name, "a".repeat(240));
});

test("MAG-18 a link of 1 MB", () => {
  assert.equal(code(`${BTIH}&dn=${"a".repeat(1_000_000)}`), "MAG_SIZE");
  const longest = `${BTIH}&dn=`.padEnd(64 * 1024 - "magnet:?".length, "a");
  assert.equal(code(longest), "ok");
  assert.equal(code(`${longest}a`), "MAG_SIZE");
});

test("many empty fields take no time", () => {
  assert.equal(code(`${BTIH}${"&".repeat(60_000)}`), "ok");
});

test("writes links that others read", () => {
  assert.equal(formatMagnet({ infoHash: HASH }), `magnet:?${BTIH}`);
  assert.equal(
    formatMagnet({
      infoHash: HASH,
      v2InfoHash: V2_HASH,
      name: "a b&c=ü",
      trackers: ["http://t.example/a?b=c"],
      webSeeds: ["http://m.example/%20"],
      peers: [{ host: "::1", port: 5 }],
      fileRanges: [
        { first: 1, last: 1 },
        { first: 3, last: 9 },
      ],
    }),
    `magnet:?${BTIH}&${BTMH}&dn=a%20b%26c%3D%C3%BC&tr=http%3A%2F%2Ft.example%2Fa%3Fb%3Dc` +
      "&ws=http%3A%2F%2Fm.example%2F%2520&x.pe=[::1]:5&so=1,3-9",
  );
});

test("a link survives a round trip", () => {
  const url = fc
    .array(fc.constantFrom("a", "/", "%20", "?", "&b=c", "+", ";"), { maxLength: 9 })
    .map((parts) => `http://t.example/${parts.join("")}`);
  const magnets = fc.record({
    infoHash: fc
      .uint8Array({ minLength: 20, maxLength: 20 })
      .map((bytes) => parseInfoHash(Buffer.from(bytes).toString("hex")) as InfoHash),
    name: fc.stringMatching(/^[a-z&=%+#üł☃ ]{1,20}[a-z]$/u),
    trackers: fc.uniqueArray(url, { maxLength: 5 }),
    peers: fc.uniqueArray(
      fc.record(
        { host: fc.ipV4(), port: fc.integer({ min: 1, max: 65535 }) },
        { noNullPrototype: true },
      ),
      {
        selector: ({ host, port }) => `${host}:${port}`,
      },
    ),
  });
  fc.assert(
    fc.property(magnets, (magnet) => {
      const read = good(parseMagnet(formatMagnet(magnet)));
      assert.deepEqual(read, { ...good(parseMagnet(`magnet:?${BTIH}`)), ...magnet });
    }),
  );
});

test("no text makes the reader throw", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      assert.match(codeOf(parseMagnet(text)), /^MAG_/);
      assert.match(code(`xt=${text}`), /^(MAG_|ok)/);
      assert.match(code(`${BTIH}&dn=${text}&tr=${text}&x.pe=${text}&so=${text}`), /^(MAG_|ok)/);
    }),
  );
});
