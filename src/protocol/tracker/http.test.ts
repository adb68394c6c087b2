/** Both sides of the tracker protocol over HTTP, against each other and against bad input. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { infoHashBytes, latin1, latin1Bytes, parseInfoHash, utf8Bytes } from "../../base/bytes.ts";
import type { InfoHash } from "../../base/units.ts";
import { percentEncode } from "../../base/url.ts";
import { type BencodeInput, encodeBencode } from "../bencode/encode.ts";
import { encodeAnnounceAnswer, encodeFailure, encodeScrapeAnswer } from "./http-answer.ts";
import { answerOf, type AnswerFacts, readQuery } from "../../../test/support/announce-answer.ts";
import { parseAnnounceAnswer, parseScrapeAnswer } from "./http-parse-answer.ts";
import { parseScrapeQuery } from "./http-query.ts";
import { buildAnnounceUrl, buildScrapeUrl } from "./http-request.ts";

const infoHash = parseInfoHash("00ff20417e7f80a0253d262b0a5ac3b6deadbeef") as InfoHash;
const peerId = latin1Bytes("-BP0100-\x00\xff%&=+ ~.z90");
const required =
  `info_hash=${percentEncode(infoHashBytes(infoHash))}` +
  `&peer_id=${percentEncode(peerId)}&port=6881`;

/** The query of `required` with a parameter put in or replaced. */
function queryWith(name: string, value: string | undefined): string {
  const kept = required.split("&").filter((parameter) => !parameter.startsWith(`${name}=`));
  return [...kept, ...(value === undefined ? [] : [`${name}=${value}`])].join("&");
}

function refusalOf(query: string): string | undefined {
  return readQuery(query).failure;
}

/** What the announce query with `name=value` says about `field`. */
function fieldOf(
  field: keyof NonNullable<ReturnType<typeof valueOf>>,
  name: string,
  value: string | undefined,
): unknown {
  return valueOf(queryWith(name, value))?.[field];
}

function valueOf(query: string) {
  const { announce, failure } = readQuery(query);
  return failure === undefined ? Object.assign({}, announce) : undefined;
}

const facts: AnswerFacts = {
  intervalMs: 1_800_000,
  minIntervalMs: 30_000,
  counts: { complete: 2, incomplete: 3, downloaded: 4 },
  compact4: Uint8Array.of(192, 0, 2, 1, 0x1a, 0xe1, 127, 0, 0, 1, 0, 80),
  compact6: Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x1a, 0xe1),
  ids: [latin1Bytes("a".repeat(20)), undefined, latin1Bytes("c".repeat(20))],
};
const answer = answerOf(facts);
const peersOfAnswer = [
  { host: "192.0.2.1", port: 6881 },
  { host: "127.0.0.1", port: 80 },
  { host: "2001:db8::1", port: 6881 },
];

const parseScrape = (query: string) => parseScrapeQuery(utf8Bytes(query));

test("what a peer announces is what the tracker reads", () => {
  const url = buildAnnounceUrl("http://t.example/announce/key?a=b#part", {
    infoHash,
    peerId,
    port: 6881,
    uploaded: 1,
    downloaded: 2,
    left: 3,
    event: "started",
    numWant: 50,
    key: 0xc0ffee,
  });

  const [path, query = ""] = url.split("?");
  assert.equal(path, "http://t.example/announce/key");
  assert.match(query, /^a=b&info_hash=%00%FF%20A~%7F%80%A0%25%3D%26%2B%0AZ%C3%B6%DE%AD%BE%EF&/);
  assert.deepEqual(valueOf(query), {
    infoHash: infoHashBytes(infoHash),
    peerId,
    port: 6881,
    uploaded: 1,
    downloaded: 2,
    left: 3,
    event: "started",
    numWant: 50,
    isCompact: true,
    wantsPeerIds: false,
    wantsBothFamilies: true,
  });
});

test("an announce at the regular interval names no event, and need not ask for a number", () => {
  const url = buildAnnounceUrl("http://t.example/announce", {
    infoHash,
    peerId,
    port: 1,
    uploaded: 0,
    downloaded: 0,
    left: 0,
    event: undefined,
    numWant: undefined,
    key: 1,
  });

  assert.doesNotMatch(url, /event|numwant/);
  assert.match(url, /&key=00000001$/);
});

test("any bytes survive as info hash and peer id", () => {
  const bytes = fc.uint8Array({ minLength: 20, maxLength: 20 });
  fc.assert(
    fc.property(bytes, bytes, (hash, id) => {
      const query = `info_hash=${percentEncode(hash)}&peer_id=${percentEncode(id)}&port=1`;
      const value = valueOf(query);
      assert.deepEqual(value?.infoHash, hash);
      assert.deepEqual(value?.peerId, id);
    }),
  );
});

test("random queries never throw", () => {
  const text = fc.oneof(
    fc.string(),
    fc
      .array(fc.tuple(fc.constantFrom("info_hash", "peer_id", "port", "left", "x"), fc.string()))
      .map((pairs) => pairs.map((pair) => pair.join("=")).join("&")),
  );
  fc.assert(
    fc.property(text, (query) => {
      readQuery(query);
      readQuery(`${required}&${query}`);
      parseScrape(query);
    }),
  );
});

test("HTP-01 no query", () => {
  assert.equal(refusalOf(""), "missing info_hash");
  assert.equal(refusalOf("peer_id=x&port=1"), "missing info_hash");
});

test("HTP-02 an info hash of 0, 19 or 21 bytes", () => {
  for (const length of [0, 19, 21, 61, 10_000]) {
    assert.equal(refusalOf(queryWith("info_hash", "a".repeat(length))), "invalid info_hash");
    assert.equal(refusalOf(queryWith("info_hash", "%61".repeat(length))), "invalid info_hash");
  }
});

test("HTP-03 an info hash in hexadecimal", () => {
  assert.equal(refusalOf(queryWith("info_hash", infoHash)), "invalid info_hash");
});

test("HTP-04 the info hash twice", () => {
  assert.equal(refusalOf(`${required}&info_hash=${"a".repeat(20)}`), "invalid info_hash");
  assert.equal(refusalOf(`${required}&port=6881`), "invalid port");
});

test("HTP-05 bad escapes are refused, a plus is a plus", () => {
  const rest = "a".repeat(19);
  for (const bad of ["%2", "%GG", "%", "%%41", "\u0100"]) {
    assert.equal(refusalOf(queryWith("info_hash", rest + bad)), "invalid info_hash", bad);
    assert.equal(refusalOf(queryWith("peer_id", rest + bad)), "invalid peer_id", bad);
  }
  assert.deepEqual(fieldOf("peerId", "peer_id", `${rest}+`), latin1Bytes(`${rest}+`));
  assert.deepEqual(fieldOf("peerId", "peer_id", `${rest}%aF`), latin1Bytes(`${rest}\xaf`));
});

test("HTP-06 no peer id, or one of 19 or 21 bytes", () => {
  for (const value of [undefined, "", "a".repeat(19), "a".repeat(21)]) {
    assert.equal(refusalOf(queryWith("peer_id", value)), "invalid peer_id");
  }
});

test("HTP-07 ports that are none", () => {
  for (const value of ["0", "65536", "-1", "abc", "1e3", "0x50", "", " 80", undefined]) {
    assert.equal(refusalOf(queryWith("port", value)), "invalid port", value);
  }
  assert.equal(fieldOf("port", "port", "65535"), 65_535);
});

test("HTP-08 left: negative or no number is refused, huge is clamped, missing is unknown", () => {
  for (const value of ["-1", "NaN", "", "1.5"]) {
    assert.equal(refusalOf(queryWith("left", value)), "invalid left");
  }
  assert.equal(fieldOf("left", "left", "18446744073709551616"), Number.MAX_SAFE_INTEGER);
  assert.equal(fieldOf("left", "left", undefined), undefined);
});

test("HTP-09 uploaded and downloaded: negative is refused, huge is clamped", () => {
  for (const name of ["uploaded", "downloaded"] as const) {
    assert.equal(refusalOf(queryWith(name, "-1")), `invalid ${name}`);
    assert.equal(fieldOf(name, name, "9".repeat(400)), Number.MAX_SAFE_INTEGER);
    assert.equal(fieldOf(name, name, undefined), 0);
  }
});

test("HTP-10 events: empty and paused are none, unknown ones are refused", () => {
  for (const value of ["", "paused", undefined]) {
    assert.equal(refusalOf(queryWith("event", value)), undefined);
    assert.equal(fieldOf("event", "event", value), undefined);
  }
  for (const value of ["foo", "STARTED", "started "]) {
    assert.equal(refusalOf(queryWith("event", value)), "invalid event");
  }
  assert.equal(fieldOf("event", "event", "stopped"), "stopped");
});

test("HTP-11 numwant: -1 leaves it to the tracker, 0 is none, no number is refused", () => {
  assert.equal(fieldOf("numWant", "numwant", "-1"), undefined);
  assert.equal(fieldOf("numWant", "numwant", undefined), undefined);
  assert.equal(fieldOf("numWant", "numwant", "0"), 0);
  assert.equal(fieldOf("numWant", "numwant", "1000000000"), 1e9);
  assert.equal(refusalOf(queryWith("numwant", "x")), "invalid numwant");
});

test("HTP-12 the answer may be compact unless compact=0 says otherwise", () => {
  for (const value of ["1", "2", "x", "", undefined]) {
    assert.equal(fieldOf("isCompact", "compact", value), true);
  }
  assert.equal(fieldOf("isCompact", "compact", "0"), false);
  assert.equal(fieldOf("wantsPeerIds", "compact", "0"), true);
  assert.equal(valueOf(`${required}&compact=0&no_peer_id=1`)?.wantsPeerIds, false);
});

for (const [id, address] of [
  ["HTP-13", "1.2.3.4"],
  ["HTP-14", "2001:db8::1"],
  ["HTP-14", "host.example"],
  ["HTP-14", "x".repeat(10_000)],
] as const) {
  test(`${id} ip=${address.slice(0, 12)} changes nothing`, () => {
    assert.deepEqual(valueOf(queryWith("ip", address)), valueOf(required));
  });
}

test("HTP-27 ten thousand parameters are read", () => {
  assert.deepEqual(valueOf(`${required}${"&a".repeat(10_000)}`), valueOf(required));
});

test("the compact answer is canonical bencoding, and read as it was meant", () => {
  const form = { isCompact: true, wantsPeerIds: false };
  const body = encodeAnnounceAnswer(answer, form);

  assert.deepEqual(
    body,
    encodeBencode({
      complete: 2,
      downloaded: 4,
      incomplete: 3,
      interval: 1800,
      "min interval": 30,
      peers: facts.compact4,
      peers6: facts.compact6,
    }),
  );
  assert.deepEqual(parseAnnounceAnswer(body), {
    ok: true,
    value: {
      intervalMs: 1_800_000,
      minIntervalMs: 30_000,
      complete: 2,
      incomplete: 3,
      peers: peersOfAnswer,
      warning: undefined,
    },
  });
  const none = new Uint8Array(0);
  const nobody = answerOf({ ...facts, compact4: none, compact6: none });
  assert.match(latin1(encodeAnnounceAnswer(nobody, form)), /5:peers0:e$/);
});

test("the plain answer has the ids that are known, unless they are not wanted", () => {
  const withIds = encodeAnnounceAnswer(answer, { isCompact: false, wantsPeerIds: true });
  const without = encodeAnnounceAnswer(answer, { isCompact: false, wantsPeerIds: false });

  assert.match(latin1(withIds), /d2:ip9:192\.0\.2\.17:peer id20:a{20}4:porti6881ee/);
  assert.match(latin1(withIds), /d2:ip9:127\.0\.0\.14:porti80ee/);
  assert.doesNotMatch(latin1(without), /peer id/);
  for (const body of [withIds, without]) {
    const result = parseAnnounceAnswer(body);
    assert.deepEqual(result.ok && result.value.peers, peersOfAnswer);
  }
});

test("a failure is read with its reason, and may say when to come back", () => {
  assert.deepEqual(parseAnnounceAnswer(encodeFailure("unregistered torrent")), {
    ok: false,
    code: "TRK_FAILURE",
    message: "unregistered torrent",
  });
  assert.deepEqual(
    encodeFailure("slow down", 5),
    latin1Bytes("d14:failure reason9:slow down8:retry in1:5e"),
  );
});

test("HTP-23 a scrape of everything is refused", () => {
  for (const query of ["", "info_hash", "x=1"]) {
    assert.deepEqual(parseScrape(query), {
      ok: false,
      code: "bad-query",
      message: "full scrape disabled",
    });
  }
  const bad = parseScrape("info_hash=abc");
  assert.equal(!bad.ok && bad.message, "invalid info_hash");
});

test("HTP-24 of 101 hashes the first 100 are answered", () => {
  const hashes = Array.from({ length: 101 }, (_, i) => new Uint8Array(20).fill(i));
  const query = hashes.map((hash) => `info_hash=${percentEncode(hash)}`).join("&");

  const result = parseScrape(query);

  assert.deepEqual(result.ok && result.value.map(infoHashBytes), hashes.slice(0, 100));
});

test("a scrape is asked for and answered as in BEP 48", () => {
  const other = parseInfoHash("11".repeat(20)) as InfoHash;
  const url = buildScrapeUrl("http://t.example/x/announce.php?k=1#part", [other, infoHash]);
  const [path, query = ""] = url?.split("?") ?? [];
  assert.equal(path, "http://t.example/x/scrape.php");
  assert.deepEqual(parseScrape(query), { ok: true, value: [other, infoHash] });

  const files = new Map([
    [other, { complete: 11, incomplete: 19, downloaded: 13_772 }],
    [infoHash, { complete: 0, incomplete: 0, downloaded: 0 }],
  ]);
  const body = encodeScrapeAnswer(files);
  assert.match(
    latin1(body),
    /^d5:filesd20:[^]{20}d8:[^]*e20:[^]{20}d8:completei11e10:downloadedi13772e10:incompletei19eeee$/,
  );
  assert.deepEqual(parseScrapeAnswer(body), { ok: true, value: files });
});

test("a tracker whose announce URL has no announce at its end has no scrape", () => {
  for (const url of ["http://t.example/announce/key", "http://t.example/x", "announce"]) {
    assert.equal(buildScrapeUrl(url, [infoHash]), undefined);
  }
});

test("HTP-35 answers that cannot be read", () => {
  const bodies: Record<string, Uint8Array> = {
    HTML: latin1Bytes("<!DOCTYPE html><html>"),
    empty: new Uint8Array(0),
    truncated: latin1Bytes("d8:intervali1800e5:peers6:abc"),
    "no dictionary": latin1Bytes("le"),
    "no interval": encodeBencode({ peers: "" }),
    "interval string": encodeBencode({ interval: "1800", peers: "" }),
    "peers of 7 bytes": encodeBencode({ interval: 1800, peers: "1234567" }),
    "peers6 of 17 bytes": encodeBencode({ interval: 1800, peers6: "x".repeat(17) }),
    "peers an integer": encodeBencode({ interval: 1800, peers: 5 }),
    "nested deep": latin1Bytes(`d5:peers${"l".repeat(20)}${"e".repeat(20)}e`),
    "many tokens": latin1Bytes(`d5:peersl${"i1e".repeat(10_001)}ee`),
  };
  for (const [name, body] of Object.entries(bodies)) {
    const result = parseAnnounceAnswer(body);
    assert.equal(!result.ok && result.code, "TRK_BAD_ANSWER", name);
  }
});

test("HTP-35 peers without a usable address or port are left out", () => {
  const peers: BencodeInput = [
    { ip: "192.0.2.7", port: 1 },
    { ip: "::ffff:192.0.2.8", port: 2 },
    { port: 6881 },
    { ip: "192.0.2.1" },
    { ip: "192.0.2.1", port: -1 },
    { ip: "192.0.2.1", port: 0 },
    { ip: "192.0.2.1", port: "80" },
    { ip: "host.example", port: 80 },
    { ip: "0.0.0.0", port: 80 },
    "peer",
  ];

  const result = parseAnnounceAnswer(encodeBencode({ interval: 1800, peers }));

  assert.deepEqual(result.ok && result.value.peers, [
    { host: "192.0.2.7", port: 1 },
    { host: "192.0.2.8", port: 2 },
  ]);
});

test("HTP-35 what an answer claims is bounded", () => {
  const reason = parseAnnounceAnswer(
    encodeBencode({ "failure reason": `\x1b[2J${"é".repeat(500_000)}` }),
  );
  assert.equal(!reason.ok && reason.message, `[2J${"é".repeat(197)}`);

  const intervals = [-5, 0, 1, 29, 1800, 86_401, 2 ** 50].map((interval) => {
    const result = parseAnnounceAnswer(encodeBencode({ interval, "min interval": interval }));
    return result.ok && [result.value.intervalMs, result.value.minIntervalMs];
  });
  const expected = [30_000, 30_000, 30_000, 30_000, 1_800_000, 86_400_000, 86_400_000];
  assert.deepEqual(
    intervals,
    expected.map((ms) => [ms, ms]),
  );

  const many = new Uint8Array(6 * 5000).fill(1);
  const crowd = parseAnnounceAnswer(encodeBencode({ interval: 60, peers: many }));
  assert.equal(crowd.ok && crowd.value.peers.length, 2000);

  const odd = parseAnnounceAnswer(
    encodeBencode({ interval: 60, complete: -1, incomplete: "x", "warning message": "be kind" }),
  );
  assert.deepEqual(odd.ok && [odd.value.complete, odd.value.incomplete, odd.value.warning], [
    undefined,
    undefined,
    "be kind",
  ]);
});

test("random answers never throw", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (body) => {
      parseAnnounceAnswer(body);
      parseScrapeAnswer(body);
    }),
  );
});
