/** What every control link must do, in one process or between machines. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { BtPublisherError } from "../../src/base/errors.ts";
import type {
  AnnouncerControlLink,
  Registration,
  SourceControlLink,
  SourceHello,
} from "../../src/ports/tracker-control.ts";
import {
  announceOf,
  announceUrls,
  hello,
  openTrackerWorld,
  otherRegistration,
  registration,
  statusOf,
  type TrackerWorld,
  testPeer,
} from "./tracker-world.ts";

/** Links to the Tracker of one world. */
export interface ControlLinks {
  source(hello: SourceHello): SourceControlLink;
  announcer(): AnnouncerControlLink;
  /** Returns once the Tracker knows that a source's link was closed. */
  closed(): Promise<void>;
}

/** Tests named `name` of the links that `link` makes, and ends after the test. */
export function testControlLink(
  name: string,
  link: (world: TrackerWorld, t: TestContext) => Promise<ControlLinks>,
): void {
  const run = (
    what: string,
    body: (links: ControlLinks, world: TrackerWorld) => Promise<void>,
    openWorld = openTrackerWorld,
  ): void => {
    void test(`${name}: ${what}`, async (t) => {
      const world = await openWorld();
      await body(await link(world, t), world);
    });
  };

  const isRegistered = ({ tracker }: TrackerWorld, { infoHash }: Registration) => {
    const peer = testPeer(1);
    const announce = announceOf(peer, { infoHash, event: "stopped" });
    return tracker.announce(announce, { ...peer, reachedAt: undefined }).type === "answered";
  };

  run("an Announcer hears the states that a swarm was in", async (links) => {
    const source = links.source(hello);
    const announcer = links.announcer();
    await source.register(registration);
    assert.deepEqual(await announcer.states(registration.infoHash), []);
    source.report(statusOf(registration.infoHash));
    // Messages of one link keep their order.
    await source.register(registration);
    const [held] = await announcer.states(registration.infoHash);
    assert.deepEqual([held?.state, held?.reason], ["S0", { code: "no-peer" }]);
  });

  run("a torrent exists from its registration until its end", async (links, world) => {
    const source = links.source(hello);
    assert.equal(isRegistered(world, registration), false);
    await source.register(registration);
    assert.equal(isRegistered(world, registration), true);
    await source.register(registration);
    await source.register(otherRegistration);
    await source.unregister(registration.infoHash);
    assert.equal(isRegistered(world, registration), false);
    assert.equal(isRegistered(world, otherRegistration), true);
    await source.unregister(registration.infoHash);
    assert.deepEqual(
      (await world.store.all()).map(({ name }) => name),
      [otherRegistration.name],
    );
  });

  run("counts are those of registered torrents, others are left out", async (links) => {
    const source = links.source(hello);
    const announcer = links.announcer();
    await source.register(registration);

    const hashes = [registration.infoHash, otherRegistration.infoHash];
    assert.deepEqual(
      await announcer.counts(hashes),
      new Map([[registration.infoHash, { complete: 1, incomplete: 0, downloaded: 0 }]]),
    );
    assert.deepEqual(await announcer.counts([]), new Map());
  });

  run("an Announcer sees the sources with their last report", async (links) => {
    const source = links.source(hello);
    const announcer = links.announcer();
    await source.register(registration);
    const [first] = await announcer.sources();
    assert.equal(first?.sourceId, hello.sourceId);
    assert.equal(first.publicUrl, hello.publicUrl);
    assert.deepEqual(first.peerAddress, { host: hello.peerHost, port: hello.peerPort });
    assert.equal(first.isAlive, true);
    assert.equal(first.status, undefined);

    source.report(statusOf(registration.infoHash));
    await source.register(registration);
    const [second] = await announcer.sources();
    assert.equal(second?.status?.uplinkBytesPerSecond, 1000);
    assert.equal(second.status.uplinkLimitBytesPerSecond, undefined);
    assert.deepEqual(second.status.swarms, statusOf(registration.infoHash).swarms);
  });

  run("a source that closed its link is not alive, and not forgotten", async (links) => {
    const source = links.source(hello);
    const announcer = links.announcer();
    await source.register(registration);
    await source.close();
    await links.closed();

    assert.deepEqual(
      (await announcer.sources()).map(({ isAlive }) => isAlive),
      [false],
    );
  });

  run("a source that gave no address is reached where the Tracker sees it", async (links) => {
    const source = links.source({ ...hello, peerHost: undefined });
    await source.register(registration);
    const [known] = await links.announcer().sources();
    assert.deepEqual(known?.peerAddress, { host: "127.0.0.1", port: hello.peerPort });
  });

  run("an Announcer learns the announce URLs", async (links) => {
    assert.deepEqual(await links.announcer().announceUrls(), announceUrls);
  });

  run(
    "a registration that cannot be stored fails, and is none",
    async (links, world) => {
      const source = links.source(hello);
      await assert.rejects(
        source.register(registration),
        (error) => error instanceof BtPublisherError && error.code === "STORAGE_FULL",
      );
      assert.equal(isRegistered(world, registration), false);
    },
    () => openTrackerWorld({}, brokenStore),
  );
}

const diskFull = async (): Promise<never> => {
  throw new BtPublisherError("STORAGE_FULL", "the disk is full");
};

const brokenStore = {
  put: diskFull,
  addDownloaded: diskFull,
  holdState: diskFull,
  states: async () => [],
  remove: diskFull,
  all: async () => [],
};
