import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import type { ContentPlan } from "../../ports/content-service.ts";
import { FileStagingStore } from "./staging-store.ts";

const plan: ContentPlan = {
  name: "thing",
  contentName: "Some Thing",
  isDirectory: true,
  files: [
    { path: ["a", "b.bin"], length: 10 },
    { path: ["empty"], length: 0 },
    { path: ["c"], length: 5, sha256: "0".repeat(64) },
  ],
};
const single: ContentPlan = {
  name: "single",
  contentName: "one.bin",
  isDirectory: false,
  files: [{ path: ["one.bin"], length: 4 }],
};
const NOW = Date.UTC(2026, 5, 1);
let root = "";

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "staging-"));
});

afterEach(() => rm(root, { recursive: true, force: true }));

async function appendText(store: FileStagingStore, of: ContentPlan, index: number, text: string) {
  const file = await store.openFile(of, index);
  await file.append(Buffer.from(text));
  await file.flush();
  await file.close();
  return file.length;
}

test("a later process finds every upload with its plan, its bytes and its age", async () => {
  const store = new FileStagingStore(root);
  await store.create(plan, NOW);
  await store.create(single, NOW + 1000);
  assert.equal(await appendText(store, plan, 0, "12345"), 5);
  assert.equal(await appendText(store, plan, 0, "678"), 8);
  assert.equal(await appendText(store, single, 0, "x"), 1);
  await store.touch("thing", NOW + 5000);

  const found = await new FileStagingStore(root).list();

  assert.deepEqual(
    [...found].sort((a, b) => a.plan.name.localeCompare(b.plan.name)),
    [
      { plan: single, receivedBytes: [1], touchedAt: NOW + 1000 },
      { plan, receivedBytes: [8, 0, 0], touchedAt: NOW + 5000 },
    ],
  );
  assert.equal(await readFile(store.contentPath(single), "utf8"), "x");
  assert.equal(await readFile(join(store.contentPath(plan), "a", "b.bin"), "utf8"), "12345678");
});

test("what a crash left half made is removed", async () => {
  const store = new FileStagingStore(root);
  await store.create(plan, NOW);
  await mkdir(join(root, "no-plan", "files"), { recursive: true });
  await mkdir(join(root, "torn"));
  await writeFile(join(root, "torn", "plan.json"), JSON.stringify(plan).slice(0, 50));
  await mkdir(join(root, "renamed"));
  await writeFile(join(root, "renamed", "plan.json"), JSON.stringify(plan));
  await writeFile(join(root, "stray-file"), "");

  const found = await store.list();

  assert.deepEqual(
    found.map((upload) => upload.plan.name),
    ["thing"],
  );
  assert.deepEqual(await readdir(root), ["thing"]);
});

test("making a staging area again empties it", async () => {
  const store = new FileStagingStore(root);
  await store.create(plan, NOW);
  await appendText(store, plan, 0, "12345");

  await store.create(plan, NOW);

  assert.deepEqual((await store.list())[0]?.receivedBytes, [0, 0, 0]);
});

test("many small chunks arrive in order", async () => {
  const store = new FileStagingStore(root);
  await store.create(single, NOW);
  const file = await store.openFile(single, 0);

  for (const text of ["a", "", "bc", "d"]) await file.append(Buffer.from(text));
  await file.flush();
  await file.close();

  assert.equal(file.length, 4);
  assert.equal(await readFile(store.contentPath(single), "utf8"), "abcd");
});

test("sealing makes the empty files", async () => {
  const store = new FileStagingStore(root);
  await store.create(plan, NOW);

  await store.seal(plan);

  assert.equal((await stat(join(store.contentPath(plan), "empty"))).size, 0);
});

test("S6 nothing is written through a link", async () => {
  const store = new FileStagingStore(root);
  await store.create(single, NOW);
  await mkdir(join(root, "single", "files"));
  await symlink(join(root, "victim"), store.contentPath(single));

  await assert.rejects(store.openFile(single, 0), { code: "STORAGE_PATH" });
  assert.deepEqual(await readdir(root), ["single"]);
});

test("removing is idempotent, and a writer that is still open harms nobody", async () => {
  const store = new FileStagingStore(root);
  await store.create(single, NOW);
  const file = await store.openFile(single, 0);

  await store.remove("single");
  await store.remove("single");
  await file.append(Buffer.from("late"));
  await file.flush();
  await file.close();
  await store.touch("single", NOW);

  assert.deepEqual(await store.list(), []);
});

test("the disk's free bytes are told", async () => {
  assert.ok((await new FileStagingStore(join(root, "new")).freeBytes()) > 0);
});
