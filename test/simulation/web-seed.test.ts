import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MemoryHttp, type MemoryHttpServer } from "../../src/adapters/memory/memory-http.ts";
import { MemorySwarm } from "../support/memory-swarm.ts";
import { anInfo, someContent } from "../support/torrents.ts";

const KIB = 1024;
const content = someContent(1000 * KIB + 77, 4);
const info = anInfo(content, 64 * KIB);
const URL_LIST = ["http://seed/files/content.bin"];

/** A server that answers ranges of `bytes`, after `failures` answers of status `status`. */
function aServer(
  bytes: Uint8Array,
  failures = 0,
  status = 503,
): MemoryHttpServer & { asked: number } {
  const server: MemoryHttpServer & { asked: number } = Object.assign(
    (_url: string, headers: Readonly<Record<string, string>>) => {
      server.asked++;
      if (server.asked <= failures) {
        return { head: { status, headers: { "retry-after": "7" } }, body: new Uint8Array(0) };
      }
      const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(headers["range"] ?? "") ?? [];
      const body = bytes.subarray(Number(first), Number(last) + 1);
      const range = `bytes ${first}-${last}/${bytes.length}`;
      return { head: { status: 206, headers: { "content-range": range } }, body };
    },
    { asked: 0 },
  );
  return server;
}

async function download(
  server: MemoryHttpServer,
): Promise<{ swarm: MemorySwarm; isDone: boolean }> {
  const swarm = new MemorySwarm(info, 1);
  const http = new MemoryHttp(swarm.clock, server, 500_000);
  const peer = await swarm.add("10.0.0.1", { http, role: { webSeeds: URL_LIST } });
  const isDone = await swarm.runUntilComplete([peer], 600_000);
  if (isDone) assert.deepEqual(peer.store.content, content);
  return { swarm, isDone };
}

describe("a web seed in virtual time", () => {
  test("TOR-31 tens of thousands of pad files in a row are no burden", async () => {
    const padded = new Uint8Array(64 * KIB);
    padded.fill(1, 0, KIB);
    const plain = anInfo(padded, 64 * KIB);
    const files = Array.from({ length: 63 * KIB + 1 }, (_, i) => ({
      path: [String(i)],
      rawPath: [],
      length: i === 0 ? KIB : 1,
      offset: i === 0 ? 0 : KIB + i - 1,
      isPad: i > 0,
    }));
    const swarm = new MemorySwarm({ ...plain, isDirectory: true, files }, 1);
    const http = new MemoryHttp(swarm.clock, aServer(padded));
    const peer = await swarm.add("10.0.0.1", { http, role: { webSeeds: ["http://seed/"] } });
    assert.ok(await swarm.runUntilComplete([peer], 600_000));
    assert.deepEqual(peer.store.content, padded);
  });

  test("gives the whole content, without any peer", async () => {
    const { swarm, isDone } = await download(aServer(content));
    assert.ok(isDone);
    assert.equal(swarm.members[0]?.runner.figures().fromSourceBytes, content.length);
  });

  test("is asked for little first, alone, and then never runs dry", async () => {
    const swarm = new MemorySwarm(info, 1);
    const plain = aServer(content);
    const asked: { readonly at: number; readonly bytes: number }[] = [];
    const server: MemoryHttpServer = (url, headers) => {
      const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(headers["range"] ?? "") ?? [];
      asked.push({ at: swarm.clock.now(), bytes: Number(last) + 1 - Number(first) });
      return plain(url, headers);
    };
    const http = new MemoryHttp(swarm.clock, server, 500_000);
    const peer = await swarm.add("10.0.0.1", { http, role: { webSeeds: URL_LIST } });

    assert.ok(await swarm.runUntilComplete([peer], 600_000));
    const [first, second, third] = asked;
    assert.ok(first && second && third);
    assert.ok(first.bytes <= 256 * KIB);
    // The second comes when half of the first is there, and the third no later than its end.
    const fullMs = first.bytes / 500;
    assert.ok(second.at >= first.at + fullMs / 2 && second.at < first.at + fullMs);
    assert.ok(third.at <= first.at + fullMs + 25);
  });

  test("that is busy is asked again when it said, not before", async () => {
    const server = aServer(content, 3);
    const { swarm, isDone } = await download(server);
    assert.ok(isDone);
    // One request each time, and no longer rests than the server asked for, but for the jitter.
    const firstAt = swarm.events[0]?.[0] as number;
    assert.ok(firstAt >= 21_000 && firstAt < 33_000, `first piece after ${firstAt} ms`);
  });

  test("that fails is asked less and less often, and never for nothing again and again", async () => {
    const server = aServer(content, 1_000_000, 404);
    const { isDone } = await download(() => {
      server.asked++;
      return { head: { status: 404, headers: {} }, body: new Uint8Array(0) };
    });
    assert.ok(!isDone);
    assert.ok(server.asked < 60, `asked ${server.asked} times in 10 minutes`);
  });

  test("with other bytes is left alone after one bad piece, and a peer gives the rest", async () => {
    const server = aServer(content.map((byte) => byte ^ 1));
    const swarm = new MemorySwarm(info, 1);
    const http = new MemoryHttp(swarm.clock, server, 500_000);
    const seed = await swarm.add("10.0.0.2", { content, upBytesPerSecond: 100_000 });
    const peer = await swarm.add("10.0.0.1", { http, role: { webSeeds: URL_LIST } });
    swarm.introduceAll();

    assert.ok(await swarm.runUntilComplete([peer], 600_000));
    assert.deepEqual(peer.store.content, content);
    assert.ok(seed.runner.figures().uploadedBytes >= content.length - 3 * 1024 * KIB);
  });

  test("and a peer are used at the same time", async () => {
    const swarm = new MemorySwarm(info, 1);
    const http = new MemoryHttp(swarm.clock, aServer(content), 40_000);
    const seed = await swarm.add("10.0.0.2", { content, upBytesPerSecond: 40_000 });
    const peer = await swarm.add("10.0.0.1", { http, role: { webSeeds: URL_LIST } });
    swarm.introduceAll();

    assert.ok(await swarm.runUntilComplete([peer], 600_000));
    const fromPeer = seed.runner.figures().uploadedBytes / content.length;
    assert.ok(fromPeer > 0.1 && fromPeer < 0.9, `${fromPeer} of the content came from the peer`);
  });
});
