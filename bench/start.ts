/**
 * How soon a start gets somewhere: `node bench/start.ts [--runs N] [--program FILE]`.
 *
 * First the cold start: from starting a process to its first connection, beside other clients. Then
 * the lab's start: 8 MiB from one source at 80 Mbit/s, to the first verified piece and to the end.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const here = fileURLToPath(new URL("./", import.meta.url));
const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "5" },
    /** Our command; another one than the checkout's for an installed tree. */
    program: { type: "string", default: join(here, "../bin/btpublisher.mjs") },
  },
});
const runs = Number(values.runs);

await compareColdStarts();
process.exit(compareStartsInLab());

async function compareColdStarts(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "btpublisher-start-"));
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/file.torrent`;
  const clients: Readonly<Record<string, readonly string[]>> = {
    "btpublisher get": [process.execPath, values.program, "get", url, "-o", directory],
    "node, a bare fetch": [process.execPath, "-e", `fetch(${JSON.stringify(url)})`],
    aria2c: ["aria2c", "--no-conf", "-q", "-d", directory, url],
    curl: ["curl", "-s", url],
  };
  const times = new Map<string, number[]>();
  try {
    // A run that ends by itself fills the compile cache, as the first one after an installation does.
    const nobody = "http://127.0.0.1:1/file.torrent";
    spawnSync(process.execPath, [values.program, "get", nobody, "-o", directory]);
    for (let run = 0; run < runs; run++) {
      for (const [name, command] of Object.entries(clients)) {
        const elapsedMs = await timeToConnection(command, server);
        times.set(name, [...(times.get(name) ?? []), elapsedMs]);
      }
    }
  } finally {
    server.close();
    rmSync(directory, { recursive: true });
  }
  for (const [name, list] of times) {
    list.sort((a, b) => a - b);
    const [least, median, most] = [list[0], list[list.length >> 1], list.at(-1)].map((time) =>
      (time ?? 0).toFixed(0),
    );
    console.log(`${name}: ${median} ms from start to first connection (${least} … ${most})`);
  }
}

/** Starts `command` and ends it at its first connection. */
async function timeToConnection(
  [program = "", ...args]: readonly string[],
  server: ReturnType<typeof createServer>,
): Promise<number> {
  const startedAt = performance.now();
  const child = spawn(program, args, { stdio: "ignore" });
  const exited = once(child, "exit");
  const connected = once(server, "connection");
  const isConnected = await Promise.race([connected.then(() => true), exited.then(() => false)]);
  const elapsedMs = performance.now() - startedAt;
  if (!isConnected) throw new Error(`${program} ended without a connection`);
  child.kill("SIGKILL");
  await exited;
  return elapsedMs;
}

/** @returns the exit code of the lab. */
function compareStartsInLab(): number {
  const lab = join(here, "lab/bench_swarm.py");
  if (!existsSync(lab)) return 0;
  const systems = "btpublisher,@btpublisher:btpublisher,libtorrent,aria2,nginx-curl";
  const options = ["--n", "1", "--size-mib", "8", "--first", "--runs", values.runs];
  const { status } = spawnSync("python3", [lab, ...options, "--systems", systems], {
    stdio: "inherit",
  });
  return status ?? 70;
}
