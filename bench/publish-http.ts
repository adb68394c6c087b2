/**
 * What publishing by HTTP costs the server: `node bench/publish-http.ts [--mib N] [--part-mib N]
 * [--one-request] [--runs N] [--program FILE]`.
 *
 * A server of its own takes the content in parts, as a page sends them, or whole, hashes it and publishes it. Its
 * processor time is beside that of one SHA-1 and one SHA-256 of as many bytes, in the same run; its
 * memory is the most that was its own (anonymous), and that was resident.
 */
import { spawn } from "node:child_process";
import { createHash, randomFillSync } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Client } from "../src/client/client.ts";

const MIB = 1024 * 1024;
const { values } = parseArgs({
  options: {
    mib: { type: "string", default: "1024" },
    /** The page's. */
    "part-mib": { type: "string", default: "32" },
    "one-request": { type: "boolean", default: false },
    runs: { type: "string", default: "3" },
    program: {
      type: "string",
      default: fileURLToPath(new URL("../bin/btpublisher.mjs", import.meta.url)),
    },
  },
});
const totalBytes = Number(values.mib) * MIB;
const part = randomFillSync(new Uint8Array(Number(values["part-mib"]) * MIB));

process.stdout.write("run  hashes CPU-s  server CPU-s  ratio  own MiB  resident MiB  seconds\n");
for (let run = 1; run <= Number(values.runs); run++) {
  const hashing = hashOnce();
  const { cpuSeconds, ownMib, residentMib, seconds } = await publishOnce();
  const cells = [
    String(run).padStart(3),
    hashing.toFixed(2).padStart(13),
    cpuSeconds.toFixed(2).padStart(13),
    (cpuSeconds / hashing).toFixed(2).padStart(6),
    ownMib.toFixed(0).padStart(8),
    residentMib.toFixed(0).padStart(13),
    seconds.toFixed(1).padStart(8),
  ];
  process.stdout.write(`${cells.join(" ")}\n`);
}

/** Processor time of one SHA-1 and one SHA-256, in seconds. */
function hashOnce(): number {
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

async function publishOnce() {
  const folder = mkdtempSync(join(tmpdir(), "btpublisher-publish-"));
  const options = ["--data", folder, "--host", "127.0.0.1", "--http-port", "0", "--json"];
  const ports = ["--peer-port", "0", "--udp-port", "0"];
  const server = spawn(process.execPath, [values.program, "serve", ...options, ...ports], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const memory = { own: 0 };
  const timer = setInterval(() => {
    memory.own = Math.max(memory.own, statusOf(server.pid, "RssAnon"));
  }, 50);
  try {
    const lines = createInterface({ input: server.stdout });
    const [line] = (await once(lines, "line")) as [string];
    const { url, tokenFile } = JSON.parse(line) as { url: string; tokenFile: string };
    const client = new Client({ url, token: readFileSync(tokenFile, "utf8").trim() });
    const cpuBefore = cpuSecondsOf(server.pid);
    const startedAt = performance.now();
    await publish(client);
    return {
      cpuSeconds: cpuSecondsOf(server.pid) - cpuBefore,
      ownMib: memory.own / MIB,
      residentMib: statusOf(server.pid, "VmHWM") / MIB,
      seconds: (performance.now() - startedAt) / 1000,
    };
  } finally {
    clearInterval(timer);
    server.kill();
    await once(server, "exit");
    rmSync(folder, { recursive: true });
  }
}

async function publish(client: Client): Promise<void> {
  if (values["one-request"]) {
    const parts = Array.from({ length: totalBytes / part.length }, () => part);
    await client.publishFile("big.bin", new Blob(parts));
    return;
  }
  const files = [{ path: ["big.bin"], length: totalBytes }];
  const { name } = await client.planUpload({ contentName: "big.bin", isDirectory: false, files });
  for (let offset = 0; offset < totalBytes; ) {
    const length = Math.min(part.length, totalBytes - offset);
    offset = await client.append(name, { index: 0, offset }, part.subarray(0, length));
  }
  await client.publish(name);
}

/** User and system time of a process and all its threads. */
function cpuSecondsOf(pid: number | undefined): number {
  const text = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [user, system] = [fields[11], fields[12]].map(Number) as [number, number];
  // USER_HZ, which is 100 on every Linux.
  return (user + system) / 100;
}

/** A line of /proc/PID/status, in bytes; 0 when the process is gone. */
function statusOf(pid: number | undefined, name: string): number {
  try {
    const text = readFileSync(`/proc/${pid}/status`, "latin1");
    return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(text)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
