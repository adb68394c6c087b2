/** The SourceNode over a real folder: restarts, changed files, full disks, and what it reports. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import {
  appendFile,
  mkdir,
  mkdtemp,
  readdir,
  rename,
  rm,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { MemoryPieceStore } from "../../src/adapters/memory/memory-piece-store.ts";
import { BtPublisherError } from "../../src/base/errors.ts";
import { TokenBucket } from "../../src/base/token-bucket.ts";
import type { ContentPlan, LedgerEntry } from "../../src/ports/content-service.ts";
import type { StagingStore } from "../../src/ports/content-storage.ts";
import type { Info } from "../../src/protocol/metainfo/metainfo.ts";
import type { SourceNodeDependencies } from "../../src/source-node/source-node.ts";
import { StatusReporter } from "../../src/source-node/status-reporter.ts";
import {
  bodyOf,
  discardSource,
  type SourceWorld,
  startSource,
  stopSource,
} from "../support/source-world.ts";
import { sha1 } from "../support/torrents.ts";
import { defaultPolicy } from "../../src/ports/publication-policy.ts";

const options = { pieceLength: 16 * 1024, isPrivate: false, policy: defaultPolicy };
const MINUTE_MS = 60_000;

function aPlan(length: number, name = "thing"): ContentPlan {
  const files = [{ path: ["file.bin"], length }];
  return { name, contentName: "file.bin", isDirectory: false, files };
}

async function open(
  t: TestContext,
  overrides: Partial<SourceNodeDependencies> = {},
): Promise<SourceWorld> {
  const world = await startSource(undefined, overrides);
  t.after(() => discardSource(world));
  return world;
}

async function restart(t: TestContext, from: SourceWorld): Promise<SourceWorld> {
  await stopSource(from);
  const world = await startSource(from);
  t.after(() => discardSource(world));
  return world;
}

async function publish({ source }: SourceWorld, bytes: Uint8Array, name = "thing") {
  await source.beginUpload(aPlan(bytes.length, name));
  await source.appendFile(name, { fileIndex: 0, offset: 0 }, bodyOf(bytes));
  return source.publishUpload(name, options);
}

async function localFile(t: TestContext, bytes: Uint8Array): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "local-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, "file.bin"), bytes);
  return join(folder, "file.bin");
}

/** Lets the next look at all files happen. */
async function look({ clock, source }: SourceWorld): Promise<void> {
  clock.advance(MINUTE_MS);
  await source.settled();
}

/** Lets `ms` go by, and the upkeep after them happen. */
async function pass({ clock, source }: SourceWorld, ms: number): Promise<void> {
  clock.advance(ms);
  await source.settled();
  clock.advance(5000);
  await source.settled();
}

function stateOf({ source, host }: SourceWorld, name = "thing"): readonly [string, boolean] {
  const publication = source.publication(name);
  assert.ok(publication);
  return [publication.state.name, host.seeded.has(publication.infoHash)];
}

const serving = ["serving", true] as const;
const withdrawn = ["withdrawn", false] as const;

async function collect(entries: AsyncIterable<LedgerEntry>): Promise<LedgerEntry[]> {
  const all: LedgerEntry[] = [];
  for await (const entry of entries) all.push(entry);
  return all;
}

test("a restart serves, registers and remembers everything", async (t) => {
  const before = await open(t);
  const path = await localFile(t, randomBytes(20_000));
  const copy = await publish(before, randomBytes(40_000));
  const local = await before.source.publishLocal({ name: "local", path }, options);
  await before.source.beginUpload(aPlan(5000, "half"));
  const half = { fileIndex: 0, offset: 0 };
  await before.source.appendFile("half", half, bodyOf(randomBytes(1234)));
  const peer = { peerId: new Uint8Array(20), address: { host: "192.0.2.1", port: 1 } };
  const seeded = before.host.seeded.get(copy.infoHash);
  seeded?.events.onBlocksSent?.({ ...peer, pieceIndex: 1, bytes: 777 });

  const after = await restart(t, before);

  const byName = [...(await after.source.list())].sort((a, b) => a.name.localeCompare(b.name));
  assert.deepEqual(byName, [local, copy]);
  assert.deepEqual((await after.source.uploadStatus("half")).receivedBytes, [1234]);
  assert.deepEqual(
    [...after.link.registered.keys()].sort(),
    [copy.infoHash, local.infoHash].sort(),
  );
  assert.deepEqual([...after.host.seeded.keys()].sort(), [copy.infoHash, local.infoHash].sort());
  assert.equal(after.source.publication("thing")?.ledger.summary().sentBytes, 777);
  const [entry] = await collect(after.source.ledger("thing"));
  assert.equal(entry?.bytes, 777);
  const content = after.host.seeded.get(copy.infoHash)?.content;
  assert.equal((await content?.store.check())?.isFull, true);
  assert.equal(content?.have.isFull, true);
});

test("registering is repeated until the Tracker has it, and unpublishing waits for it", async (t) => {
  const world = await open(t);
  world.link.isCut = true;
  const { infoHash } = await publish(world, randomBytes(1000));
  assert.deepEqual(stateOf(world), serving);
  assert.equal(world.link.registered.size, 0);
  await assert.rejects(world.source.unpublish("thing"), { code: "UNAVAILABLE" });
  assert.deepEqual(stateOf(world), serving);

  world.link.isCut = false;
  world.clock.advance(5000);
  await world.source.settled();

  assert.deepEqual([...world.link.registered.keys()], [infoHash]);
  await world.source.unpublish("thing");
  assert.equal(world.link.registered.size, 0);
  assert.equal(world.host.seeded.size, 0);
});

test("unpublishing leaves nothing behind", async (t) => {
  const world = await open(t);
  const { infoHash } = await publish(world, randomBytes(1000));
  world.source.publication("thing")?.ledger.nodeAt("http", "a").add(0, 1);
  await collect(world.source.ledger("thing"));
  assert.deepEqual(await readdir(join(world.data, "ledger")), [infoHash]);

  await world.source.unpublish("thing");

  for (const folder of ["ledger", "content", "staging", "scratch"]) {
    assert.deepEqual(await readdir(join(world.data, folder)), [], folder);
  }
});

test("S9 a file that changes is withdrawn, and served again when it is what it was", async (t) => {
  const bytes = randomBytes(50_000);
  const path = await localFile(t, bytes);
  const rows: readonly (readonly [string, () => Promise<void>, () => Promise<void>])[] = [
    ["gone", () => rename(path, `${path}2`), () => rename(`${path}2`, path)],
    ["longer", () => appendFile(path, "x"), () => truncate(path, 50_000)],
    ["other bytes", () => writeFile(path, randomBytes(50_000)), () => writeFile(path, bytes)],
    ["shorter", () => truncate(path, 1), () => writeFile(path, bytes)],
  ];
  for (const [what, change, undo] of rows) {
    const world = await open(t);
    await world.source.publishLocal({ name: "thing", path }, options);
    assert.deepEqual(stateOf(world), serving, what);

    await change();
    await look(world);
    assert.deepEqual(stateOf(world), withdrawn, what);
    await look(world);
    assert.deepEqual(stateOf(world), withdrawn, what);
    const again = await restart(t, world);
    assert.deepEqual(stateOf(again), withdrawn, what);

    await undo();
    await look(again);
    assert.deepEqual(stateOf(again), serving, what);
    assert.deepEqual(
      again.events.map((event) => event.type),
      ["withdrawn", "restored"],
    );
    assert.deepEqual(stateOf(await restart(t, again)), serving, what);
  }
});

test("a file that was merely touched is proven by its hash", async (t) => {
  const world = await open(t);
  await publish(world, randomBytes(50_000));
  const path = join(world.data, "content", "thing", "files", "file.bin");
  await utimes(path, 1000, 1000);

  await look(world);

  assert.deepEqual(stateOf(world), serving);
  const types = world.events.map((event) => event.type);
  assert.deepEqual(types, ["published", "withdrawn", "restored"]);
  const again = await restart(t, world);
  assert.deepEqual(stateOf(again), serving);
  assert.deepEqual(again.events, []);
});

test("S9 a door's report withdraws at once, and the next look decides", async (t) => {
  const world = await open(t);
  await publish(world, randomBytes(50_000));
  const publication = world.source.publication("thing");
  assert.ok(publication);

  world.source.reportChanged(publication, "file.bin");

  assert.equal(publication.state.name, "withdrawn");
  await look(world);
  assert.deepEqual(stateOf(world), serving);
});

test("a store that fails as a door's report closes it is told, and ends nothing", async (t) => {
  class Failing extends MemoryPieceStore {
    override async close(): Promise<void> {
      throw new BtPublisherError("STORAGE_IO", "the disk is gone");
    }
  }
  const openStore = async (_path: string, info: Info) => new Failing(info, { sha1 });
  const world = await open(t, { openStore });
  await publish(world, randomBytes(50_000));
  const publication = world.source.publication("thing");
  assert.ok(publication);
  world.source.reportChanged(publication, "file.bin");
  await new Promise((resolve) => setImmediate(resolve));
  const last = world.events.at(-1);
  assert.ok(last?.type === "storage-failed" && last.message === "the disk is gone");
});

test("UPL-15 content that changes while it is hashed is not published", async (t) => {
  const path = await localFile(t, randomBytes(50_000));
  const changes: readonly (() => Promise<void>)[] = [
    () => appendFile(path, "x"),
    () => utimes(path, 1, 1),
    () => rm(path),
  ];
  for (const change of changes) {
    await writeFile(path, randomBytes(50_000));
    const world = await open(t);
    const { inspector } = world.dependencies;
    const hash = inspector.hash.bind(inspector);
    inspector.hash = async (tree, hashOptions) => {
      const hashed = await hash(tree, hashOptions);
      await change();
      return hashed;
    };

    const publishing = world.source.publishLocal({ name: "thing", path }, options);

    await assert.rejects(publishing, { code: "STORAGE_CHANGED" });
    assert.deepEqual(await world.source.list(), []);
  }
});

test("UPL-05 what the disk cannot take is refused before the transfer", async (t) => {
  const world = await open(t);
  const { staging } = world.dependencies;
  staging.freeBytes = () => Promise.resolve(2 ** 33);

  await assert.rejects(world.source.beginUpload(aPlan(2 ** 33 + 1)), { code: "STORAGE_FULL" });
  await world.source.beginUpload(aPlan(2 ** 32));
  // The first one will need its bytes too.
  const second = world.source.beginUpload(aPlan(2 ** 32, "second"));
  await assert.rejects(second, { code: "STORAGE_FULL" });
  staging.freeBytes = () => Promise.resolve(1000);
  const file = { fileIndex: 0, offset: 0 };
  const body = bodyOf(randomBytes(1));
  await assert.rejects(world.source.appendFile("thing", file, body), { code: "STORAGE_FULL" });
});

test("UPL-11 F-10 a disk that fills up keeps what arrived, and disturbs nobody", async (t) => {
  const world = await open(t);
  await publish(world, randomBytes(1000), "other");
  const bytes = randomBytes(3_000_000);
  await world.source.beginUpload(aPlan(bytes.length));
  const restore = limitFiles(world.dependencies.staging, 2_700_000);

  const first = world.source.appendFile("thing", { fileIndex: 0, offset: 0 }, bodyOf(bytes));
  await assert.rejects(first, { code: "STORAGE_FULL" });

  const [offset = 0] = (await world.source.uploadStatus("thing")).receivedBytes;
  assert.ok(offset > 0 && offset <= 2_700_000, String(offset));
  assert.deepEqual(stateOf(world, "other"), serving);
  restore();
  const rest = bodyOf(bytes.subarray(offset));
  await world.source.appendFile("thing", { fileIndex: 0, offset }, rest);
  await world.source.publishUpload("thing", options);
  assert.deepEqual(stateOf(world), serving);
});

/** Makes files of `staging` refuse to grow beyond `maxLength`, as a full disk does. */
function limitFiles(staging: StagingStore, maxLength: number): () => void {
  const openFile = staging.openFile.bind(staging);
  staging.openFile = async (plan, fileIndex) => {
    const file = await openFile(plan, fileIndex);
    const append = file.append.bind(file);
    file.append = async (bytes) => {
      if (file.length + bytes.length > maxLength) {
        throw new BtPublisherError("STORAGE_FULL", "the disk is full");
      }
      await append(bytes);
      await file.flush();
    };
    return file;
  };
  return () => {
    staging.openFile = openFile;
  };
}

test("A9 F-62 an upload that nobody goes on with is dropped after a day", async (t) => {
  const world = await open(t);
  await world.source.beginUpload(aPlan(1000));
  await pass(world, 20 * 3_600_000);
  await world.source.appendFile("thing", { fileIndex: 0, offset: 0 }, bodyOf(randomBytes(10)));
  await pass(world, 20 * 3_600_000);
  assert.deepEqual((await world.source.uploadStatus("thing")).receivedBytes, [10]);

  await pass(world, 5 * 3_600_000);

  await assert.rejects(world.source.uploadStatus("thing"), { code: "NOT_FOUND" });
  assert.deepEqual(await readdir(join(world.data, "staging")), []);
  assert.deepEqual(world.events, [{ type: "upload-expired", name: "thing" }]);
});

test("an upload's age survives a restart", async (t) => {
  const world = await open(t);
  await world.source.beginUpload(aPlan(1000));
  const longAgo = world.clock.unixNow() - 25 * 3_600_000;
  await world.dependencies.staging.touch("thing", longAgo);

  const again = await restart(t, world);

  await assert.rejects(again.source.uploadStatus("thing"), { code: "NOT_FOUND" });
});

test("a publication that cannot be read keeps its name until it is unpublished", async (t) => {
  const world = await open(t);
  await publish(world, randomBytes(1000));
  const good = await publish(world, randomBytes(1000), "good");
  await writeFile(join(world.data, "content", "thing", "publication.json"), "{");

  const again = await restart(t, world);

  assert.equal(again.events[0]?.type, "publication-damaged");
  assert.deepEqual(await again.source.list(), [good]);
  await assert.rejects(again.source.beginUpload(aPlan(1)), { code: "CONFLICT" });
  await again.source.unpublish("thing");
  await again.source.beginUpload(aPlan(1));
});

test("a record whose info dictionary is another one is not served", async (t) => {
  const world = await open(t);
  const { infoHash } = await publish(world, randomBytes(1000));
  const { publications } = world.dependencies;
  const { publications: stored } = await publications.load();
  const [publication] = stored;
  assert.ok(publication);
  const info = publication.content.info.map((byte, i) => (i === 60 ? byte ^ 1 : byte));
  await publications.update({ ...publication, content: { ...publication.content, info } });

  const again = await restart(t, world);

  assert.equal(again.host.seeded.has(infoHash), false);
  assert.equal(again.events[0]?.type, "publication-damaged");
});

test("a publication whose staging area is still there loses the staging area", async (t) => {
  const world = await open(t);
  await publish(world, randomBytes(1000));
  await world.dependencies.staging.create(aPlan(1000), world.clock.unixNow());

  const again = await restart(t, world);

  assert.deepEqual(await readdir(join(again.data, "staging")), []);
});

test("a cancel while it is hashed ends the publishing", async (t) => {
  const world = await open(t);
  const { inspector } = world.dependencies;
  const hash = inspector.hash.bind(inspector);
  inspector.hash = async (tree, hashOptions) => {
    const hashed = await hash(tree, hashOptions);
    await world.source.cancelUpload("thing");
    return hashed;
  };

  await assert.rejects(publish(world, randomBytes(50_000)), { code: "CANCELLED" });

  assert.deepEqual(await world.source.list(), []);
  assert.deepEqual(await readdir(join(world.data, "staging")), []);
});

test("unpublishing while it is published ends with nothing, or with an unpublished one", async (t) => {
  const world = await open(t);
  for (let i = 0; i < 5; i++) {
    const bytes = randomBytes(50_000);
    await world.source.beginUpload(aPlan(bytes.length));
    await world.source.appendFile("thing", { fileIndex: 0, offset: 0 }, bodyOf(bytes));
    const publishing = world.source.publishUpload("thing", options);
    await new Promise(setImmediate);
    const [outcome] = await Promise.allSettled([publishing, world.source.unpublish("thing")]);

    assert.deepEqual(await world.source.list(), []);
    assert.equal(world.host.seeded.size, 0);
    assert.equal(world.link.registered.size, 0);
    if (outcome.status === "rejected") await world.source.cancelUpload("thing");
  }
});

test("every 5 s the Tracker hears how the SourceNode is", async (t) => {
  const world = await open(t);
  const { infoHash } = await publish(world, randomBytes(50_000));
  await publish(world, randomBytes(1000), "away");
  const { clock, link, host, source } = world;
  const reporter = new StatusReporter({
    clock,
    link,
    host,
    probe: {
      sample: () => ({ cpuFraction: 0.5, eventLoopDelayMs: 2, storageReadBytes: 0 }),
      close: () => undefined,
    },
    uploadLimit: new TokenBucket(1_000_000),
    publications: () => source.publications,
    participation: world.dependencies.participation,
  });
  const away = source.publication("away");
  assert.ok(away);
  source.reportChanged(away, "file.bin");
  reporter.start();

  source.publication("thing")?.ledger.nodeAt("http", "a").addRange(0, 50_000);
  clock.advance(5000);
  clock.advance(5000);
  reporter.close();
  clock.advance(5000);

  const swarm = { infoHash, connections: 3, sentBytes: 50_000, copies: 2 };
  const status = {
    uplinkBytesPerSecond: 10_000,
    uplinkLimitBytesPerSecond: 1_000_000,
    connections: 3,
    cpuFraction: 0.5,
    eventLoopDelayMs: 2,
    storageReadBytesPerSecond: 0,
    swarms: [swarm],
  };
  const seen = link.reports.map((report) =>
    report.swarms.map(({ participation }) => participation),
  );
  assert.equal(seen[1]?.[0]?.figures.spentBytes, 50_000);
  assert.equal(seen[1]?.[0]?.evidence.peers, 0);
  const reports = link.reports.map((report) => ({
    ...report,
    swarms: report.swarms.map(({ participation: _, ...rest }) => rest),
  }));
  assert.deepEqual(reports, [
    { ...status, uplinkBytesPerSecond: 0, swarms: [{ ...swarm, sentBytes: 0 }] },
    status,
    { ...status, uplinkBytesPerSecond: 0 },
  ]);
});

test("an empty data folder is made", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "fresh-"));
  const data = join(folder, "a", "b");
  await mkdir(join(folder, "a"));
  const world = await startSource({ data });
  t.after(async () => {
    await discardSource(world);
    await rm(folder, { recursive: true });
  });

  assert.deepEqual(await world.source.list(), []);
});
