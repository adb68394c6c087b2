/**
 * `npm run bench -- NAME [options of the script]`: the measurements that docs/performance.md quotes,
 * ours beside the other clients' in one run. Needs root and bench/lab/setup.sh once; run one at a
 * time on a quiet machine.
 */
import { spawnSync } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL("./", import.meta.url));
/** A script of the lab, with its options as one would type them. */
const lab = (commandLine: string) => {
  const [script = "", ...args] = commandLine.split(/\s+/);
  return ["python3", `${here}lab/${script}`, ...args];
};

/** Ours beside mktorrent, over a file of 4 GiB; `commandLine` has the lab's names for files. */
const makers = (commandLine: string) => {
  const program = `${process.execPath} ${here}../bin/btpublisher.mjs`;
  const [verb = ""] = commandLine.split(" ", 1);
  return [
    ...lab("bench_create.py --gib 4 --runs 5 --only"),
    "mktorrent -t 2,btpublisher",
    "--maker",
    `btpublisher ${verb}=${program} ${commandLine}`,
  ];
};

/** What each name runs; options that follow the name come behind and so win. */
const benches: Readonly<Record<string, readonly string[]>> = {
  pair: lab(
    "bench_pair.py --size-mib 1024 --runs 5 --pairs " +
      "btpublisher:btpublisher,libtorrent:libtorrent,aria2:aria2,btpublisher:libtorrent," +
      "btpublisher:aria2,libtorrent:btpublisher,aria2:btpublisher,nginx-curl:nginx-curl",
  ),
  swarm: lab("bench_swarm.py --n 8 --runs 3 --systems btpublisher,@btpublisher,libtorrent,aria2"),
  participation: [process.execPath, `${here}participation.ts`],
  "virtual-crowds": [process.execPath, `${here}virtual-crowds.ts`],
  "participation-plot": [process.execPath, `${here}participation-plot.ts`],
  tracker: lab(
    "bench_tracker.py --modes udpc,udp,httpka,http " +
      "--trackers node-limit-net,btpublisher,opentracker,bittorrent-tracker",
  ),
  "tracker-workers": lab(
    "bench_tracker.py --modes udpc,udp --windows 64,512 --sockets 16 --secs 4 " +
      "--trackers btpublisher,btpublisher*2",
  ),
  "tracker-million": [process.execPath, "--expose-gc", `${here}tracker-million.ts`],
  "tracker-keys": lab(
    "bench_tracker.py --modes udpc,httpka --windows 64 --sources 1 " +
      "--trackers btpublisher,btpublisher+keys",
  ),
  "tracker-websocket": lab(
    "bench_tracker.py --modes ws --windows 1000,10000 --trackers btpublisher,bittorrent-tracker",
  ),
  "tracker-offers": lab(
    "bench_tracker.py --modes ws --windows 1000 --swarms 20 --offers 5 " +
      "--trackers btpublisher,bittorrent-tracker",
  ),
  "websocket-memory": [process.execPath, "--expose-gc", `${here}websocket-memory.ts`],
  http: lab(
    "bench_pair.py --size-mib 1024 --runs 5 --pairs " +
      "nginx-curl:nginx-curl,btpublisher+http:nginx-curl+files,btpublisher+http:btpublisher+http," +
      "nginx-curl:btpublisher+web,nginx-curl:nginx-curl+aria2http",
  ),
  start: [process.execPath, `${here}start.ts`],
  create: makers("create {f} -o {o} --piece-length 1Mi"),
  verify: makers("verify {t} --data {d}"),
  publish: [process.execPath, `${here}publish-http.ts`],
  "publish-page": [process.execPath, `${here}publish-page.ts`],
  live: [process.execPath, `${here}live-cost.ts`],
  disk: [process.execPath, `${here}disk.ts`],
  wire: [process.execPath, `${here}wire.ts`],
  "many-peers": [process.execPath, "--expose-gc", `${here}many-peers.ts`],
  "many-core": [process.execPath, `${here}many-core.ts`],
};

const [name = "", ...more] = process.argv.slice(2);
const command = benches[name];
if (command === undefined) {
  process.stderr.write(`usage: npm run bench -- ${Object.keys(benches).join("|")} [options]\n`);
  process.exit(64);
}
const [program = "", ...args] = command;
const env = { ...process.env, LAB_ADAPTERS: `${here}lab/adapters`, PYTHONDONTWRITEBYTECODE: "1" };
const { status, error } = spawnSync(program, [...args, ...more], { stdio: "inherit", env });
if (error !== undefined) process.stderr.write(`${program}: ${error.message}\n`);
process.exit(status ?? 70);
