/** Imports go downward only and in no circle: the layers of ARCHITECTURE.md, checked. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Module, sourceModules } from "./modules.ts";

const CORE = ["base", "protocol", "ports"];
const ROLE = [...CORE, "engine", "participation", "runtime", "ledger", "access"];

/** What each folder under src/ may import, itself apart. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  base: [],
  protocol: ["base"],
  ports: ["base", "protocol"],
  engine: CORE,
  participation: CORE,
  runtime: [...CORE, "engine", "participation"],
  "adapters/memory": CORE,
  "adapters/node": CORE,
  "adapters/sql": CORE,
  ledger: CORE,
  client: ["base", "protocol"],
  access: CORE,
  tracker: ROLE,
  "source-node": ROLE,
  peer: ROLE,
  announcer: ROLE,
  sim: [...ROLE, "tracker", "source-node", "peer", "announcer", "adapters/memory"],
  web: ["base", "protocol", "client"],
  cli: [
    ...ROLE,
    "tracker",
    "source-node",
    "peer",
    "announcer",
    "sim",
    "adapters/memory",
    "adapters/node",
    "adapters/sql",
  ],
};

const modules = sourceModules();

function layerOf(path: string): string {
  const [, first = "", second = ""] = path.split("/");
  return first === "adapters" ? `adapters/${second}` : first;
}

test("every folder under src/ is a layer that is known here", () => {
  const unknown = modules.filter(({ path }) => allowed[layerOf(path)] === undefined);
  assert.deepEqual(
    unknown.map(({ path }) => path),
    [],
  );
});

test("a module imports only from layers below its own", () => {
  const wrong = modules.flatMap(({ path, imports }) => {
    const layer = layerOf(path);
    return imports
      .map((imported) => ({ imported, from: layerOf(imported) }))
      .filter(({ from }) => from !== layer && allowed[layer]?.includes(from) !== true)
      .map(({ imported }) => `${path} imports ${imported}`);
  });
  assert.deepEqual(wrong, []);
});

test("what is imported exists", () => {
  const known = new Set(modules.map(({ path }) => path));
  const wrong = modules.flatMap(({ path, imports }) =>
    imports
      .filter((imported) => imported.startsWith("src/") && !known.has(imported))
      .map((imported) => `${path} imports ${imported}`),
  );
  assert.deepEqual(wrong, []);
});

test("no module imports itself round a circle", () => {
  assert.deepEqual(findCircle(modules), []);
});

/** The paths of one circle of imports, or none: depth-first search. */
function findCircle(all: readonly Module[]): string[] {
  const byPath = new Map(all.map((module) => [module.path, module]));
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): string[] => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
    if (done.has(path)) return [];
    for (const imported of byPath.get(path)?.imports ?? []) {
      const circle = visit(imported, [...trail, path]);
      if (circle.length > 0) return circle;
    }
    done.add(path);
    return [];
  };
  for (const { path } of all) {
    const circle = visit(path, []);
    if (circle.length > 0) return circle;
  }
  return [];
}
