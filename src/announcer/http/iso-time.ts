/** Times as the API writes them. */
import type { UnixMillis } from "../../base/units.ts";

/** ISO 8601 in UTC. */
export function isoTime(at: UnixMillis): string;
/** The same; undefined stays so, and is left out of JSON. */
export function isoTime(at: UnixMillis | undefined): string | undefined;
export function isoTime(at: UnixMillis | undefined): string | undefined {
  return at === undefined ? undefined : new Date(at).toISOString();
}
