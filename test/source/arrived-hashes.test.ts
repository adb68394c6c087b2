/** Uploads are hashed while they arrive: what publishing makes of it, and when it reads again. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { FileStagingStore } from "../../src/adapters/node/staging-store.ts";
import { createRandom, randomBytes } from "../../src/base/random.ts";
import type { ContentInspector } from "../../src/ports/content-inspector.ts";
import type {
  ContentPlan,
  PublishedContent,
  PublishOptions,
} from "../../src/ports/content-service.ts";
import type { ArrivedHashes } from "../../src/ports/content-storage.ts";
import { defaultPolicy } from "../../src/ports/publication-policy.ts";
import { mountSmallFileSystem } from "../support/small-file-system.ts";
import {
  bodyOf,
  discardSource,
  type SourceWorld,
  startSource,
  stopSource,
} from "../support/source-world.ts";

/** What is chosen for contents of this size. */
const PIECE = 64 * 1024;
const options = { pieceLength: undefined, isPrivate: false, policy: defaultPolicy };

interface Tree {
  readonly plan: ContentPlan;
  readonly bytes: readonly Uint8Array[];
}

function treeOf(lengths: readonly number[], seed = 1): Tree {
  const bytes = lengths.map((length, i) => randomBytes(length, createRandom(seed * 1000 + i)));
  const files = lengths.map((length, i) => ({ path: [`d${i % 3}`, `f${i}`], length }));
  // In the order that `scan` finds them in.
  const order = files
    .map((_, i) => i)
    .sort((a, b) => (pathOf(files, a) < pathOf(files, b) ? -1 : 1));
  return {
    plan: {
      name: "thing",
      contentName: "Thing",
      isDirectory: true,
      files: order.map((i) => files[i] as ContentPlan["files"][number]),
    },
    bytes: order.map((i) => bytes[i] as Uint8Array),
  };
}

function pathOf(files: ContentPlan["files"], i: number): string {
  return files[i]?.path.join("/") ?? "";
}

async function open(t: TestContext): Promise<SourceWorld & { readonly arrived: ArrivedHashes[] }> {
  const world = await startSource();
  t.after(() => discardSource(world));
  return { ...world, arrived: watchArrived(world.dependencies.inspector) };
}

/** What publishing hands over, publication by publication. */
function watchArrived(inspector: ContentInspector): ArrivedHashes[] {
  const all: ArrivedHashes[] = [];
  const hash = inspector.hash.bind(inspector);
  inspector.hash = (tree, how) => {
    if (how.arrived !== undefined) all.push(how.arrived);
    return hash(tree, how);
  };
  return all;
}

/** Uploads in parts of random lengths, files in turns. */
async function upload({ source }: SourceWorld, { plan, bytes }: Tree, seed: number): Promise<void> {
  const random = createRandom(seed);
  const { receivedBytes } = await source.beginUpload(plan);
  const offsets = [...receivedBytes];
  for (;;) {
    const left = offsets.flatMap((at, i) => (at < (bytes[i] as Uint8Array).length ? [i] : []));
    const fileIndex = left[left.length === 0 ? 0 : random.below(left.length)];
    if (fileIndex === undefined) return;
    const offset = offsets[fileIndex] as number;
    const part = (bytes[fileIndex] as Uint8Array).subarray(offset, offset + 1 + random.below(3e6));
    await source.appendFile("thing", { fileIndex, offset }, bodyOf(part, 1 + random.below(1e5)));
    offsets[fileIndex] = offset + part.length;
  }
}

/** The same tree published from where it lies: everything is read. */
async function readAll(
  world: SourceWorld,
  { plan, bytes }: Tree,
  asked: PublishOptions = options,
): Promise<PublishedContent> {
  const folder = await mkdtemp(join(tmpdir(), "tree-"));
  try {
    for (const [i, { path }] of plan.files.entries()) {
      const full = join(folder, "Thing", ...path);
      await mkdir(dirname(full), { recursive: true });
      await writeFile(full, bytes[i] as Uint8Array);
    }
    const content = { name: "local", path: join(folder, "Thing") };
    const published = await world.source.publishLocal(content, asked);
    await world.source.unpublish("local");
    return published;
  } finally {
    await rm(folder, { recursive: true });
  }
}

function assertSame(published: PublishedContent, expected: PublishedContent): void {
  assert.equal(published.infoHash, expected.infoHash);
  assert.deepEqual(published.files, expected.files);
}

const trees: readonly (readonly [string, readonly number[]])[] = [
  ["a large file", [5_300_001]],
  ["many small files", Array.from({ length: 60 }, (_, i) => (i * 7919) % 9000)],
  ["files that end where pieces end", [PIECE, 3 * PIECE, 0, PIECE, 2 * PIECE]],
  ["large files, empty ones, and ends inside pieces", [0, 3_000_000, 1, 0, 1_500_000, 70_000]],
];

for (const [what, lengths] of trees) {
  test(`${what}: the same torrent and SHA-256 as when all is read`, async (t) => {
    for (let seed = 1; seed <= 3; seed++) {
      const world = await open(t);
      const tree = treeOf(lengths, seed);
      const expected = await readAll(world, tree);

      await upload(world, tree, seed);
      assertSame(await world.source.publishUpload("thing", options), expected);

      const { files } = world.arrived[0] as ArrivedHashes;
      for (const [i, { length }] of tree.plan.files.entries()) {
        if (length > 0) assert.ok(files[i]?.sha256, `file ${i} was not hashed`);
      }
    }
  });
}

test("of a single file nothing is read again", async (t) => {
  const world = await open(t);
  await upload(world, treeOf([5_300_001]), 1);
  await world.source.publishUpload("thing", options);

  assert.ok(world.arrived[0]?.pieces.isFull);
});

test("with another piece length than the usual one the pieces are read", async (t) => {
  const world = await open(t);
  const tree = treeOf([1_000_000, 300_000]);
  const asked = { ...options, pieceLength: 2 * PIECE };
  const expected = await readAll(world, tree, asked);
  await upload(world, tree, 1);

  assertSame(await world.source.publishUpload("thing", asked), expected);
});

test("F-05 after a restart in the middle what is missing is read", async (t) => {
  const world = await open(t);
  const tree = treeOf([3_000_000, 2_000_000]);
  const expected = await readAll(world, tree);
  const half = (tree.bytes[0] as Uint8Array).subarray(0, 1_234_567);
  await world.source.beginUpload(tree.plan);
  await world.source.appendFile("thing", { fileIndex: 0, offset: 0 }, bodyOf(half));
  await stopSource(world);
  const again = await startSource(world);
  const arrived = watchArrived(again.dependencies.inspector);

  await upload(again, tree, 1);
  assertSame(await again.source.publishUpload("thing", options), expected);

  assert.equal(arrived[0]?.files[0]?.sha256, undefined);
  assert.ok(arrived[0]?.files[1]?.sha256);
  await stopSource(again);
});

test("S9 a staged file that somebody changed is read, not believed", async (t) => {
  const world = await open(t);
  const tree = treeOf([3_000_000, 2_000_000]);
  const other = {
    ...tree,
    bytes: [randomBytes(3_000_000, createRandom(77)), ...tree.bytes.slice(1)],
  };
  const expected = await readAll(world, other);
  await upload(world, tree, 1);
  const path = join(world.data, "staging", "thing", "files", "Thing", "d0", "f0");
  await writeFile(path, other.bytes[0] as Uint8Array);
  await utimes(path, 1000, 1000);

  const published = await world.source.publishUpload("thing", options);

  assertSame(published, expected);
});

test("UPL-11 F-10 a disk that is full in the middle: what arrived counts, and no digest of more", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "full-"));
  const disk = mountSmallFileSystem(join(folder, "disk"), 3_000_000);
  const staging = new FileStagingStore(join(folder, "disk"));
  t.after(async () => {
    await staging.close();
    disk?.remove();
    await rm(folder, { recursive: true });
  });
  if (disk === undefined) return t.diagnostic("needs root, to mount a small disk");
  const { plan, bytes } = treeOf([5_000_000]);
  await staging.create(plan, 0);
  const whole = bytes[0] as Uint8Array;

  const file = await staging.openFile(plan, 0);
  await assert.rejects(
    (async () => {
      for await (const chunk of bodyOf(whole)) await file.append(chunk);
      await file.flush();
    })(),
    { code: "STORAGE_FULL" },
  );
  await assert.rejects(file.flush(), { code: "STORAGE_FULL" });
  await file.close();

  const kept = file.length;
  assert.ok(kept > 1_000_000 && kept < 3_000_000, String(kept));
  assert.deepEqual((await staging.list())[0]?.receivedBytes, [kept]);
  assert.ok(staging.hashes(plan).pieces.isEmpty);
  disk.resize(10_000_000);
  const rest = await staging.openFile(plan, 0);
  await rest.append(whole.subarray(kept));
  await rest.flush();
  await rest.close();
  assert.equal(rest.length, whole.length);
  assert.equal(staging.hashes(plan).files[0]?.sha256, undefined);
});

test("what is cut is forgotten, and the file can be hashed anew", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "cut-"));
  const staging = new FileStagingStore(folder);
  t.after(async () => {
    await staging.close();
    await rm(folder, { recursive: true });
  });
  const { plan, bytes } = treeOf([200_000, 100_000]);
  await staging.create(plan, 0);
  const file = await staging.openFile(plan, 0);
  await file.append(bytes[0] as Uint8Array);
  await file.flush();
  assert.ok(staging.hashes(plan).pieces.has(0));

  await file.truncate(0);
  assert.ok(staging.hashes(plan).pieces.isEmpty);
  await file.append(bytes[0] as Uint8Array);
  await file.flush();
  await file.close();

  const { pieces, files } = staging.hashes(plan);
  assert.deepEqual([...pieces], [0, 1, 2]);
  assert.ok(files[0]?.sha256);
});
