/**
 * Whether the Tracker hands a SourceNode out to those who announce. Availability first: a source is
 * left out only when it was gone for so long that dialling it would be in vain.
 */
import type { Millis } from "../base/units.ts";

/** What the decision is made from. */
export interface HandoutView {
  /** Its control link is open. */
  readonly isConnected: boolean;
  /** Since it was last heard: a hello, a registration or a report. */
  readonly silentMs: Millis;
}

/** Why a source is handed out, or not. */
export type HandoutReason =
  | { readonly code: "source-alive" }
  /** Three reports are missing: its state is unknown, it may well serve. */
  | { readonly code: "reports-missing"; readonly silentMs: Millis }
  /** The control link is cut: it goes on by its own evidence. */
  | { readonly code: "link-lost"; readonly silentMs: Millis }
  | { readonly code: "source-gone"; readonly silentMs: Millis };

/** Whether a source is handed out, with the reason. */
export interface HandoutDecision {
  readonly handOut: boolean;
  readonly reason: HandoutReason;
}

/** Three reports of 5 s. */
export const REPORTS_MISSING_MS = 15_000;
/** How long after its last word a disconnected source is handed out; a guess at a long repair. */
export const SOURCE_GONE_MS = 3_600_000;

/** Decides about one source. */
export function decideHandout({ isConnected, silentMs }: HandoutView): HandoutDecision {
  if (!isConnected) {
    const handOut = silentMs <= SOURCE_GONE_MS;
    return { handOut, reason: { code: handOut ? "link-lost" : "source-gone", silentMs } };
  }
  if (silentMs > REPORTS_MISSING_MS) {
    return { handOut: true, reason: { code: "reports-missing", silentMs } };
  }
  return { handOut: true, reason: { code: "source-alive" } };
}
