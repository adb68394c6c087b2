/**
 * A lock that is a file, for one process at a time on one piece of work. The file names its holder;
 * a holder that is gone for certain (process ended, or system restarted) is replaced.
 */
import { randomUUID } from "node:crypto";
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { stat } from "node:fs/promises";
import { hostname } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { BtPublisherError } from "../../base/errors.ts";
import { diskError, errnoOf } from "./disk-error.ts";
import { readSmallFile, removeFile } from "./disk-small-file.ts";

/** A lock that is held. */
export interface FileLock {
  /** Removes the lock file. May be called twice. */
  release(): Promise<void>;
}

/** Who holds a lock, as its file says. */
interface Holder {
  readonly host: string;
  /** See `systemBoot`. */
  readonly boot: string;
  readonly pid: number;
  /** When the process began: another process may get the same pid. Empty when that is not known. */
  readonly startedAt: string;
  /** Tells this lock from an earlier one of the same process. */
  readonly id: string;
}

/** A lock file that names nobody for so long: its maker was killed at it, and is not just writing it. */
const NAMELESS_AFTER_MS = 10_000;
const NAMELESS_LOOK_MS = 50;
const MAX_LOCK_BYTES = 4096;
/** Each attempt means that another process came and went in between. */
const MAX_ATTEMPTS = 5;

/**
 * Takes the lock at `path`, in an existing directory. Waits up to 10 s for a lock that names nobody.
 * @throws BtPublisherError LOCKED when another process holds it; STORAGE_IO, STORAGE_FULL.
 */
export async function takeFileLock(path: string): Promise<FileLock> {
  const me = describeMyself();
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    if (await createLock(path, me)) return { release: () => release(path, me) };
    await removeStale(path);
  }
  throw locked(path, "other processes take it again and again");
}

/**
 * Names this run of the system, so that what was only in memory then is known to be lost now.
 * Empty where the system gives it no name.
 */
export function systemBoot(): string {
  return readProc("/proc/sys/kernel/random/boot_id").trim();
}

/** Makes the lock file; false when there is one. */
async function createLock(path: string, me: Holder): Promise<boolean> {
  try {
    // Both at once: whoever is killed in between leaves a lock that names nobody.
    const file = openSync(path, "wx", 0o644);
    try {
      writeSync(file, JSON.stringify(me));
    } catch (error) {
      // An empty lock would stand in everybody's way.
      await removeFile(path);
      throw error;
    } finally {
      closeSync(file);
    }
    return true;
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return false;
    throw diskError(error, "create", path);
  }
}

/**
 * Removes a lock whose holder is gone. Between looking and removing nobody else may do the same,
 * which takes a lock of its own. That one may be stale too, and then its own lock, but never many.
 * @throws BtPublisherError LOCKED when its holder may be there.
 */
async function removeStale(path: string): Promise<void> {
  if (!(await isStale(path))) return;
  const removal = await takeFileLock(`${path}~`);
  try {
    if (await isStale(path)) await removeFile(path);
  } finally {
    await removal.release();
  }
}

/** Whether there is a lock, of nobody; false when there is none. @throws BtPublisherError LOCKED */
async function isStale(path: string): Promise<boolean> {
  for (let waitedMs = 0; waitedMs < NAMELESS_AFTER_MS; waitedMs += NAMELESS_LOOK_MS) {
    const bytes = await readSmallFile(path, MAX_LOCK_BYTES);
    if (bytes === undefined) return false;
    const holder = parseHolder(bytes);
    if (holder !== undefined) return isGone(holder, path);
    if (await isOld(path)) break;
    await delay(NAMELESS_LOOK_MS);
  }
  return true;
}

/** True. @throws BtPublisherError LOCKED when the holder of the lock at `path` may be there. */
function isGone(holder: Holder, path: string): true {
  if (holder.host !== hostname()) {
    const who = `process ${holder.pid} on the host ${JSON.stringify(holder.host)}`;
    throw locked(path, `${who} works there; if that host is gone, delete this file`);
  }
  if (holder.boot === systemBoot() && isAlive(holder)) {
    throw locked(path, `process ${holder.pid} works there; wait for it, or end it`);
  }
  return true;
}

async function release(path: string, me: Holder): Promise<void> {
  const bytes = await readSmallFile(path, MAX_LOCK_BYTES);
  if (bytes !== undefined && parseHolder(bytes)?.id === me.id) await removeFile(path);
}

function parseHolder(bytes: Uint8Array): Holder | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString("utf8"));
    if (typeof value !== "object" || value === null) return undefined;
    const { host, boot, pid, startedAt, id } = value as Partial<Record<keyof Holder, unknown>>;
    if (typeof host !== "string" || typeof boot !== "string" || typeof id !== "string")
      return undefined;
    if (typeof startedAt !== "string" || !Number.isSafeInteger(pid)) return undefined;
    return { host, boot, pid: pid as number, startedAt, id };
  } catch {
    return undefined;
  }
}

async function isOld(path: string): Promise<boolean> {
  try {
    return Date.now() - (await stat(path)).mtimeMs > NAMELESS_AFTER_MS;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return false;
    throw diskError(error, "inspect", path);
  }
}

function isAlive(holder: Holder): boolean {
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    // Not ours to signal, but there.
    if (errnoOf(error) !== "EPERM") return false;
  }
  const { startedAt, hasEnded } = lookAt(holder.pid);
  return startedAt === holder.startedAt && !hasEnded;
}

function describeMyself(): Holder {
  const { pid } = process;
  const { startedAt } = lookAt(pid);
  return { host: hostname(), boot: systemBoot(), pid, startedAt, id: randomUUID() };
}

/** What the kernel says of a process: nothing where there is no proc(5). */
function lookAt(pid: number): { readonly startedAt: string; readonly hasEnded: boolean } {
  const text = readProc(`/proc/${pid}/stat`);
  // Fields 3, 20 and 22, counted after the command, which may hold anything.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state, threads, startedAt] = [fields[0], fields[17], fields[19] ?? ""];
  // Its parent has not asked yet how it ended, and no thread of it still writes.
  return { startedAt, hasEnded: state === "Z" && Number(threads) <= 1 };
}

function readProc(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function locked(path: string, why: string): BtPublisherError {
  return new BtPublisherError("LOCKED", `${JSON.stringify(path)} is locked: ${why}`, {
    detail: { path },
  });
}
