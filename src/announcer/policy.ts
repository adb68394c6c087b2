/** What a publisher may ask for. */
import { BtPublisherError } from "../base/errors.ts";
import type { UnixMillis } from "../base/units.ts";
import type { PublicationPolicy } from "../ports/publication-policy.ts";

/** The policy of a publisher who chose none. */
export { defaultPolicy } from "../ports/publication-policy.ts";

/** @throws USAGE for a deadline that cannot be met any more. */
export function assertDeadlineAhead({ deadline }: PublicationPolicy, now: UnixMillis): void {
  if (deadline === undefined || deadline > now) return;
  const time = new Date(deadline).toISOString();
  const message = `the deadline ${time} is over already: choose a later one, or none`;
  throw new BtPublisherError("USAGE", message, { detail: { deadline: time } });
}
