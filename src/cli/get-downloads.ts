/** The work of `btpublisher get`: several downloads through one Peer, each to its own end. */
import { lookup } from "node:dns/promises";
import { access, constants } from "node:fs/promises";
import { createSystemClock } from "../adapters/node/clock.ts";
import { makeFolders } from "../adapters/node/make-folders.ts";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { BtPublisherError } from "../base/errors.ts";
import type { Download } from "../peer/download.ts";
import { FAREWELL_LIMIT_MS, mustStay } from "../peer/farewell.ts";
import type { OnPeerClosed, Trouble } from "../peer/peer-ports.ts";
import type { PeerAddress } from "../ports/peer-transport.ts";
import { type CommandContext, stopRequested } from "./command.ts";
import { type PeerNode, startPeerNode } from "./compose/peer.ts";
import { Patience, type Signs } from "./patience.ts";
import { PeerLog } from "./peer-log.ts";
import type { ProgressFigures } from "./progress.ts";
import { formatBytes, formatSeconds } from "./text.ts";
import type { MetadataProgress } from "../runtime/metadata-fetcher.ts";
import type { TorrentFigures } from "../runtime/torrent-setup.ts";
import { verifySignedRef } from "./signed-ref.ts";
import { type Fetching, resolveTorrentRef } from "./torrent-ref.ts";
import { warnOfTroubles } from "./troubles.ts";

/** Options of `get`, parsed. */
export interface GetOptions {
  readonly output: string;
  readonly port?: number;
  readonly peer?: readonly { readonly host: string; readonly port: number }[];
  /** Milliseconds to serve after completion; Infinity for ever. */
  readonly seed: number;
  /** Bytes a second. */
  readonly maxUpload?: number;
  /** Bytes a second. */
  readonly maxDownload?: number;
  readonly webSeed: boolean;
  readonly token?: string;
  /** Public key of the publisher who must have signed it. */
  readonly signedBy?: string;
  readonly server?: string;
  readonly overwrite?: boolean;
  /** Of the program: say why each connection ended. */
  readonly verbose?: boolean;
  /** Milliseconds without anything arriving; 0 for ever. */
  readonly timeout?: number;
}

type GetContext = CommandContext<GetOptions>;

const REPORT_INTERVAL_MS = 1000;

/** How often it is looked at whether we may leave. */
const FAREWELL_LOOK_MS = 250;

/**
 * Downloads every operand. One that fails does not stop the others.
 * @throws the last failure, when all have ended; the others have been said by then.
 */
export async function getAll(context: GetContext): Promise<void> {
  await makeWritable(context.options.output);
  const node = await startPeerNode(context.options);
  const running = new Set<GetOne>();
  const timer = setInterval(() => report(running, context), REPORT_INTERVAL_MS);
  try {
    const peers = await resolvePeers(context.options.peer ?? []);
    const endings = await Promise.allSettled(
      context.operands.map(async (ref) => {
        const one = new GetOne(node, context, peers);
        running.add(one);
        try {
          await one.run(ref);
        } finally {
          running.delete(one);
        }
      }),
    );
    const failures = endings.filter((ending) => ending.status === "rejected");
    for (const failure of failures.slice(0, -1)) context.output.error(failure.reason);
    const last = failures.at(-1);
    if (last !== undefined) throw last.reason;
  } finally {
    clearInterval(timer);
    await node.close();
  }
}

/** One torrent, from its reference to the end of its serving. */
class GetOne {
  readonly #node: PeerNode;
  readonly #context: GetContext;
  readonly #peers: readonly PeerAddress[];
  readonly #patience: Patience;
  readonly #startedAt = performance.now();
  /** Aborted by the user's wish to stop, by lost patience, or by a disk that cannot be written. */
  readonly #stop = new AbortController();
  readonly #onPeerClosed: OnPeerClosed | undefined;
  #download: Download | undefined;
  /** Of a magnet link. */
  #metadata: MetadataProgress | undefined;

  constructor(node: PeerNode, context: GetContext, peers: readonly PeerAddress[]) {
    this.#node = node;
    this.#context = context;
    this.#peers = peers;
    this.#patience = new Patience(context.options.timeout, this.#startedAt);
    if (context.options.verbose !== true) return;
    const log = new PeerLog(context.output, () => performance.now());
    this.#onPeerClosed = (closed) => {
      const infoHash = this.#download?.info.infoHash;
      log.say(closed, { ...(infoHash !== undefined && { infoHash }) });
    };
  }

  async run(ref: string): Promise<void> {
    const { signal } = this.#context;
    const onStop = (): void => this.#stop.abort(signal.reason);
    signal.addEventListener("abort", onStop);
    if (signal.aborted) onStop();
    try {
      await this.#runUntilStopped(ref);
    } finally {
      signal.removeEventListener("abort", onStop);
    }
  }

  /** Whatever ends it, the download is closed; of two failures the first one is told. */
  async #runUntilStopped(ref: string): Promise<void> {
    const failures: unknown[] = [];
    try {
      const download = await this.#fetch(ref);
      if (this.#context.options.seed === 0) await this.#bidFarewell(download);
      else await this.#serve();
    } catch (error) {
      failures.push(this.#stop.signal.aborted ? this.#stop.signal.reason : error);
    }
    await this.#download?.stop().catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw failures[0];
  }

  /** Loses patience where it is time. @returns figures of a download that is under way. */
  look(): { readonly figures: ProgressFigures; readonly infoHash: string } | undefined {
    const live = this.#download?.figures();
    if (this.#download?.isComplete !== true) {
      const why = this.#patience.look(performance.now(), this.#signs(live));
      if (why !== undefined) this.#stop.abort(why);
    }
    if (live === undefined || this.#download === undefined) return undefined;
    return {
      infoHash: live.infoHash,
      figures: {
        bytes: live.verifiedBytes,
        total: this.#download.info.geometry.contentLength,
        downRate: live.downloadBytesPerSecond,
        upRate: live.uploadBytesPerSecond,
        peers: live.connections,
        fromSource: live.fromSourceBytes,
        fromPeers: live.downloadedBytes - live.fromSourceBytes,
      },
    };
  }

  #signs(live: TorrentFigures | undefined): Signs {
    const { downloadedBytes, connections = 0, offeredPieces = 0 } = live ?? {};
    const { named: namedPeers, bytes = 0 } = this.#metadata ?? {};
    const isSought = live === undefined && namedPeers !== undefined;
    return {
      bytes: downloadedBytes ?? bytes,
      connections,
      isOffered: offeredPieces > 0,
      ...(isSought && { namedPeers }),
    };
  }

  async #fetch(ref: string): Promise<Download> {
    const { options, output } = this.#context;
    const { signal } = this.#stop;
    const warn = warnOfTroubles(output);
    const fetching: Fetching = {
      http: this.#node.http,
      output,
      signal,
      tokenFor: (url) => tokenFor(url, options, process.env),
      onNotice: (notice) => this.#patience.hearNotice(notice),
    };
    const source = await resolveTorrentRef(ref, fetching);
    const { signedBy: publicKey } = options;
    if (publicKey !== undefined) {
      const trustedComment = await verifySignedRef({ ref, source, publicKey }, fetching);
      const facts = { publicKey, trustedComment };
      output.event("signature", facts, `Signed by ${publicKey} (${trustedComment}).`);
    }
    if (source.type === "magnet") {
      const { infoHash } = source.magnet;
      output.event("metadata", { infoHash }, `Asking peers what ${infoHash} is.`);
    }
    const download = await this.#node.peer.download(source, {
      directory: options.output,
      peers: this.#peers,
      useWebSeeds: options.webSeed,
      overwrite: options.overwrite === true,
      leavesWhenDone: options.seed === 0,
      onCheck: (bytes, total) => output.progress({ bytes, total }),
      onTrouble: (trouble) => this.#hear(trouble, warn),
      onMetadata: (progress) => {
        this.#metadata = progress;
      },
      ...(this.#onPeerClosed && { onPeerClosed: this.#onPeerClosed }),
      signal,
    });
    this.#download = download;
    const { infoHash, name, geometry } = download.info;
    output.event(
      "started",
      { infoHash, name, bytes: geometry.contentLength, path: download.path },
      `${name}: ${formatBytes(geometry.contentLength)}`,
    );
    await Promise.race([download.completed, this.#stopped()]);
    this.#sayComplete(download);
    return download;
  }

  /** What too few others have must not leave the swarm with us; the first Ctrl-C ends it. */
  async #bidFarewell(download: Download): Promise<void> {
    const { output, signal } = this.#context;
    const beganAt = performance.now();
    for (let isTold = false; ; isTold = true) {
      const { solePieces: pieces, infoHash } = download.figures();
      if (signal.aborted || !mustStay(performance.now() - beganAt, pieces)) return;
      if (!isTold) {
        const seconds = FAREWELL_LIMIT_MS / 1000;
        const text = `serving ${pieces} pieces that too few others have yet, ${seconds} s at most; Ctrl-C ends it`;
        output.event("farewell", { infoHash, pieces, seconds }, text);
      }
      await sleep(FAREWELL_LOOK_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  async #serve(): Promise<void> {
    const { options, signal } = this.#context;
    const isOver = Promise.withResolvers<void>();
    // Weeks, too: a signal's own timeout ends at once when it is longer than 24 days.
    const timer = createSystemClock().setTimer(options.seed, isOver.resolve);
    await Promise.race([stopRequested(signal), isOver.promise]);
    timer.cancel();
  }

  /** A full disk does not get better by waiting for it here: say how much is needed, and stop. */
  #hear(trouble: Trouble, warn: (trouble: Trouble) => void): void {
    this.#patience.hear(trouble);
    if (trouble.type !== "storage") return warn(trouble);
    const { code, message, detail } = trouble.error;
    const missing = this.#missingBytes();
    const needed = missing === undefined ? "" : `; ${formatBytes(missing)} are still to come`;
    const text = `${message}${needed}; run it again to go on where it stopped`;
    this.#stop.abort(new BtPublisherError(code, text, { detail, cause: trouble.error }));
  }

  #missingBytes(): number | undefined {
    const download = this.#download;
    if (download === undefined) return undefined;
    return download.info.geometry.contentLength - download.figures().verifiedBytes;
  }

  async #stopped(): Promise<never> {
    await stopRequested(this.#stop.signal);
    throw this.#stop.signal.reason;
  }

  #sayComplete(download: Download): void {
    const { downloadedBytes, fromSourceBytes, uploadedBytes } = download.figures();
    const seconds = Math.round(performance.now() - this.#startedAt) / 1000;
    const { infoHash, geometry } = download.info;
    this.#context.output.event(
      "complete",
      {
        infoHash,
        path: download.path,
        bytes: geometry.contentLength,
        seconds,
        fromSource: fromSourceBytes,
        fromPeers: downloadedBytes - fromSourceBytes,
        uploaded: uploadedBytes,
      },
      `complete: ${download.path} (${formatBytes(geometry.contentLength)} in ${formatSeconds(seconds)})`,
    );
  }
}

/**
 * The token for the server at `url`: the one on the command line, or that of the environment for
 * the server that is said to be its own. Links come from anywhere: no other server may see it.
 */
function tokenFor(
  url: string,
  { token, server }: GetOptions,
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  if (server === undefined) return token;
  const isIts = URL.parse(server)?.origin === new URL(url).origin;
  return isIts ? (token ?? environment["BTPUBLISHER_TOKEN"]) : undefined;
}

/** With --json one event a torrent; one line for all of them together otherwise. */
function report(running: ReadonlySet<GetOne>, { output }: GetContext): void {
  const looks = [...running].flatMap((one) => one.look() ?? []);
  if (output.isJson) {
    for (const { figures, infoHash } of looks) output.progress(figures, { infoHash });
  } else if (looks.length > 0) {
    output.progress(looks.map(({ figures }) => figures).reduce(sumOf));
  }
}

function sumOf(a: ProgressFigures, b: ProgressFigures): ProgressFigures {
  const keys = Object.keys(a) as (keyof ProgressFigures)[];
  const sums = keys.map((key) => [key, (a[key] ?? 0) + (b[key] ?? 0)]);
  return Object.fromEntries(sums) as ProgressFigures;
}

/** @throws BtPublisherError STORAGE_PATH */
async function makeWritable(directory: string): Promise<void> {
  try {
    await makeFolders(directory);
    await access(directory, constants.W_OK);
  } catch (cause) {
    const message =
      cause instanceof BtPublisherError
        ? cause.message
        : `cannot write to the folder ${directory}: name another one with -o`;
    throw new BtPublisherError("STORAGE_PATH", message, { detail: { directory }, cause });
  }
}

/** Addresses of peers that the user named, which may be host names. @throws UNAVAILABLE */
function resolvePeers(
  named: readonly { readonly host: string; readonly port: number }[],
): Promise<readonly PeerAddress[]> {
  return Promise.all(
    named.map(async ({ host, port }) => {
      try {
        return { host: (await lookup(host)).address, port };
      } catch (cause) {
        throw new BtPublisherError("UNAVAILABLE", `cannot find the peer ${host}`, { cause });
      }
    }),
  );
}
