/** Answers to announces as plain values: the Tracker's own is good until the next announce only. */
import {
  type Announce,
  Announce as EmptyAnnounce,
  type AnnounceAnswer,
  type ScrapeCounts,
} from "../../src/protocol/tracker/announce.ts";
import { readAnnounceQuery } from "../../src/protocol/tracker/http-query.ts";
import { latin1Bytes, utf8Bytes } from "../../src/base/bytes.ts";

/** What is in an answer. */
export interface AnswerFacts {
  readonly intervalMs: number;
  readonly minIntervalMs: number;
  readonly counts: ScrapeCounts;
  /** IPv4 peers, 6 bytes each. */
  readonly compact4: Uint8Array;
  /** IPv6 peers, 18 bytes each. */
  readonly compact6: Uint8Array;
  readonly ids: readonly (Uint8Array | undefined)[];
}

/** A copy of all that is in `answer`. */
export function factsOf(answer: AnnounceAnswer): AnswerFacts {
  const compact4 = new Uint8Array(answer.peerCount4 * 6);
  const compact6 = new Uint8Array(answer.peerCount6 * 18);
  answer.writePeers4(compact4, 0);
  answer.writePeers6(compact6, 0);
  const { intervalMs, minIntervalMs, counts } = answer;
  return {
    intervalMs,
    minIntervalMs,
    counts: { ...counts },
    compact4,
    compact6,
    ids: answer.peerIds(),
  };
}

/** An answer that holds `facts`. */
export function answerOf(facts: AnswerFacts): AnnounceAnswer {
  const { intervalMs, minIntervalMs, counts, compact4, compact6, ids } = facts;
  return {
    intervalMs,
    minIntervalMs,
    counts,
    peerCount4: compact4.length / 6,
    peerCount6: compact6.length / 18,
    writePeers4: (target, at) => target.set(compact4, at),
    writePeers6: (target, at) => target.set(compact6, at),
    peerIds: () => ids,
  };
}

/** The announce that a query makes, or why there is none. */
export function readQuery(query: string): { announce: Announce; failure: string | undefined } {
  const bytes = /[^\0-\xff]/.test(query) ? utf8Bytes(query) : latin1Bytes(query);
  const announce = new EmptyAnnounce();
  return { announce, failure: readAnnounceQuery(bytes, 0, bytes.length, announce) };
}
