/** How much the server takes part in a swarm: the publisher's choice as numbers. */
import { fail, ok, type Result } from "../base/errors.ts";
import type { Millis } from "../base/units.ts";

/** The named policies a publisher picks from. */
export type PolicyName = "fast" | "balanced" | "thrifty";

/** What happens when a publication's egress budget is spent. */
export type BudgetEnd = "serve-floor-only" | "stop" | "ignore";

/** A policy with every number resolved. */
export interface Policy {
  readonly name: PolicyName;
  /** Copies of each piece that must be outside the server before it may step back. */
  readonly floor: number;
  /** Help beyond what is owed: the source never rests while somebody downloads. */
  readonly alwaysHelps: boolean;
  /**
   * How far a downloader may be ahead of its direct share before the lead is forgotten, and
   * undefined when no direct share is promised.
   */
  readonly leadMs: Millis | undefined;
  /** Every downloader gets at least this, bytes per second; undefined promises nothing. */
  readonly minRateBytesPerSecond: number | undefined;
  /** Content bytes that the source may send in all; undefined sets no bound. */
  readonly egressBudgetBytes: number | undefined;
  readonly onBudgetEnd: BudgetEnd;
  /** When everybody who downloads now should be done; undefined sets no time. */
  readonly deadline: Millis | undefined;
}

/** A publisher's own numbers, which override those of the named policy. */
export interface PolicyNumbers {
  readonly floor?: number | undefined;
  readonly minRateBytesPerSecond?: number | undefined;
  readonly egressBudgetBytes?: number | undefined;
  readonly onBudgetEnd?: BudgetEnd | undefined;
  /** On the clock that the controller is told. */
  readonly deadline?: Millis | undefined;
}

const MAX_FLOOR = 100;

const unbounded = {
  minRateBytesPerSecond: undefined,
  egressBudgetBytes: undefined,
  onBudgetEnd: "serve-floor-only",
  deadline: undefined,
} as const;

const named: Readonly<Record<PolicyName, Policy>> = {
  fast: { ...unbounded, name: "fast", floor: 2, alwaysHelps: true, leadMs: 3000 },
  balanced: { ...unbounded, name: "balanced", floor: 2, alwaysHelps: false, leadMs: 3000 },
  thrifty: { ...unbounded, name: "thrifty", floor: 1, alwaysHelps: false, leadMs: undefined },
};

/** What a publication that has had `spentBytes` may still be sent by its egress budget. */
export type BudgetLeft = "all" | "floor-only" | "nothing";

/** See `BudgetLeft`. */
export function budgetLeft(policy: Policy, spentBytes: () => number): BudgetLeft {
  const { egressBudgetBytes, onBudgetEnd } = policy;
  if (egressBudgetBytes === undefined || onBudgetEnd === "ignore") return "all";
  if (spentBytes() < egressBudgetBytes) return "all";
  return onBudgetEnd === "stop" ? "nothing" : "floor-only";
}

/** The policy `name` with a publisher's `numbers`. */
export function resolvePolicy(name: PolicyName, numbers: PolicyNumbers = {}): Result<Policy> {
  const { floor, minRateBytesPerSecond, egressBudgetBytes, onBudgetEnd, deadline } = numbers;
  if (floor !== undefined && !(Number.isInteger(floor) && floor >= 0 && floor <= MAX_FLOOR)) {
    return fail("USAGE", `floor ${floor} is not a whole number from 0 to ${MAX_FLOOR}`);
  }
  if (minRateBytesPerSecond !== undefined && !(minRateBytesPerSecond >= 0)) {
    return fail("USAGE", `minimum rate ${minRateBytesPerSecond} is not a rate`);
  }
  if (egressBudgetBytes !== undefined && !(egressBudgetBytes >= 0)) {
    return fail("USAGE", `egress budget ${egressBudgetBytes} is not a size`);
  }
  const policy = named[name];
  return ok({
    ...policy,
    floor: floor ?? policy.floor,
    minRateBytesPerSecond,
    egressBudgetBytes,
    onBudgetEnd: onBudgetEnd ?? policy.onBudgetEnd,
    deadline,
  });
}
