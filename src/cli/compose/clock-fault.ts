/** A wall clock that cannot be right: machines without a battery begin in 1970 until they ask the network. */
import type { UnixMillis } from "../../base/units.ts";

/** Older than this program. */
const EARLIEST: UnixMillis = Date.UTC(2020);

/** What is wrong with a wall clock that says `now`, and what to do; undefined: nothing that shows. */
export function findClockFault(now: UnixMillis): string | undefined {
  if (now >= EARLIEST) return undefined;
  const said = new Date(now).toISOString().slice(0, 10);
  return `this machine's clock says ${said}: set it (NTP); no token is made before, since its end would be wrong`;
}
