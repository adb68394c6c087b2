import assert from "node:assert/strict";
import { test } from "node:test";
import { joinedPeer } from "../../test/support/served-peers.ts";
import { Downloader, type Grant } from "./downloader.ts";

function aDownloader(now = 0, have: readonly number[] = []): Downloader {
  return new Downloader(joinedPeer(1, { size: 8, have }), "id@192.0.2.1", now, 500);
}

function shownAt(at: number): Grant {
  return {
    piece: 0,
    shownAt: at,
    touchedAt: at,
    sentBytes: 0,
    sentAt: undefined,
    wasRequested: true,
    isOffer: true,
  };
}

test("who lacks something is active, unless it is a SourceNode", () => {
  const all = [0, 1, 2, 3, 4, 5, 6, 7];
  const of = (have: readonly number[], isSourceNode: boolean) =>
    new Downloader(joinedPeer(1, { size: 8, have, isSourceNode }), "", 0, 0).isActive;
  assert.equal(of([], false), true);
  assert.equal(of([0, 3], false), true);
  assert.equal(of(all, false), false);
  assert.equal(of([], true), false);
});

test("what it has or was shown it does not lack", () => {
  const peer = aDownloader(0, [2]);
  peer.shown.add(5);
  assert.deepEqual(
    [0, 2, 5].map((piece) => peer.lacks(piece)),
    [true, false, false],
  );
});

test("what it gains from anyone is owed no more", () => {
  const peer = aDownloader();
  peer.gain(700, 300);
  peer.gain(900, 400);
  assert.deepEqual([peer.owedBytes, peer.gainedBytes, peer.lastGainAt], [-200, 700, 900]);
});

test("its downlink is the highest mean over 5 s, and never goes down", () => {
  const peer = aDownloader(1000);
  peer.gain(3000, 40_000);
  assert.equal(peer.peakBytesPerSecond, 0, "too early to tell");
  peer.gain(6000, 10_000);
  assert.equal(peer.peakBytesPerSecond, 10_000);
  peer.gain(16_000, 10_000);
  assert.equal(peer.peakBytesPerSecond, 10_000, "a slow time says nothing");
  peer.gain(21_000, 75_000);
  assert.equal(peer.peakBytesPerSecond, 15_000);
});

test("how late it answers is smoothed, and a very late answer counts as one of 4 s", () => {
  const peer = aDownloader();
  assert.equal(peer.delayMs, 0);
  peer.handleArrived(1400, shownAt(1000));
  assert.equal(peer.delayMs, 100);
  peer.handleArrived(2500, shownAt(2000));
  assert.equal(peer.delayMs, 200);
  peer.handleArrived(100_000, shownAt(2000));
  assert.equal(peer.delayMs, 1150);
});

test("it passes on as fast as its pieces were seen elsewhere", () => {
  const peer = aDownloader();
  assert.equal(peer.forwardRate(60_000), 2, "no piece yet: as good as any");
  peer.firstPieceAt = 60_000;
  peer.seenCount = 4;
  assert.equal(peer.forwardRate(60_500), 5);
  assert.equal(peer.forwardRate(69_500), 0.5);
});

test("a new piece waits behind those that it has not passed on, and those on their way", () => {
  const peer = aDownloader();
  assert.equal(peer.spreadCost(0), 0.5);
  peer.unseen.add(1).add(2);
  peer.grants.set(3, shownAt(0));
  assert.equal(peer.spreadCost(0), 2);
  assert.equal(peer.inFlightBytes(100), 100);
});

test("who takes no more for 5 s, while we could send more, is owed nothing", () => {
  const peer = aDownloader();
  peer.grants.set(0, shownAt(0));
  peer.owedBytes = 9000;
  peer.handleTick(0, true);
  peer.handleTick(4000, false);
  peer.handleTick(4100, true);
  peer.handleTick(9000, true);
  assert.equal(peer.owedBytes, 9000, "our uplink was busy meanwhile");
  peer.handleTick(9100, true);
  assert.deepEqual([peer.owedBytes, peer.isDownlinkKnown], [0, true]);
});

test("so much may be under way to it as it takes in two seconds, and four pieces", () => {
  const peer = aDownloader();
  assert.equal(peer.mostInFlight(0, 100), 400);
  peer.gain(2000, 3000);
  assert.equal(peer.mostInFlight(2000, 100), 3000);
  peer.gain(6000, 3000);
  assert.equal(peer.mostInFlight(60_000, 100), 2000);
});
