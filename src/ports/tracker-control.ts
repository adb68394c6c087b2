/**
 * The control link: how a SourceNode and an Announcer talk to the Tracker. In one process the
 * Tracker implements it directly; between machines an authenticated WebSocket carries it.
 */
import type { InfoHash } from "../base/units.ts";
import type { PeerAddress } from "./peer-transport.ts";

/** What the Tracker keeps of a torrent for good: until `unregister`, through restarts. */
export interface Registration {
  readonly infoHash: InfoHash;
  /** The publication's slug. */
  readonly name: string;
  readonly contentLength: number;
  readonly pieceCount: number;
  /** BEP 27. */
  readonly isPrivate: boolean;
}

/** How a SourceNode introduces itself. */
export interface SourceHello {
  /** Stable random id of this SourceNode (hexadecimal), made at its first start. */
  readonly sourceId: string;
  /** Where peers reach it; host undefined means: the address that the Tracker sees it at. */
  readonly peerHost: string | undefined;
  readonly peerPort: number;
  /** Base URL of its file door (`http://host:port`), as the world reaches it. */
  readonly publicUrl: string;
}

/** What a SourceNode saw of one swarm. Grows with the participation controller. */
export interface SwarmReport {
  readonly infoHash: InfoHash;
  /** Open connections to peers of this swarm. */
  readonly connections: number;
  /** Payload bytes sent since the SourceNode started, all doors. */
  readonly sentBytes: number;
  /** Live peers, sources apart, that hold the rarest piece. */
  readonly copies: number;
}

/** A SourceNode's report, every 5 s. */
export interface SourceStatus {
  readonly uplinkBytesPerSecond: number;
  /** From --max-upload; undefined when unlimited. */
  readonly uplinkLimitBytesPerSecond: number | undefined;
  readonly connections: number;
  /** Share of one core, 0 … . */
  readonly cpuFraction: number;
  readonly eventLoopDelayMs: number;
  readonly swarms: readonly SwarmReport[];
}

/** What the Tracker tells about one swarm. */
export interface SwarmCounts {
  /** Peers that announce `left=0`, plus the SourceNodes that serve it. */
  readonly complete: number;
  readonly incomplete: number;
  /** `completed` events since the registration. */
  readonly downloaded: number;
}

/** A SourceNode's end of the link. It reconnects by itself; calls wait for that, bounded. */
export interface SourceControlLink {
  /** Idempotent. Everything registered over this link is said again after a reconnect. */
  register(registration: Registration): Promise<void>;
  /** Ends the registration for good. Idempotent. */
  unregister(infoHash: InfoHash): Promise<void>;
  /** Fire and forget. */
  report(status: SourceStatus): void;
  close(): Promise<void>;
}

/** A SourceNode that the Tracker knows, as the Announcer sees it. */
export interface KnownSource {
  readonly sourceId: string;
  readonly publicUrl: string;
  readonly peerAddress: PeerAddress;
  /** False when three reports are missing (15 s). */
  readonly isAlive: boolean;
  readonly status: SourceStatus | undefined;
}

/** An Announcer's end of the link. */
export interface AnnouncerControlLink {
  /** Counts of registered torrents; unknown ones are left out. */
  counts(infoHashes: readonly InfoHash[]): Promise<ReadonlyMap<InfoHash, SwarmCounts>>;
  sources(): Promise<readonly KnownSource[]>;
  /** Announce URLs to write into .torrent files, in BEP 12 tiers' order. */
  announceUrls(): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** The Tracker, as the control link sees it. */
export interface TrackerControl {
  attachSource(hello: SourceHello, seenAt: string): SourceControlLink;
  attachAnnouncer(): AnnouncerControlLink;
}
