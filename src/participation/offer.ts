/** Offers: which piece is shown to which peer, and why. */
import type { PieceIndex } from "../base/units.ts";
import type { Downloader } from "./downloader.ts";

/** Which rule made an offer. */
export type GrantReason = "owed" | "never-sent" | "floor" | "again" | "starving" | "help";

/** An offer to make: the peer is shown the piece. */
export interface Show {
  readonly peer: number;
  readonly piece: PieceIndex;
  readonly reason: GrantReason;
}

/** An offer before it is made. */
export interface Offer {
  readonly peer: Downloader;
  readonly piece: PieceIndex;
  readonly reason: GrantReason;
}
