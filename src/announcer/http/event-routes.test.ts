import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, get, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { type AppWorld, publishThing, startApp } from "../../../test/support/announcer-app.ts";
import { evidenceFor, idleParticipation } from "../../../test/support/participation.ts";
import { tokensOf } from "../../../test/support/roles.ts";
import { VirtualClock } from "../../adapters/memory/virtual-clock.ts";
import type { InfoHash } from "../../base/units.ts";
import type { PublicationLook } from "../../ports/source-look.ts";
import type { LiveDetail, LiveOverview } from "../../protocol/api/live.ts";
import { EventStream } from "./event-stream.ts";

const load = {
  uplinkLimit: undefined,
  uplinkCapacity: 1000,
  connections: 3,
  cpuFraction: 0.25,
  eventLoopDelayMs: 1.25,
  storageReadRate: 0,
};

/** A stream that a reader opened; `next` is the next event, comments and `retry` apart. */
async function openStream(world: AppWorld, url: string, token?: string) {
  const headers = {
    host: "pub.example",
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  };
  const response = await world.app.fastify.inject({ url, headers, payloadAsStream: true });
  const stream = response.stream();
  let text = "";
  stream.setEncoding("utf8").on("data", (part: string) => (text += part));
  const next = async (): Promise<{ event: string; data: unknown }> => {
    for (let turns = 0; turns < 1000; turns++) {
      const found = /event: (\w+)\ndata: (.*)\n\n/.exec(text);
      if (found !== null) {
        text = text.slice(found.index + found[0].length);
        return { event: found[1] as string, data: JSON.parse(found[2] as string) as unknown };
      }
      await turn();
    }
    throw new Error(`no event, but: ${text}`);
  };
  return { response, stream, next, text: () => text };
}

/** What a peer of our kind says of itself. */
const report = {
  downloaded: { sources: 100, ownPeers: 200, otherPeers: 300 },
  uploaded: { sources: 0, ownPeers: 5, otherPeers: 6 },
  downRate: 1000,
  upRate: 900,
  neighbours: 12,
  downlink: 2000,
  uplink: 1000,
  downLimit: 5000,
  leavesWhenDone: true,
};

function looksOf(infoHash: InfoHash, count: number): PublicationLook[] {
  return Array.from({ length: count }, (_, i) => ({
    at: 1_000_000 + i * 1000,
    swarm: {
      infoHash,
      piecesBelowFloor: 1,
      participation: {
        evidence: evidenceFor("S1"),
        figures: { ...idleParticipation.figures, spentBytes: 5 + i * 1000 },
      },
    },
    pieceLength: 16384,
    bytesByDoor: { bittorrent: 5 + i * 1000, webseed: 0, webrtc: 0, http: 0 },
    copies: i === 0 ? "0" : "1",
    sent: "1",
    peers: [
      {
        key: 1,
        client: "aria2 1.37.0",
        host: "192.0.2.7",
        joinedAt: 0,
        pieces: i,
        gainedBytes: i * 2000,
        sentBytes: i * 1000,
        owedBytes: 0,
        report: i === 0 ? undefined : report,
      },
    ],
    otherPeers: 0,
  }));
}

async function infoHashOf(world: AppWorld): Promise<InfoHash> {
  return (await world.get("/api/v1/publications/some-thing")).json().infoHash;
}

test("a dashboard hears of the source and of each publication, first whole, then what changed", async (t) => {
  const world = await startApp(t);
  await publishThing(world);
  const infoHash = await infoHashOf(world);
  const looks = looksOf(infoHash, 2);
  world.content.looks = looks.map(({ at, swarm }) => ({ at, ...load, swarms: [swarm] }));
  world.control.swarmCounts.set(infoHash, {
    complete: 1,
    incomplete: 1,
    downloaded: 0,
    participation: { state: "S1", reason: { code: "source-sending" }, since: 999 },
  });

  const { response, next } = await openStream(world, "/api/v1/events", "right-token");

  assert.equal(response.headers["content-type"], "text/event-stream");
  assert.equal(response.headers["cache-control"], "no-store");
  const first = await next();
  const { publications, source } = first.data as LiveOverview;
  assert.deepEqual([first.event, source?.connections, source?.uplinkRate], ["snapshot", 3, 0]);
  const [summary] = publications;
  assert.deepEqual([summary?.name, summary?.bytes, summary?.state], ["some-thing", 5, "published"]);
  assert.equal(summary?.participation?.message, "the server sent something in the last seconds");
  assert.equal(summary?.swarm?.copiesSent, 1);
  const delta = await next();
  assert.equal(delta.event, "delta");
  assert.equal((delta.data as LiveOverview).source?.uplinkRate, 1000);
});

test("one publication is told with rates, pieces, peers and the states it was in", async (t) => {
  const world = await startApp(t);
  await publishThing(world);
  const infoHash = await infoHashOf(world);
  world.content.publicationLooks = looksOf(infoHash, 2);
  const held = { state: "S1", reason: { code: "source-sending" }, since: 999 } as const;
  world.control.swarmCounts.set(infoHash, {
    complete: 1,
    incomplete: 1,
    downloaded: 0,
    participation: held,
  });
  world.control.history.set(infoHash, [held]);

  const url = "/api/v1/publications/some-thing/events";
  const { next } = await openStream(world, url, "right-token");

  const detail = (await next()).data as LiveDetail;
  assert.deepEqual([detail.copies, detail.sent, detail.pieceLength], ["0", "1", 16384]);
  assert.deepEqual(
    [detail.peers[0]?.client, detail.peers[0]?.address],
    ["aria2 1.37.0", "192.0.2.7"],
  );
  assert.deepEqual(
    detail.timeline.map(({ since }) => since),
    [999],
  );
  const { event, data } = await next();
  const delta = data as Record<string, unknown>;
  assert.equal(event, "delta");
  assert.deepEqual(delta["figures"], [[1, 1, 2000, 1000, 0]]);
  const said = { downRate: 1000, upRate: 900, fromSources: 100, fromPeers: 500, neighbours: 12 };
  assert.deepEqual(delta["reports"], [[1, { ...said, downLimit: 5000, leavesWhenDone: true }]]);
  assert.deepEqual(delta["copies"], [[0, "1"]]);
  const none = await world.send({ method: "GET", url: url.replace("some", "no") });
  assert.equal(none.statusCode, 404);
});

test("A16 a publisher hears of what is its own, and of nothing else", async (t) => {
  const world = await startApp(t);
  await publishThing(world);
  const tokens = await tokensOf(world);
  world.content.looks = [{ at: 1, ...load, swarms: [] }];
  const { next } = await openStream(world, "/api/v1/events", tokens.publisher);
  assert.deepEqual(((await next()).data as LiveOverview).publications, []);
  const one = await openStream(world, "/api/v1/publications/some-thing/events", tokens.publisher);
  assert.equal(one.response.statusCode, 404);
});

test("A16 a stream ends when the right to it does", async (t) => {
  const world = await startApp(t);
  const tokens = await tokensOf(world);
  world.content.looks = [{ at: 1, ...load, swarms: [] }];
  const { next, stream } = await openStream(world, "/api/v1/events", tokens.maintainer);
  await next();
  await world.accessControl.accounts.change("mary", { isDisabled: true });
  const closed = once(stream, "close");
  await world.clock.run({ until: world.clock.now() + 15_000 });
  assert.deepEqual(await next(), { event: "end", data: { reason: "session-ended" } });
  await closed;
});

test("who does not read the end of a stream does not keep it open", async () => {
  const clock = new VirtualClock();
  const stream = new EventStream({ clock, isAllowed: async () => false });
  const closed: string[] = [];
  stream.onClose(() => closed.push("closed"));
  await clock.run({ until: 15_000 });
  assert.deepEqual(closed, []);
  await clock.run({ until: 30_000 });
  await turn();
  assert.deepEqual(closed, ["closed"]);
});

test("A16 API-23 one account has 20 streams; others have theirs", async (t) => {
  const world = await startApp(t);
  const tokens = await tokensOf(world);
  world.content.looks = [{ at: 1, ...load, swarms: [] }];
  const server = createServer((request, response) => world.app.handle(request, response));
  await once(server.listen(0, "127.0.0.1"), "listening");
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const open = async (token: string | undefined) => {
    const headers = { host: "pub.example", authorization: `Bearer ${token}` };
    const request = get({ port, path: "/api/v1/events", headers, agent: false });
    const [response] = (await once(request, "response")) as [IncomingMessage];
    t.after(() => request.destroy());
    return { request, response, status: response.statusCode };
  };
  const streams = await Promise.all(Array.from({ length: 20 }, () => open(tokens.maintainer)));
  assert.ok(streams.every(({ status }) => status === 200));
  const refused = await open(tokens.maintainer);
  assert.deepEqual([refused.status, refused.response.headers["retry-after"]], [429, "10"]);
  assert.equal((await open(tokens.publisher)).status, 200);

  streams[0]?.request.destroy();
  let status = 429;
  for (let attempt = 0; attempt < 100 && status === 429; attempt++) {
    status = (await open(tokens.maintainer)).status as number;
  }
  assert.equal(status, 200);
});

test("streams end when the server stops", async (t) => {
  const world = await startApp(t);
  world.content.looks = [{ at: 1, ...load, swarms: [] }];
  const { next } = await openStream(world, "/api/v1/events", "right-token");
  await next();
  world.announcer.live.close();
  assert.deepEqual(await next(), { event: "end", data: { reason: "closing" } });
});
