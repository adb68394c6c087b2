/**
 * `npm run bench -- participation-plot`: draws docs/plots/participation-N.svg from what
 * `npm run bench -- participation --save docs/plots/participation.jsonl` measured: time against
 * copies; our policies as a curve, the others as points, the fluid bound as a line.
 */
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { leastSeconds, leastSecondsWhenSent } from "../src/participation/fluid-bound.ts";

/** One run of a system in a flash crowd; times are multiples of T*. */
interface Saved {
  readonly options: string;
  readonly system: string;
  readonly n: number;
  readonly copies: number;
  readonly ratio: number | null;
}

interface Point {
  readonly name: string;
  readonly copies: number;
  readonly ratio: number;
}

const width = 760;
const height = 440;
const left = 56;
const right = 24;
const top = 24;
const bottom = 52;
const mostRatio = 3.4;
const folder = fileURLToPath(new URL("../docs/plots/", import.meta.url));

/** The lab's crowd: source 80 Mbit/s, peers 80 down and 20 up. */
function boundAt(n: number, copies: number): number {
  const swarm = {
    contentLength: 1,
    sourceUplink: 80,
    peerUplinks: Array.from({ length: n }, () => 20),
    slowestDownlink: 80,
  };
  return leastSecondsWhenSent(swarm, copies) / leastSeconds(swarm);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;
}

function pointsOf(saved: readonly Saved[], n: number): readonly Point[] {
  const crowds = saved.filter((each) => each.options === `--n ${n}` && each.ratio !== null);
  const points: Point[] = [];
  for (const [system, runs] of Map.groupBy(crowds, (each) => each.system)) {
    const copies = median(runs.map((run) => run.copies));
    const ratio = median(runs.map((run) => run.ratio as number));
    points.push({ name: system, copies, ratio });
  }
  return points;
}

function draw(points: readonly Point[], n: number): string {
  const x = (copies: number) => left + ((width - left - right) * copies) / (n + 0.5);
  const y = (ratio: number) =>
    height - bottom - ((height - top - bottom) * (ratio - 0.9)) / (mostRatio - 0.9);
  const at = ({ copies, ratio }: Pick<Point, "copies" | "ratio">) =>
    `${x(copies).toFixed(1)},${y(ratio).toFixed(1)}`;
  const line = (kind: string, of: readonly Pick<Point, "copies" | "ratio">[]) =>
    `<polyline class="${kind}" points="${of.map(at).join(" ")}"/>`;
  const bound = Array.from({ length: 200 }, (_, i) => {
    const copies = 1 + ((n - 1) * i) / 199;
    return { copies, ratio: Math.max(1, boundAt(n, copies)) };
  });
  const out: string[] = [];
  for (let copies = 0; copies <= n; copies += n > 8 ? 2 : 1) {
    out.push(
      `<text x="${x(copies)}" y="${height - bottom + 20}" text-anchor="middle">${copies}</text>`,
    );
  }
  for (const ratio of [1, 1.5, 2, 2.5, 3]) {
    out.push(`<path class="grid" d="M${left} ${y(ratio)}H${width - right}"/>`);
    out.push(
      `<text x="${left - 8}" y="${y(ratio) + 4}" text-anchor="end">${ratio.toFixed(1)}</text>`,
    );
  }
  out.push(line("bound", bound));
  for (const suffix of ["", ":libtorrent"]) {
    const policies = ["thrifty", "balanced", "fast"].map(
      (policy) => `@btpublisher+${policy}${suffix}`,
    );
    const own = policies.flatMap((name) => points.find((point) => point.name === name) ?? []);
    out.push(
      line(
        "ours",
        own.toSorted((a, b) => a.copies - b.copies),
      ),
    );
  }
  const placed: { x: number; y: number }[] = [];
  for (const point of points.toSorted((a, b) => a.ratio - b.ratio)) {
    const isOurs = point.name.startsWith("@");
    out.push(
      `<circle class="${isOurs ? "own" : "other"}" cx="${x(point.copies)}" cy="${y(point.ratio)}" r="5"/>`,
    );
    // Labels of neighbouring points go one above the other.
    let labelY = y(point.ratio) - 10;
    const labelX = x(point.copies) + 9;
    while (placed.some((each) => Math.abs(each.x - labelX) < 190 && Math.abs(each.y - labelY) < 15))
      labelY -= 4;
    placed.push({ x: labelX, y: labelY });
    out.push(`<text x="${labelX}" y="${labelY.toFixed(1)}">${labelOf(point.name)}</text>`);
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="Time against copies, ${n} peers">
<style>svg{background:#fff;font:13px system-ui,sans-serif}text{fill:#334155}.grid{stroke:#e2e8f0}polyline{fill:none;stroke-width:2}.bound{stroke:#94a3b8;stroke-dasharray:6 4}.ours{stroke:#2563eb}.own{fill:#2563eb}.other{fill:#ea580c}</style>
<rect width="${width}" height="${height}" fill="#fff"/>
${out.join("\n")}
<text x="${(left + width - right) / 2}" y="${height - 10}" text-anchor="middle">copies sent by the source (${n} peers at once; dashed: the fluid bound)</text>
<text transform="translate(16 ${height / 2}) rotate(-90)" text-anchor="middle">last completion ÷ T*</text>
</svg>
`;
}

/** \`@btpublisher+fast:libtorrent\` is our server with libtorrent's peers. */
function labelOf(system: string): string {
  const [, policy, client] = /^@btpublisher\+(\w+)(?::(.*))?$/.exec(system) ?? [];
  if (policy !== undefined)
    return client === undefined ? `ours, ${policy}` : `ours, ${policy}: ${client}`;
  return system.replace("nginx-curl", "nginx to curl").replace("+super", ", super seeding");
}

const saved = readFileSync(`${folder}participation.jsonl`, "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as Saved);
for (const n of [8, 16]) {
  const points = pointsOf(saved, n);
  if (points.length === 0) continue;
  writeFileSync(`${folder}participation-${n}.svg`, draw(points, n));
  process.stdout.write(`docs/plots/participation-${n}.svg: ${points.length} systems\n`);
}
