/** What a SourceNode says about a swarm; every key is there, so that JSON gives the same back. */
import type { SwarmParticipation } from "../../src/protocol/control/participation.ts";

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
