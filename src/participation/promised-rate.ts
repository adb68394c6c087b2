/** What a policy promises to one downloader: its direct share, a least rate, a deadline. */
import type { Millis } from "../base/units.ts";
import type { Downloader } from "./downloader.ts";
import type { Policy } from "./policy.ts";

/** So far behind its direct share, or so near its end, a downloader is shown everything. */
const OPEN_MS: Millis = 1500;

/** What the promise depends on, beside the policy. */
export interface PromiseView {
  readonly now: Millis;
  /** Bytes per second that each downloader could have from the source. */
  readonly directShare: number;
  readonly contentLength: number;
}

/** A peak lasts for seconds only; the mean that a downlink is good for is a little less. */
const KNOWN_PART = 0.8;
/** It may be able to take more than it was seen to take. */
const UNKNOWN_PART = 2;

/** Bytes per second that `policy` promises to `peer` now. */
export function promisedRate(policy: Policy, peer: Downloader, view: PromiseView): number {
  const { leadMs, minRateBytesPerSecond = 0, deadline } = policy;
  const { now, directShare, contentLength } = view;
  const { peakBytesPerSecond, isDownlinkKnown } = peer;
  const downlink = peakBytesPerSecond * (isDownlinkKnown ? KNOWN_PART : UNKNOWN_PART);
  const direct = leadMs === undefined ? 0 : Math.min(downlink || directShare, directShare);
  const left = contentLength * (1 - peer.pieces.count / peer.pieces.size);
  const untilDeadline = deadline === undefined ? 0 : (left * 1000) / Math.max(1000, deadline - now);
  // Its word is good for less only.
  const limit = peer.report?.downLimit || Number.POSITIVE_INFINITY;
  return Math.min(limit, Math.max(direct, minRateBytesPerSecond, untilDeadline));
}

/**
 * Whether `peer`, where peers cannot help, must be able to ask for everything: it is behind what it
 * was promised by 1.5 s, or lacks less than that.
 */
export function needsEverything(peer: Downloader, promised: number, pieceLength: number): boolean {
  const most = (promised * OPEN_MS) / 1000;
  const missing = (peer.pieces.size - peer.pieces.count) * pieceLength;
  return peer.owedBytes > most + 2 * pieceLength || missing < most;
}
