import assert from "node:assert/strict";
import { test } from "node:test";
import { joinedPeer } from "../../test/support/served-peers.ts";
import { unwrap } from "../base/errors.ts";
import { Downloader } from "./downloader.ts";
import { type PolicyName, type PolicyNumbers, resolvePolicy } from "./policy.ts";
import { promisedRate } from "./promised-rate.ts";

const view = { now: 10_000, directShare: 1000, contentLength: 80_000 };

/** What is promised to a peer with half of the content that was seen to gain `peak` at most. */
function promised(policy: PolicyName, numbers: PolicyNumbers, peak: number): number {
  const peer = new Downloader(joinedPeer(1, { size: 8, have: [0, 1, 2, 3] }), "", 0, 0);
  peer.peakBytesPerSecond = peak;
  return promisedRate(unwrap(resolvePolicy(policy, numbers)), peer, view);
}

test("the direct share, as far as the downlink goes; a least rate and a deadline in any case", () => {
  const table: readonly (readonly [PolicyName, PolicyNumbers, number, number])[] = [
    ["balanced", {}, 0, 1000],
    ["fast", {}, 0, 1000],
    ["balanced", {}, 600, 1000],
    ["balanced", {}, 300, 600],
    ["thrifty", {}, 0, 0],
    ["thrifty", { minRateBytesPerSecond: 70 }, 0, 70],
    ["balanced", { minRateBytesPerSecond: 5000 }, 300, 5000],
    ["thrifty", { deadline: 30_000 }, 0, 2000],
    ["balanced", { deadline: 210_000 }, 0, 1000],
    // Over, or nearly: within a second, and never by a negative rate.
    ["thrifty", { deadline: 10_500 }, 0, 40_000],
    ["thrifty", { deadline: 5000 }, 0, 40_000],
  ];
  for (const [policy, numbers, peak, rate] of table) {
    assert.equal(promised(policy, numbers, peak), rate, JSON.stringify([policy, numbers, peak]));
  }
});

test("a downlink that is known is promised what it is good for, and no more to find out", () => {
  const peer = new Downloader(joinedPeer(1, { size: 8 }), "", 0, 0);
  peer.peakBytesPerSecond = 300;
  peer.isDownlinkKnown = true;
  assert.equal(promisedRate(unwrap(resolvePolicy("balanced", {})), peer, view), 240);
});
