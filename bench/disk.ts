/**
 * Speed of the disk's piece store: `node bench/disk.ts [--mib N] [--piece-kib N] [--directory D]`.
 * Commits, checks and reads one file (by default 1 GiB in /dev/shm) and prints MB/s, the processor
 * time of the whole process and that of its main thread, each per GiB.
 */
import { hash, randomFillSync } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openDiskPieceStore } from "../src/adapters/node/disk-piece-store.ts";
import { DiskPool } from "../src/adapters/node/disk-pool.ts";
import { infoHashOf } from "../src/base/bytes.ts";
import type { Info } from "../src/protocol/metainfo/metainfo.ts";
import { PieceGeometry } from "../src/protocol/metainfo/piece-geometry.ts";

const GIB = 1024 ** 3;
const { values } = parseArgs({
  options: {
    mib: { type: "string", default: "1024" },
    "piece-kib": { type: "string", default: "1024" },
    directory: { type: "string", default: "/dev/shm" },
  },
});

const pieceLength = Number(values["piece-kib"]) * 1024;
const contentLength = Number(values.mib) * 1024 * 1024;
const geometry = new PieceGeometry(pieceLength, contentLength);
/** All pieces are the same: the speed does not depend on it, and the bench needs no second copy. */
const piece = randomFillSync(new Uint8Array(pieceLength));
const digest = hash("sha1", piece, "buffer");
const pieceHashes = new Uint8Array(20 * geometry.pieceCount);
for (let i = 0; i < geometry.pieceCount; i++) pieceHashes.set(digest, 20 * i);
const name = "file";
const rawName = new TextEncoder().encode(name);
const info: Info = {
  infoHash: infoHashOf(digest),
  raw: rawName,
  name,
  rawName,
  isDirectory: false,
  files: [{ path: [name], rawPath: [rawName], length: contentLength, offset: 0, isPad: false }],
  geometry,
  pieceHashes,
  isPrivate: false,
  version: "v1",
};

const directory = mkdtempSync(join(values.directory, "btpublisher-disk-"));
const pool = new DiskPool();
try {
  const store = await openDiskPieceStore({ info, directory, mode: "download", pool });
  const commitAll = async (): Promise<void> => {
    const indices = Array(geometry.pieceCount).keys();
    const lane = async (): Promise<void> => {
      for (const pieceIndex of indices) {
        const buffer = store.takeBuffer(pieceIndex);
        buffer.set(piece);
        await store.commit(pieceIndex, buffer);
      }
    };
    await Promise.all(Array.from({ length: 8 }, lane));
  };
  await measure("commit, new file", commitAll);
  await measure("commit, same file", commitAll);
  await measure("check", () => store.check());
  for (const blocks of [1, 4, 64]) {
    const views = Array.from({ length: blocks }, () => new Uint8Array(16 * 1024));
    await measure(`read ${blocks} blocks at once`, async () => {
      const step = blocks * 16 * 1024;
      for (let at = 0; at + step <= contentLength; at += step) await store.read(at, views);
    });
  }
  await store.close();
} finally {
  await pool.close();
  rmSync(directory, { recursive: true });
}

async function measure(what: string, act: () => Promise<unknown>): Promise<void> {
  const startedAt = performance.now();
  const [process0, main0] = [process.cpuUsage(), process.threadCpuUsage()];
  await act();
  const seconds = (performance.now() - startedAt) / 1000;
  const perGib = ({ user, system }: NodeJS.CpuUsage): string =>
    ((((user + system) / 1e6) * GIB) / contentLength).toFixed(2);
  const speed = (contentLength / seconds / 1e6).toFixed(0);
  const cpu = `${perGib(process.cpuUsage(process0))} CPU-s/GiB`;
  console.log(`${what}: ${speed} MB/s, ${cpu}, main ${perGib(process.threadCpuUsage(main0))}`);
}
