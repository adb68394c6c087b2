/** What SourceNode, Announcer and Tracker tell each other over the control link. */
import type { InfoHash } from "../../base/units.ts";
import type { HeldState, SwarmParticipation } from "./participation.ts";

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
  /** The IP address where peers reach it; undefined means: where the Tracker sees it. */
  readonly peerHost: string | undefined;
  readonly peerPort: number;
  /** Base URL of its file door (`http://host:port`), as the world reaches it. */
  readonly publicUrl: string;
}

/** What a SourceNode saw of one swarm. */
export interface SwarmReport {
  readonly infoHash: InfoHash;
  /** Open connections to peers of this swarm. */
  readonly connections: number;
  /** Payload bytes sent since the SourceNode started, all doors. */
  readonly sentBytes: number;
  /** Live peers, sources apart, that hold the rarest piece. */
  readonly copies: number;
  readonly participation: SwarmParticipation;
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
  /** Read from storage: how much less than the uplink says how well the system's cache does. */
  readonly storageReadBytesPerSecond: number;
  readonly swarms: readonly SwarmReport[];
}

/** What the Tracker tells about one swarm. */
export interface SwarmCounts {
  /** Peers that announce `left=0`, plus the SourceNodes that serve it. */
  readonly complete: number;
  readonly incomplete: number;
  /** `completed` events since the registration. */
  readonly downloaded: number;
  /** How much the server takes part; undefined until a SourceNode told what it sees. */
  readonly participation?: HeldState | undefined;
}

/** A SourceNode that the Tracker knows, as the Announcer sees it. */
export interface KnownSource {
  readonly sourceId: string;
  readonly publicUrl: string;
  readonly peerAddress: { readonly host: string; readonly port: number };
  /** False when three reports are missing (15 s). */
  readonly isAlive: boolean;
  readonly status: SourceStatus | undefined;
}
