import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as delay, setImmediate } from "node:timers/promises";
import { BtPublisherError } from "../../base/errors.ts";
import { takeFileLock } from "./file-lock.ts";

const root = await mkdtemp(join(tmpdir(), "btpublisher-lock-"));
after(() => rm(root, { recursive: true }));

let count = 0;
const newPath = (): string => join(root, `lock-${count++}`);
const isLocked = (error: unknown): boolean =>
  error instanceof BtPublisherError && error.code === "LOCKED";

/** What the lock file at `path` says, with some of it replaced. */
function rewrite(path: string, changes: Record<string, unknown>): void {
  const holder = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
  writeFileSync(path, JSON.stringify({ ...holder, ...changes }));
}

/** A process id that was in use a moment ago. */
function deadPid(): number {
  return Number(execFileSync(process.execPath, ["-p", "process.pid"], { encoding: "utf8" }));
}

test("RES-12 a lock is held by one, and free again after release", async () => {
  const path = newPath();
  const lock = await takeFileLock(path);
  await assert.rejects(takeFileLock(path), isLocked);

  await lock.release();
  await lock.release();
  assert.ok(!existsSync(path));
  await (await takeFileLock(path)).release();
});

test("RES-12 another process cannot take it, and can when its holder was killed", async () => {
  const path = newPath();
  const module = new URL("./file-lock.ts", import.meta.url).href;
  const script = `const { takeFileLock } = await import(${JSON.stringify(module)});
    await takeFileLock(process.argv[1]); console.log("held"); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script, path], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  await assert.rejects(takeFileLock(path), isLocked);

  child.kill("SIGKILL");
  await once(child, "exit");
  await (await takeFileLock(path)).release();
  assert.ok(!existsSync(path));
});

for (const [what, changes] of [
  ["an ended process", () => ({ pid: deadPid() })],
  ["an earlier process of the same pid", () => ({ startedAt: "1" })],
  ["an earlier run of the system", () => ({ boot: "earlier" })],
] as const) {
  test(`RES-13 a lock of ${what} is taken over`, async () => {
    const path = newPath();
    await takeFileLock(path);
    rewrite(path, changes());

    const lock = await takeFileLock(path);
    await assert.rejects(takeFileLock(path), isLocked);
    await lock.release();
    assert.ok(!existsSync(path));
  });
}

test("RES-13 a lock of a process that ended, and whose parent does not care, is taken over", async (t) => {
  const path = newPath();
  const [fifo, read] = [newPath(), (file: string) => readFileSync(`/proc/${file}`, "utf8")];
  execFileSync("mkfifo", [fifo]);
  // The shell has a child that waits for the FIFO, and becomes a program that waits for no child.
  const parent = spawn("sh", ["-c", 'cat "$0" & echo $!; exec sleep 1000', fifo], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => parent.kill("SIGKILL"));
  const pid = Number(((await once(parent.stdout, "data")) as [Buffer])[0]);
  while (read(`${parent.pid}/comm`) !== "sleep\n") await setImmediate();
  await takeFileLock(path);
  rewrite(path, { pid, startedAt: read(`${pid}/stat`).split(" ")[21] });
  await assert.rejects(takeFileLock(path), isLocked);

  writeFileSync(fifo, "");
  while (!read(`${pid}/stat`).includes(") Z ")) await setImmediate();
  await (await takeFileLock(path)).release();
});

test("RES-13 a lock of another host is respected", async () => {
  const path = newPath();
  await takeFileLock(path);
  rewrite(path, { host: "elsewhere", pid: deadPid() });

  await assert.rejects(takeFileLock(path), isLocked);
});

test("RES-13 a takeover that was killed does not stand in the way", async () => {
  const path = newPath();
  await takeFileLock(path);
  rewrite(path, { boot: "earlier" });
  await takeFileLock(`${path}~`);
  rewrite(`${path}~`, { pid: deadPid() });

  await (await takeFileLock(path)).release();
  assert.ok(!existsSync(path) && !existsSync(`${path}~`));
});

test("RES-13 of many who take over at once, one wins", async () => {
  const path = newPath();
  await takeFileLock(path);
  rewrite(path, { boot: "earlier" });

  const taken = await Promise.allSettled(Array.from({ length: 20 }, () => takeFileLock(path)));

  const winners = taken.filter(({ status }) => status === "fulfilled");
  assert.equal(winners.length, 1);
  assert.deepEqual(
    readdirSync(root).filter((name) => join(root, name).startsWith(`${path}.`)),
    [],
  );
});

for (const [what, text] of [
  ["empty", ""],
  ["garbage", "{]"],
  ["of another shape", '{"pid":"1"}'],
] as const) {
  test(`RES-13 a lock file that is ${what} is waited for while it is new`, async () => {
    const [path, other] = [newPath(), newPath()];
    await takeFileLock(other);
    for (const [what, end] of [
      ["named", () => writeFileSync(path, readFileSync(other))],
      ["removed", () => rmSync(path)],
      ["old", () => utimesSync(path, 0, 0)],
    ] as const) {
      writeFileSync(path, text);
      let isSettled = false;
      const taking = takeFileLock(path).finally(() => {
        isSettled = true;
      });
      // Long enough for it to look a second time.
      await delay(80);
      assert.ok(!isSettled, "it did not wait");
      end();
      if (what === "named") await assert.rejects(taking, isLocked);
      else await (await taking).release();
    }
  });
}

test("RES-16 a FIFO in the lock's place is refused without blocking", async () => {
  const path = newPath();
  execFileSync("mkfifo", [path]);

  await assert.rejects(
    takeFileLock(path),
    (error) => error instanceof BtPublisherError && error.code === "STORAGE_TYPE",
  );
});

test("a lock in a directory that does not exist cannot be made", async () => {
  await assert.rejects(
    takeFileLock(join(root, "missing/lock")),
    (error) => error instanceof BtPublisherError && error.code === "STORAGE_IO",
  );
});
