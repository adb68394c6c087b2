/** What a publisher may ask for. */
import { createHash } from "node:crypto";
import { BtPublisherError } from "../base/errors.ts";
import type { UnixMillis } from "../base/units.ts";
import type { Publication } from "../ports/catalogue.ts";
import type { PublicationPolicy } from "../ports/publication-policy.ts";

/** The policy of a publisher who chose none. */
export { defaultPolicy } from "../ports/publication-policy.ts";

/**
 * Names a publication's policy: another one after each change, and for another publication that was
 * given the same name. The one from before comes again when a change is undone.
 */
export function policyVersion({
  createdAt,
  policy,
}: Pick<Publication, "createdAt" | "policy">): string {
  const numbers = [policy.floor, policy.minRateBytesPerSecond, policy.egressBudgetBytes];
  const parts = [createdAt, policy.policy, policy.onBudgetEnd, ...numbers, policy.deadline];
  return createHash("sha256").update(parts.join(" ")).digest("base64url").slice(0, 16);
}

/** @throws USAGE for a deadline that cannot be met any more. */
export function assertDeadlineAhead({ deadline }: PublicationPolicy, now: UnixMillis): void {
  if (deadline === undefined || deadline > now) return;
  const time = new Date(deadline).toISOString();
  const message = `the deadline ${time} is over already: choose a later one, or none`;
  throw new BtPublisherError("USAGE", message, { detail: { deadline: time } });
}
