/**
 * How much a server takes part in a swarm, as SourceNode and Tracker tell it each other: the
 * evidence that a state is decided from, and the state with its reason.
 */
import type { InfoHash, Millis, PieceIndex, UnixMillis } from "../../base/units.ts";

/** S0: the server alone. S1: server and peers. S2: peers alone. */
export type ParticipationState = "S0" | "S1" | "S2";

/** Why a swarm is in its state. */
export type ParticipationReason =
  /** S0: nobody is there. */
  | { readonly code: "no-peer" }
  /** S0: no piece was seen at a second peer yet. */
  | { readonly code: "nothing-forwarded" }
  /** S1 */
  | {
      readonly code: "piece-below-floor";
      readonly piece: PieceIndex;
      readonly copies: number;
      readonly floor: number;
    }
  /** S1: somebody would have got more by plain C/S. */
  | { readonly code: "downloader-owed"; readonly bytes: number }
  /** S1: the source sent something not long ago. */
  | { readonly code: "source-sending" }
  /** S2 */
  | { readonly code: "peers-suffice"; readonly copies: number; readonly floor: number };

/** What the state is decided from. It travels from the SourceNode to the Tracker. */
export interface SwarmEvidence {
  /** Connected peers, SourceNodes apart. */
  readonly peers: number;
  /** Those of them that are not complete. */
  readonly downloaders: number;
  /** Peers that hold the rarest piece, as far as there is evidence for it. */
  readonly copies: number;
  /** Copies that each piece must have: the policy's floor, at most `peers`. */
  readonly floor: number;
  /** A piece with fewer copies than `floor`. */
  readonly pieceBelowFloor: { readonly piece: PieceIndex; readonly copies: number } | undefined;
  /** Whether a piece was seen at a second peer. */
  readonly hasForwarded: boolean;
  /** The most that one downloader is owed, when that is more than a piece; else 0. */
  readonly owedBytes: number;
  /** Since the source sent content; undefined: never. */
  readonly sentAgoMs: Millis | undefined;
}

/** A state with its reason. */
export interface ParticipationDecision {
  readonly state: ParticipationState;
  readonly reason: ParticipationReason;
}

/** A state as the Tracker holds it. */
export interface HeldState extends ParticipationDecision {
  readonly since: UnixMillis;
}

/** What a swarm made of what it was sent. Rates are bytes per second. */
export interface SwarmFigures {
  /** Content bytes that the source sent for this publication, ever and by any door. */
  readonly spentBytes: number;
  /** Bytes of pieces that peers were seen to gain since the source started, from anyone. */
  readonly gainedBytes: number;
  /** What the source can send, as far as it knows. */
  readonly uplink: number;
  /** What each downloader would get by plain C/S, at most. */
  readonly directShare: number;
  /** The crowd that is there: since its first peer came. */
  readonly crowd: CrowdFigures | undefined;
}

/** Figures of one crowd. */
export interface CrowdFigures {
  readonly elapsedMs: Millis;
  readonly gainedBytes: number;
  readonly sentBytes: number;
  /** The most that peers gave each other over some seconds: what their uplinks can do at least. */
  readonly exchangePeak: number;
}

/** What a SourceNode says about its part in a swarm. */
export interface SwarmParticipation {
  readonly evidence: SwarmEvidence;
  readonly figures: SwarmFigures;
}

/** What the Tracker tells a SourceNode about participation. */
export type ParticipationOrder =
  /** The state of a swarm, whenever it changes. */
  | {
      readonly type: "state";
      readonly infoHash: InfoHash;
      readonly decision: ParticipationDecision;
    }
  /** Newcomers that were not told of the source: it may look at them itself. */
  | {
      readonly type: "watch";
      readonly infoHash: InfoHash;
      readonly peers: readonly { readonly host: string; readonly port: number }[];
    };
