/** What pages show, and how long they wait, while the Tracker is silent. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeControlLink } from "../../test/support/announcer-world.ts";
import { SteppedClock } from "../../test/support/stepped-clock.ts";
import type { InfoHash } from "../base/units.ts";
import type { SwarmCounts } from "../ports/tracker-control.ts";
import { Surroundings } from "./surroundings.ts";

const infoHash = "ab".repeat(20) as InfoHash;

/** A link that can fall silent: calls wait for an answer that does not come. */
class SilentLink extends FakeControlLink {
  #speak: Promise<void> | undefined;

  /** Returns what has it speak again. */
  fallSilent(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#speak = promise;
    return resolve;
  }

  override async announceUrls(): Promise<readonly string[]> {
    await this.#speak;
    return super.announceUrls();
  }

  override async counts(): Promise<ReadonlyMap<InfoHash, SwarmCounts>> {
    await this.#speak;
    return super.counts();
  }
}

test("of a silent Tracker the last sight stays, and only the first reader waits two seconds", async () => {
  const link = new SilentLink();
  const clock = new SteppedClock();
  const surroundings = new Surroundings(link, clock);
  const { announceUrls } = await surroundings.look();
  assert.deepEqual(announceUrls, link.urls);

  const speak = link.fallSilent();
  clock.advance(2001);
  const first = surroundings.look();
  const counts = surroundings.counts([infoHash]);
  clock.advance(2000);
  assert.deepEqual((await first).announceUrls, announceUrls);
  assert.equal((await counts).size, 0);

  clock.advance(2001);
  assert.deepEqual((await surroundings.look()).announceUrls, announceUrls);
  assert.equal((await surroundings.counts([infoHash])).size, 0);
  assert.equal(clock.pendingCount, 0, "nobody else waits");

  link.urls = ["http://new.example/announce"];
  link.swarmCounts.set(infoHash, { complete: 1, incomplete: 0, downloaded: 0 });
  speak();
  await new Promise(setImmediate);
  assert.equal((await surroundings.counts([infoHash])).size, 1);
  clock.advance(2001);
  assert.deepEqual((await surroundings.look()).announceUrls, link.urls);
});
