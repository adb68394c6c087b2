/** The ledger as a film: what was sent up to each moment, of which pieces, in which state. */
import type { LedgerHistory } from "../../protocol/api/ledger.ts";
import type { LiveStateChange } from "../../protocol/api/live.ts";

/** A ledger with something in it. */
export type PlayedHistory = LedgerHistory & { readonly since: string; readonly until: string };

/** `history` if there is something to play in it. */
export function playable(history: LedgerHistory | undefined): PlayedHistory | undefined {
  const { since, until } = history ?? {};
  if (history === undefined || since === undefined || until === undefined) return undefined;
  return history.bins.length === 0 ? undefined : { ...history, since, until };
}

/** How things stood at the end of one span. */
export interface Frame {
  /** Unix milliseconds. */
  readonly at: number;
  readonly state: LiveStateChange | undefined;
  /** In this span, by all doors. */
  readonly bytes: number;
  /** Who got something in this span. */
  readonly nodes: number;
  /** Up to the end of this span. */
  readonly sentBytes: number;
  /** For each group of pieces, the bytes sent up to the end of this span. */
  readonly sentOf: Float64Array;
  /** Groups of which something was sent in this span. */
  readonly now: ReadonlySet<number>;
}

/** How many frames `history` has. */
export function frameCount({ since, until, binMs }: PlayedHistory): number {
  return Math.max(1, Math.ceil((Date.parse(until) - Date.parse(since)) / binMs));
}

/** Groups of pieces. */
export function groupCount({ pieceCount, piecesPerGroup }: PlayedHistory): number {
  return Math.ceil(pieceCount / piecesPerGroup);
}

/** Frame number `index`, from 0 on. */
export function frameAt(history: PlayedHistory, index: number): Frame {
  const start = Date.parse(history.since);
  const at = start + (index + 1) * history.binMs;
  const sentOf = new Float64Array(groupCount(history));
  let sentBytes = 0;
  let here: PlayedHistory["bins"][number] | undefined;
  for (const bin of history.bins) {
    const number = Math.floor((Date.parse(bin.at) - start) / history.binMs);
    if (number > index) break;
    for (const [group, bytes] of bin.groups) {
      sentOf[group] = (sentOf[group] ?? 0) + bytes;
      sentBytes += bytes;
    }
    if (number === index) here = bin;
  }
  return {
    at,
    state: history.timeline.findLast(({ since }) => since <= at),
    bytes: here === undefined ? 0 : Object.values(here.bytes).reduce((sum, each) => sum + each, 0),
    nodes: here?.nodes ?? 0,
    sentBytes,
    sentOf,
    now: new Set(here?.groups.map(([group]) => group)),
  };
}
