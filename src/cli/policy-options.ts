/** The options that say how much the server takes part in a publication. */
import { type Command, Option } from "commander";
import { parseInstant, parseInteger, parseRate, parseSize } from "./values.ts";

/** As commander gives them. */
export interface PolicyFlags {
  readonly policy?: string;
  /** `none`, here and below: the policy's own again. */
  readonly floor?: number | "none";
  readonly minRate?: number | "none";
  readonly egressBudget?: number | "none";
  readonly deadline?: string;
  readonly onBudgetEnd?: string;
}

/** Adds them to `command`; for one that changes a policy, `none` takes a number of it away. */
export function addPolicyOptions(command: Command, change?: "change"): Command {
  const orNone = <Value>(parse: (text: string) => Value) =>
    change === undefined ? parse : (text: string) => (text === "none" ? text : parse(text));
  const usual = change === undefined ? " (default: balanced)" : "";
  const policies = ["fast", "balanced", "thrifty"];
  const ends = ["serve-floor-only", "stop", "ignore"];
  const parseFloor = (text: string) => parseInteger(text, { min: 0, max: 100 });
  return command
    .addOption(
      new Option("--policy <policy>", `how much the server helps${usual}`).choices(policies),
    )
    .option(
      "--floor <count>",
      "copies that peers hold before the server steps back",
      orNone(parseFloor),
    )
    .option("--min-rate <rate>", "what each downloader gets at least", orNone(parseRate))
    .option("--egress-budget <size>", "bytes that the server may send", orNone(parseSize))
    .option(
      "--deadline <time>",
      "when all should have it, as 2026-12-31T18:00",
      orNone(parseInstant),
    )
    .addOption(new Option("--on-budget-end <what>", "what the server does then").choices(ends));
}

/** As the API takes it; undefined when nothing was said. */
export function policyOf(flags: PolicyFlags): object | undefined {
  const { policy, floor, minRate, egressBudget, deadline, onBudgetEnd } = flags;
  const all = {
    policy,
    floor: orNull(floor),
    minRateBytesPerSecond: orNull(minRate),
    egressBudgetBytes: orNull(egressBudget),
    deadline: orNull(deadline),
    onBudgetEnd,
  };
  return Object.values(all).every((value) => value === undefined) ? undefined : all;
}

/** The API's word for taking away. */
function orNull<Value>(value: Value | "none" | undefined): Value | null | undefined {
  return value === "none" ? null : value;
}
