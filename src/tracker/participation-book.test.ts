import assert from "node:assert/strict";
import { test } from "node:test";
import { evidenceFor, infoHash, otherInfoHash } from "../../test/support/participation.ts";
import { ParticipationBook } from "./participation-book.ts";

/** The book at `now`; the wall clock is a million ahead. */
function at(now: number): { readonly now: number; readonly unixNow: number } {
  return { now, unixNow: 1_000_000 + now };
}

test("a state is held since it began, its reason is the last one", () => {
  const book = new ParticipationBook();
  const source = {};
  assert.equal(book.get(infoHash), undefined);
  assert.deepEqual(book.report(at(0), source, infoHash, evidenceFor("S1")), {
    infoHash,
    from: undefined,
    to: "S1",
    reason: { code: "source-sending" },
  });
  const owed = { ...evidenceFor("S1"), owedBytes: 9 };
  assert.equal(book.report(at(5000), source, infoHash, owed), undefined);
  assert.deepEqual(book.get(infoHash), {
    state: "S1",
    reason: { code: "downloader-owed", bytes: 9 },
    since: 1_000_000,
  });
  const change = book.report(at(6000), source, infoHash, evidenceFor("S2"));
  assert.deepEqual([change?.from, change?.to], ["S1", "S2"]);
  assert.equal(book.get(infoHash)?.since, 1_006_000);
  assert.equal(book.get(otherInfoHash), undefined);
});

test("of several sources the most helpful state wins: S1, then S0, then S2", () => {
  const table = [
    ["S2", "S2", "S2"],
    ["S2", "S0", "S0"],
    ["S0", "S2", "S0"],
    ["S1", "S2", "S1"],
    ["S2", "S1", "S1"],
    ["S1", "S0", "S1"],
    ["S0", "S1", "S1"],
  ] as const;
  for (const [one, two, held] of table) {
    const book = new ParticipationBook();
    book.report(at(0), {}, infoHash, evidenceFor(one));
    book.report(at(1), {}, infoHash, evidenceFor(two));
    assert.equal(book.get(infoHash)?.state, held, `${one} and ${two}`);
  }
});

test("what a source said is believed for 15 s", () => {
  const book = new ParticipationBook();
  const other = {};
  book.report(at(0), {}, infoHash, evidenceFor("S1"));
  book.report(at(15_000), other, infoHash, evidenceFor("S2"));
  assert.equal(book.get(infoHash)?.state, "S1");
  book.report(at(15_001), other, infoHash, evidenceFor("S2"));
  assert.equal(book.get(infoHash)?.state, "S2");
});

test("a swarm is released by fresh evidence of S2 alone", () => {
  const book = new ParticipationBook();
  const source = {};
  assert.equal(book.isReleased(0, infoHash), false);
  for (const state of ["S0", "S1"] as const) {
    book.report(at(0), source, infoHash, evidenceFor(state));
    assert.equal(book.isReleased(0, infoHash), false, state);
  }
  book.report(at(0), source, infoHash, evidenceFor("S2"));
  assert.equal(book.isReleased(15_000, infoHash), true);
  assert.equal(book.isReleased(15_001, infoHash), false, "old");
  assert.equal(book.isReleased(0, otherInfoHash), false);
});

test("a source that is gone releases nothing, and holds nothing back", () => {
  const book = new ParticipationBook();
  const [one, two] = [{}, {}];
  book.report(at(0), one, infoHash, evidenceFor("S1"));
  book.report(at(0), two, infoHash, evidenceFor("S2"));
  book.forgetSource(one);
  book.report(at(1), two, infoHash, evidenceFor("S2"));
  assert.equal(book.isReleased(1, infoHash), true);
  book.forgetSource(two);
  assert.equal(book.isReleased(1, infoHash), false);
  assert.equal(book.get(infoHash)?.state, "S2", "the last that was known");
});

test("a state from before a restart is shown, and releases nothing until it is seen again", () => {
  const book = new ParticipationBook();
  const held = {
    state: "S2",
    reason: { code: "peers-suffice", copies: 3, floor: 2 },
    since: 77,
  } as const;
  book.restore(infoHash, held);
  assert.deepEqual(book.get(infoHash), held);
  assert.equal(book.isReleased(0, infoHash), false);
  assert.equal(book.report(at(0), {}, infoHash, evidenceFor("S2")), undefined, "no change");
  assert.equal(book.get(infoHash)?.since, 77);
  assert.equal(book.isReleased(0, infoHash), true);
});

test("a torrent that is registered no more is forgotten", () => {
  const book = new ParticipationBook();
  book.report(at(0), {}, infoHash, evidenceFor("S2"));
  book.forget(infoHash);
  assert.equal(book.get(infoHash), undefined);
  assert.equal(book.isReleased(0, infoHash), false);
});
