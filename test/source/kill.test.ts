/** Kill -9 at every step that changes the disk, and every step that fails once. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { FileLedgerStore } from "../../src/adapters/node/ledger-file.ts";
import { LedgerKeeper } from "../../src/ledger/ledger-keeper.ts";
import { BtPublisherError } from "../../src/base/errors.ts";
import { watchFileSteps } from "../support/fs-steps.ts";
import { ledgerGeometry, ledgerInfoHash } from "../support/ledger-writer.ts";
import {
  copyFiles,
  localBytes,
  localPath,
  prepareData,
  type Promised,
  runSteps,
  threadless,
} from "../support/publish-steps.ts";
import { ManualClock, type SourceWorld, startSource } from "../support/source-world.ts";

/** Processes that run at a time: mostly they wait for the disk. */
const AT_ONCE = 4;
/** Where processes keep their compiled sources, which more than halves the time they take. */
const compiled = await mkdtemp(join(tmpdir(), "compiled-"));
const environment = { ...process.env, NODE_COMPILE_CACHE: compiled };

after(() => rm(compiled, { recursive: true, force: true }));

async function withData(run: (data: string) => Promise<void>): Promise<void> {
  const data = await mkdtemp(join(tmpdir(), "kill-"));
  try {
    await prepareData(data);
    await run(data);
  } finally {
    await rm(data, { recursive: true, force: true });
  }
}

function start(data: string): Promise<SourceWorld> {
  return startSource({ data }, threadless(data));
}

/** What is published is complete, and what was promised is kept. */
async function assertKept(
  { source, events, data }: SourceWorld,
  promised: ReadonlySet<Promised>,
): Promise<void> {
  const troubles = ["publication-damaged", "withdrawn"];
  assert.deepEqual(
    events.filter((event) => troubles.includes(event.type)),
    [],
  );
  const contents = new Map((await source.list()).map((content) => [content.name, content]));
  const copy = contents.get("copy");
  if (promised.has("copy published") && !promised.has("local published")) assert.ok(copy);
  if (promised.has("copy unpublished")) assert.equal(copy, undefined);
  if (promised.has("local published")) assert.ok(contents.has("local"));
  if (copy !== undefined) {
    for (const { path, bytes } of copyFiles) {
      const stored = await readFile(join(data, "content", "copy", "files", "Copy", ...path));
      assert.ok(stored.equals(bytes), path.join("/"));
    }
  }
  assert.ok((await readFile(localPath(data))).equals(localBytes));
}

/** Goes on to the end, which leaves exactly what it should. */
async function assertFinishes(world: SourceWorld): Promise<void> {
  const { source, data } = world;
  await runSteps(source, data, () => undefined);
  await source.close();
  assert.deepEqual(await readdir(join(data, "content")), ["local"]);
  assert.deepEqual(await readdir(join(data, "staging")), []);
  const again = await start(data);
  assert.deepEqual(await readdir(join(data, "content")), ["local"]);
  assert.deepEqual((await readdir(data)).includes("scratch"), false);
  await again.source.close();
}

/** Runs the steps in a process that kills itself. @returns what it had been promised, if killed. */
async function runKilled(data: string, step: number): Promise<ReadonlySet<Promised> | undefined> {
  const program = join(import.meta.dirname, "..", "support", "publish-steps.ts");
  const child = spawn(process.execPath, [program, data, String(step)], {
    env: environment,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [lines, [, signal]] = await Promise.all([child.stdout.toArray(), once(child, "close")]);
  if (signal !== "SIGKILL") return undefined;
  return new Set(Buffer.concat(lines).toString().trim().split("\n") as Promised[]);
}

test("A12 F-05 kill -9 at each step of publishing and unpublishing: all or nothing, and it goes on", async () => {
  const killAt = async (step: number): Promise<boolean> => {
    let wasKilled = false;
    await withData(async (data) => {
      const promised = await runKilled(data, step);
      wasKilled = promised !== undefined;
      const world = await start(data);
      await assertKept(world, promised ?? new Set());
      await assertFinishes(world);
    });
    return wasKilled;
  };
  let step = 1;
  for (let wereKilled = true; wereKilled; step += AT_ONCE) {
    const kills = Array.from({ length: AT_ONCE }, (_, i) => killAt(step + i));
    wereKilled = (await Promise.all(kills)).every(Boolean);
  }

  assert.ok(step > 20, `only ${step} steps`);
});

test("F-71 each step fails once: a clean error, or success, and it goes on", async () => {
  let failing = 0;
  for (let hasFailed = true; hasFailed; ) {
    failing++;
    hasFailed = false;
    await withData(async (data) => {
      const world = await start(data);
      let steps = 0;
      const stop = await watchFileSteps((name) => {
        steps++;
        if (steps !== failing) return;
        hasFailed = true;
        throw Object.assign(new Error(`no ${name}`), { code: "EIO" });
      });
      const promised = new Set<Promised>();
      try {
        await runSteps(world.source, data, (each) => promised.add(each));
      } catch (error) {
        assert.ok(error instanceof BtPublisherError, String(error));
        assert.equal(error.code, "STORAGE_IO");
      } finally {
        stop();
      }
      await assertKept(world, promised);
      await assertFinishes(world);
    });
  }

  assert.ok(failing > 20, `only ${failing} steps`);
});

test("F-04 kill -9 while the ledger is written: all that was flushed is there, and no more than was sent", async () => {
  const folder = await mkdtemp(join(tmpdir(), "ledger-kill-"));
  const program = join(import.meta.dirname, "..", "support", "ledger-writer.ts");
  try {
    for (const killAfter of [1, 2, 17, 40]) {
      await rm(folder, { recursive: true });
      const child = spawn(process.execPath, [program, folder], {
        env: environment,
        stdio: ["ignore", "pipe", "inherit"],
      });
      let flushedBytes = 0;
      let lines = 0;
      for await (const line of createInterface(child.stdout)) {
        flushedBytes = Number(line);
        if (++lines === killAfter) child.kill("SIGKILL");
      }
      const clock = new ManualClock();
      const store = new FileLedgerStore(folder);
      const keeper = new LedgerKeeper({ clock, store, onFailure: assert.fail });
      const ledger = await keeper.open(ledgerInfoHash, ledgerGeometry);
      let storedBytes = 0;
      for await (const entry of keeper.read(ledgerInfoHash, 0)) {
        assert.equal(entry.bytes, 1 + entry.pieceIndex);
        storedBytes += entry.bytes;
      }

      assert.ok(storedBytes >= flushedBytes, `${storedBytes} of ${flushedBytes}`);
      assert.ok(storedBytes <= flushedBytes + 5050, "one more round at most");
      assert.equal(ledger.summary().sentBytes, storedBytes);
      await keeper.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("a data folder that was copied without its times is proven, and served", async () => {
  await withData(async (data) => {
    const world = await start(data);
    await runSteps(world.source, data, () => undefined);
    await world.source.close();
    await withData(async (copied) => {
      await cp(join(data, "content"), join(copied, "content"), { recursive: true });
      const again = await start(copied);

      assert.equal((await again.source.list()).length, 1);
      await again.source.close();
    });
  });
});
