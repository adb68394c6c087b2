/**
 * Looks at what the SourceNode does right now, for those who watch: one at once, then two a second
 * while somebody asks for the next one. Each watcher has a probe of the load of its own.
 */
import { BtPublisherError } from "../base/errors.ts";
import type { TokenBucket } from "../base/token-bucket.ts";
import type { Downloader } from "../participation/downloader.ts";
import type { Clock } from "../ports/clock.ts";
import type { LoadProbe } from "../ports/load-probe.ts";
import {
  LOOK_MS,
  MAX_LOOK_PEERS,
  type PeerLook,
  type PublicationLook,
  type SourceLook,
  type SwarmLook,
} from "../ports/source-look.ts";
import { pieceCharacters } from "../protocol/api/live.ts";
import { clientNameOf } from "../protocol/wire/client-name.ts";
import type { Participation } from "./participation.ts";
import type { Publication } from "./publication.ts";
import type { SeedHost } from "./seed-host.ts";

/** What looks are made of. */
export interface LiveLooksDependencies {
  readonly clock: Clock;
  readonly host: SeedHost;
  readonly participation: Participation;
  readonly openProbe: () => LoadProbe;
  /** The limit that all doors share. */
  readonly uploadLimit: TokenBucket;
  /** All that there are. */
  readonly publications: () => readonly Publication[];
}

/** See the head of this file. */
export class LiveLooks {
  readonly #dependencies: LiveLooksDependencies;
  #isClosed = false;

  constructor(dependencies: LiveLooksDependencies) {
    this.#dependencies = dependencies;
  }

  /** Ends what is watched, at the next look. */
  close(): void {
    this.#isClosed = true;
  }

  /** Looks at everything. */
  async *watch(): AsyncIterable<SourceLook> {
    const probe = this.#dependencies.openProbe();
    try {
      let before = this.#dependencies.clock.now();
      while (!this.#isClosed) {
        const now = this.#dependencies.clock.now();
        yield this.#lookAtAll(probe, Math.max(1, now - before));
        before = now;
        await this.#pause();
      }
    } finally {
      probe.close();
    }
  }

  /** Looks at one publication, until it is gone: then NOT_FOUND. */
  async *watchPublication(name: string): AsyncIterable<PublicationLook> {
    while (!this.#isClosed) {
      const publication = this.#dependencies.publications().find((each) => each.name === name);
      if (publication === undefined) {
        throw new BtPublisherError("NOT_FOUND", "there is no such publication", {
          detail: { name },
        });
      }
      yield this.#lookAt(publication);
      await this.#pause();
    }
  }

  #lookAtAll(probe: LoadProbe, elapsedMs: number): SourceLook {
    const { clock, participation, uploadLimit, publications, host } = this.#dependencies;
    const { cpuFraction, eventLoopDelayMs, storageReadBytes } = probe.sample();
    const serving = publications().filter(({ state }) => state.name === "serving");
    return {
      at: clock.unixNow(),
      uplinkLimit: uploadLimit.rateBytesPerSecond,
      uplinkCapacity: participation.allocation.uplink.bytesPerSecond,
      connections: serving.reduce(
        (sum, { infoHash }) => sum + (host.figures(infoHash)?.connections ?? 0),
        0,
      ),
      cpuFraction,
      eventLoopDelayMs,
      storageReadRate: (storageReadBytes * 1000) / elapsedMs,
      swarms: serving.map((publication) => this.#swarm(publication)),
    };
  }

  #swarm(publication: Publication): SwarmLook {
    const { participation } = this.#dependencies;
    const { infoHash } = publication;
    const seen = participation.look(publication);
    const { floor } = seen.evidence;
    const copies = participation.get(infoHash)?.evidence.copies;
    return { infoHash, piecesBelowFloor: copies?.countBelow(floor) ?? 0, participation: seen };
  }

  #lookAt(publication: Publication): PublicationLook {
    const { clock, participation } = this.#dependencies;
    const { infoHash, ledger, info } = publication;
    const { pieceCount, pieceLength } = info.geometry;
    const evidence = participation.get(infoHash)?.evidence;
    const peers = [...(evidence?.peers.values() ?? [])].filter((peer) => !peer.isSourceNode);
    const toUnix = clock.unixNow() - clock.now();
    return {
      at: clock.unixNow(),
      swarm: this.#swarm(publication),
      pieceLength,
      bytesByDoor: ledger.bytesByDoor,
      copies: pieceCharacters(pieceCount, (piece) => evidence?.copies.of(piece) ?? 0),
      sent: pieceCharacters(pieceCount, (piece) => ledger.timesSent(piece)),
      peers: peers.slice(0, MAX_LOOK_PEERS).map((peer) => lookAtPeer(peer, toUnix)),
      otherPeers: Math.max(0, peers.length - MAX_LOOK_PEERS),
    };
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => void this.#dependencies.clock.setTimer(LOOK_MS, resolve));
  }
}

function lookAtPeer(peer: Downloader, toUnix: number): PeerLook {
  return {
    key: peer.key,
    client: clientNameOf(peer.peerId),
    host: peer.host,
    joinedAt: Math.round(peer.joinedAt + toUnix),
    pieces: peer.pieces.count,
    gainedBytes: peer.gainedBytes,
    sentBytes: peer.sentBytes,
    owedBytes: Math.round(peer.owedBytes),
    report: peer.report,
  };
}
