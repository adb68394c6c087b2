/** A SourceNode that really seeds, by both doors: what its ledger says is what was sent. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { MemoryPieceStore } from "../../src/adapters/memory/memory-piece-store.ts";
import { createSystemClock } from "../../src/adapters/node/clock.ts";
import { sha1 } from "../../src/adapters/node/disk-hash.ts";
import { createFilesHandler } from "../../src/adapters/node/files-handler.ts";
import { createHttpClient } from "../../src/adapters/node/http-client.ts";
import { createTcpTransport } from "../../src/adapters/node/tcp-transport.ts";
import { Bitfield } from "../../src/base/bitfield.ts";
import { unwrap } from "../../src/base/errors.ts";
import { createRandom } from "../../src/base/random.ts";
import type { PublishedContent } from "../../src/ports/content-service.ts";
import { parseInfo } from "../../src/protocol/metainfo/parse.ts";
import { createPeerId, isSourcePeerId } from "../../src/protocol/wire/peer-id.ts";
import { PeerHost, unlimited } from "../../src/runtime/peer-host.ts";
import { SourceFilesDoor } from "../../src/source-node/files-door.ts";
import { bodyOf, discardSource, type SourceWorld, startSource } from "../support/source-world.ts";
import { defaultPolicy } from "../../src/ports/publication-policy.ts";

const clock = createSystemClock();
let seed = 1;

async function openHost(t: TestContext, kind: "source" | "peer"): Promise<PeerHost> {
  const random = createRandom(seed++);
  const host = new PeerHost(
    {
      clock,
      random,
      transport: createTcpTransport({ clock }),
      http: createHttpClient({ clock }),
      isSourceNode: isSourcePeerId,
    },
    {
      peerId: createPeerId(kind, random),
      clientName: "BTPublisher test",
      host: "127.0.0.1",
      port: 0,
      uploadLimit: unlimited(),
      downloadLimit: unlimited(),
    },
  );
  await host.listen();
  t.after(() => host.close());
  return host;
}

async function publish({ source }: SourceWorld, bytes: Uint8Array): Promise<PublishedContent> {
  const lengths = [bytes.length - 100_000, 99_999, 1];
  const files = lengths.map((length, i) => ({ path: ["sub", `${i}.bin`], length }));
  await source.beginUpload({ name: "thing", contentName: "My Thing", isDirectory: true, files });
  let start = 0;
  for (const [fileIndex, length] of lengths.entries()) {
    const body = bodyOf(bytes.subarray(start, start + length));
    await source.appendFile("thing", { fileIndex, offset: 0 }, body);
    start += length;
  }
  return source.publishUpload("thing", {
    pieceLength: 32 * 1024,
    isPrivate: false,
    policy: defaultPolicy,
  });
}

/** Downloads all of `content`. */
async function download(
  t: TestContext,
  content: PublishedContent,
  from: { readonly peerPort?: number; readonly webSeed?: string },
): Promise<Uint8Array> {
  const host = await openHost(t, "peer");
  const info = unwrap(parseInfo(content.info, { sha1 }));
  const store = new MemoryPieceStore(info, { sha1 });
  const have = new Bitfield(info.geometry.pieceCount);
  const webSeeds = from.webSeed === undefined ? [] : [from.webSeed];
  const port = from.peerPort;
  await new Promise<void>((done) => {
    const runner = host.add({ info, store, have }, { onComplete: done }, { webSeeds });
    if (port !== undefined) runner.addAddresses([{ host: "127.0.0.1", port }]);
  });
  return store.content;
}

/** Bytes by piece in the ledger of `world`, of the one door that it names. */
async function ledgerOf(world: SourceWorld, door: string): Promise<readonly number[]> {
  const byPiece: number[] = [];
  for await (const entry of world.source.ledger("thing")) {
    assert.equal(entry.door, door);
    byPiece[entry.pieceIndex] = (byPiece[entry.pieceIndex] ?? 0) + entry.bytes;
  }
  return byPiece;
}

test("a peer gets every piece, and the ledger has it once", async (t) => {
  const host = await openHost(t, "source");
  const world = await startSource(undefined, { host });
  t.after(() => discardSource(world));
  const bytes = randomBytes(1_500_000);
  const content = await publish(world, bytes);

  const received = await download(t, content, { peerPort: host.port ?? 0 });

  assert.ok(Buffer.from(received).equals(bytes));
  const expected = Array.from({ length: 46 }, (_, i) => Math.min(32_768, 1_500_000 - i * 32_768));
  assert.deepEqual(await ledgerOf(world, "bittorrent"), expected);
  assert.equal(world.source.publication("thing")?.ledger.copiesSent, 1);
  const publication = world.source.publication("thing");
  assert.equal(publication?.ledger.sentBytes, host.figures(content.infoHash)?.uploadedBytes);
});

test("a web seed serves a directory (BEP 19), and the ledger names its door", async (t) => {
  const world = await startSource();
  t.after(() => discardSource(world));
  const door = new SourceFilesDoor(world.source);
  const server = createServer(createFilesHandler({ door, clock, uploadLimit: unlimited() }));
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const bytes = randomBytes(1_500_000);
  const content = await publish(world, bytes);
  const { port } = server.address() as AddressInfo;

  const webSeed = `http://127.0.0.1:${port}/files/thing/`;
  const received = await download(t, content, { webSeed });

  assert.ok(Buffer.from(received).equals(bytes));
  const sent = (await ledgerOf(world, "webseed")).reduce((sum, each) => sum + each, 0);
  assert.equal(sent, world.source.publication("thing")?.ledger.sentBytes);
  assert.ok(sent >= bytes.length);
});
