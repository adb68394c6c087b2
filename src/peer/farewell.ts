/**
 * How long a Peer that is done stays for the swarm's sake: while it holds pieces that nobody else
 * has and others wait for, and a minute at most.
 */
import type { Millis } from "../base/units.ts";

/** The most that a user who did not ask to seed is kept waiting. */
export const FAREWELL_LIMIT_MS: Millis = 60_000;

/** Whether to stay, `elapsedMs` after completion, with `solePieces` as `TorrentFigures` has them. */
export function mustStay(elapsedMs: Millis, solePieces: number): boolean {
  return solePieces > 0 && elapsedMs < FAREWELL_LIMIT_MS;
}
