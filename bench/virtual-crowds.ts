/**
 * `npm run bench -- virtual-crowds [NAME ...]`: flash crowds of our peers in virtual time, with the
 * very code that ships: copies that the source sent and the last completion as a multiple of T* and
 * T*(E). Source 80 Mbit/s, peers 80 down and 20 up unless said, 64 MiB in pieces of 256 KiB. All
 * rows together take some 15 minutes, most of it for those with 200 peers; without a name all run.
 */
import process from "node:process";
import { type CrowdOptions, runCrowd } from "../test/support/crowd.ts";

const equal = (count: number, mbit = 20) => Array.from({ length: count }, () => mbit);
const unequal = (count: number) =>
  Array.from({ length: count }, (_, i) => [5, 10, 20, 40][i % 4] as number);

const policies = ["thrifty", "balanced", "fast"] as const;
const rows: Readonly<Record<string, CrowdOptions>> = {
  ...Object.fromEntries(
    [8, 16, 50, 200].flatMap((count) =>
      policies.flatMap((policy) => [
        [`${policy}-${count}`, { policy, uplinks: equal(count) }],
        [`${policy}-${count}-unequal`, { policy, uplinks: unequal(count) }],
      ]),
    ),
  ),
  "balanced-8-up-5": { policy: "balanced", uplinks: equal(8, 5) },
  "balanced-8-up-1": { policy: "balanced", uplinks: equal(8, 1) },
  "balanced-8-each-3s": { policy: "balanced", uplinks: equal(8), arrivalMs: 3000 },
  "balanced-8-each-3s-vanishing": {
    policy: "balanced",
    uplinks: equal(8),
    arrivalMs: 3000,
    isSelfish: true,
  },
};

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(rows);
process.stdout.write(`${"crowd".padEnd(30)}copies  last/T*  last/T*(E)  virtual s\n`);
for (const name of names) {
  const options = rows[name];
  if (options === undefined) {
    process.stderr.write(`no crowd ${name}; there are: ${Object.keys(rows).join(" ")}\n`);
    process.exitCode = 64;
    continue;
  }
  const { copies, ratio, ratioWhenSent, lastSeconds } = await runCrowd(options);
  const cells = [copies.toFixed(3), ratio.toFixed(3), ratioWhenSent.toFixed(3)];
  const widths = [6, 9, 12];
  const line = cells.map((cell, i) => cell.padStart(widths[i] as number)).join("");
  process.stdout.write(`${name.padEnd(30)}${line}${lastSeconds.toFixed(1).padStart(11)}\n`);
}
