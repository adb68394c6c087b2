/** How much the server takes part in a swarm: the publisher's choice as numbers. */
import { fail, ok, type Result } from "../base/errors.ts";
import type { Millis } from "../base/units.ts";

/** The named policies a publisher picks from. */
export type PolicyName = "fast" | "balanced" | "thrifty";

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
}

/** A publisher's own numbers, which override those of the named policy. */
export interface PolicyNumbers {
  readonly floor?: number;
  readonly minRateBytesPerSecond?: number;
}

const MAX_FLOOR = 100;

const named: Readonly<Record<PolicyName, Policy>> = {
  fast: {
    name: "fast",
    floor: 2,
    alwaysHelps: true,
    leadMs: 3000,
    minRateBytesPerSecond: undefined,
  },
  balanced: {
    name: "balanced",
    floor: 2,
    alwaysHelps: false,
    leadMs: 3000,
    minRateBytesPerSecond: undefined,
  },
  thrifty: {
    name: "thrifty",
    floor: 1,
    alwaysHelps: false,
    leadMs: undefined,
    minRateBytesPerSecond: undefined,
  },
};

/** The policy `name` with a publisher's `numbers`. */
export function resolvePolicy(name: PolicyName, numbers: PolicyNumbers = {}): Result<Policy> {
  const { floor, minRateBytesPerSecond } = numbers;
  if (floor !== undefined && !(Number.isInteger(floor) && floor >= 0 && floor <= MAX_FLOOR)) {
    return fail("USAGE", `floor ${floor} is not a whole number from 0 to ${MAX_FLOOR}`);
  }
  if (minRateBytesPerSecond !== undefined && !(minRateBytesPerSecond >= 0)) {
    return fail("USAGE", `minimum rate ${minRateBytesPerSecond} is not a rate`);
  }
  return ok({
    ...named[name],
    ...(floor === undefined ? {} : { floor }),
    ...(minRateBytesPerSecond === undefined ? {} : { minRateBytesPerSecond }),
  });
}
