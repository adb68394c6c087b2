import assert from "node:assert/strict";
import { test } from "node:test";
import { codeOf, good, type Raw, readTorrent } from "../../../test/support/metainfo.ts";
import { parseTrackerUrl, parseWebSeedUrl } from "./announce-urls.ts";

const tiersOf = (announceList: Raw, announce?: Raw): readonly (readonly string[])[] =>
  good(readTorrent({ announce, "announce-list": announceList })).announceTiers;

const webSeedsOf = (urlList: Raw): readonly string[] =>
  good(readTorrent({ "url-list": urlList })).webSeeds;

const trackers = [
  "http://t.example/announce",
  "https://t.example:8443/announce/KEY?x=1",
  "udp://t.example:6969/announce",
  "ws://t.example",
  "wss://[2001:db8::1]:1/",
  "http://127.0.0.1:8080/announce",
];
for (const url of trackers) {
  test(`a tracker may be ${url}`, () => {
    assert.equal(parseTrackerUrl(url), url);
    assert.equal(codeOf(readTorrent({ announce: url }, { isStrict: true })), "ok");
  });
}

const notTrackers: readonly Raw[] = [
  5,
  "",
  "ftp://t.example/",
  "javascript:alert(1)",
  "udp://t.example/no-port",
  "http://user:secret@t.example/announce",
  "http://t.example/announce?info_hash=x",
  "http://t.example/announce?key=1&left=0",
  "http://2130706433/announce",
  `http://t.example/${"x".repeat(10_240)}`,
  `http://t.example/${"ü".repeat(1000)}`,
  ["http://t.example/announce"],
];
for (const announce of notTrackers) {
  test(`TOR-33 announce ${JSON.stringify(announce).slice(0, 50)}`, () => {
    assert.deepEqual(good(readTorrent({ announce })).announceTiers, []);
    assert.equal(codeOf(readTorrent({ announce }, { isStrict: true })), "META_TRACKER_URL");
  });
}

test("TOR-33 spaces around a tracker URL, as pasted", () => {
  assert.deepEqual(tiersOf([[" udp://t.example:80 \n"]]), [["udp://t.example:80"]]);
});

test("TOR-34 a flat list makes tiers of one", () => {
  assert.deepEqual(tiersOf(["http://a.example", "http://b.example"]), [
    ["http://a.example"],
    ["http://b.example"],
  ]);
});

test("TOR-34 deeper lists are ignored, and so are bad entries and empty tiers", () => {
  assert.deepEqual(tiersOf([[["http://a.example"], "http://b.example", 5], [], ["ftp://c"]]), [
    ["http://b.example"],
  ]);
  const strict = readTorrent({ "announce-list": [[["http://a.example"]]] }, { isStrict: true });
  assert.equal(codeOf(strict), "META_TRACKER_URL");
});

test("TOR-34 10,000 trackers", () => {
  const urls = Array.from({ length: 10_000 }, (_, i) => `http://t${i}.example/`);
  assert.equal(tiersOf([urls]).flat().length, 100);
  assert.equal(tiersOf(urls.map((url) => [url])).flat().length, 100);
  const bad = Array.from({ length: 10_000 }, () => "ftp://t.example");
  assert.deepEqual(tiersOf([...bad, "http://t.example/"]), []);
});

test("announce-list goes before announce; when it has nothing, announce it is", () => {
  const announce = "http://a.example/";
  assert.deepEqual(tiersOf([["http://b.example/"]], announce), [["http://b.example/"]]);
  assert.deepEqual(tiersOf([["ftp://b.example/"]], announce), [[announce]]);
  assert.deepEqual(tiersOf("text", announce), [[announce]]);
  assert.deepEqual(tiersOf([[announce, announce], [announce]]), [[announce]]);
});

test("TOR-35 a web seed that aims at a device's control page", () => {
  assert.equal(parseWebSeedUrl("http://127.0.0.1:9091/transmission/rpc?method=x"), undefined);
  assert.equal(parseWebSeedUrl("http://[::1]/?"), undefined);
  assert.equal(parseWebSeedUrl("http://localhost/x?y"), undefined);
  assert.equal(parseWebSeedUrl("http://10.0.0.1/files/"), "http://10.0.0.1/files/");
  assert.equal(parseWebSeedUrl("http://m.example/get?id=7"), "http://m.example/get?id=7");
});

test("TOR-36 a web seed with credentials", () => {
  assert.deepEqual(webSeedsOf(["http://user:pass@m.example/", "http://m.example/"]), [
    "http://m.example/",
  ]);
});

test("web seeds: a string, a list, spaces, duplicates, other schemes", () => {
  assert.deepEqual(webSeedsOf("http://m.example/f"), ["http://m.example/f"]);
  assert.deepEqual(webSeedsOf(""), []);
  assert.deepEqual(webSeedsOf({}), []);
  assert.deepEqual(webSeedsOf(["http://m.example/a b/ü"]), ["http://m.example/a%20b/%C3%BC"]);
  assert.deepEqual(webSeedsOf(["http://m.example/", "http://m.example/"]), ["http://m.example/"]);
  assert.deepEqual(webSeedsOf(["ftp://m.example/", "udp://m.example:1", "ws://m.example"]), []);
  const many = Array.from({ length: 5000 }, (_, i) => `http://m.example/${i}`);
  assert.equal(webSeedsOf(many).length, 100);
});
