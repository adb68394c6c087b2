/**
 * `npm run bench -- participation [--runs N] [--rows "NAME; NAME"] [--save FILE]`: the participation
 * controller in the lab, each scenario beside what it is compared with in the same run, and what it
 * must reach. Needs root and bench/lab/setup.sh once; some 80 minutes for all rows with 3 runs each.
 * `--save` appends each result to FILE, one JSON object a line, for `participation-plot`.
 */
import { spawnSync } from "node:child_process";
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

/** One result of the lab, as far as it matters here. */
interface LabResult {
  readonly system: string;
  readonly n: number;
  readonly error?: string;
  readonly done: number;
  readonly last: number | null;
  readonly ratio: number | null;
  readonly ratio_sent: number | null;
  readonly copies: number;
  readonly idle: number;
  readonly left_at: number | null;
  readonly newcomer?: {
    readonly first: number | null;
    readonly complete: number | null;
    readonly direct: number;
  };
}

/** A figure of a row: what it is called, what it must be at most, and how it is found. */
interface Figure {
  readonly name: string;
  readonly must: number;
  readonly of: (own: LabResult, others: readonly LabResult[]) => number | null;
}

interface Row {
  readonly name: string;
  /** Options of bench_swarm.py. */
  readonly options: string;
  /** The first is ours; the others are what it is compared with. */
  readonly systems: readonly string[];
  readonly figures: readonly Figure[];
}

const copies = (must: number): Figure => ({ name: "copies", must, of: (own) => own.copies });
const bound = (must: number): Figure => ({ name: "last/T*", must, of: (own) => own.ratio });
const sent = (must: number): Figure => ({ name: "last/T*(E)", must, of: (own) => own.ratio_sent });
/** Against the system `name` of the same round. */
const against = (name: string, must: number): Figure => ({
  name: `last/${name}`,
  must,
  of: (own, others) => {
    const other = others.find(({ system }) => system === name);
    return own.last === null || other?.last == null ? null : own.last / other.last;
  },
});
const missing = (must: number): Figure => ({
  name: "not finished",
  must,
  of: (own) => (own.left_at === null ? null : own.n - own.done),
});

const mixed = "libtorrent|aria2|transmission";
const half = "--us 40 --up 10 --down 40 --size-mib 32";

const rows: readonly Row[] = [
  ...[8, 16].flatMap((n): Row[] => [
    row(`fast ${n}`, `--n ${n}`, ["@btpublisher+fast"], [bound(1.1)]),
    row(`thrifty ${n}`, `--n ${n}`, ["@btpublisher+thrifty"], [copies(1.04), sent(1.12)]),
    row(
      `balanced ${n}`,
      `--n ${n}`,
      ["@btpublisher+balanced", "nginx-curl"],
      [copies(1.1), sent(1.12), against("nginx-curl", 1)],
    ),
    row(
      `thrifty, libtorrent ${n}`,
      `--n ${n}`,
      ["@btpublisher+thrifty:libtorrent", "libtorrent", "libtorrent+super"],
      [copies(1.04), sent(1.12)],
    ),
    row(
      `fast, libtorrent ${n}`,
      `--n ${n}`,
      ["@btpublisher+fast:libtorrent", "libtorrent"],
      [bound(1.14), against("libtorrent", 1)],
    ),
  ]),
  row(
    "thrifty, aria2",
    "--n 8",
    ["@btpublisher+thrifty:aria2", "aria2"],
    [copies(1.05), sent(1.3)],
  ),
  row(
    "thrifty, webtorrent",
    `--n 8 ${half}`,
    ["@btpublisher+thrifty:webtorrent", "webtorrent"],
    [copies(1.05), sent(1.25)],
  ),
  row("fast, webtorrent", `--n 8 ${half}`, ["@btpublisher+fast:webtorrent"], [bound(1.2)]),
  row("thrifty, transmission", "--n 8", ["@btpublisher+thrifty:transmission"], [copies(1.3)]),
  row(
    "fast, transmission",
    "--n 8",
    ["@btpublisher+fast:transmission", "transmission"],
    [against("transmission", 1.1)],
  ),
  row(
    "thrifty, three stock clients",
    "--n 9",
    [`@btpublisher+thrifty:${mixed}`],
    [copies(1.2), sent(1.5)],
  ),
  row(
    "thrifty, these and ours",
    "--n 8",
    [`@btpublisher+thrifty:btpublisher|${mixed}`],
    [copies(1.2), sent(1.5)],
  ),
  row(
    "thrifty, unequal",
    "--n 8 --up 5,10,20,40",
    ["@btpublisher+thrifty"],
    [copies(1.1), sent(1.15)],
  ),
  row(
    "thrifty, unequal libtorrent",
    "--n 8 --up 5,10,20,40",
    ["@btpublisher+thrifty:libtorrent"],
    [copies(1.15), sent(1.4)],
  ),
  row("fast, killed", "--n 8 --leave 1.05", ["@btpublisher+fast"], [missing(0)]),
  row("fast, killed, selfish", "--n 8 --leave 1.05 --selfish", ["@btpublisher+fast"], [missing(1)]),
  row(
    "fast, killed, libtorrent",
    "--n 8 --leave 1.05",
    ["@btpublisher+fast:libtorrent"],
    [missing(0)],
  ),
  row(
    "balanced, one each 3 s, selfish",
    "--n 8 --arrival stagger:3 --selfish",
    ["@btpublisher+balanced"],
    [copies(1.6)],
  ),
  row(
    "balanced, weak",
    "--n 4 --up 1",
    ["@btpublisher+balanced", "nginx-curl"],
    [against("nginx-curl", 1.05)],
  ),
  row(
    "balanced, weak libtorrent",
    "--n 4 --up 1",
    ["@btpublisher+balanced:libtorrent", "nginx-curl"],
    [against("nginx-curl", 1.2)],
  ),
  row(
    "balanced, one peer",
    "--n 1",
    ["@btpublisher+balanced", "nginx-curl"],
    [against("nginx-curl", 1 / 0.97)],
  ),
  row(
    "exodus, newcomer",
    "--n 4 --exodus",
    ["@btpublisher+balanced"],
    [
      { name: "first piece, s", must: 5, of: ({ newcomer }) => newcomer?.first ?? null },
      {
        name: "complete/direct",
        must: 1.1,
        of: ({ newcomer }) =>
          newcomer?.complete == null ? null : newcomer.complete / newcomer.direct,
      },
    ],
  ),
  row("no liars", "--n 4", ["@btpublisher+balanced"], []),
  row("20 liars", "--n 4 --liars 20", ["@btpublisher+balanced"], []),
];

function row(
  name: string,
  options: string,
  systems: readonly string[],
  figures: readonly Figure[],
): Row {
  return { name, options, systems, figures };
}

function run({ options, systems }: Row, runs: string, out: string): readonly LabResult[] {
  const script = fileURLToPath(new URL("lab/bench_swarm.py", import.meta.url));
  const args = [script, "--runs", runs, "--out", out, "--systems", systems.join(",")];
  spawnSync("python3", [...args, ...options.split(" ")], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const lines = readFileSync(out, "utf8").trim().split("\n");
  return lines.map((line) => JSON.parse(line) as LabResult);
}

function save(file: string, { name, options }: Row, results: readonly LabResult[]): void {
  for (const { system, n, done, last, ratio, ratio_sent, copies: sentCopies, idle } of results) {
    const figures = { n, done, last, ratio, ratio_sent, copies: sentCopies, idle };
    appendFileSync(file, `${JSON.stringify({ row: name, options, system, ...figures })}\n`);
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function text(value: number | null): string {
  return value === null || Number.isNaN(value) ? "-" : value.toFixed(2);
}

function say(
  systems: readonly string[],
  figures: readonly Figure[],
  results: readonly LabResult[],
): void {
  for (const system of systems) {
    const own = results.filter((each) => each.system === system && each.error === undefined);
    const of = (pick: (result: LabResult) => number | null) =>
      text(median(own.map(pick).filter((value) => value !== null)));
    const done = own.map((each) => `${each.done}/${each.n}`).join(" ");
    const line = [
      system.padEnd(44),
      `last ${of(({ last }) => last)}`,
      `/T* ${of(({ ratio }) => ratio)}`,
      `/T*(E) ${of(({ ratio_sent }) => ratio_sent)}`,
      `copies ${of(({ copies: sentCopies }) => sentCopies)}`,
      `done ${done}`,
      `idle ${of(({ idle }) => idle)}`,
    ];
    process.stdout.write(`  ${line.join("  ")}\n`);
    if (system !== systems[0]) continue;
    for (const figure of figures) {
      const values = own.map((result, i) => {
        // The i-th run of each system belongs to one round.
        const others = systems.flatMap(
          (each) =>
            results.filter(({ system: s, error }) => s === each && error === undefined)[i] ?? [],
        );
        return figure.of(result, others);
      });
      const known = values.filter((value) => value !== null);
      const value = median(known);
      const verdict = known.length > 0 && value <= figure.must ? "ok" : "MISSED";
      process.stdout.write(
        `    ${figure.name} ${text(value)} (${known.map(text).join(" ")}), must ≤ ${text(figure.must)}: ${verdict}\n`,
      );
    }
  }
}

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "3" },
    rows: { type: "string", default: "" },
    save: { type: "string" },
  },
});
const wanted = values.rows === "" ? [] : values.rows.split(";").map((name) => name.trim());
const folder = mkdtempSync(join(tmpdir(), "participation-"));
for (const [i, each] of rows.entries()) {
  if (wanted.length > 0 && !wanted.includes(each.name)) continue;
  process.stdout.write(`${each.name}   (${each.options})\n`);
  const results = run(each, values.runs, join(folder, `${i}.jsonl`));
  say(each.systems, each.figures, results);
  if (values.save !== undefined) save(values.save, each, results);
}
rmSync(folder, { recursive: true });
