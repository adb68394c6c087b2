import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseName, isSlug, slugFrom } from "./slug.ts";

test("makes a name from what content is called", () => {
  const table: readonly (readonly [string, string | undefined])[] = [
    ["Debian 12.iso", "debian-12.iso"],
    ["Übergrößen (neu)", "ubergro-en-neu"],
    ["..hidden..", "hidden"],
    ["a..b", "a.b"],
    ["x.torrent", "x-torrent"],
    ["x.sha256", "x-sha256"],
    ["CON", "con"],
    ["../../etc/passwd", "etc-passwd"],
    ["日本", undefined],
    ["", undefined],
    ["-", undefined],
    ["a".repeat(300), "a".repeat(100)],
  ];
  for (const [text, slug] of table) assert.equal(slugFrom(text), slug, text);
});

test("API-05 UPL-06 refuses names that are no slug, with a suggestion", () => {
  for (const bad of [
    "",
    "A",
    "a b",
    "..",
    "a..b",
    "a/b",
    ".a",
    "a-",
    "x.torrent",
    "a\u0000",
    "é",
  ]) {
    assert.equal(isSlug(bad), false, bad);
  }
  const refused = chooseName("My Game", "whatever");
  assert.ok(!refused.ok);
  assert.equal(refused.code, "USAGE");
  assert.match(refused.message, /try my-game/);
});

test("an explicit name wins over the content's", () => {
  assert.deepEqual(chooseName("game", "Some Thing"), { ok: true, value: "game" });
  assert.deepEqual(chooseName(undefined, "Some Thing"), { ok: true, value: "some-thing" });
  assert.equal(chooseName(undefined, "日本").ok, false);
});
