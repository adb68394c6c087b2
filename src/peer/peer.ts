/**
 * The Peer role: downloads torrents and serves them to others. It takes everything it needs as
 * ports, so the same code runs on a machine and in the simulated world.
 */
import { payloadRate } from "../base/line-rate.ts";
import { TokenBucket } from "../base/token-bucket.ts";
import type { PeerAddress } from "../ports/peer-transport.ts";
import type { Magnet } from "../protocol/metainfo/magnet.ts";
import type { Metainfo } from "../protocol/metainfo/metainfo.ts";
import { createPeerId, isSourcePeerId } from "../protocol/wire/peer-id.ts";
import type { MetadataProgress } from "../runtime/metadata-fetcher.ts";
import { PeerHost } from "../runtime/peer-host.ts";
import type { TorrentContent } from "../runtime/torrent-setup.ts";
import { Download } from "./download.ts";
import { fetchMetainfo } from "./magnet-metainfo.ts";
import type { AbortSignalLike, OnPeerClosed, PeerPorts, Trouble } from "./peer-ports.ts";

/** What a user may choose for all downloads of a Peer. */
export interface PeerOptions {
  /** Name and version that other clients show. */
  readonly clientName: string;
  readonly host?: string;
  /** Listening port; 0 any free one. Default 0. */
  readonly port?: number;
  readonly maxUploadBytesPerSecond?: number;
  readonly maxDownloadBytesPerSecond?: number;
}

/** What to download: a .torrent, or a link that has only its hash. */
export type DownloadSource =
  | { readonly type: "metainfo"; readonly metainfo: Metainfo }
  | { readonly type: "magnet"; readonly magnet: Magnet };

/** What a user may choose for one download. */
export interface DownloadOptions {
  readonly directory: string;
  /** Peers to try besides those that trackers name. */
  readonly peers?: readonly PeerAddress[];
  /** Default true. */
  readonly useWebSeeds?: boolean;
  readonly overwrite?: boolean;
  /** The caller stops it soon after it is complete; servers hear of it. Default false. */
  readonly leavesWhenDone?: boolean;
  readonly onCheck?: (doneBytes: number, totalBytes: number) => void;
  /** How far the search for a magnet link's metadata is; called often. */
  readonly onMetadata?: (progress: MetadataProgress) => void;
  /** A tracker that cannot be reached, or a disk that cannot be written; both are tried again. */
  readonly onTrouble?: (trouble: Trouble) => void;
  /** For whoever looks for a fault: it is called often. */
  readonly onPeerClosed?: OnPeerClosed;
  readonly signal?: AbortSignalLike;
}

export class Peer {
  readonly #ports: PeerPorts;
  readonly #options: PeerOptions;
  readonly #host: PeerHost;
  readonly #peerId: Uint8Array;
  /** Those that have not been stopped. */
  readonly #downloads = new Set<Download>();

  constructor(ports: PeerPorts, options: PeerOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#peerId = createPeerId("peer", ports.random);
    this.#host = new PeerHost(
      { ...ports, isSourceNode: isSourcePeerId },
      {
        peerId: this.#peerId,
        clientName: options.clientName,
        host: options.host,
        port: options.port ?? 0,
        uploadLimit: new TokenBucket(payloadRate(options.maxUploadBytesPerSecond)),
        downloadLimit: new TokenBucket(options.maxDownloadBytesPerSecond),
      },
    );
  }

  /** The listening port, once `listen` has resolved. */
  get port(): number | undefined {
    return this.#host.port;
  }

  /** @throws BtPublisherError UNAVAILABLE when the port is taken. */
  listen(): Promise<void> {
    return this.#host.listen();
  }

  /**
   * Begins a download, or goes on with it; resolves once it is under way (a magnet link's metadata
   * is there, files that exist are checked). @throws what `DownloadStorage.open` throws; CANCELLED.
   */
  async download(source: DownloadSource, options: DownloadOptions): Promise<Download> {
    const { downloads } = this.#ports;
    const metainfo = await this.#metainfoOf(source, options);
    const open = await downloads.open(metainfo, {
      directory: options.directory,
      overwrite: options.overwrite ?? false,
      ...(options.onCheck === undefined ? {} : { onCheck: options.onCheck }),
      onWarning: (error) => options.onTrouble?.({ type: "resume", error }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    const content = { info: metainfo.info, store: open.store, have: open.have };
    const peers = [
      ...(options.peers ?? []),
      ...(source.type === "magnet" ? source.magnet.peers : []),
    ];
    return this.#play(metainfo, content, {
      ...options,
      peers,
      path: open.path,
      close: () => open.close(),
    });
  }

  /** Serves content that is complete and known to be right. */
  seed(
    metainfo: Metainfo,
    content: TorrentContent,
    options: { readonly path: string } & Pick<DownloadOptions, "onTrouble" | "onPeerClosed">,
  ): Download {
    const close = () => content.store.close();
    return this.#play(metainfo, content, { ...options, useWebSeeds: false, peers: [], close });
  }

  /** Stops listening and all downloads that are still open. */
  async close(): Promise<void> {
    await Promise.all([...this.#downloads].map((download) => download.stop()));
    await this.#host.close();
  }

  #play(
    metainfo: Metainfo,
    content: TorrentContent,
    options: Omit<DownloadOptions, "directory"> & {
      readonly path: string;
      readonly close: () => Promise<void>;
    },
  ): Download {
    const download = new Download(this.#ports, this.#host, metainfo, {
      content,
      peerId: this.#peerId,
      path: options.path,
      peers: options.peers ?? [],
      webSeeds: options.useWebSeeds === false ? [] : metainfo.webSeeds,
      leavesWhenDone: options.leavesWhenDone ?? false,
      onTrouble: options.onTrouble ?? (() => {}),
      onPeerClosed: options.onPeerClosed,
      close: options.close,
      onStopped: () => this.#downloads.delete(download),
    });
    this.#downloads.add(download);
    return download;
  }

  async #metainfoOf(source: DownloadSource, options: DownloadOptions): Promise<Metainfo> {
    if (source.type === "metainfo") return source.metainfo;
    const { magnet } = source;
    const known = await this.#ports.downloads.findMetainfo(magnet.infoHash, options.directory);
    if (known !== undefined) return known;
    return fetchMetainfo(this.#ports, magnet, {
      peerId: this.#peerId,
      clientName: this.#options.clientName,
      port: this.#host.port ?? 0,
      peers: options.peers ?? [],
      onTrouble: options.onTrouble ?? (() => {}),
      onProgress: options.onMetadata ?? (() => {}),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
  }
}
