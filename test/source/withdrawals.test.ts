/** What a SourceNode does not serve, as an Announcer hears it. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { appendFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { ContentServiceClient } from "../../src/adapters/node/content-service-client.ts";
import { ContentServiceServer } from "../../src/adapters/node/content-service-server.ts";
import { defaultPolicy } from "../../src/ports/publication-policy.ts";
import {
  discardSource,
  type SourceWorld,
  sourceAdapters,
  startSource,
} from "../support/source-world.ts";

const key = new Uint8Array(32).fill(7);
const options = { pieceLength: undefined, isPrivate: false, policy: defaultPolicy };

/** A world that serves a folder and a single file where they lie. */
async function publishedWorld(t: TestContext): Promise<SourceWorld & { readonly folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), "btp-withdrawn-"));
  t.after(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, "tree", "sub"), { recursive: true });
  for (const path of ["tree/sub/a", "tree/b", "file.bin"]) {
    await writeFile(join(folder, path), path);
  }
  const world = await startSource();
  t.after(() => discardSource(world));
  await world.source.publishLocal({ name: "folder", path: join(folder, "tree") }, options);
  await world.source.publishLocal({ name: "file", path: join(folder, "file.bin") }, options);
  return { ...world, folder };
}

/** The same service by way of HTTP. */
async function remote(t: TestContext, { source, clock }: SourceWorld) {
  const door = new ContentServiceServer({ service: source, key, clock });
  const server = createServer((request, response) => void door.handle(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return new ContentServiceClient({ baseUrl: `http://127.0.0.1:${port}`, key, clock });
}

test("S9 withdrawals name the file as the content does, and why", async (t) => {
  const world = await publishedWorld(t);
  const client = await remote(t, world);
  assert.deepEqual(await world.source.withdrawals(), []);
  assert.deepEqual(await client.withdrawals(), []);

  await appendFile(join(world.folder, "tree", "sub", "a"), "more");
  await rm(join(world.folder, "file.bin"));
  world.clock.advance(60_000);
  await world.source.settled();

  const expected = [
    { name: "folder", reason: "file-changed", path: "tree/sub/a" },
    { name: "file", reason: "file-missing", path: "file.bin" },
  ];
  assert.deepEqual(await world.source.withdrawals(), expected);
  assert.deepEqual(await client.withdrawals(), expected);
});

test("S9 a file that turns out changed while its publication is being opened is not served", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "btp-withdrawn-"));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, "file.bin");
  await writeFile(path, "content");
  let opened = 0;
  const openStore: SourceWorld["dependencies"]["openStore"] = (content, info) => {
    const publication = world.source.publication("file");
    // A browser asks for it just now, and the door sees another length.
    if (opened++ === 0 && publication !== undefined) world.source.reportChanged(publication, path);
    return sourceAdapters(world.data).openStore(content, info);
  };
  const world = await startSource(undefined, { openStore });
  t.after(() => discardSource(world));

  await world.source.publishLocal({ name: "file", path }, options);
  assert.equal(world.host.seeded.size, 0);
  assert.deepEqual(
    (await world.source.withdrawals()).map(({ reason }) => reason),
    ["file-changed"],
  );

  world.clock.advance(60_000);
  await world.source.settled();
  assert.equal(world.host.seeded.size, 1, "the file was in order: the next look finds that");
  assert.deepEqual(await world.source.withdrawals(), []);
});
