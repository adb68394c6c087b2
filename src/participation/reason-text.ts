/** Why a swarm is in its state, in words. */
import type { ParticipationReason } from "../protocol/control/participation.ts";

/** A reason in words. */
export function reasonText(reason: ParticipationReason): string {
  switch (reason.code) {
    case "no-peer":
      return "nobody is downloading";
    case "nothing-forwarded":
      return "no piece was seen at a second peer yet";
    case "piece-below-floor":
      return `piece ${reason.piece} has ${reason.copies} of ${reason.floor} copies outside the server`;
    case "downloader-owed":
      return "somebody would have got more by a plain download";
    case "source-sending":
      return "the server sent something in the last seconds";
    case "peers-suffice":
      return `every piece has ${reason.copies} copies outside the server, and nobody starves`;
    default:
      return reason satisfies never;
  }
}
