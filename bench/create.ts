/**
 * Speed of hashing content: `node bench/create.ts [--gib N] [--runs N] [--sha256]`.
 * Makes a file in /dev/shm and hashes it with 1 MiB pieces, in a process of its own each time, in
 * turns with `mktorrent -t <cores>` where that is installed.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { createHash, randomFillSync } from "node:crypto";
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { DiskPool } from "../src/adapters/node/disk-pool.ts";
import { hashContent } from "../src/adapters/node/hash-content.ts";

const MIB = 1024 * 1024;
const { values } = parseArgs({
  options: {
    gib: { type: "string", default: "4" },
    runs: { type: "string", default: "5" },
    sha256: { type: "boolean", default: false },
    /** Hash this file and end: what a child process is started with. */
    child: { type: "string" },
    length: { type: "string", default: "0" },
  },
});

if (values.child === undefined) compare();
else await hashOnce(values.child, Number(values.length));

async function hashOnce(directory: string, length: number): Promise<void> {
  const pool = new DiskPool();
  const { pieceHashes } = await hashContent({
    pool,
    base: directory,
    files: [{ path: "file", length }],
    pieceLength: MIB,
    withSha256: values.sha256,
  });
  await pool.close();
  console.log(createHash("sha1").update(pieceHashes).digest("hex"));
}

function compare(): void {
  const directory = mkdtempSync("/dev/shm/btpublisher-create-");
  const length = Math.round(Number(values.gib) * 1024) * MIB;
  const cores = String(availableParallelism());
  const child = [fileURLToPath(import.meta.url), "--child", directory, "--length", String(length)];
  if (values.sha256) child.push("--sha256");
  const makers: Record<string, () => void> = {
    // With a compile cache, as the installed command.
    btpublisher: () =>
      execFileSync(process.execPath, child, {
        env: { ...process.env, NODE_COMPILE_CACHE: join(directory, "cache") },
      }),
  };
  if (spawnSync("mktorrent", ["-h"]).error === undefined) {
    makers["mktorrent"] = () => {
      const output = join(directory, "out.torrent");
      if (existsSync(output)) rmSync(output);
      const options = ["-t", cores, "-l", "20", "-a", "http://x/announce", "-o", output];
      execFileSync("mktorrent", [...options, join(directory, "file")], { stdio: "ignore" });
    };
  }
  try {
    writeRandomFile(join(directory, "file"), length);
    report(makers, length);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function report(makers: Record<string, () => void>, length: number): void {
  const times: Record<string, number[]> = {};
  for (let run = 0; run < Number(values.runs); run++) {
    for (const [name, make] of Object.entries(makers)) {
      const startedAt = performance.now();
      make();
      (times[name] ??= []).push((performance.now() - startedAt) / 1000);
    }
  }
  for (const [name, seconds] of Object.entries(times)) {
    seconds.sort((a, b) => a - b);
    const median = seconds[seconds.length >> 1] as number;
    const [best, worst] = [seconds[0] as number, seconds.at(-1) as number];
    const speed = (time: number) => (length / time / 1e9).toFixed(2);
    console.log(`${name}: ${speed(median)} GB/s (${speed(worst)} … ${speed(best)})`);
  }
}

function writeRandomFile(path: string, length: number): void {
  const block = randomFillSync(Buffer.alloc(4 * MIB));
  const fd = openSync(path, "w");
  for (let written = 0; written < length; written += block.length) {
    block.writeDoubleLE(Math.random(), written % (block.length - 8));
    writeSync(fd, block, 0, Math.min(block.length, length - written));
  }
  closeSync(fd);
}
