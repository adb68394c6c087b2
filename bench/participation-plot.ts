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

const width = 860;
const height = 440;
const left = 56;
/** Where the list of the systems begins. */
const listX = 600;
const top = 24;
const bottom = 52;
const leastRatio = 0.9;
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
  const isOne = ({ system }: Saved) => !system.includes("|");
  const crowds = saved.filter(
    (each) => each.options === `--n ${n}` && each.ratio !== null && isOne(each),
  );
  const points: Point[] = [];
  for (const [system, runs] of Map.groupBy(crowds, (each) => each.system)) {
    const copies = median(runs.map((run) => run.copies));
    const ratio = median(runs.map((run) => run.ratio as number));
    points.push({ name: system, copies, ratio });
  }
  return points;
}

/** From figures to places on the picture. */
interface Scale {
  readonly x: (copies: number) => number;
  readonly y: (ratio: number) => number;
}

function draw(points: readonly Point[], n: number): string {
  const mostRatio = Math.max(...points.map(({ ratio }) => ratio)) + 0.2;
  const scale: Scale = {
    x: (copies) => left + ((listX - 40 - left) * copies) / (n + 0.5),
    y: (ratio) =>
      height - bottom - ((height - top - bottom) * (ratio - leastRatio)) / (mostRatio - leastRatio),
  };
  const axis = `${left + (listX - 40 - left) / 2}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="Time against copies, ${n} peers">
<style>svg{font:13px system-ui,sans-serif}text{fill:#334155}.grid{stroke:#e2e8f0}polyline{fill:none;stroke-width:2}.bound{stroke:#94a3b8;stroke-dasharray:6 4}.ours{stroke:#2563eb}.own{fill:#2563eb}.other{fill:#c2410c}.n{font-weight:600}</style>
<rect width="${width}" height="${height}" fill="#fff"/>
${[...grid(scale, n, mostRatio), ...lines(scale, points, n), ...marks(scale, points)].join("\n")}
<text x="${axis}" y="${height - 10}" text-anchor="middle">copies sent by the source, ${n} peers at once</text>
<text transform="translate(16 ${height / 2}) rotate(-90)" text-anchor="middle">last completion ÷ T*</text>
</svg>
`;
}

function grid({ x, y }: Scale, n: number, mostRatio: number): string[] {
  const out: string[] = [];
  for (let copies = 0; copies <= n; copies += n > 8 ? 2 : 1) {
    out.push(
      `<text x="${x(copies)}" y="${height - bottom + 20}" text-anchor="middle">${copies}</text>`,
    );
  }
  for (let ratio = 1; ratio < mostRatio; ratio += 0.5) {
    out.push(`<path class="grid" d="M${left} ${y(ratio)}H${x(n + 0.5)}"/>`);
    out.push(
      `<text x="${left - 8}" y="${y(ratio) + 4}" text-anchor="end">${ratio.toFixed(1)}</text>`,
    );
  }
  return out;
}

function lines({ x, y }: Scale, points: readonly Point[], n: number): string[] {
  const line = (kind: string, of: readonly Pick<Point, "copies" | "ratio">[]) => {
    const places = of.map(({ copies, ratio }) => `${x(copies).toFixed(1)},${y(ratio).toFixed(1)}`);
    return `<polyline class="${kind}" points="${places.join(" ")}"/>`;
  };
  const bound = Array.from({ length: 200 }, (_, i) => {
    const copies = 1 + ((n - 1) * i) / 199;
    return { copies, ratio: Math.max(1, boundAt(n, copies)) };
  });
  const curves = ["", ":libtorrent"].map((suffix) => {
    const names = ["thrifty", "balanced", "fast"].map((name) => `@btpublisher+${name}${suffix}`);
    const own = names.flatMap((name) => points.find((point) => point.name === name) ?? []);
    return line(
      "ours",
      own.toSorted((a, b) => a.copies - b.copies),
    );
  });
  return [line("bound", bound), ...curves];
}

/** Points with numbers, and the list of what they are. */
function marks({ x, y }: Scale, points: readonly Point[]): string[] {
  const out: string[] = [];
  const taken: { readonly x: number; readonly y: number }[] = [];
  for (const [i, point] of points.toSorted((a, b) => a.ratio - b.ratio).entries()) {
    const kind = point.name.startsWith("@") ? "own" : "other";
    const place = { x: x(point.copies), y: y(point.ratio) };
    out.push(`<circle class="${kind}" cx="${place.x}" cy="${place.y}" r="4"/>`);
    // Numbers of neighbouring points go side by side.
    const number = { x: place.x + 7, y: place.y - 7 };
    while (taken.some((at) => Math.abs(at.x - number.x) < 20 && Math.abs(at.y - number.y) < 13)) {
      number.x += 4;
    }
    taken.push(number);
    const listY = top + 16 + 21 * i;
    out.push(`<text class="n" x="${number.x}" y="${number.y.toFixed(1)}">${i + 1}</text>`);
    out.push(`<circle class="${kind}" cx="${listX}" cy="${listY - 4}" r="4"/>`);
    out.push(`<text x="${listX + 10}" y="${listY}">${i + 1}  ${labelOf(point.name)}</text>`);
  }
  const boundY = top + 16 + 21 * points.length;
  out.push(`<path class="bound" d="M${listX - 6} ${boundY - 4}h14"/>`);
  out.push(`<text x="${listX + 14}" y="${boundY}">the fluid bound</text>`);
  return out;
}

/** `@btpublisher+fast:libtorrent` is our server with libtorrent's peers. */
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
