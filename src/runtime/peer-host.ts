/**
 * All torrents of one process behind one listening port: incoming handshakes find their torrent by
 * info hash, and all torrents share the rate limits.
 */
import { equalBytes, infoHashOf } from "../base/bytes.ts";
import { TokenBucket } from "../base/token-bucket.ts";
import type { InfoHash } from "../base/units.ts";
import { defaultChokerOptions } from "../engine/choking/choker.ts";
import type { ServingController } from "../engine/torrent/serving.ts";
import type { IncomingDecision, PeerAddress, PeerListener } from "../ports/peer-transport.ts";
import type { Handshake } from "../protocol/wire/message.ts";
import type { TicketGuard } from "./ticket-gate.ts";
import { type RunnerOptions, type RunnerPorts, TorrentRunner } from "./torrent-runner.ts";
import type { TorrentContent, TorrentEvents, TorrentFigures } from "./torrent-setup.ts";

/** What all torrents of a process share. */
export interface PeerHostOptions {
  /** 20 bytes; see peer-id.ts. */
  readonly peerId: Uint8Array;
  readonly clientName: string;
  /** Listening host; undefined means all interfaces. */
  readonly host: string | undefined;
  /** Listening port, 0 for any free one; undefined: do not listen. */
  readonly port: number | undefined;
  /** Shared with other doors of the process. */
  readonly uploadLimit: TokenBucket;
  readonly downloadLimit: TokenBucket;
  /** Whether a host may connect to a torrent; default: everybody may. */
  readonly admits?: (
    torrent: { readonly infoHash: InfoHash; readonly isPrivate: boolean },
    host: string,
  ) => boolean;
  /** How tickets of a torrent are checked now; undefined: it needs none. Default: none does. */
  readonly tickets?: (infoHash: InfoHash) => TicketGuard | undefined;
}

/** What differs between torrents and roles. Defaults are a downloading peer's. */
export interface TorrentRoleOptions {
  readonly webSeeds?: readonly string[];
  /** Default true; a SourceNode waits for its peers. */
  readonly dialsPeers?: boolean;
  /** Default false; a SourceNode watches its swarm. */
  readonly keepsSeeds?: boolean;
  readonly maxPeers?: number;
  readonly uploadSlots?: number;
  /** How tickets are shown and checked; default: as the host says. */
  readonly tickets?: TicketGuard | undefined;
  /** See `TorrentOptions.leavesWhenDone`. */
  readonly leavesWhenDone?: boolean;
  /** Decides what each peer is shown; see `TorrentOptions.serving`. */
  readonly serving?: ServingController;
}

const DEFAULT_MAX_PEERS = 80;
const MAX_CONNECTING = 20;
/** 48 pieces of 1 MiB: what the fastest links keep open, and bounded for the largest pieces. */
const PIECE_BUFFER_BYTES = 48 * 1024 * 1024;

export class PeerHost {
  readonly #ports: RunnerPorts;
  readonly #options: PeerHostOptions;
  readonly #runners = new Map<InfoHash, TorrentRunner>();
  #listener: PeerListener | undefined;

  constructor(ports: RunnerPorts, options: PeerHostOptions) {
    this.#ports = ports;
    this.#options = options;
  }

  /** The port that is listened on; undefined when not listening. */
  get port(): number | undefined {
    return this.#listener?.port;
  }

  /** @throws BtPublisherError UNAVAILABLE when the port is taken. */
  async listen(): Promise<void> {
    const { host, port } = this.#options;
    if (port === undefined) return;
    const infoHashes = (asker: string) => this.#infoHashesFor(asker);
    this.#listener = await this.#ports.transport.listen(
      { host, port, infoHashes },
      (remote, address) => this.#decide(remote, address),
    );
  }

  /** Plays a torrent from now on. It must not be played already. */
  add(
    content: TorrentContent,
    events: TorrentEvents = {},
    role: TorrentRoleOptions = {},
  ): TorrentRunner {
    const { infoHash } = content.info;
    const options = this.#runnerOptions(infoHash, role);
    const runner = new TorrentRunner(content, options, this.#ports, events);
    this.#runners.set(infoHash, runner);
    runner.start();
    return runner;
  }

  /** Stops playing a torrent; its store stays open. Idempotent. */
  async remove(infoHash: InfoHash): Promise<void> {
    const runner = this.#runners.get(infoHash);
    this.#runners.delete(infoHash);
    await runner?.stop();
  }

  /** Peers of a torrent to try; does nothing when it is not played. */
  addAddresses(infoHash: InfoHash, addresses: readonly PeerAddress[]): void {
    this.#runners.get(infoHash)?.addAddresses(addresses);
  }

  figures(infoHash: InfoHash): TorrentFigures | undefined {
    return this.#runners.get(infoHash)?.figures();
  }

  /** Somebody may have lost its admission: closes the links of whoever has none. */
  closeUnadmitted(): void {
    const { admits } = this.#options;
    if (admits === undefined) return;
    for (const runner of this.#runners.values()) {
      runner.closeLinks("not-admitted", (host) => !admits(runner, host));
    }
  }

  /** Stops listening and every torrent. */
  async close(): Promise<void> {
    await this.#listener?.close();
    this.#listener = undefined;
    await Promise.all([...this.#runners.keys()].map((infoHash) => this.remove(infoHash)));
  }

  *#infoHashesFor(host: string): Iterable<InfoHash> {
    const { admits = () => true } = this.#options;
    for (const [infoHash, runner] of this.#runners) if (admits(runner, host)) yield infoHash;
  }

  #decide(remote: Handshake, { host }: PeerAddress): IncomingDecision {
    const runner = this.#runners.get(infoHashOf(remote.infoHash));
    const { peerId, admits = () => true } = this.#options;
    if (runner === undefined || equalBytes(remote.peerId, peerId)) return { accept: false };
    // The same as for a torrent that is not here: a stranger learns nothing (S1).
    if (!admits(runner, host)) return { accept: false };
    return {
      accept: true,
      handshake: {
        infoHash: remote.infoHash,
        peerId,
        supportsFast: true,
        supportsExtended: true,
      },
      onLink: (link) => runner.accept(link),
    };
  }

  #runnerOptions(infoHash: InfoHash, role: TorrentRoleOptions): RunnerOptions {
    const { peerId, clientName, uploadLimit, downloadLimit, tickets } = this.#options;
    return {
      choker: {
        ...defaultChokerOptions,
        uploadSlots: role.uploadSlots ?? defaultChokerOptions.uploadSlots,
      },
      maxPeers: role.maxPeers ?? DEFAULT_MAX_PEERS,
      maxConnecting: MAX_CONNECTING,
      dialsPeers: role.dialsPeers ?? true,
      keepsSeeds: role.keepsSeeds ?? false,
      serving: role.serving,
      webSeeds: role.webSeeds ?? [],
      tickets: () => role.tickets ?? tickets?.(infoHash),
      leavesWhenDone: role.leavesWhenDone ?? false,
      pieceBufferBytes: PIECE_BUFFER_BYTES,
      listenPort: this.port,
      peerId,
      clientName,
      uploadLimit,
      downloadLimit,
    };
  }
}

/** Limits that never hold anything back. */
export function unlimited(): TokenBucket {
  return new TokenBucket(undefined);
}
