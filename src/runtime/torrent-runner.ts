/**
 * Drives the engine of one torrent: feeds it links, blocks and time, and carries out its outputs
 * with the ports. Payload never passes through the engine; it goes from the link straight into the
 * piece buffer, and from there to the store.
 */
import { assertNever } from "../base/assert.ts";
import { type CopyBytes, copyBytes, infoHashBytes } from "../base/bytes.ts";
import { BtPublisherError } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import type { InfoHash, PieceIndex } from "../base/units.ts";
import type { PeerKey } from "../engine/peer-session/peer-session.ts";
import { Torrent } from "../engine/torrent/torrent.ts";
import type { TorrentOptions, TorrentOutput } from "../engine/torrent/torrent-state.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { HttpClient } from "../ports/http-client.ts";
import {
  addressKey,
  type BlockReader,
  type LinkCloseReason,
  type PeerAddress,
  type PeerLink,
  type PeerTransport,
} from "../ports/peer-transport.ts";
import { LinkDriver } from "./link-driver.ts";
import { awaitTicket, type TicketGuard } from "./ticket-gate.ts";
import { PieceBuffers } from "./piece-buffers.ts";
import type { TorrentContent, TorrentEvents, TorrentFigures } from "./torrent-setup.ts";
import { WebSeedFetcher } from "./web-seed-fetcher.ts";

/** What a runner works with; shared by all torrents of a process. */
export interface RunnerPorts {
  readonly clock: Clock;
  readonly transport: PeerTransport;
  readonly http: HttpClient;
  readonly random: Random;
  /** How payload gets into piece buffers, where the platform has a faster way. */
  readonly copy?: CopyBytes;
  /** Whether a peer id names a SourceNode of ours; for figures only. */
  readonly isSourceNode: (peerId: Uint8Array) => boolean;
}

/** How a torrent is played, and what the engine need not know of it. */
export interface RunnerOptions extends TorrentOptions {
  readonly webSeeds: readonly string[];
  /** How tickets are shown and checked now; undefined: the torrent wants none. */
  readonly tickets?: () => TicketGuard | undefined;
}

export class TorrentRunner {
  readonly infoHash: InfoHash;
  /** BEP 27's flag. */
  readonly isPrivate: boolean;
  readonly #content: TorrentContent;
  readonly #events: TorrentEvents;
  readonly #ports: RunnerPorts;
  readonly #options: RunnerOptions;
  readonly #torrent: Torrent;
  readonly #links = new Map<PeerKey, LinkDriver>();
  readonly #dials = new Set<{ cancel(): void }>();
  /** Links whose tickets are waited for. */
  readonly #waiting = new Set<PeerLink>();
  readonly #buffers: PieceBuffers;
  readonly #fetcher: WebSeedFetcher;
  readonly #read: BlockReader;
  #nextPeerKey: PeerKey = 0;
  #timer: Timer | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  #isDraining = false;
  #isStopped = false;
  #stopping: Promise<void> | undefined;
  #openCommits = 0;
  #whenCommitted: (() => void) | undefined;
  #verifiedBytes = 0;

  constructor(
    content: TorrentContent,
    options: RunnerOptions,
    ports: RunnerPorts,
    events: TorrentEvents = {},
  ) {
    this.infoHash = content.info.infoHash;
    this.isPrivate = content.info.isPrivate;
    this.#content = content;
    this.#events = events;
    this.#ports = ports;
    this.#options = options;
    const { info, have, store } = content;
    const webSeedCount = options.webSeeds.length;
    this.#torrent = new Torrent({ info, have, webSeedCount }, options, ports.random, this.#now());
    this.#buffers = new PieceBuffers(store);
    this.#read = (offset, views) => store.read(offset, views);
    for (const index of have) this.#verifiedBytes += info.geometry.lengthOf(index);
    const fetcherPorts = { http: ports.http, copy: ports.copy ?? copyBytes };
    this.#fetcher = new WebSeedFetcher(info, options.webSeeds, fetcherPorts, {
      wantsBlock: (fetchId, block) =>
        this.#torrent.wantsFetchedBlock(fetchId, block) ? this.#buffers.viewOf(block) : undefined,
      handleBlock: (fetchId, block, wasKept) =>
        this.#torrent.handleFetchedBlock(this.#now(), fetchId, block, wasKept),
      handleReadEnd: () => this.#drain(),
      handleEnd: (fetchId, outcome) => {
        this.#torrent.handleFetchEnd(this.#now(), fetchId, outcome);
        this.#drain();
      },
    });
  }

  start(): void {
    this.#torrent.start(this.#now());
    this.#drain();
  }

  /** Closes all links, waits for pieces that are being stored, and leaves the store open. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    this.#torrent.stop(this.#now());
    this.#drain();
    this.#isStopped = true;
    this.#timer?.cancel();
    for (const dial of this.#dials) dial.cancel();
    this.#dials.clear();
    for (const link of this.#waiting) link.close("stopped");
    if (this.#openCommits > 0) await new Promise<void>((done) => (this.#whenCommitted = done));
    this.#buffers.releaseAll();
  }

  get isComplete(): boolean {
    return this.#torrent.isComplete;
  }

  /** Peers to try, from a tracker or a user. */
  addAddresses(addresses: readonly PeerAddress[]): void {
    if (this.#isStopped) return;
    this.#torrent.handleAddresses(this.#now(), addresses);
    this.#drain();
  }

  /** Takes over an open link of this torrent, once it has shown a ticket where one is wanted. */
  accept(link: PeerLink): void {
    const guard = this.#options.tickets?.();
    if (guard === undefined) return this.#attach(link);
    this.#waiting.add(link);
    const { clock } = this.#ports;
    awaitTicket(
      link,
      { guard, clock },
      {
        onAdmitted: (admitted) => {
          this.#waiting.delete(link);
          this.#attach(admitted);
        },
        onRefused: (reason) => {
          this.#waiting.delete(link);
          this.#reportClosed(link, reason);
          if (link.direction === "outgoing") this.#handleConnectFailed(link.remoteAddress);
        },
      },
    );
  }

  #attach(link: PeerLink): void {
    if (this.#isStopped) {
      link.close("stopped");
      return;
    }
    const key = this.#nextPeerKey++;
    const driver = new LinkDriver(key, link, {
      torrent: this.#torrent,
      now: () => this.#now(),
      viewOf: (block) => this.#buffers.viewOf(block),
      handleReadEnd: () => this.#drain(),
      handleBlocksSent: (blocks) => this.#reportSent(link, blocks),
      handleClosed: (reason) => {
        this.#links.delete(key);
        this.#reportClosed(link, reason);
        this.#torrent.handleLinkClosed(this.#now(), key);
        this.#drain();
      },
    });
    this.#links.set(key, driver);
    this.#torrent.handleLinkOpened(this.#now(), {
      key,
      peerId: link.remote.peerId,
      host: link.remoteAddress.host,
      addressKey: addressKey(link.remoteAddress),
      direction: link.direction,
      supportsFast: link.remote.supportsFast,
      supportsExtended: link.remote.supportsExtended,
      isSourceNode: this.#ports.isSourceNode(link.remote.peerId),
    });
    link.start(driver);
    this.#drain();
  }

  /** Closes the links to hosts that `isMeant` names. */
  closeLinks(why: string, isMeant: (host: string) => boolean): void {
    for (const driver of this.#links.values()) {
      if (isMeant(driver.link.remoteAddress.host)) driver.close(why);
    }
    for (const link of this.#waiting) if (isMeant(link.remoteAddress.host)) link.close(why);
  }

  figures(): TorrentFigures {
    const figures = this.#torrent.figures(this.#now());
    return { infoHash: this.infoHash, verifiedBytes: this.#verifiedBytes, ...figures };
  }

  #now(): number {
    return this.#ports.clock.now();
  }

  /** Carries out outputs until there are none, then sets the timer. */
  #drain(): void {
    if (this.#isDraining || this.#isStopped) return;
    this.#isDraining = true;
    try {
      for (;;) {
        const outputs = this.#torrent.takeOutputs();
        if (outputs.length === 0) break;
        for (const output of outputs) this.#carryOut(output);
      }
    } finally {
      this.#isDraining = false;
    }
    this.#arm();
  }

  #arm(): void {
    const next = this.#torrent.nextTimeout() ?? Number.POSITIVE_INFINITY;
    // A timer that fires too early costs one wake-up; setting one per drain costs more.
    if (this.#timer !== undefined && this.#timerAt <= next) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerAt = next;
    if (next === Number.POSITIVE_INFINITY) return;
    this.#timer = this.#ports.clock.setTimer(Math.max(0, next - this.#now()), () => {
      this.#timer = undefined;
      this.#timerAt = Number.POSITIVE_INFINITY;
      const now = this.#now();
      // Due timers only: an early wake-up must not count as a time-out.
      if (now >= (this.#torrent.nextTimeout() ?? Number.POSITIVE_INFINITY)) {
        this.#torrent.handleTimeout(now);
      }
      this.#drain();
    });
  }

  #carryOut(output: TorrentOutput): void {
    switch (output.type) {
      case "connect":
        this.#dial(output.address);
        break;
      case "close":
        this.#links.get(output.peer)?.close(output.why);
        break;
      case "send":
        this.#links.get(output.peer)?.link.send(output.message);
        break;
      case "request":
        this.#links.get(output.peer)?.link.sendRequests(output.blocks);
        break;
      case "send-blocks":
        this.#links.get(output.peer)?.sendBlocks(output.blocks, this.#content.info, this.#read);
        break;
      case "commit":
        void this.#commit(output.pieceIndex);
        break;
      case "drop-piece":
        this.#buffers.release(output.pieceIndex);
        break;
      case "fetch":
        this.#fetcher.fetch(output.fetchId, output.webSeed, output.blocks);
        break;
      case "cancel-fetch":
        this.#fetcher.cancel(output.fetchId);
        break;
      case "piece-stored":
        this.#verifiedBytes += this.#content.info.geometry.lengthOf(output.pieceIndex);
        this.#events.onPieceStored?.(output.pieceIndex);
        break;
      case "completed":
        this.#events.onComplete?.();
        break;
      default:
        assertNever(output);
    }
  }

  #dial(address: PeerAddress): void {
    const { transport } = this.#ports;
    const { peerId } = this.#options;
    const handshake = {
      infoHash: infoHashBytes(this.infoHash),
      peerId,
      supportsFast: true,
      supportsExtended: true,
    };
    const dial = transport.connect(address, handshake, {
      onLink: (link) => {
        this.#dials.delete(dial);
        this.accept(link);
      },
      onFailure: (_reason: LinkCloseReason) => {
        this.#dials.delete(dial);
        this.#handleConnectFailed(address);
      },
    });
    this.#dials.add(dial);
  }

  #handleConnectFailed(address: PeerAddress): void {
    this.#torrent.handleConnectFailed(this.#now(), addressKey(address));
    this.#drain();
  }

  #reportClosed({ remoteAddress: address, direction }: PeerLink, reason: LinkCloseReason): void {
    this.#events.onPeerClosed?.({ address, direction, reason });
  }

  async #commit(pieceIndex: PieceIndex): Promise<void> {
    this.#openCommits++;
    let result: "stored" | "hash-mismatch" | "failed" = "failed";
    try {
      result = await this.#content.store.commit(pieceIndex, this.#buffers.take(pieceIndex));
    } catch (error) {
      const known =
        error instanceof BtPublisherError
          ? error
          : new BtPublisherError("STORAGE_IO", `cannot store piece ${pieceIndex}`, {
              cause: error,
            });
      this.#events.onStorageError?.(known);
    }
    this.#openCommits--;
    this.#torrent.handleCommitted(this.#now(), pieceIndex, result);
    if (this.#openCommits === 0) this.#whenCommitted?.();
    this.#drain();
  }

  #reportSent(
    link: PeerLink,
    blocks: readonly { readonly pieceIndex: PieceIndex; readonly length: number }[],
  ): void {
    const report = this.#events.onBlocksSent?.bind(this.#events);
    if (report === undefined) return;
    const { remote, remoteAddress: address } = link;
    for (let i = 0; i < blocks.length; ) {
      const { pieceIndex } = blocks[i] as { pieceIndex: PieceIndex };
      let bytes = 0;
      for (; i < blocks.length && blocks[i]?.pieceIndex === pieceIndex; i++) {
        bytes += (blocks[i] as { length: number }).length;
      }
      report({ peerId: remote.peerId, address, pieceIndex, bytes });
    }
  }
}
