/**
 * When an offer is over without the peer having the piece: it goes to somebody else then. The
 * uplink is kept free for what is on offer, so that nobody may sit on an offer for long.
 */
import type { Millis } from "../base/units.ts";
import type { Downloader, Grant } from "./downloader.ts";

/** Nobody asked for it. */
const UNASKED_MS: Millis = 1000;
/** It asked for a part of it, was sent that, and goes on with nothing. */
const UNFINISHED_MS: Millis = 3000;
/** It is busy with others of ours. */
const BUSY_MS: Millis = 5000;
/** What was sent whole and is not seen there is lost. */
const UNSEEN_MS: Millis = 10_000;

/** Whether the offer `grant` to `peer` is over. */
export function hasLapsed(now: Millis, peer: Downloader, grant: Grant): boolean {
  const { sentAt, touchedAt, wasRequested } = grant;
  if (sentAt !== undefined) return now - sentAt > UNSEEN_MS;
  if (now - touchedAt > BUSY_MS) return true;
  if (peer.openRequests > 0) return false;
  // Between two of our pieces it asks for nothing for a moment: that is no refusal of the next.
  const idleSince = Math.max(touchedAt, peer.activeAt);
  return now - idleSince > (wasRequested ? UNFINISHED_MS : UNASKED_MS);
}
