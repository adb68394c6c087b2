/** What the server's part in a swarm comes to, for people: its state, why, what it cost and saved. */
import { distanceFromBound } from "../participation/fluid-bound.ts";
import { reasonText } from "../participation/reason-text.ts";
import type {
  HeldState,
  ParticipationReason,
  SwarmParticipation,
} from "../protocol/control/participation.ts";

/** Figures of one publication; rates are bytes per second. */
export interface ParticipationView {
  readonly state: HeldState["state"];
  readonly reason: ParticipationReason;
  /** The reason in words. */
  readonly message: string;
  /** ISO 8601. */
  readonly since: string;
  readonly downloaders: number;
  /** Copies of the rarest piece outside the server, by evidence. */
  readonly copies: number;
  readonly floor: number;
  readonly spentBytes: number;
  /** `spentBytes` ÷ content length. */
  readonly copiesSent: number;
  /** What peers gained and the server did not have to send. */
  readonly savedBytes: number;
  readonly uplink: number;
  readonly directShare: number;
  /** How many times as long as the fluid bound the crowd takes so far; undefined: nobody is there. */
  readonly boundRatio: number | undefined;
}

/** Sums up what the sources of one publication say; undefined while none has said anything. */
export function participationView(
  held: HeldState | undefined,
  sources: readonly SwarmParticipation[],
  contentLength: number,
): ParticipationView | undefined {
  const [first] = sources;
  if (held === undefined || first === undefined) return undefined;
  const { evidence } = first;
  const sum = (pick: (each: SwarmParticipation) => number) =>
    sources.reduce((total, each) => total + pick(each), 0);
  const spentBytes = sum(({ figures }) => figures.spentBytes);
  const gained = Math.max(...sources.map(({ figures }) => figures.gainedBytes));
  const { crowd, uplink, directShare } = first.figures;
  return {
    state: held.state,
    reason: held.reason,
    message: reasonText(held.reason),
    since: new Date(held.since).toISOString(),
    downloaders: evidence.downloaders,
    copies: evidence.copies,
    floor: evidence.floor,
    spentBytes,
    copiesSent: contentLength === 0 ? 0 : spentBytes / contentLength,
    savedBytes: Math.max(0, gained - spentBytes),
    uplink,
    directShare,
    boundRatio: crowd && distanceFromBound({ ...crowd, uplink }),
  };
}
