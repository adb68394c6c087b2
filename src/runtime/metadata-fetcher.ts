/** Drives a `MetadataDownload` over links: dials peers of a magnet link until one gives the info. */
import { infoHashBytes } from "../base/bytes.ts";
import type { InfoHash } from "../base/units.ts";
import { MetadataDownload } from "../engine/metadata/metadata-download.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import {
  addressKey,
  type PeerAddress,
  type PeerLink,
  type PeerTransport,
} from "../ports/peer-transport.ts";

/** What a fetcher works with. */
export interface MetadataFetcherPorts {
  readonly clock: Clock;
  readonly transport: PeerTransport;
  readonly sha1: (bytes: Uint8Array) => Uint8Array;
}

/** How far the search is. */
export interface MetadataProgress {
  /** Peers that were named. */
  readonly named: number;
  /** Of them, those that are being asked now. */
  readonly asked: number;
  /** The most that one of them has given so far. */
  readonly bytes: number;
}

/** Who hears of it. */
export interface MetadataListener {
  /** Called once, with the verified info dictionary; everything is closed by then. */
  onFound(info: Uint8Array): void;
  /** Called often. */
  onProgress(progress: MetadataProgress): void;
}

/** Dials under way at once. */
const MAX_DIALS = 10;
/** An address that gave nothing is tried again after this. */
const RETRY_MS = 10_000;
/** Addresses that are remembered. */
const MAX_KNOWN = 2000;

export class MetadataFetcher {
  readonly #ports: MetadataFetcherPorts;
  readonly #infoHash: InfoHash;
  readonly #peerId: Uint8Array;
  readonly #download: MetadataDownload;
  readonly #listener: MetadataListener;
  readonly #links = new Map<number, PeerLink>();
  readonly #dials = new Set<{ cancel(): void }>();
  /** Addresses that were named: each comes back to `#waiting` by itself. */
  readonly #known = new Set<string>();
  /** Addresses to dial, with the time from which on. */
  readonly #waiting = new Map<string, { readonly address: PeerAddress; readonly from: number }>();
  #nextKey = 0;
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(
    ports: MetadataFetcherPorts,
    torrent: {
      readonly infoHash: InfoHash;
      readonly peerId: Uint8Array;
      readonly clientName: string;
    },
    listener: MetadataListener,
  ) {
    this.#ports = ports;
    this.#infoHash = torrent.infoHash;
    this.#peerId = torrent.peerId;
    this.#listener = listener;
    const hash = infoHashBytes(torrent.infoHash);
    this.#download = new MetadataDownload(hash, ports.sha1, torrent.clientName);
  }

  addAddresses(addresses: readonly PeerAddress[]): void {
    for (const address of addresses) {
      const key = addressKey(address);
      if (this.#known.has(key) || this.#known.size >= MAX_KNOWN) continue;
      this.#known.add(key);
      this.#waiting.set(key, { address, from: 0 });
    }
    this.#drain();
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    for (const dial of this.#dials) dial.cancel();
    for (const link of this.#links.values()) link.close("stopped");
  }

  #dial(key: string, address: PeerAddress): void {
    const retryLater = () => {
      const from = this.#ports.clock.now() + RETRY_MS;
      if (!this.#isStopped) this.#waiting.set(key, { address, from });
      this.#drain();
    };
    const handshake = {
      infoHash: infoHashBytes(this.#infoHash),
      peerId: this.#peerId,
      supportsFast: true,
      supportsExtended: true,
    };
    const dial = this.#ports.transport.connect(address, handshake, {
      onLink: (link) => {
        this.#dials.delete(dial);
        this.#attach(link, retryLater);
      },
      onFailure: () => {
        this.#dials.delete(dial);
        retryLater();
      },
    });
    this.#dials.add(dial);
  }

  #attach(link: PeerLink, onClosed: () => void): void {
    const key = this.#nextKey++;
    this.#links.set(key, link);
    this.#download.handleLinkOpened(this.#now(), key, link.remote.supportsExtended);
    link.start({
      handleMessage: (message) => this.#download.handleMessage(this.#now(), key, message),
      handleRequests: () => {},
      blockTarget: () => undefined,
      handleBlock: () => {},
      handleBlocksSent: () => {},
      handleReadEnd: () => this.#drain(),
      handleClose: () => {
        this.#links.delete(key);
        this.#download.handleLinkClosed(key);
        onClosed();
      },
    });
    this.#drain();
  }

  #now(): number {
    return this.#ports.clock.now();
  }

  #drain(): void {
    if (this.#isStopped) return;
    for (const output of this.#download.takeOutputs()) {
      if (output.type === "send") this.#links.get(output.peer)?.send(output.message);
      else if (output.type === "close") this.#links.get(output.peer)?.close(output.why);
      else {
        this.stop();
        this.#listener.onFound(output.info);
        return;
      }
    }
    const { peerCount: asked, mostBytes: bytes } = this.#download;
    this.#listener.onProgress({ named: this.#known.size, asked, bytes });
    const now = this.#now();
    for (const [key, { address, from }] of this.#waiting) {
      if (!this.#download.hasRoom || this.#dials.size >= MAX_DIALS) break;
      if (from > now) continue;
      this.#waiting.delete(key);
      this.#dial(key, address);
    }
    this.#arm(now);
  }

  #arm(now: number): void {
    let next = this.#download.nextTimeout() ?? Number.POSITIVE_INFINITY;
    if (this.#download.hasRoom) {
      for (const { from } of this.#waiting.values())
        next = Math.min(next, Math.max(from, now + 100));
    }
    this.#timer?.cancel();
    if (next === Number.POSITIVE_INFINITY) return;
    this.#timer = this.#ports.clock.setTimer(Math.max(0, next - now), () => {
      this.#download.handleTimeout(this.#now());
      this.#drain();
    });
  }
}
