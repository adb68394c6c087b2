/** What a SourceNode says about a swarm; every key is there, so that JSON gives the same back. */
import type { InfoHash } from "../../src/base/units.ts";
import type {
  ParticipationState,
  SwarmEvidence,
  SwarmParticipation,
} from "../../src/protocol/control/participation.ts";

/** Nobody is there. */
export const idleParticipation: SwarmParticipation = {
  evidence: {
    peers: 0,
    downloaders: 0,
    copies: 0,
    floor: 0,
    pieceBelowFloor: { piece: 0, copies: 0 },
    hasForwarded: false,
    owedBytes: 0,
    sentAgoMs: 60_000,
  },
  figures: {
    spentBytes: 0,
    gainedBytes: 0,
    uplink: 12_500_000,
    directShare: 12_500_000,
    crowd: { elapsedMs: 0, gainedBytes: 0, sentBytes: 0, exchangePeak: 0 },
  },
};

export const infoHash = "ab".repeat(20) as InfoHash;
export const otherInfoHash = "cd".repeat(20) as InfoHash;

/** What a source sees of a swarm that calls for `state`. */
export function evidenceFor(state: ParticipationState): SwarmEvidence {
  if (state === "S0") return idleParticipation.evidence;
  return {
    peers: 8,
    downloaders: 8,
    copies: 3,
    floor: 2,
    pieceBelowFloor: undefined,
    hasForwarded: true,
    owedBytes: 0,
    sentAgoMs: state === "S1" ? 0 : undefined,
  };
}
