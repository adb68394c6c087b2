/** What a tracker hears of a download that ends, in virtual time. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MemoryHttp } from "../adapters/memory/memory-http.ts";
import { VirtualClock } from "../adapters/memory/virtual-clock.ts";
import { createRandom } from "../base/random.ts";
import type { InfoHash } from "../base/units.ts";
import { TrackerClient } from "./tracker-client.ts";

const answer = new TextEncoder().encode("d8:intervali1800e5:peers6:\x0a\x00\x00\x01\x1a\x61e");

/** A client of one tracker, which notes the events that it hears, and answers while it `isUp`. */
function aClient() {
  const clock = new VirtualClock();
  const events: string[] = [];
  const tracker = { isUp: true };
  const http = new MemoryHttp(clock, (url) => {
    if (!tracker.isUp) return undefined;
    events.push(new URL(url).searchParams.get("event") ?? "none");
    return { head: { status: 200, headers: {} }, body: answer };
  });
  let peerCount = 0;
  const client = new TrackerClient(
    { clock, http, random: createRandom(1) },
    {
      infoHash: "00".repeat(20) as InfoHash,
      peerId: new Uint8Array(20),
      port: 6881,
      tiers: [["http://tracker.example/announce"]],
    },
    {
      facts: () => ({ uploaded: 0, downloaded: 0, left: 0, isLonely: false }),
      handlePeers: (peers) => {
        peerCount += peers.length;
      },
    },
  );
  const runFor = (ms: number) => clock.run({ isDone: () => false, until: clock.now() + ms });
  return { client, events, tracker, runFor, peerCount: () => peerCount };
}

describe("TrackerClient.stop", () => {
  test("a download that completes and stops at once is counted, then says goodbye", async () => {
    const { client, events, runFor, peerCount } = aClient();
    client.start();
    await runFor(100);
    assert.equal(peerCount(), 1);
    client.complete();
    const goodbye = client.stop();
    await runFor(1000);
    await goodbye;
    assert.deepEqual(events, ["started", "completed", "stopped"]);
    assert.equal(peerCount(), 1, "who leaves needs no peers");
  });

  test("also when it was complete before the tracker had answered once", async () => {
    const { client, events, runFor } = aClient();
    client.start();
    client.complete();
    const goodbye = client.stop();
    await runFor(1000);
    await goodbye;
    assert.deepEqual(events, ["started", "completed", "stopped"]);
  });

  test("what is under way besides is given up: started is never heard after stopped", async () => {
    const { client, events, runFor } = aClient();
    client.start();
    await client.stop();
    await runFor(1000);
    assert.deepEqual(events, []);
  });

  test("a tracker that has gone away is waited for no longer than it takes to fail", async () => {
    const { client, events, tracker, runFor } = aClient();
    client.start();
    await runFor(100);
    tracker.isUp = false;
    client.complete();
    const goodbye = client.stop();
    await runFor(100);
    await goodbye;
    assert.deepEqual(events, ["started"]);
  });
});
