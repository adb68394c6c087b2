/** One torrent that a Peer downloads or serves, with its trackers. */
import type { Clock } from "../ports/clock.ts";
import type { PeerAddress } from "../ports/peer-transport.ts";
import type { Info, Metainfo } from "../protocol/metainfo/metainfo.ts";
import type { PeerHost } from "../runtime/peer-host.ts";
import type { TorrentRunner } from "../runtime/torrent-runner.ts";
import type { TorrentContent, TorrentFigures } from "../runtime/torrent-setup.ts";
import { TicketHolder, type TicketPorts } from "../runtime/ticket-holder.ts";
import { TrackerClient, type TrackerClientPorts } from "../runtime/tracker-client.ts";
import type { OnPeerClosed, Trouble } from "./peer-ports.ts";

/** How often it is looked at whether anybody can help us. */
const LONELINESS_CHECK_MS = 5000;

/** What a torrent is played with. */
export interface DownloadSetup {
  readonly content: TorrentContent;
  readonly peerId: Uint8Array;
  readonly path: string;
  readonly peers: readonly PeerAddress[];
  readonly webSeeds: readonly string[];
  readonly leavesWhenDone: boolean;
  readonly onTrouble: (trouble: Trouble) => void;
  readonly onPeerClosed: OnPeerClosed | undefined;
  /** Lets go of the storage, when all else has stopped. */
  readonly close: () => Promise<void>;
  /** Called once, when `stop` is over, whatever came of it. */
  readonly onStopped: () => void;
}

/** What a download takes from the world itself; the rest is the host's. */
export type DownloadPorts = TrackerClientPorts & TicketPorts;

export class Download {
  readonly info: Info;
  /** The file or directory of the content. */
  readonly path: string;
  /** Resolves when every piece is verified and stored; at once for a seed. */
  readonly completed: Promise<void>;
  readonly #host: PeerHost;
  readonly #clock: Clock;
  readonly #runner: TorrentRunner;
  readonly #trackers: TrackerClient;
  readonly #close: () => Promise<void>;
  readonly #onStopped: () => void;
  readonly #tickets: TicketHolder | undefined;
  #timer: { cancel(): void } | undefined;
  #stopping: Promise<void> | undefined;

  constructor(ports: DownloadPorts, host: PeerHost, metainfo: Metainfo, setup: DownloadSetup) {
    const { content, onTrouble } = setup;
    this.info = metainfo.info;
    this.path = setup.path;
    this.#host = host;
    this.#clock = ports.clock;
    this.#close = setup.close;
    this.#onStopped = setup.onStopped;
    const completion = Promise.withResolvers<void>();
    this.completed = completion.promise;
    if (content.have.isFull) completion.resolve();
    this.#tickets = ticketsOf(ports, metainfo, setup.peerId);
    this.#trackers = new TrackerClient(
      ports,
      {
        infoHash: this.info.infoHash,
        peerId: setup.peerId,
        port: host.port ?? 0,
        tiers: metainfo.announceTiers,
      },
      {
        facts: () => this.#facts(content),
        handlePeers: (peers) => this.#runner.addAddresses(peers),
        handleFailure: (failure) => onTrouble({ type: "tracker", ...failure }),
      },
    );
    this.#runner = host.add(
      content,
      {
        onComplete: () => {
          this.#trackers.complete();
          completion.resolve();
        },
        onStorageError: (error) => onTrouble({ type: "storage", error }),
        onPeerClosed: (event) => setup.onPeerClosed?.(event),
      },
      {
        webSeeds: setup.webSeeds,
        leavesWhenDone: setup.leavesWhenDone,
        tickets: this.#tickets,
      },
    );
    // Whoever is dialled first wants to see the ticket.
    if (this.#tickets === undefined) this.#begin(setup.peers);
    else this.#tickets.start(() => this.#begin(setup.peers));
    this.#checkLoneliness();
  }

  get isComplete(): boolean {
    return this.#runner.isComplete;
  }

  figures(): TorrentFigures {
    return this.#runner.figures();
  }

  /** Says goodbye to trackers and peers, and lets go of the files. Idempotent. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop().finally(this.#onStopped);
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    this.#timer?.cancel();
    this.#tickets?.stop();
    const goodbye = this.#trackers.stop();
    await this.#host.remove(this.info.infoHash);
    await this.#close();
    await goodbye;
  }

  #begin(peers: readonly PeerAddress[]): void {
    if (this.#stopping !== undefined) return;
    this.#runner.addAddresses(peers);
    this.#trackers.start();
  }

  #checkLoneliness(): void {
    this.#timer = this.#clock.setTimer(LONELINESS_CHECK_MS, () => {
      this.#trackers.refresh();
      this.#checkLoneliness();
    });
  }

  #facts(
    content: TorrentContent,
  ): ReturnType<ConstructorParameters<typeof TrackerClient>[2]["facts"]> {
    const figures = this.#runner.figures();
    return {
      uploaded: figures.uploadedBytes,
      downloaded: figures.downloadedBytes,
      left: this.info.geometry.contentLength - figures.verifiedBytes,
      // Connected to those who lack the same is as good as alone.
      isLonely: !content.have.isFull && figures.offeredPieces === 0,
    };
  }
}

/** Where the .torrent says that tickets are issued, every peer must show one. */
function ticketsOf(
  ports: TicketPorts,
  { ticketUrl: url, info }: Metainfo,
  peerId: Uint8Array,
): TicketHolder | undefined {
  if (url === undefined) return undefined;
  return new TicketHolder(ports, { url, infoHash: info.infoHash, peerId });
}
