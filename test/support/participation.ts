/** What a SourceNode says about a swarm in which nothing happens yet. */
import type { SwarmParticipation } from "../../src/protocol/control/participation.ts";

/** Nobody is there. */
export const idleParticipation: SwarmParticipation = {
  evidence: {
    peers: 0,
    downloaders: 0,
    copies: 0,
    floor: 0,
    pieceBelowFloor: undefined,
    hasForwarded: false,
    owedBytes: 0,
    sentAgoMs: undefined,
  },
  figures: {
    spentBytes: 0,
    gainedBytes: 0,
    uplink: 12_500_000,
    directShare: 12_500_000,
    crowd: undefined,
  },
};
