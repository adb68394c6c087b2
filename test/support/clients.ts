/**
 * Other people's clients, driven as their users would: each joins a swarm on a host of the test
 * network, with discovery outside the tracker turned off.
 */
import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Host, startOn } from "./netns.ts";
import type { Program } from "./programs.ts";

/** What a client is to do. */
export interface ClientTask {
  readonly host: Host;
  /** Path of the .torrent file. */
  readonly torrent: string;
  /** A seed finds the content in here, a leech puts it here. */
  readonly directory: string;
  /** A new folder for the client's own files. */
  readonly scratch: string;
  /** Port for peers; default: 6881. */
  readonly port?: number;
  /** The tracker is behind UDP. */
  readonly usesUdp?: boolean;
  /** It takes and makes connections encrypted with RC4 only. */
  readonly requiresEncryption?: boolean;
}

/** A client that plays one torrent. */
export interface RunningClient {
  /** Resolves when the content is complete and verified. @throws after `limitMs`. */
  complete(limitMs?: number): Promise<void>;
  stop(): Promise<void>;
}

/** One kind of client. */
export interface ClientKind {
  readonly name: string;
  /** How long a download of a few MiB may take. */
  readonly limitMs: number;
  /** Transmission 3.00 does not create files of length 0. */
  readonly createsEmptyFiles: boolean;
  start(role: "seed" | "leech", task: ClientTask): RunningClient;
}

/** Where clients listen. */
export const PEER_PORT = 6881;

/** Every client that the tests talk with. */
export const clientKinds: readonly ClientKind[] = [
  { name: "aria2", limitMs: 60_000, createsEmptyFiles: true, start: startAria2 },
  { name: "libtorrent", limitMs: 60_000, createsEmptyFiles: true, start: startLibtorrent },
  // Turns interested only in a pulse of 10 s, and asks the tracker again only after some time.
  { name: "transmission", limitMs: 90_000, createsEmptyFiles: false, start: startTransmission },
];

function startAria2(role: "seed" | "leech", task: ClientTask): RunningClient {
  const program = startOn(task.host, [
    "aria2c",
    "--no-conf",
    `--dir=${task.directory}`,
    `--listen-port=${task.port ?? PEER_PORT}`,
    // It speaks to UDP trackers by way of its DHT only.
    `--enable-dht=${task.usesUdp === true}`,
    `--dht-file-path=${task.scratch}`,
    "--enable-dht6=false",
    "--bt-enable-lpd=false",
    "--enable-peer-exchange=false",
    "--file-allocation=none",
    "--console-log-level=warn",
    "--summary-interval=0",
    "--show-console-readout=false",
    ...(task.requiresEncryption ? ["--bt-require-crypto=true", "--bt-min-crypto-level=arc4"] : []),
    // A seed stays until it is stopped; a leech goes when it is done.
    ...(role === "seed" ? ["--seed-ratio=0.0", "--check-integrity=true"] : ["--seed-time=0"]),
    task.torrent,
  ]);
  return { complete: (limitMs) => program.succeed(limitMs), stop: () => program.stop() };
}

function startLibtorrent(role: "seed" | "leech", task: ClientTask): RunningClient {
  const script = fileURLToPath(new URL("libtorrent-client.py", import.meta.url));
  const { torrent, directory, host, port = PEER_PORT } = task;
  const encryption = task.requiresEncryption ? "required" : "preferred";
  const place = [torrent, directory, host.ip, String(port), encryption];
  const program = startOn(host, ["/usr/bin/python3", script, role, ...place]);
  return {
    complete: async (limitMs) => void (await program.waitFor("event", "complete", limitMs)),
    stop: () => program.stop(),
  };
}

function startTransmission(_role: "seed" | "leech", task: ClientTask): RunningClient {
  const watched = join(task.scratch, "watched");
  mkdirSync(watched, { recursive: true });
  copyFileSync(task.torrent, join(watched, "test.torrent"));
  const hook = writeHook(task.scratch);
  const settings = { ...settingsFor(task, hook), "watch-dir-enabled": true, "watch-dir": watched };
  writeFileSync(join(task.scratch, "settings.json"), JSON.stringify(settings));
  const command = ["transmission-daemon", "--foreground", "--config-dir", task.scratch];
  const program = startOn(task.host, command);
  return {
    complete: async (limitMs) => void (await program.waitFor("event", "complete", limitMs)),
    stop: () => program.stop(),
  };
}

/** A script that says a download is complete, to its own standard output unless told otherwise. */
function writeHook(scratch: string, redirection = ""): string {
  const hook = join(scratch, "done.sh");
  writeFileSync(hook, `#!/bin/sh\necho '{"event":"complete"}' ${redirection}\n`);
  chmodSync(hook, 0o755);
  return hook;
}

function settingsFor(task: ClientTask, hook: string): Readonly<Record<string, unknown>> {
  return {
    "bind-address-ipv4": task.host.ip,
    "dht-enabled": false,
    "download-dir": task.directory,
    encryption: task.requiresEncryption ? 2 : 0,
    "lpd-enabled": false,
    "peer-port": task.port ?? PEER_PORT,
    "pex-enabled": false,
    "port-forwarding-enabled": false,
    "rpc-enabled": false,
    "script-torrent-done-enabled": true,
    "script-torrent-done-filename": hook,
    "utp-enabled": false,
  };
}

const RTORRENT_ENCRYPTION =
  "protocol.encryption.set = allow_incoming,try_outgoing,require,require_RC4";

/** rtorrent, without its screen. */
export const rtorrent: ClientKind = {
  name: "rtorrent",
  limitMs: 90_000,
  createsEmptyFiles: true,
  start(_role, { host, torrent, directory, scratch, requiresEncryption }) {
    mkdirSync(scratch, { recursive: true });
    const said = join(scratch, "said");
    const hook = writeHook(scratch, `>> ${said}`);
    const settings = join(scratch, "rtorrent.rc");
    const lines = [
      "system.daemon.set = true",
      `directory.default.set = "${directory}"`,
      `session.path.set = "${scratch}"`,
      `network.port_range.set = ${PEER_PORT}-${PEER_PORT}`,
      "dht.mode.set = disable",
      "protocol.pex.set = no",
      "trackers.use_udp.set = yes",
      ...(requiresEncryption ? [RTORRENT_ENCRYPTION] : []),
      `method.set_key = event.download.finished,done,"execute.nothrow=${hook}"`,
      `load.start = "${torrent}"`,
    ];
    writeFileSync(settings, `${lines.join("\n")}\n`);
    // Its hooks have no output of its own to write to: another program says what they wrote.
    const command = ': > "$0"; tail -f -s 0.2 --pid=$$ "$0" & exec rtorrent -n -o "$1"';
    const program = startOn(host, ["sh", "-c", command, said, `import=${settings}`]);
    return {
      complete: async (limitMs) => void (await program.waitFor("event", "complete", limitMs)),
      stop: () => program.stop(),
    };
  },
};

/** Starts opentracker on `host`, port 6969, for one torrent. */
export function startOpentracker(
  host: Host,
  options: { readonly infoHash: string; readonly scratch: string },
): Program {
  const accessList = join(options.scratch, "accesslist");
  // It gives up root before it reads the list.
  mkdirSync(options.scratch, { recursive: true, mode: 0o755 });
  writeFileSync(accessList, `${options.infoHash}\n`, { mode: 0o644 });
  const where = ["-i", host.ip, "-p", "6969", "-P", "6969"];
  return startOn(host, ["opentracker", ...where, "-w", accessList, "-u", "nobody", "-d", "/"]);
}
