/** What a server spends while something is published, beside what its hashes alone take. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import process from "node:process";

export const MIB = 1024 * 1024;

/** What one publication took. */
export interface PublishCost {
  /** User and system time of the server. */
  readonly cpuSeconds: number;
  /** The most anonymous memory. */
  readonly ownBytes: number;
  /** The most resident memory, files of the page cache that it has open included. */
  readonly residentBytes: number;
  readonly seconds: number;
}

export const tableHead = "run  hashes CPU-s  server CPU-s  ratio  own MiB  resident MiB  seconds\n";

/** A line under `tableHead`. */
export function tableRow(
  run: number,
  cost: PublishCost & { readonly hashSeconds: number },
): string {
  const { hashSeconds, cpuSeconds, ownBytes, residentBytes, seconds } = cost;
  const cells = [
    String(run).padStart(3),
    hashSeconds.toFixed(2).padStart(13),
    cpuSeconds.toFixed(2).padStart(13),
    (cpuSeconds / hashSeconds).toFixed(2).padStart(6),
    (ownBytes / MIB).toFixed(0).padStart(8),
    (residentBytes / MIB).toFixed(0).padStart(13),
    seconds.toFixed(1).padStart(8),
  ];
  return `${cells.join(" ")}\n`;
}

/** Processor time of one SHA-1 and one SHA-256 of `totalBytes`, `part` again and again, in seconds. */
export function hashOnce(part: Uint8Array, totalBytes: number): number {
  const before = process.cpuUsage();
  const hashes = [createHash("sha1"), createHash("sha256")];
  for (let done = 0; done < totalBytes; done += MIB) {
    const begin = done % part.length;
    const bytes = part.subarray(begin, begin + MIB);
    for (const hash of hashes) hash.update(bytes);
  }
  for (const hash of hashes) hash.digest();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

/** Watches the anonymous memory of a process. */
export class OwnMemory {
  /** In bytes. */
  most = 0;
  readonly #timer: NodeJS.Timeout;

  constructor(pid: number | undefined) {
    this.#timer = setInterval(() => {
      this.most = Math.max(this.most, statusBytes(pid, "RssAnon"));
    }, 50);
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

/** User and system time of a process and all its threads. */
export function cpuSecondsOf(pid: number | undefined): number {
  const text = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [user, system] = [fields[11], fields[12]].map(Number) as [number, number];
  // USER_HZ, which is 100 on every Linux.
  return (user + system) / 100;
}

/** A line of /proc/PID/status, in bytes; 0 when the process is gone. */
export function statusBytes(pid: number | undefined, name: string): number {
  try {
    const text = readFileSync(`/proc/${pid}/status`, "latin1");
    return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(text)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
