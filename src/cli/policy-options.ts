/** The options that say how much the server takes part in a publication. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { parseInteger, parseRate, parseSize } from "./values.ts";

/** As commander gives them. */
export interface PolicyFlags {
  readonly policy?: string;
  readonly floor?: number;
  readonly minRate?: number;
  readonly egressBudget?: number;
  readonly deadline?: string;
  readonly onBudgetEnd?: string;
}

/** Adds them to `command`. */
export function addPolicyOptions(command: Command): Command {
  const policies = ["fast", "balanced", "thrifty"];
  const ends = ["serve-floor-only", "stop", "ignore"];
  const parseFloor = (text: string) => parseInteger(text, { min: 0, max: 100 });
  return command
    .addOption(
      new Option("--policy <policy>", "how much the server helps (default: balanced)").choices(
        policies,
      ),
    )
    .option("--floor <count>", "copies that peers hold before the server steps back", parseFloor)
    .option("--min-rate <rate>", "what each downloader gets at least", parseRate)
    .option("--egress-budget <size>", "bytes that the server may send", parseSize)
    .option("--deadline <time>", "when all should have it, as 2026-12-31T18:00", parseInstant)
    .addOption(new Option("--on-budget-end <what>", "what the server does then").choices(ends));
}

/** As the API takes it; undefined when nothing was said. */
export function policyOf(flags: PolicyFlags): object | undefined {
  const { policy, floor, minRate, egressBudget, deadline, onBudgetEnd } = flags;
  const all = {
    policy,
    floor,
    minRateBytesPerSecond: minRate,
    egressBudgetBytes: egressBudget,
    deadline,
    onBudgetEnd,
  };
  return Object.values(all).every((value) => value === undefined) ? undefined : all;
}

/** A day, or a day and a time, of this machine's zone unless it names one. */
function parseInstant(text: string): string {
  const isForm = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)?)?$/.test(text);
  const time = isForm ? Date.parse(text.length === 10 ? `${text}T00:00` : text) : Number.NaN;
  if (!Number.isNaN(time)) return new Date(time).toISOString();
  throw new InvalidArgumentError("Use a day and a time, as 2026-12-31T18:00.");
}
