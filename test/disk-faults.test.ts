/** Disks that fill up, disks that cannot be written, and processes that are killed. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { DiskDownloadStorage } from "../src/adapters/node/disk-download-storage.ts";
import { diskError } from "../src/adapters/node/disk-error.ts";
import { openDiskPieceStore } from "../src/adapters/node/disk-piece-store.ts";
import { DiskPool } from "../src/adapters/node/disk-pool.ts";
import { BtPublisherError } from "../src/base/errors.ts";
import { makeContent, pieceBytes } from "./support/made-content.ts";
import { killContent, killMetainfo } from "./support/kill-content.ts";
import { mountSmallFileSystem } from "./support/small-file-system.ts";

const pool = new DiskPool();
const root = mkdtempSync(join(tmpdir(), "btpublisher-faults-"));
after(async () => {
  await pool.close();
  rmSync(root, { recursive: true });
});

const content = makeContent({ name: "file.bin", files: 400_000 });

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code });
}

test("F-09 a full disk is told as such, harms nothing, and is no obstacle once there is space", async (t) => {
  for (const code of ["ENOSPC", "EDQUOT"]) {
    assert.equal(diskError(systemError(code), "write", "x").code, "STORAGE_FULL");
  }
  const disk = mountSmallFileSystem(join(root, "full"), 512 * 1024);
  if (disk === undefined)
    return t.diagnostic("may not mount: the translation is all that is tested");
  t.after(() => disk.remove());
  writeFileSync(join(disk.path, "filler"), Buffer.alloc(300_000));
  const store = await openDiskPieceStore({
    info: content.info,
    directory: disk.path,
    mode: "download",
    pool,
  });
  const commit = (pieceIndex: number) => {
    const buffer = store.takeBuffer(pieceIndex);
    buffer.set(pieceBytes(content, pieceIndex));
    return store.commit(pieceIndex, buffer);
  };

  let full = 0;
  while ((await commit(full).catch((error: unknown) => error)) === "stored") full++;
  await assert.rejects(commit(full), (error) => {
    assert.ok(error instanceof BtPublisherError);
    assert.equal(error.code, "STORAGE_FULL");
    assert.equal(error.detail["path"], join(disk.path, "file.bin"));
    return true;
  });
  assert.deepEqual([...(await store.check())], [...Array(full).keys()]);

  rmSync(join(disk.path, "filler"));
  for (let i = full; i < content.info.geometry.pieceCount; i++) {
    assert.equal(await commit(i), "stored");
  }
  await store.close();
  assert.deepEqual(readFileSync(join(disk.path, "file.bin")), Buffer.from(content.bytes));
});

test("RES-15 content in a read-only directory is checked and read", async (t) => {
  const disk = mountSmallFileSystem(join(root, "read-only"), 1024 * 1024);
  if (disk === undefined) return t.diagnostic("may not mount: nothing here is read-only for sure");
  t.after(() => disk.remove());
  writeFileSync(join(disk.path, "file.bin"), content.bytes);
  disk.makeReadOnly();

  const store = await openDiskPieceStore({
    info: content.info,
    directory: disk.path,
    mode: "seed",
    pool,
  });
  assert.ok((await store.check()).isFull);
  const bytes = new Uint8Array(content.bytes.length);
  await store.read(0, [bytes]);
  await store.close();

  assert.deepEqual(bytes, content.bytes);
});

test("F-01 all that was reported stored is there after a kill at any moment", async () => {
  const script = fileURLToPath(new URL("support/commit-forever.ts", import.meta.url));
  const storage = new DiskDownloadStorage(pool);
  for (const [round, killAfter] of [1, 5, 12, 20, 28].entries()) {
    const directory = join(root, `kill-${round}`);
    const child = spawn(process.execPath, [script, directory, String(round)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const exit = once(child, "exit");
    const reported: number[] = [];
    for await (const line of createInterface(child.stdout)) {
      reported.push(Number(line));
      if (reported.length === killAfter) child.kill("SIGKILL");
    }
    await exit;
    assert.ok(reported.length >= killAfter);

    const download = await storage.open(killMetainfo, { directory, overwrite: false });
    assert.deepEqual(
      reported.filter((pieceIndex) => !download.have.has(pieceIndex)),
      [],
    );
    for (const pieceIndex of Array(killContent.info.geometry.pieceCount).keys()) {
      if (download.have.has(pieceIndex)) continue;
      const buffer = download.store.takeBuffer(pieceIndex);
      buffer.set(pieceBytes(killContent, pieceIndex));
      await download.store.commit(pieceIndex, buffer);
      download.have.add(pieceIndex);
    }
    assert.ok((await download.store.check()).isFull);
    await download.close();
    assert.deepEqual(readdirSync(directory), ["killed"]);
  }
});

test("F-09 a download does not begin on a full disk, and leaves no lock behind", async (t) => {
  const disk = mountSmallFileSystem(join(root, "no-space"), 64 * 1024);
  if (disk === undefined) return t.diagnostic("may not mount: no disk to fill");
  t.after(() => disk.remove());
  const storage = new DiskDownloadStorage(pool);
  const fill = () => writeFileSync(join(disk.path, "filler"), Buffer.alloc(128 * 1024));
  assert.throws(fill, { code: "ENOSPC" });

  const options = { directory: disk.path, overwrite: false };
  await assert.rejects(
    storage.open(killMetainfo, options),
    (error) => error instanceof BtPublisherError && error.code === "STORAGE_FULL",
  );
  assert.deepEqual(readdirSync(disk.path), ["filler"]);

  rmSync(join(disk.path, "filler"));
  await (await storage.open(killMetainfo, options)).close();
});

test("idle disk threads do not keep a process alive", async () => {
  const script = fileURLToPath(new URL("support/commit-forever.ts", import.meta.url));
  const child = spawn(process.execPath, [script, join(root, "exits"), "9"], {
    stdio: ["ignore", "ignore", "inherit"],
  });

  assert.deepEqual(await once(child, "exit"), [0, null]);
});
