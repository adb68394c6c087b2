import assert from "node:assert/strict";
import { test } from "node:test";
import { joinedPeer } from "../../test/support/served-peers.ts";
import { Downloader, type Grant } from "./downloader.ts";
import { hasLapsed } from "./lapse.ts";

test("an offer is over when nothing happened to it for so long", () => {
  const table: readonly (readonly [string, Partial<Grant>, number, number])[] = [
    ["nobody asked for it", {}, 0, 1000],
    ["nobody asked for it, waiting for others", {}, 1, 5000],
    ["asked for in part", { wasRequested: true }, 0, 3000],
    ["asked for, waiting for it", { wasRequested: true }, 1, 5000],
    ["sent", { wasRequested: true, sentAt: 500 }, 0, 10_000],
    ["sent, waiting for others", { wasRequested: true, sentAt: 500 }, 9, 10_000],
  ];
  for (const [name, changes, openRequests, ms] of table) {
    const peer = new Downloader(joinedPeer(1, { size: 1 }), "", 0, 0);
    peer.openRequests = openRequests;
    const shown = {
      piece: 0,
      shownAt: 0,
      sentBytes: 0,
      sentAt: undefined,
      wasRequested: false,
      isOffer: true,
    };
    const grant: Grant = { ...shown, touchedAt: 500, ...changes };
    assert.equal(hasLapsed(500 + ms, peer, grant), false, name);
    assert.equal(hasLapsed(501 + ms, peer, grant), true, name);
  }
});
