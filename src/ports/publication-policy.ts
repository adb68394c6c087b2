/** How much the server takes part in a publication, as its publisher set it. */
import type { UnixMillis } from "../base/units.ts";

/** The numbers behind the names are the participation controller's. */
export type PolicyName = "fast" | "balanced" | "thrifty";

/** A publication's policy. What is undefined is the named policy's own. */
export interface PublicationPolicy {
  readonly policy: PolicyName;
  readonly floor: number | undefined;
  readonly minRateBytesPerSecond: number | undefined;
  readonly egressBudgetBytes: number | undefined;
  readonly onBudgetEnd: "serve-floor-only" | "stop" | "ignore";
  readonly deadline: UnixMillis | undefined;
}

/** The policy of a publisher who chose none. */
export const defaultPolicy: PublicationPolicy = {
  policy: "balanced",
  floor: undefined,
  minRateBytesPerSecond: undefined,
  egressBudgetBytes: undefined,
  onBudgetEnd: "serve-floor-only",
  deadline: undefined,
};

/** Whether two policies ask for the same. */
export function isSamePolicy(a: PublicationPolicy, b: PublicationPolicy): boolean {
  return (
    a.policy === b.policy &&
    a.floor === b.floor &&
    a.minRateBytesPerSecond === b.minRateBytesPerSecond &&
    a.egressBudgetBytes === b.egressBudgetBytes &&
    a.onBudgetEnd === b.onBudgetEnd &&
    a.deadline === b.deadline
  );
}
