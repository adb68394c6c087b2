/**
 * What publishing by HTTP costs the server: `node bench/publish-http.ts [--mib N] [--part-mib N]
 * [--one-request] [--runs N] [--program FILE]`.
 *
 * A server of its own takes the content in parts, as a page sends them, or whole, hashes it and publishes it. Its
 * processor time is beside that of one SHA-1 and one SHA-256 of as many bytes, in the same run; its
 * memory is the most that was its own (anonymous), and that was resident.
 */
import { spawn } from "node:child_process";
import { randomFillSync } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Client } from "../src/client/client.ts";
import {
  type PublishCost,
  cpuSecondsOf,
  hashOnce,
  MIB,
  OwnMemory,
  statusBytes,
  tableHead,
  tableRow,
} from "./publish-cost.ts";

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

process.stdout.write(tableHead);
for (let run = 1; run <= Number(values.runs); run++) {
  const hashSeconds = hashOnce(part, totalBytes);
  process.stdout.write(tableRow(run, { hashSeconds, ...(await publishOnce()) }));
}

async function publishOnce(): Promise<PublishCost> {
  const folder = mkdtempSync(join(tmpdir(), "btpublisher-publish-"));
  const options = ["--data", folder, "--host", "127.0.0.1", "--http-port", "0", "--json"];
  const ports = ["--peer-port", "0", "--udp-port", "0"];
  const server = spawn(process.execPath, [values.program, "serve", ...options, ...ports], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const memory = new OwnMemory(server.pid);
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
      ownBytes: memory.most,
      residentBytes: statusBytes(server.pid, "VmHWM"),
      seconds: (performance.now() - startedAt) / 1000,
    };
  } finally {
    memory.close();
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
