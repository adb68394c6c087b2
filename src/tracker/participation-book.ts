/**
 * How much the server takes part in each swarm, as the Tracker holds it: decided from the evidence
 * that SourceNodes report, kept through restarts, and told to those who care when it changes.
 *
 * With several sources the most helpful state wins: as long as one of them sees a need, the swarm
 * is not on its own.
 */
import type { InfoHash, Millis, UnixMillis } from "../base/units.ts";
import { decideState } from "../participation/state.ts";
import type {
  HeldState,
  ParticipationDecision,
  ParticipationReason,
  ParticipationState,
  SwarmEvidence,
} from "../protocol/control/participation.ts";
import { REPORTS_MISSING_MS } from "./handout.ts";

/** A swarm went from one state to another. */
export interface ParticipationChange {
  readonly infoHash: InfoHash;
  /** Undefined: nothing was known before. */
  readonly from: ParticipationState | undefined;
  readonly to: ParticipationState;
  readonly reason: ParticipationReason;
}

/** Evidence of one source, and when it came: it is believed until three reports are missing. */
interface Testimony {
  readonly decision: ParticipationDecision;
  readonly at: Millis;
}

interface Entry {
  held: HeldState | undefined;
  readonly bySource: Map<object, Testimony>;
}

export class ParticipationBook {
  readonly #entries = new Map<InfoHash, Entry>();

  /** What was held before a restart. */
  restore(infoHash: InfoHash, held: HeldState): void {
    this.#entry(infoHash).held = held;
  }

  get(infoHash: InfoHash): HeldState | undefined {
    return this.#entries.get(infoHash)?.held;
  }

  /**
   * Takes in what `source` sees. Reasons change often, the state rarely.
   * @returns the change of state, if there is one.
   */
  report(
    time: { readonly now: Millis; readonly unixNow: UnixMillis },
    source: object,
    infoHash: InfoHash,
    evidence: SwarmEvidence,
  ): ParticipationChange | undefined {
    const entry = this.#entry(infoHash);
    entry.bySource.set(source, { decision: decideState(evidence), at: time.now });
    const decision = mostHelpful(entry.bySource, time.now);
    const from = entry.held?.state;
    const since = from === decision.state ? (entry.held as HeldState).since : time.unixNow;
    entry.held = { ...decision, since };
    if (from === decision.state) return undefined;
    return { infoHash, from, to: decision.state, reason: decision.reason };
  }

  /**
   * Whether the swarm is known to do without its sources: by evidence that is still fresh. When it
   * is not, they are handed out.
   */
  isReleased(now: Millis, infoHash: InfoHash): boolean {
    const entry = this.#entries.get(infoHash);
    if (entry?.held?.state !== "S2") return false;
    for (const { at } of entry.bySource.values()) if (now - at <= REPORTS_MISSING_MS) return true;
    return false;
  }

  /** That torrent is not registered any more. */
  forget(infoHash: InfoHash): void {
    this.#entries.delete(infoHash);
  }

  /** `source` is gone: what it said counts no more. */
  forgetSource(source: object): void {
    for (const { bySource } of this.#entries.values()) bySource.delete(source);
  }

  #entry(infoHash: InfoHash): Entry {
    let entry = this.#entries.get(infoHash);
    if (entry === undefined) {
      entry = { held: undefined, bySource: new Map() };
      this.#entries.set(infoHash, entry);
    }
    return entry;
  }
}

const helpfulness: Readonly<Record<ParticipationState, number>> = { S1: 2, S0: 1, S2: 0 };

/** Of what is still believed; there is always the testimony that just came. */
function mostHelpful(bySource: Map<object, Testimony>, now: Millis): ParticipationDecision {
  let best: ParticipationDecision | undefined;
  for (const [source, { decision, at }] of bySource) {
    if (now - at > REPORTS_MISSING_MS) {
      bySource.delete(source);
      continue;
    }
    const isBetter = best === undefined || helpfulness[decision.state] > helpfulness[best.state];
    if (isBetter) best = decision;
  }
  return best as ParticipationDecision;
}
