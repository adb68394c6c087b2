/**
 * The state of a swarm, by how much the server takes part: a label on the evidence, with its
 * reason. S0: the server alone. S1: server and peers. S2: peers alone. The state commands the
 * Tracker's handout and the web seed's answers; which block is sent is decided by the controller,
 * and its sending ends S2.
 */
import type { Millis } from "../base/units.ts";
import type { ParticipationDecision, SwarmEvidence } from "../protocol/control/participation.ts";

/** How long the source sends nothing before S2 begins: the label must not flap. */
export const DWELL_MS: Millis = 10_000;

/** The state that `evidence` asks for. */
export function decideState(evidence: SwarmEvidence): ParticipationDecision {
  const { peers, copies, floor, pieceBelowFloor, owedBytes, sentAgoMs } = evidence;
  if (peers === 0) return { state: "S0", reason: { code: "no-peer" } };
  if (!evidence.hasForwarded && copies < floor) {
    return { state: "S0", reason: { code: "nothing-forwarded" } };
  }
  if (pieceBelowFloor !== undefined) {
    return { state: "S1", reason: { code: "piece-below-floor", ...pieceBelowFloor, floor } };
  }
  if (owedBytes > 0) return { state: "S1", reason: { code: "downloader-owed", bytes: owedBytes } };
  if (sentAgoMs !== undefined && sentAgoMs < DWELL_MS) {
    return { state: "S1", reason: { code: "source-sending" } };
  }
  return { state: "S2", reason: { code: "peers-suffice", copies, floor } };
}
