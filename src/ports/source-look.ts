/**
 * What a SourceNode is doing right now, for those who watch: figures that add up, from which the
 * watcher makes rates. Nothing of it is measured while nobody watches.
 */
import type { InfoHash, Millis, UnixMillis } from "../base/units.ts";
import type { SwarmParticipation } from "../protocol/control/participation.ts";
import type { LedgerDoor } from "../protocol/api/ledger.ts";
import type { PeerReport } from "../protocol/wire/participation.ts";

/** How often whoever watches is told. */
export const LOOK_MS: Millis = 500;

/** Peers of one look at a swarm: those who are longest there; the others are counted. */
export const MAX_LOOK_PEERS = 500;

/** One look at everything. Rates are bytes per second. */
export interface SourceLook {
  readonly at: UnixMillis;
  readonly uplinkLimit: number | undefined;
  /** What the line can do, as far as is known. */
  readonly uplinkCapacity: number;
  readonly connections: number;
  /** Share of one core, 0 … . */
  readonly cpuFraction: number;
  readonly eventLoopDelayMs: number;
  readonly storageReadRate: number;
  /** Of what is served, in no particular order. */
  readonly swarms: readonly SwarmLook[];
}

/** One look at a swarm. */
export interface SwarmLook {
  readonly infoHash: InfoHash;
  readonly piecesBelowFloor: number;
  readonly participation: SwarmParticipation;
}

/** One look at a publication, in full. */
export interface PublicationLook {
  readonly at: UnixMillis;
  readonly swarm: SwarmLook;
  readonly pieceLength: number;
  /** Bytes ever sent. */
  readonly bytesByDoor: Readonly<Record<LedgerDoor, number>>;
  /** Copies of each piece outside, as `pieceCharacters` writes them. */
  readonly copies: string;
  /** How often each piece was sent, rounded up; the same. */
  readonly sent: string;
  readonly peers: readonly PeerLook[];
  /** Peers that `peers` leaves out. */
  readonly otherPeers: number;
}

/** One look at a peer that is connected. */
export interface PeerLook {
  /** Names it as long as it is connected. */
  readonly key: number;
  /** By its peer id: a claim. */
  readonly client: string;
  readonly host: string;
  readonly joinedAt: UnixMillis;
  /** Pieces that it says it has. */
  readonly pieces: number;
  /** Seen to be gained, from anyone. */
  readonly gainedBytes: number;
  readonly sentBytes: number;
  /** What it is owed of its direct share; below 0: it is ahead. */
  readonly owedBytes: number;
  /** What it says of itself, if it is of our kind: claims. */
  readonly report?: PeerReport | undefined;
}
