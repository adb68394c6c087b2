import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { infoHashOf } from "../../base/bytes.ts";
import type { StoredPublication } from "../../ports/content-storage.ts";
import { FilePublicationStore, type PublicationFolders } from "./files-publication-store.ts";
import { defaultPolicy } from "../../ports/publication-policy.ts";

let root = "";

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "publications-"));
});

afterEach(() => rm(root, { recursive: true, force: true }));

function folders(): PublicationFolders {
  const [content, staging, scratch] = ["content", "staging", "scratch"].map((name) =>
    join(root, name),
  ) as [string, string, string];
  return { content, staging, scratch };
}

function aPublication(name: string, localPath?: string): StoredPublication {
  return {
    content: {
      name,
      infoHash: infoHashOf(new Uint8Array(20).fill(3)),
      info: Uint8Array.from([0, 255, 100]),
      contentName: "Some Thing",
      isDirectory: true,
      files: [{ path: ["a", "b.bin"], length: 5, sha256: "0".repeat(64) }],
      contentLength: 5,
      policy: defaultPolicy,
      localPath,
    },
    publishedAt: 1_700_000_000_123,
    stamps: [{ length: 5, modifiedAt: 1_700_000_000_000.25 }],
  };
}

async function stage(name: string): Promise<void> {
  const folder = join(root, "staging", name, "files", "Some Thing", "a");
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "b.bin"), "hello");
}

test("a committed copy moves out of its staging area, and is loaded as it was", async () => {
  await stage("thing");
  const store = new FilePublicationStore(folders());
  const publication = aPublication("thing");

  await store.commit(publication);

  assert.deepEqual(await new FilePublicationStore(folders()).load(), {
    publications: [publication],
    damaged: [],
  });
  assert.equal(await readFile(store.filePath(publication.content, 0), "utf8"), "hello");
  assert.deepEqual(await readdir(join(root, "staging")), []);
});

test("a local path is only referred to", async () => {
  const store = new FilePublicationStore(folders());
  const publication = aPublication("thing", "/srv/data/Some Thing");

  await store.commit(publication);

  assert.deepEqual((await store.load()).publications, [publication]);
  assert.equal(store.contentPath(publication.content), "/srv/data/Some Thing");
  assert.equal(store.filePath(publication.content, 0), "/srv/data/Some Thing/a/b.bin");
});

test("a name is committed once", async () => {
  const store = new FilePublicationStore(folders());
  const first = aPublication("thing", "/srv/a");
  await store.commit(first);
  await stage("thing");

  await assert.rejects(store.commit(aPublication("thing")), { code: "CONFLICT" });
  await assert.rejects(store.commit(aPublication("thing", "/srv/b")), { code: "CONFLICT" });

  assert.deepEqual((await store.load()).publications, [first]);
});

test("an update replaces the record", async () => {
  const store = new FilePublicationStore(folders());
  await store.commit(aPublication("thing", "/srv/a"));
  const updated = { ...aPublication("thing", "/srv/a"), stamps: [{ length: 5, modifiedAt: 7 }] };

  await store.update(updated);

  assert.deepEqual((await store.load()).publications, [updated]);
});

test("removing leaves nothing, twice is once, and a local path's files stay", async () => {
  await stage("copy");
  const local = join(root, "local");
  await mkdir(local);
  await writeFile(join(local, "b.bin"), "mine");
  const store = new FilePublicationStore(folders());
  await store.commit(aPublication("copy"));
  await store.commit(aPublication("ref", local));

  for (const name of ["copy", "ref", "copy"]) await store.remove(name);

  assert.deepEqual((await store.load()).publications, []);
  assert.deepEqual(await readdir(join(root, "content")), []);
  assert.equal(await readFile(join(local, "b.bin"), "utf8"), "mine");
});

test("a folder that cannot be read is told, and harms no other", async () => {
  const store = new FilePublicationStore(folders());
  const good = aPublication("good", "/srv/a");
  await store.commit(good);
  for (const name of ["torn", "renamed", "newer"]) await mkdir(join(root, "content", name));
  const record = await readFile(join(root, "content", "good", "publication.json"), "utf8");
  const put = (name: string, text: string) =>
    writeFile(join(root, "content", name, "publication.json"), text);
  await put("torn", record.slice(0, record.length / 2));
  await put("renamed", record);
  await put("newer", record.replace('"version":1', '"version":2'));
  await mkdir(join(root, "content", "empty"));

  const { publications, damaged } = await store.load();

  assert.deepEqual(publications, [good]);
  assert.deepEqual(damaged.map(({ name }) => name).sort(), ["empty", "newer", "renamed", "torn"]);
});

test("what a removal that was killed left is deleted at the next start", async () => {
  await mkdir(join(root, "scratch", "1", "files"), { recursive: true });

  await new FilePublicationStore(folders()).load();

  assert.deepEqual(await readdir(root), ["content"]);
});
